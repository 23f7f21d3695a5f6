"""One call from another thread, or from another hub, into the hub where something lives.

The caller blocks, and nobody else.  The function runs in a greenlet of that hub; what it returns or
raises is the caller's.  A caller that gives up leaves the function running, and its outcome is
dropped; where the function had not begun, it never does.
"""

from __future__ import absolute_import, division, print_function

import sys

import six

from .._compat import give_up_import_lock, monotonic, take_import_lock
from . import waiters

#: How often (seconds) a caller looks whether the hub is still there.
_LOOK_INTERVAL = 1.0


class NotInTime(Exception):
    """The hub did not run the function in time; ``is_begun`` says how far it came."""

    def __init__(self, is_begun):
        super(NotInTime, self).__init__(is_begun)
        self.is_begun = is_begun


class HubGone(Exception):
    """The hub ended before the function did; ``is_begun`` says how far that came."""

    def __init__(self, is_begun):
        super(HubGone, self).__init__(is_begun)
        self.is_begun = is_begun


def cross(loop, run, function, args=(), until=None, is_alive=lambda: True):
    """Call ``function(*args)`` in a greenlet of another hub, and wait for its outcome.

    :param loop: of that hub.
    :param run: called in that hub as ``run(job)``: runs ``job()`` in a greenlet.
    :param until: monotonic seconds, or ``None``.
    :param is_alive: whether the hub still runs.
    :raises NotInTime: it did not end until then.
    :raises HubGone: it never will.
    :raises ConfigurationError: this is a hub, which must not block.
    """
    waiter = waiters.borrow()
    crossing = _Crossing(function, args, waiter, loop)
    import_depth = give_up_import_lock()
    try:
        try:
            loop.run_callback_threadsafe(run, crossing)
        except (AttributeError, ValueError):  # the loop is destroyed
            raise HubGone(False)
        while not crossing.is_over:
            left = _LOOK_INTERVAL
            if until is not None:
                left = min(left, until - monotonic())
                if left <= 0:
                    raise NotInTime(crossing.abandon())
            waiter.wait(left)
            if not crossing.is_over and not is_alive():
                raise HubGone(crossing.abandon())
    finally:
        crossing.abandon()
        waiter.give_back()
        take_import_lock(import_depth)
    if crossing.error is None:
        return crossing.value
    try:
        six.reraise(*crossing.error)
    finally:
        crossing.error = None  # its traceback holds this frame


class _Crossing(object):
    """The job, and what came of it."""

    __slots__ = ("_function", "_args", "_waiter", "_loop", "is_wanted", "is_begun", "has_blocked",
                 "is_over", "value", "error")

    def __init__(self, function, args, waiter, loop):
        self._function = function
        self._args = args
        self._waiter = waiter
        self._loop = loop
        self.is_wanted = True
        self.is_begun = False
        self.has_blocked = False  # to be set by who runs it, where that goes on before its end
        self.is_over = False
        self.value = None
        self.error = None

    def abandon(self):
        """Nobody waits any more: whether it had begun.  If not, it never will."""
        # Each side says what it does before it looks what the other one did.
        self.is_wanted = False
        return self.is_begun

    def __call__(self):
        self.is_begun = True
        if not self.is_wanted:
            return
        try:
            self.value = self._function(*self._args)
        except BaseException:
            self.error = sys.exc_info()
        finally:
            self.is_over = True
            if self.has_blocked:
                # At the end of the turn: else the caller would wait for the interpreter's lock
                # until this hub sleeps, and be woken a second time.
                self._loop.run_callback(self._tell)
            else:
                self._tell()

    def _tell(self):
        if self.is_wanted:
            self._waiter.wake()
