"""Greenlets that wait in line for what happens to be missing: a role, room in a buffer."""

from __future__ import absolute_import, division, print_function

from collections import deque

from .waits import Wait, wait_until


class WaitingLine(object):
    """A line of waiting greenlets: first come, first served.

    ``waits`` is who waits, and false where nobody does: an empty line costs next to nothing.
    """

    __slots__ = ("waits", "_hub", "_deadlines")

    def __init__(self, hub, deadlines):
        self.waits = None
        self._hub = hub
        self._deadlines = deadlines

    def __len__(self):
        return len(self.waits or ())

    def wait(self, when):
        """Block until released, or until ``when`` (monotonic seconds, or ``None``).

        :return: whether it was released in time.
        :raises: the error that it was released with.
        """
        wait = Wait()
        if self.waits is None:
            self.waits = deque()
        self.waits.append(wait)
        try:
            in_time = wait_until(wait, self._deadlines, when, self._hub)
        finally:
            if self.waits and wait in self.waits:
                self.waits.remove(wait)
            if not self.waits:
                self.waits = None
        if in_time:
            wait.result()
        return in_time

    def release_first(self):
        """Let the first in line go on.

        It stays the first until it runs: meanwhile nobody passes it, and this lets nobody else go.
        """
        if self.waits:
            self.waits[0].resolve()

    def release_all(self, make_error=None):
        """Let all go on; with an error of its own each, where ``make_error()`` gives one."""
        waits, self.waits = self.waits, None
        for wait in waits or ():
            wait.resolve(error=make_error() if make_error is not None else None)
