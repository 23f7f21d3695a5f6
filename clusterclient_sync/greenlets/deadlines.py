"""Many deadlines, one timer.

To start and stop a timer of the loop for each call costs more than the call.  Here a deadline is
put into a bucket of 10 ms and taken out again; one timer runs for the earliest bucket.  A deadline
never passes early, and at most about 10 ms late where the loop turns.
"""

from __future__ import absolute_import, division, print_function

import heapq
import logging
import os

from .._compat import monotonic

_log = logging.getLogger(__name__)

_TICKS_PER_SECOND = 100


class Deadlines(object):
    """The deadlines of one owner, in one hub.

    Items have an attribute ``slot``, which belongs to this class, and a method ``expire()``, which
    is called in the hub and must not block.
    """

    def __init__(self, hub):
        self._loop = hub.loop
        self._pid = os.getpid()
        self._buckets = {}
        self._ticks = []
        self._timer = None
        self._armed_for = None

    def add(self, item, when):
        """Call ``item.expire()`` once the monotonic clock passes ``when``, unless discarded."""
        tick = int(when * _TICKS_PER_SECOND) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            heapq.heappush(self._ticks, tick)
            if self._armed_for is None or tick < self._armed_for:
                self._arm(tick)
        bucket[id(item)] = item
        item.slot = bucket

    def discard(self, item):
        """Take an item out; nothing happens where it is not in."""
        bucket = item.slot
        if bucket is not None:
            item.slot = None
            bucket.pop(id(item), None)

    def close(self):
        """Forget all items and stop the timer."""
        self._buckets.clear()
        del self._ticks[:]
        self._armed_for = None
        self._disarm()

    def _disarm(self):
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _arm(self, tick):
        self._disarm()
        self._armed_for = tick
        # A new watcher each time: one keeps the delay that it was made with.
        self._timer = self._loop.timer(max(0.0, tick / _TICKS_PER_SECOND - monotonic()))
        self._timer.start(self._sweep, update=True)

    def _sweep(self):
        if os.getpid() != self._pid:  # a forked child: these deadlines are its parent's
            self.close()
            return
        self._armed_for = None
        due = int(monotonic() * _TICKS_PER_SECOND)
        expired = []
        while self._ticks and self._ticks[0] <= due:
            bucket = self._buckets.pop(heapq.heappop(self._ticks))
            expired.extend(bucket.values())
        for item in expired:
            # Another item's expiry may have ended this one meanwhile.
            if item.slot is not None:
                item.slot = None
                try:
                    item.expire()
                except Exception:  # a defect of ours: the others' deadlines hold all the same
                    _log.exception("%r could not expire", item)
        self._rearm()

    def _rearm(self):
        while self._ticks:
            tick = self._ticks[0]
            if self._buckets[tick]:
                if self._armed_for is None or tick < self._armed_for:
                    self._arm(tick)
                return
            # All its items are gone: no need to wake for it.
            heapq.heappop(self._ticks)
            del self._buckets[tick]
