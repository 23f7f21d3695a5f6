"""Values that wait for one follower which does not read fast enough.

Per key they stay in order.  Beyond a number of values of one key that key skips to its newest;
beyond a number of bytes all keys do.  So a follower that does not read costs a bounded amount of
memory, and gets the newest values when it reads again.
"""

from __future__ import absolute_import, division, print_function

import collections

#: bytes of one follower's waiting values
_MAX_SIZE = 8 * 1024 * 1024


class Outbox(object):
    """Waiting frames by key.

    :param max_queued: values of one key.
    """

    def __init__(self, max_queued):
        self._max_queued = max_queued
        self._queues = collections.OrderedDict()
        self._size = 0

    def __len__(self):
        return sum(len(queue) for queue in self._queues.values())

    def __bool__(self):
        return bool(self._queues)

    __nonzero__ = __bool__

    def put(self, key, frame):
        """Add a frame behind those of its key."""
        queue = self._queues.setdefault(key, collections.deque())
        queue.append(frame)
        self._size += len(frame)
        if len(queue) > self._max_queued:
            self._skip_to_newest(queue)
        if self._size > _MAX_SIZE:
            for other in self._queues.values():
                self._skip_to_newest(other)

    def _skip_to_newest(self, queue):
        while len(queue) > 1:
            self._size -= len(queue.popleft())

    def take(self):
        """The next frame: the oldest of a key, the keys in turn; ``None`` where there is none."""
        if not self._queues:
            return None
        key, queue = self._queues.popitem(last=False)
        frame = queue.popleft()
        self._size -= len(frame)
        if queue:
            self._queues[key] = queue  # behind the others
        return frame

    def drop(self, key):
        """Forget what waits for a key."""
        for frame in self._queues.pop(key, ()):
            self._size -= len(frame)
