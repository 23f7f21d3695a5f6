"""Finds out, from a native thread, that the loop is blocked.

A :class:`Watchdog` has a timer on the loop that counts, and a thread that looks whether it did.
Code that blocks the loop must let go of the GIL from time to time, or the thread does not run
either.  Time in which this process as a whole did not get to run (it was stopped, or starved by
others) is not held against the loop: of a look that comes late, no more counts than was due and
what the process spent computing.

The thread touches nothing of gevent's.  It ends when the watchdog is stopped, or once it has called
``give_up``.
"""

from __future__ import absolute_import, division, print_function

import os
import sys
import traceback

from ._compat import (
    monotonic, native_poll, native_thread_id, set_close_on_exec, start_thread, uninterrupted)
from .transport import fork_guard

_LOOKS = 4  # per limit


class Watchdog(object):
    """See the module.  Made and stopped in the loop's thread.

    :param limit: seconds for which the loop may be blocked.
    :param give_up: called as ``give_up(seconds, stack)`` in the watchdog's thread, once, where the
        loop is blocked for longer; ``stack`` is a text that shows where.
    """

    def __init__(self, loop, limit, give_up):
        self._limit = limit
        self._period = limit / float(_LOOKS)
        self._give_up = give_up
        self._thread = native_thread_id()
        self._beats = 0
        self._alarm, self._stop = os.pipe()
        for descriptor in (self._alarm, self._stop):
            set_close_on_exec(descriptor)
        self._is_stopped = False
        self._timer = loop.timer(0, self._period, ref=False)
        self._timer.start(self._beat)
        fork_guard.watch_over(self)
        try:
            start_thread(self._watch, ())
        except BaseException:
            self.abandon()
            raise

    def _beat(self):
        self._beats += 1

    def stop(self):
        """Stop watching; the thread ends at once."""
        if not self._is_stopped:
            self._release()
            os.close(self._stop)  # wakes the thread, which closes the other end

    def abandon(self):
        """Where there is no such thread, as in a forked child."""
        if not self._is_stopped:
            self._release()
            os.close(self._stop)
            os.close(self._alarm)

    def _release(self):
        self._is_stopped = True
        fork_guard.forget(self)
        self._timer.stop()
        self._timer.close()

    # In the thread ------------------------------------------------------------------------

    def _watch(self):
        close = os.close  # the interpreter may take its modules apart before this thread ends
        try:
            poll = native_poll()
            poll.register(self._alarm)
            since = self._wait_until_blocked(
                lambda: uninterrupted(poll.poll, self._period * 1000))
            if since is not None:
                self._give_up(since, self._stack())
                uninterrupted(poll.poll, None)  # until it is stopped
        finally:
            close(self._alarm)

    def _wait_until_blocked(self, wait):
        """For how long the loop is blocked; ``None`` where this was stopped.

        :param wait: waits for a period; returns whether this was stopped.
        """
        seen = self._beats
        blocked_for = 0.0
        then, spent = monotonic(), _computing_time()
        while not wait():
            now, spent_now = monotonic(), _computing_time()
            if self._beats != seen:
                seen = self._beats
                blocked_for = 0.0
            else:
                blocked_for += min(now - then, self._period + spent_now - spent)
            if blocked_for >= self._limit:
                return blocked_for
            then, spent = now, spent_now
        return None

    def _stack(self):
        frame = sys._current_frames().get(self._thread)
        return "".join(traceback.format_stack(frame)) if frame is not None else "(unknown)"


def _computing_time():
    """Seconds for which this process has used a processor."""
    return sum(os.times()[:2])
