"""Block whoever calls, until somebody in another thread wakes it.

A waiter has ``wait(timeout)``, which returns at the latest after so many seconds (and maybe too
early: the caller looks whether what it waits for is there), and ``wake()``, for any thread.
:func:`borrow` gives the kind that suits the caller: a greenlet of a hub lets its hub run on, a
plain thread blocks.  Who has borrowed it calls ``give_back()``.
"""

from __future__ import absolute_import, division, print_function

import os
import select

from greenlet import getcurrent

from .._compat import (
    LOCKS_HEED_SIGNALS, existing_hub, native_local, native_lock, native_poll, set_close_on_exec)
from ..exceptions import NOT_SENT, ConfigurationError
from ..greenlets.waits import Wait

_spare = native_local()


def borrow():
    """A waiter for the calling thread or greenlet.

    :raises ConfigurationError: this is a hub, which nothing may block.
    """
    hub = existing_hub()
    if hub is None:
        return _spare_of_thread()
    if getcurrent() is hub:
        raise ConfigurationError(
            "a cluster client was used in a callback of gevent's hub, which must not block: spawn "
            "a greenlet for it", outcome=NOT_SENT)
    return HubWaiter(hub)


def _spare_of_thread():
    # A list: a signal handler may call while the thread waits already.
    waiters = _spare.__dict__.setdefault("waiters", [])
    while waiters:
        waiter = waiters.pop()
        if waiter.pid == os.getpid():
            return waiter
    return LockWaiter() if LOCKS_HEED_SIGNALS else PipeWaiter()


class _ThreadWaiter(object):
    """One that its thread uses again."""

    def give_back(self):
        """The wait is over."""
        # One that somebody interrupted may be woken late: the next wait returns too early.
        _spare.waiters.append(self)


class LockWaiter(_ThreadWaiter):
    """Blocks a thread on a lock."""

    def __init__(self):
        self.pid = os.getpid()
        self._lock = native_lock()
        self._lock.acquire()

    def wait(self, timeout):
        """Block until :meth:`wake`, at most so many seconds."""
        self._lock.acquire(True, timeout)

    def wake(self):
        """End the wait; from any thread."""
        try:
            self._lock.release()
        except RuntimeError:  # it is woken already
            pass


class PipeWaiter(_ThreadWaiter):
    """Blocks a thread on a pipe: on Python 2 a thread that waits for a lock is deaf to signals."""

    def __init__(self):
        self.pid = os.getpid()
        self._reading, self._writing = os.pipe()
        for descriptor in (self._reading, self._writing):
            set_close_on_exec(descriptor)
        self._poll = native_poll()
        self._poll.register(self._reading, select.POLLIN)

    def wait(self, timeout):
        """Block until :meth:`wake`, at most so many seconds."""
        try:
            if self._poll.poll(timeout * 1000):
                os.read(self._reading, 64)
        except (select.error, OSError):  # a signal whose handler raised nothing
            pass

    def wake(self):
        """End the wait; from any thread."""
        os.write(self._writing, b"!")

    def __del__(self, close=os.close):
        # Its thread has ended, or the process was forked; or the interpreter ends, which takes
        # modules apart before this.
        for descriptor in (self._reading, self._writing):
            close(descriptor)


class HubWaiter(object):
    """Blocks a greenlet, and keeps its hub from calling itself deadlocked meanwhile."""

    def __init__(self, hub):
        self._hub = hub
        self._wait = Wait()
        self._alarm = hub.loop.async_()
        self._alarm.start(self._on_wake)
        self.wake = self._alarm.send

    def _on_wake(self):
        self._wait.resolve()

    def wait(self, timeout):
        """Block until ``wake()``, at most so many seconds."""
        timer = self._hub.loop.timer(max(timeout, 0))
        timer.start(self._on_wake)
        try:
            self._wait.block(self._hub)
        finally:
            timer.stop()
            timer.close()
            self._wait = Wait()

    def give_back(self):
        """The wait is over; a late ``wake()`` does nothing."""
        self._alarm.stop()
