"""The thread that has a hub where the process itself is not gevent's.

All clients of a process that are not the user's hub's share one such thread.  It starts with the
first of them and ends with the last.  No user code runs in it, save transcodes and key formats.
"""

from __future__ import absolute_import, division, print_function

import logging
import os

import gevent
from gevent import get_hub

from .._compat import (
    call_after_fork_in_child, give_up_import_lock, interrupt_main, monotonic, native_lock,
    native_sleep, start_thread, take_import_lock)
from ..greenlets import outside
from ..greenlets.waits import Wait
from ..greenlets.workers import WorkerPool
from .crossing import HubGone, cross

_log = logging.getLogger(__name__)

#: How long (seconds) what is under way at the end has to give its answers.
_LAST_WORDS = 5.0

_current = None
_lock = native_lock()


def acquire():
    """The thread of this process; who has it calls :meth:`HubThread.release` once."""
    global _current
    with _lock:
        if _current is None or _current.is_over or _current.pid != os.getpid():
            _current = HubThread()
        _current.users += 1
        return _current


def end_at_exit(timeout):
    """End the thread of this process, whoever uses it: greenlets must not run while the interpreter
    is taken apart.
    """
    if _current is not None and _current.pid == os.getpid():
        _current.end(timeout)


def _in_child():
    # The parent's thread is not here, and another of its threads may have held the lock.
    global _current, _lock
    _current = None
    _lock = native_lock()


call_after_fork_in_child(_in_child)


class HubThread(object):
    """See the module; made by :func:`acquire`."""

    def __init__(self):
        self.pid = os.getpid()
        self.users = 0
        self.is_over = False
        self.hub = None
        self._pool = None
        self._under_way = 0
        self._is_at_exit = False
        self._stopper = None
        self._has_ended = native_lock()
        self._has_ended.acquire()
        self._failure = None
        has_started = native_lock()
        has_started.acquire()
        start_thread(self._run, (has_started,))
        import_depth = give_up_import_lock()
        try:
            has_started.acquire()
        finally:
            take_import_lock(import_depth)
        if self._failure is not None:
            raise self._failure

    def _run(self, has_started):
        is_told = Wait()
        try:
            self._prepare(is_told)
        except BaseException as error:
            self._failure = error
            return
        finally:
            has_started.release()
        try:
            self._serve(is_told)
        finally:
            with _lock:
                self.is_over = True
            self._has_ended.release()

    def _prepare(self, is_told):
        self.hub = hub = get_hub()
        hub.name = "clusterclient_sync"
        hub.handle_system_error = self._on_system_error
        self._pool = WorkerPool(hub, "calls of other threads")
        self._stopper = hub.loop.async_()  # which also keeps the hub waiting
        self._stopper.start(is_told.resolve)

    @staticmethod
    def _on_system_error(kind, value, traceback=None):
        """gevent would throw it into this thread's first greenlet, which is nobody's program."""
        if issubclass(kind, KeyboardInterrupt):
            interrupt_main()
        else:
            _log.error("A greenlet wanted to end the process", exc_info=(kind, value, traceback))

    def _serve(self, is_told):
        hub = self.hub
        try:
            is_told.block(hub)
            until = monotonic() + _LAST_WORDS
            while ((self._under_way or outside.has_work(hub)) and monotonic() < until
                   and not self._is_at_exit):
                gevent.sleep(0.001)
            self._pool.close(0)
            gevent.sleep(0)  # callers whose calls are over are woken in the hub's next turn
        finally:
            # What a native thread still does ends with a word to this hub.
            if not outside.has_work(hub):
                hub.destroy(destroy_loop=True)

    def call(self, function, args=(), until=None):
        """Call a function in a greenlet of this thread's hub, see :func:`~.crossing.cross`."""
        loop = self.hub.loop
        if loop is None or self.pid != os.getpid():
            raise HubGone(False)
        return cross(loop, self._start, function, args, until, lambda: not self.is_over)

    def _start(self, crossing):
        def run():
            self._under_way += 1
            try:
                crossing()
            finally:
                self._under_way -= 1

        self._pool.run(run)
        crossing.has_blocked = True

    def end(self, timeout):
        """End the thread, whatever is under way; block the calling one until it has ended, about so
        many seconds.
        """
        self._is_at_exit = True
        with _lock:
            is_over, self.is_over = self.is_over, True
        if not is_over:
            self._stopper.send()
        until = monotonic() + timeout
        while not self._has_ended.acquire(False):
            if monotonic() > until:
                return
            native_sleep(0.001)
        self._has_ended.release()

    def release(self):
        """One user less; the last one ends the thread."""
        with _lock:
            self.users -= 1
            if self.users or self.is_over:
                return
            self.is_over = True
        self._stopper.send()
