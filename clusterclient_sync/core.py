"""What a cluster client does: calls, subscriptions, publishes, events, whatever its role is.

The core keeps what outlives a role (subscriptions, publishes, one-way calls that have not left),
hands calls to the role that there is, and lets them wait where there is none.  Who leads is the
supervisor's business: it gives a role with :meth:`Core.enter` and takes it with :meth:`Core.leave`.

The core lives in the hub of the thread that made it, and is used in that thread only; who is
elsewhere comes in through the gate (see ``runtime.gate``).  Callbacks, listeners and handlers run
where ``user_code`` says: in greenlets of this hub, or in native threads.
"""

from __future__ import absolute_import, division, print_function

import gevent
from gevent import Timeout, get_hub
from gevent.event import Event
from greenlet import getcurrent

from . import registry, states
from ._compat import monotonic, native_thread_id
from .admission import Admission
from .events import emit_apart
from .exceptions import (
    NOT_SENT, UNKNOWN, ClientClosedError, ClusterClientError, ConfigurationError, set_outcome)
from .exceptions import outcome as outcome_of
from .greenlets import outside
from .greenlets.deadlines import Deadlines
from .greenlets.workers import Lane, WorkerPool
from .method_spec import SUBSCRIBE
from .protocol.negotiation import Negotiator
from .roles.backlog import Backlog
from .roles.call import Call, LeaderLost, take_callback
from .roles.node_speech import NodeSpeech
from .roles.publishes import PublishLog
from .roles.subscriptions import SubscriptionTable
from .supervisor import Supervisor
from .transport import fork_guard

LEADER_CHANGE = "leader_change"
#: events that wait for a handler which does not return
_MAX_EVENTS = 10000


class Core(object):
    """See the module.

    :param client: whose core it is; kept alive until it is closed.
    :param options: with a definite runtime.
    :param emitter: of the client's events; ``on_finished`` is called when all is ended.
    """

    def __init__(self, client, plan, options, emitter, on_finished=lambda: None):
        self.client = client
        self.plan = plan
        self.options = options
        self._log = options.logger
        self.hub = get_hub()
        self.pool = WorkerPool(self.hub, plan.name)
        self.user_code = outside.make(options.runtime, self.hub, options.max_threads)
        self.deadlines = Deadlines(self.hub)
        self.negotiator = Negotiator(options.transcode, options.max_frame_size,
                                     options.heartbeat_interval, plan.fingerprint,
                                     options.node_transcode)
        self.node_speech = NodeSpeech(options.node_transcode)
        self.emitter = emitter
        self.subscriptions = SubscriptionTable(
            options, self.pool, self.deadlines, self.emit_error, self.user_code.call)
        self.publishes = PublishLog(options)
        self._backlog = Backlog(
            self.subscriptions, self.publishes, options.logger, self.emit_error)
        self.state = states.JOINING
        self.role = None
        self.epoch_seen = None
        self.closers = set()  # greenlets that wait in close()
        self.is_abandoned = False  # it is the parent's of this process...
        self.was_open = False  # ... and was open there
        self._thread = native_thread_id()
        self._on_finished = on_finished
        self._events = Lane(self.pool)
        self._last_leader = None  # (role's name, epoch, pid) as last told
        self._unheard = None  # the same, where there was no handler
        self._has_closed = Event()
        self._supervisor = Supervisor(self)
        self.admission = Admission(self, self._supervisor.unavailable)
        fork_guard.watch_over(self)

    def start(self):
        """Begin to look for a leader, in the background."""
        self._supervisor.start()

    # Calls ----------------------------------------------------------------------------------

    def invoke(self, spec, args, kwargs, timeout=None, callback=None):
        """Call a delegated method; see :meth:`ClusterClient.call`."""
        if callback is None and (kwargs or spec.style != "return"):
            callback, args, kwargs = take_callback(spec, args, kwargs)
        call = self._new_call(spec, args, kwargs, timeout)
        if callback is None:
            return self._make(call)
        self.check_open()
        self._freeze(call)
        self.pool.run(lambda: self._call_back(lambda: self._make(call), call, callback))

    def _new_call(self, spec, args, kwargs, timeout):
        if timeout is None:
            timeout = self.options.response_timeout if spec.timeout is None else spec.timeout
        return Call(spec, args, kwargs, timeout)

    def _make(self, call, is_oneway=False):
        try:
            while True:
                role = self.role
                if role is None:
                    self.admission.wait(call)
                    continue
                try:
                    return role.invoke_oneway(call) if is_oneway else role.invoke(call)
                except LeaderLost as lost:
                    loss = lost
                if self.state == states.CLOSED:
                    raise self.closed_error(loss.error.outcome)
                call.check_repeat(loss)
                # Not seen by the old leader, or harmless to repeat: the next leader gets it.
                if self.role is role:
                    gevent.sleep(0)  # the role is being taken away
        except ClusterClientError as error:
            if call.may_have_run and outcome_of(error) == NOT_SENT:
                set_outcome(error, UNKNOWN)
            raise

    def _call_back(self, make, call, callback):
        """A call with a callback, in a worker."""
        value = error = None
        try:
            value = make()
        except Exception as raised:
            error = raised
        try:
            self.user_code.call(callback, error, value)
        except (Exception, Timeout) as raised:  # a worker's Timeout is its own
            self._log.exception("The callback %r of %s raised", callback, call.describe())
            self.emit_error(raised)

    def invoke_oneway(self, spec, args, kwargs, timeout=None, callback=None):
        """Call a method whose value nobody wants; returns (or calls back) when it is on its way."""
        self.check_open()
        call = self._new_call(spec, args, kwargs, timeout)
        self._freeze(call)
        if callback is None:
            self._make(call, is_oneway=True)
        else:
            self.pool.run(lambda: self._call_back(
                lambda: self._make(call, is_oneway=True), call, callback))

    def _freeze(self, call):
        role = self.role
        call.freeze(role.transcode if role is not None else self.negotiator.own)

    def publish(self, spec, registration, timeout=None, callback=None):
        """Publish; kept for the next leader where there is none now."""
        self.check_open()
        call = self._new_call(spec, (registration,), {}, timeout)
        self._freeze(call)
        if callback is None:
            self._publish(call)
        else:
            self.pool.run(lambda: self._call_back(lambda: self._publish(call), call, callback))

    def _publish(self, call):
        key = self.publishes.key_of(call)
        role = self.role
        if role is not None:
            try:
                role.publish(call)
                self.publishes.note(call, key)
                return
            except LeaderLost as lost:
                if self.state == states.CLOSED:
                    raise self.closed_error(lost.error.outcome)
        self.publishes.note(call, key)
        self.publishes.keep_unsent([call])

    # Subscriptions --------------------------------------------------------------------------

    def subscribe(self, registration, listener):
        """Register a listener."""
        self.check_open()
        if self.plan.named(SUBSCRIBE) is None:
            raise ConfigurationError(
                "%s has no method that is delegated to subscribe" % self.plan.name)
        if not callable(listener):
            raise ConfigurationError("a listener is callable, and %r is not" % (listener,))
        entry = self.subscriptions.add(registration, listener)
        if entry is not None and self.role is not None:
            self.role.subscribe(entry)

    def unsubscribe(self, registration, listener=None):
        """Remove a listener, or all of this client for this registration."""
        self.check_open()
        entry = self.subscriptions.remove(registration, listener)
        if entry is not None and self.role is not None:
            self.role.unsubscribe(entry)

    # Events ---------------------------------------------------------------------------------

    def emit(self, name, *args):
        """Emit an event of the client, in a worker, after the events before it."""
        if len(self._events) >= _MAX_EVENTS:
            self._log.warning("A handler of %s's events does not return: %r is dropped",
                         self.plan.name, name)
        else:
            self._events.submit(lambda: self.tell(name, args))

    def tell(self, name, args):
        """Call the handlers of an event, in a worker."""
        is_heard = self.user_code.call(emit_apart, self.emitter, name, args)
        if name == LEADER_CHANGE and self.user_code.is_native:
            # Here a client may lead before its maker had the time to register a handler.
            self._unheard = None if is_heard else args
            if self._unheard and self.emitter.handlers(name):
                self.tell_unheard()

    @property
    def has_unheard(self):
        """Whether there was a change of leadership without a handler."""
        return self._unheard is not None

    def tell_unheard(self):
        """There is a handler now for the last change of leadership, which nobody heard of."""
        args, self._unheard = self._unheard, None
        if args is not None and self.state != states.CLOSED:
            self.emit(LEADER_CHANGE, *args)

    def emit_error(self, error):
        """Emit what went wrong without a caller that could be told."""
        self.emit("error", error)

    def on_event(self, name, args):
        """The real client, here or at the leader, emitted an event."""
        self.emit(name, *args)

    def in_order(self, job):
        """Run a job between the events, in the order in which it came."""
        self._events.submit(job)

    # Roles: for the supervisor ----------------------------------------------------------------

    def transition(self, event):
        """Something happened: the one place where the state changes."""
        if self.state != states.CLOSED:
            self.state = states.next_state(self.state, event)

    def enter(self, role, event):
        """There is a role: make what waits, then let calls through."""
        if not self._backlog.hand_to(role, lambda: self.state == states.CLOSED):
            return
        self.note_epoch(role.epoch)
        self.transition(event)
        self.role = role
        self.admission.open()
        self._tell_leader(role)

    def _tell_leader(self, role):
        leader = ("leader" if role.is_leader else "follower", role.epoch, role.leader_pid)
        if leader != self._last_leader:
            self._last_leader = leader
            self._log.info("%s: %s now (epoch %s, leader pid %s)", self.plan.name, *leader)
            self.emit(LEADER_CHANGE, *leader)

    def hold(self, event=states.PARTED):
        """The role serves no more new calls: they wait from now on."""
        if self.role is not None:
            self.note_epoch(self.role.epoch)
        self.role = None
        self.transition(event)

    def leave(self, role):
        """The role has ended: keep what it did not get done."""
        if self.role is role:  # it was lost while it was entered
            self.role = None
        self.note_epoch(role.epoch)
        self._backlog.take_back(role)

    def note_epoch(self, epoch):
        """Remember the highest epoch that was seen."""
        if epoch is not None and (self.epoch_seen is None or epoch > self.epoch_seen):
            self.epoch_seen = epoch

    def ready(self, timeout=None):
        """Block until there is a role, see :meth:`Admission.ready`."""
        self.admission.ready(timeout)

    # Ending ---------------------------------------------------------------------------------

    def check_open(self):
        """
        :raises ClientClosedError: it is closed.
        """
        if self.state == states.CLOSED:
            raise self.closed_error(NOT_SENT)

    def closed_error(self, outcome):
        """What calls of a closed client raise."""
        return ClientClosedError(
            "the client %s is closed; make a new one" % self.plan.name, outcome=outcome)

    def resign(self):
        """Step down, where this process leads; returns when it has."""
        self.check_open()
        if self.role is not None and self.role.is_leader and not self.options.single_mode:
            self._supervisor.resign()

    def stand_back(self):
        """Leave leading to others from now on, as far as there are any; returns at once."""
        if self.state != states.CLOSED and not self.options.single_mode:
            self._supervisor.stand_back()

    @property
    def has_closed(self):  # all is ended
        return self.is_abandoned or self._has_closed.is_set()

    def close(self, timeout=None, thread=None):
        """Close; returns when all is ended, or after ``timeout`` seconds.  ``thread``: the native
        thread that waits for this, where it is not this one.
        """
        if self.state != states.CLOSED:
            role, self.role = self.role, None
            self.transition(states.CLOSE)
            self.admission.close()
            self._supervisor.close(role)
        if getcurrent() is self.hub or self._has_closed.is_set():
            return
        # One that listens, or is called back, ends after its own job and not for it.
        closer = self.user_code.caller_of(thread) or getcurrent()
        self.closers.add(closer)
        self.pool.look_again()
        try:
            self._has_closed.wait(timeout)
        finally:
            self.closers.discard(closer)

    def leave_at_exit(self, timeout):
        """The interpreter ends: hand over, or see off what was sent, in so many seconds."""
        role = self.role
        if self._supervisor.is_started and self.state != states.CLOSED \
                and not self.options.single_mode:
            if role is None or role.is_leader:
                self._supervisor.leave_for_good(timeout)
            else:
                role.connection.wait_until_sent(monotonic() + timeout)

    def finish(self):
        """The supervisor has left its last role: end everything that is left."""
        self.subscriptions.clear()
        self.publishes.clear()
        self.emit("close")
        self.pool.close(self.options.drain_timeout, self.closers)
        self.deadlines.close()
        fork_guard.forget(self)
        registry.release(self.client)
        self.user_code.close()
        self._has_closed.set()
        if self.user_code.is_native:
            # Who closed it from inside a listener is on its way out of that; its hub must not go
            # before.
            self.pool.wait_for_end()
        self._on_finished()

    def abandon(self):
        """In a forked child: the core is its parent's."""
        if not self.is_abandoned:
            self.is_abandoned = True
            self.was_open = self.state != states.CLOSED
        self.role = None
        self.state = states.CLOSED
        if native_thread_id() == self._thread:  # else its greenlets went with their thread
            self._supervisor.abandon()
            self._has_closed.set()
