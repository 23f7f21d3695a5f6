"""The real client: its life, its methods, its events.

A :class:`Host` makes the real client once and closes it once.  States: *new*, *starting*,
*running*, *closed*.  The constructor, ``init`` and every method run in greenlets of the host's
worker pool or of its starter, or in native threads (the option ``real_client_runtime``), never in
the hub.

The real client may call back (callbacks, listeners, events) from any greenlet, from the hub, and
from any native thread; :meth:`Host.hand_in` is the one place through which all of that comes in.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

import gevent
from greenlet import getcurrent

from .._compat import existing_hub, monotonic, native_thread_id
from ..greenlets import outside
from ..data_client import DataClientBase
from ..delegation import check_real, style_of, unsubscribe_method
from ..events import EventEmitter
from ..exceptions import ClusterClientError, RemoteError
from ..method_spec import CALLBACK, INVOKE, INVOKE_ONEWAY, PUBLISH, SUBSCRIBE
from .invocation import LATER, as_exception

#: A real client's ``close`` has no less than this (seconds) to return.
_LEAST_CLOSE_TIMEOUT = 1.0
_INVOCABLE = (INVOKE, INVOKE_ONEWAY, PUBLISH)
#: These events are the cluster client's own; of the real client's they are not passed on.
_OWN_EVENTS = ("close", "leader_change")


class Host(object):
    """See the module.

    :param pool: the worker pool in which the real client's methods run.
    :param deadlines: for callbacks that never come.
    :param on_event: called as ``on_event(name, args)`` in a worker for each of its events.
    """

    def __init__(self, plan, options, pool, deadlines, on_event):
        self.plan = plan
        self.options = options
        self._log = options.logger
        self.pool = pool
        self.real = None
        self._unclosed = []  # the real client, until it is closed
        #: nothing goes to it any more, and what comes from it is dropped
        self.is_closed = False
        #: another process may have a real client meanwhile: what this one still answers is of old
        self.is_cut_off = False
        #: calls of this process that are in work
        self.local_in_work = 0
        #: called after each invocation, where somebody waits for the host to become idle
        self.on_work_done = None
        self._place = outside.make(
            options.real_client_runtime, pool.hub, options.max_threads)
        #: calls what is the real client's, where such code runs
        self.call = self._place.call
        self._deadlines = deadlines
        self._on_event = on_event
        self._thread = native_thread_id()
        self._methods = {}
        self._close_name = None
        self._is_close_called = False
        self._starter = None
        self._pid = os.getpid()

    # Its life -----------------------------------------------------------------------------

    def start(self, wait):
        """Make the real client and wait until it is ready.

        :param wait: called as ``wait(greenlet)``: blocks until that greenlet, which runs the
            constructor and ``init``, has ended; may be interrupted by killing the caller.
        :raises Exception: what the constructor or ``init`` raised.  There is no real client then.
        """
        self._starter = gevent.Greenlet(self._make)
        self._starter.name = "start of %s" % self.plan.name
        self._starter.start()
        try:
            wait(self._starter)
        finally:
            if not self._starter.dead:
                # One that does not end for that is given up, like a close that hangs.
                self._starter.kill(timeout=_LEAST_CLOSE_TIMEOUT)
        if self._starter.value is not True:
            self._discard()
            raise self._starter.value or ClusterClientError("the start was interrupted")

    def _make(self):
        """True, or the exception; raising would have gevent print it."""
        try:
            self.call(self._make_real)
        except Exception as error:
            return error
        except (gevent.GreenletExit, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt):
                self.pool.hub.handle_system_error(*sys.exc_info()[:2])
            return ClusterClientError("the start of the real client was interrupted")
        except BaseException as error:
            return RemoteError("%s" % (error,), name=type(error).__name__)
        return True

    def _make_real(self):
        self.real = real = self.plan.make_real()
        self._unclosed.append(real)
        try:
            if callable(getattr(real, self.plan.close_name or "", None)):
                self._close_name = self.plan.close_name  # also of one that fails the check
            self._close_name = check_real(self.plan, real, self.options)
            self._methods = self._bind(real)
            if isinstance(real, DataClientBase):
                # By their classes: the user's class may use these names for itself.
                EventEmitter.tap(real, self._on_real_event)
                real.ready()
        finally:
            if self.is_closed:  # in a thread it goes on when nobody waits for it any more
                self._close_safely()

    def _bind(self, real):
        """Wire name -> (method, whether it takes a callback), for what may be called."""
        methods = {}
        for spec in self.plan.specs.values():
            if spec.target in _INVOCABLE:
                method = getattr(real, spec.name)
                methods[spec.remote_name] = (method, (spec.style or style_of(method)) == CALLBACK)
        return methods

    def _discard(self):
        """Close what a failed start may have left behind."""
        self.is_closed = True
        self._close_in_time()

    def close(self):
        """Close the real client; once.  What it does after that is dropped.

        In a greenlet of its own: a ``close`` that hangs is given up after the ``drain_timeout``.
        """
        self.is_closed = True
        if not self._is_close_called:
            self._close_in_time()

    def cut_off(self):
        """Let nothing to the real client or from it any more; from any thread."""
        self.is_cut_off = self.is_closed = True

    def _close_in_time(self):
        self._is_close_called = True
        closer = gevent.Greenlet(self.call, self._close_safely)
        closer.name = "close of %s" % self.plan.name
        closer.start()
        closer.join(max(_LEAST_CLOSE_TIMEOUT, self.options.drain_timeout))
        if not closer.dead:
            self._log.error("close() of the real client of %s does not return: it is given up",
                       self.plan.name)
            closer.kill(timeout=1)
        self._place.close()

    def _close_safely(self):
        try:
            self._close_real()
        except (gevent.GreenletExit, KeyboardInterrupt):
            raise
        except BaseException:  # a real client that wants to exit the process with itself
            self._log.exception("The real client of %s could not be closed", self.plan.name)

    def _close_real(self):
        if os.getpid() != self._pid:  # of a forked child's parent
            return
        try:
            real = self._unclosed.pop()  # once, whichever thread is first
        except IndexError:
            return
        if isinstance(real, DataClientBase):
            EventEmitter.untap(real, self._on_real_event)
            DataClientBase._stop_init(real, self.options.drain_timeout)
        if self._close_name is not None:
            getattr(real, self._close_name)()
        elif self.options.close_with is not None:
            self.options.close_with(real)

    # Its methods --------------------------------------------------------------------------

    def perform(self, invocation, args, kwargs):
        """Call a method of the real client, in a worker.

        :return: its value, or ``LATER`` where its callback will complete the invocation.
        :raises RemoteError: there is no such method to be called from outside.
        """
        entry = self._methods.get(invocation.method)
        if entry is None:
            raise RemoteError(
                "the method %r is not delegated at the leader" % (invocation.method,),
                name="MethodNotDelegatedError")
        method, takes_callback = entry
        if not takes_callback:
            if self._place.is_native:
                return self.call(method, *args, **(kwargs or {}))
            return method(*args, **kwargs) if kwargs else method(*args)
        # A callback that never comes must not count as work for ever, awaited or not.
        self._deadlines.add(invocation, invocation.late_after
                            or monotonic() + self.options.response_timeout)
        self.call(method, *args, callback=_Callback(self, invocation), **(kwargs or {}))
        return LATER

    def invocation_ends(self, invocation):
        """An invocation is complete (or given up): forget its deadline."""
        if invocation.slot is not None:
            self._deadlines.discard(invocation)
        if invocation.is_local:
            self.local_in_work -= 1
        if self.on_work_done is not None:
            self.on_work_done()

    def method_for(self, target):
        """The real client's method that is delegated to ``subscribe``, or ``None``."""
        spec = self.plan.named(target)
        if spec is None:
            return unsubscribe_method(self.plan, self.real) if target != SUBSCRIBE else None
        return getattr(self.real, spec.name)

    # What comes from it -------------------------------------------------------------------

    def hand_in(self, job):
        """Run ``job()`` in a worker of this host, from whatever greenlet or thread this is.

        In a greenlet of the host's own thread it runs before this returns.
        """
        if native_thread_id() != self._thread:
            try:
                self.pool.loop.run_callback_threadsafe(self.pool.run, job)
            except ValueError:  # the loop is gone, and with it all who could want this
                self._log.debug("What the real client told came too late")
        elif getcurrent() is self.pool.hub:
            self.pool.run(job)
        else:
            wait = job()
            if wait is not None:
                wait.wake_soon()

    def is_in_hub(self):
        """Whether this is a hub, of whatever thread, where nothing of the user's may run."""
        return getcurrent() is existing_hub()

    def may_block_here(self):
        """Whether this is a greenlet of the host's thread: neither the hub nor another thread."""
        return native_thread_id() == self._thread and getcurrent() is not self.pool.hub

    def _on_real_event(self, name, args):
        if self.is_closed or name in _OWN_EVENTS:
            return
        self.hand_in(lambda: self._on_event(name, args))


class _Callback(object):
    """What a callback-style method of the real client gets as ``callback``."""

    def __init__(self, host, invocation):
        self._host = host
        self._invocation = invocation
        self._is_called = False

    def __call__(self, error=None, value=None):
        """The outcome: ``callback(error)`` or ``callback(None, value)``."""
        if self._is_called:
            self._host.options.logger.warning(
                "%s called its callback twice", self._invocation.method)
            return
        self._is_called = True
        self._host.hand_in(lambda: self._complete(error, value))

    def _complete(self, error, value):
        if error is not None and error is not False:
            return self._invocation.complete_with_error(as_exception(error))
        return self._invocation.complete(value)
