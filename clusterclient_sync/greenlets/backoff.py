"""Growing, jittered pauses between tries.

The figures follow from what is waited for: a leader that takes over is there within milliseconds,
one whose process is started again within a second, and one that is not there then may stay away.
"""

from __future__ import absolute_import, division, print_function

import random


class Backoff(object):
    """Pauses that grow from ``first`` to ``cap`` seconds, each shortened by a random part.

    The jitter takes up to half of a pause, so that many processes that lost the same leader do not
    come back in step.

    :param eager_time: for so many seconds of pauses none is longer than ``EAGER_PAUSE``; then they
        grow from there.
    :param rng: a function that gives numbers in [0, 1); injected by tests.
    """

    #: Who comes back meanwhile is found within 50 ms, the try itself included.
    EAGER_PAUSE = 0.04

    def __init__(self, first=0.005, cap=1.0, factor=2.0, eager_time=0.0, rng=random.random):
        self._first = first
        self._cap = cap
        self._factor = factor
        self._rng = rng
        self._next = first
        self._eager_time = self._eager_left = eager_time

    def reset(self):
        """Begin again with the shortest pause: something succeeded."""
        self._next = self._first
        self._eager_left = self._eager_time

    def pause(self):
        """The next pause in seconds."""
        highest = min(self.EAGER_PAUSE, self._cap) if self._eager_left > 0 else self._cap
        base = min(self._next, highest)
        self._next = min(base * self._factor, self._cap)
        pause = base * (1.0 - 0.5 * self._rng())
        self._eager_left -= pause
        return pause
