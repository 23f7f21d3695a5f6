"""Growing, jittered pauses between tries."""

from __future__ import absolute_import, division, print_function

import random


class Backoff(object):
    """Pauses that grow from ``first`` to ``cap`` seconds, each shortened by a random part.

    The jitter takes up to half of a pause, so that many processes that lost the same leader do not
    come back in step.

    :param rng: a function that gives numbers in [0, 1); injected by tests.
    """

    def __init__(self, first=0.005, cap=1.0, factor=2.0, rng=random.random):
        self._first = first
        self._cap = cap
        self._factor = factor
        self._rng = rng
        self._next = first

    def reset(self):
        """Begin again with the shortest pause: something succeeded."""
        self._next = self._first

    def pause(self):
        """The next pause in seconds."""
        base = min(self._next, self._cap)
        self._next = min(self._next * self._factor, self._cap)
        return base * (1.0 - 0.5 * self._rng())
