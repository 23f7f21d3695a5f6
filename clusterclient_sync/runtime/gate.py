"""What a cluster client talks to: its core, in the right process and the right thread.

A :class:`Gate` makes the core, in the hub that the runtime says, and is the one place where calls
of other threads, of other hubs and of forked children come in.  In the core's own thread a call
passes straight through.  In a forked child the core is the parent's: at the first use there the
gate makes another one, with the listeners and handlers of the old one, which joins anew.
"""

from __future__ import absolute_import, division, print_function

import os
import weakref

import gevent

from .. import own_process, registry, states
from .._compat import (
    call_after_fork_in_child, existing_hub, monotonic, native_lock, native_sleep, native_thread_id)
from ..core import Core
from ..events import EventEmitter
from ..exceptions import (
    NOT_SENT, UNKNOWN, ClientClosedError, LeaderUnavailableError, ResponseTimeoutError)
from ..greenlets.outside import GREENLET
from ..transport import fork_guard
from . import at_exit, choice, hub_thread
from .crossing import HubGone, NotInTime, cross

#: What the client's hub may need beyond a call's own timeout, which is watched there (seconds).
_GRACE = 0.2

_gates = weakref.WeakSet()
_held_in = None  # the pid of a process whose clients wait for its children
_making = native_lock()
_in_the_making = set()  # gates of this process
#: How often (seconds) a second one looks whether the first has made it.
_LOOK_INTERVAL = 0.001


class Gate(object):
    """See the module.

    :param client: kept alive by the core until that is closed.
    :param options: as the user gave them; the runtime is chosen in each process.
    """

    def __init__(self, client, plan, options):
        self.core = None
        self._client = weakref.ref(client)
        self._plan = plan
        self._options = options
        self._process = own_process.mark()
        self._thread = None
        self._hub_thread = None
        self._is_written_for_gevent = (
            options.runtime is None and choice.is_written_for_gevent(plan.real_class))
        self.emitter = EventEmitter()
        _gates.add(self)
        self._make_core(client, [])

    def _make_core(self, client, listeners):
        """Make a core in this process; nothing of this gate changes before it is there."""
        process = own_process.mark()
        options = choice.choose(self._options, self._is_written_for_gevent)
        if _held_in == os.getpid():
            options = options.replace(runtime=GREENLET)
        if options.runtime == GREENLET:
            made = _Made(None)
            made.make(self, client, options, listeners)
        else:
            made = _Made(hub_thread.acquire())
            try:
                made.thread_with_hub.call(made.make, (self, client, options, listeners))
            except BaseException:
                made.abandon()
                raise
        self._hub_thread = made.thread_with_hub
        self.core = made.core
        self._thread = made.thread
        self._process = process  # the last: who sees it may use the others
        at_exit.watch()

    def new_core(self, client, options, listeners, on_finished):
        """A core that has begun to look for its role; in the hub in which it is to live."""
        core = Core(client, self._plan, options, self.emitter, on_finished)
        for registration, listener in listeners:
            core.subscribe(registration, listener)
        if _held_in == os.getpid():
            core.admission.refused(LeaderUnavailableError(
                "the clients of this process wait for its children, which are forked later: use "
                "them there", outcome=NOT_SENT))
        else:
            core.start()
        return core

    # In a forked child ------------------------------------------------------------------------

    @property
    def is_inherited(self):
        """Whether the core is that of a parent process."""
        return own_process.here[0] != self._process

    def join_anew(self):
        """In a forked child: have a core of this process's own, once; not where the client was
        closed before the fork.
        """
        client = self._client()
        while self.is_inherited and client is not None:
            # No lock is held while it is made: another greenlet of this thread may come for it.
            with _making:
                is_first = self not in _in_the_making
                _in_the_making.add(self)
            if is_first:
                try:
                    self._replace(client)
                finally:
                    _in_the_making.discard(self)
            else:
                _pause()

    def _replace(self, client):
        fork_guard.check()
        old = self.core
        if old.was_open:
            registry.claim(
                client, registry.key_of(self._plan.name, self._options), self._plan)
            try:
                self._make_core(client, old.subscriptions.listeners())
            except BaseException:
                registry.release(client)
                raise
        else:
            self._process = own_process.mark()

    # From anywhere ----------------------------------------------------------------------------

    @property
    def plan(self):
        """What the client delegates."""
        return self._plan

    @property
    def role(self):
        """Whether it leads or follows, as the core's role, or ``None``."""
        return None if self.is_inherited else self.core.role

    @property
    def epoch(self):
        """The epoch of the leadership that it knows, or ``None``."""
        role = self.role
        return self.core.epoch_seen if role is None else role.epoch

    @property
    def is_at_home(self):
        """Whether the caller is in the core's thread and process."""
        return native_thread_id() == self._thread and own_process.here[0] == self._process

    def _reach(self, name, timeout, *args):
        """Call a method of the core from elsewhere.

        :param timeout: seconds that the method itself takes at most, or ``None``.
        """
        if self.is_inherited:
            self.join_anew()
            if self.is_at_home:
                return getattr(self.core, name)(*args)
        core = self.core
        if core.state == states.CLOSED and core.has_closed:
            raise core.closed_error(NOT_SENT)  # its thread may have gone with it
        until = None if timeout is None else monotonic() + timeout + _GRACE
        try:
            if self._hub_thread is not None:
                return self._hub_thread.call(getattr(core, name), args, until)
            return cross(core.hub.loop, _spawn, getattr(core, name), args, until)
        except NotInTime as late:
            raise ResponseTimeoutError(
                "%s of %s did not end within %s s: the loop that it lives in is blocked, or nobody "
                "runs it" % (name, self._plan.name, timeout),
                outcome=UNKNOWN if late.is_begun else NOT_SENT, timeout=timeout, method=name)
        except HubGone as gone:
            raise core.closed_error(UNKNOWN if gone.is_begun else NOT_SENT)

    def _timeout_of(self, spec, timeout):
        if timeout is not None:
            return timeout
        return self._options.response_timeout if spec.timeout is None else spec.timeout

    def invoke(self, spec, args, kwargs, timeout=None, callback=None):
        """See :meth:`Core.invoke`."""
        if native_thread_id() == self._thread and own_process.here[0] == self._process:
            return self.core.invoke(spec, args, kwargs, timeout, callback)
        return self._reach("invoke", self._timeout_of(spec, timeout),
                           spec, args, kwargs, timeout, callback)

    def invoke_oneway(self, spec, args, kwargs, timeout=None, callback=None):
        """See :meth:`Core.invoke_oneway`."""
        if self.is_at_home:
            return self.core.invoke_oneway(spec, args, kwargs, timeout, callback)
        return self._reach("invoke_oneway", self._timeout_of(spec, timeout),
                           spec, args, kwargs, timeout, callback)

    def publish(self, spec, registration, timeout=None, callback=None):
        """See :meth:`Core.publish`."""
        if self.is_at_home:
            return self.core.publish(spec, registration, timeout, callback)
        return self._reach("publish", self._timeout_of(spec, timeout),
                           spec, registration, timeout, callback)

    def _do(self, name, timeout, *args):
        if self.is_at_home:
            return getattr(self.core, name)(*args)
        return self._reach(name, timeout, *args)

    def subscribe(self, registration, listener):
        """See :meth:`Core.subscribe`."""
        self._do("subscribe", self._options.response_timeout, registration, listener)

    def unsubscribe(self, registration, listener=None):
        """See :meth:`Core.unsubscribe`."""
        self._do("unsubscribe", self._options.response_timeout, registration, listener)

    def ready(self, timeout=None):
        """See :meth:`Core.ready`."""
        limit = self._options.max_wait_time if timeout is None else timeout
        self._do("ready", limit, limit)

    def resign(self):
        """See :meth:`Core.resign`."""
        self._do("resign", None)

    def stand_back(self):
        """See :meth:`Core.stand_back`."""
        self._do("stand_back", self._options.response_timeout)

    def note_handler(self):
        """There may be a handler of an event that nobody heard."""
        if self.core.has_unheard and not self.is_inherited:
            self._do("tell_unheard", self._options.response_timeout)

    def leave_at_exit(self, timeout):
        """See :meth:`Core.leave_at_exit`."""
        self._do("leave_at_exit", timeout, timeout)

    def close(self, timeout=None):
        """See :meth:`Core.close`; a copy in a forked child is just forgotten."""
        if self.is_inherited:
            fork_guard.check()
            self.core.abandon()
            self._process = own_process.mark()
        elif self.is_at_home:
            self.core.close(timeout)
        elif self.core.state != states.CLOSED or not self.core.has_closed:
            self._close_from_elsewhere(timeout)

    def _close_from_elsewhere(self, timeout):
        try:
            self._reach("close", timeout, timeout, native_thread_id())
        except ClientClosedError:
            pass  # it is what was wanted
        except ResponseTimeoutError:
            if timeout is None:
                raise  # closing goes on


class _Made(object):
    """A core in the making, and its hub's thread, where that is none of the caller's."""

    def __init__(self, thread_with_hub):
        self.thread_with_hub = thread_with_hub
        self.core = None
        self.thread = None
        self._is_abandoned = False

    def make(self, gate, client, options, listeners):
        """In the hub in which it is to live."""
        try:
            self.core = gate.new_core(client, options, listeners, self._release)
        except BaseException:
            self._release()
            raise
        self.thread = native_thread_id()
        if self._is_abandoned:
            self.core.close(0)

    def abandon(self):
        """Who wanted it was interrupted, or it could not be made."""
        self._is_abandoned = True
        core = self.core
        if core is not None:
            core.hub.loop.run_callback_threadsafe(gevent.spawn, core.close, 0)

    def _release(self):
        if self.thread_with_hub is not None:
            self.thread_with_hub.release()


def _pause():
    """Let whoever else is at work go on, greenlet or thread."""
    if existing_hub() is None:
        native_sleep(_LOOK_INTERVAL)
    else:
        gevent.sleep(_LOOK_INTERVAL)


def _spawn(job):
    """Run a job in a greenlet of the hub whose callback this is."""
    gevent.Greenlet(job).start()


def _in_child():
    global _making
    _making = native_lock()
    _in_the_making.clear()


call_after_fork_in_child(_in_child)


# For who prepares processes --------------------------------------------------------------------

def hold():
    """From now on clients that are made in this process join in its forked children only."""
    global _held_in
    _held_in = os.getpid()


def join_inherited():
    """In a forked child: have all clients that were made before the fork join now, and not at their
    first use.
    """
    for gate in list(_gates):
        if gate.is_inherited:
            gate.join_anew()
