"""The bytes that wait to be sent on one socket.

Frames are counted: the *n*-th frame that was added is wholly in the kernel's hands once ``sent`` is
at least *n*.  That tells, when the socket breaks, which calls the peer cannot have seen.
"""

from __future__ import absolute_import, division, print_function

_CHUNK = 256 * 1024


class OutgoingBuffer(object):
    """Frames in the order in which they are to leave.

    ``size``: bytes that wait.  ``added``, ``sent``: counts of frames since the beginning.
    """

    __slots__ = ("frames", "_offset", "size", "added", "sent")

    def __init__(self):
        self.frames = []
        self._offset = 0  # how much of the first frame is sent
        self.size = 0
        self.added = 0
        self.sent = 0

    def __len__(self):
        return len(self.frames)

    def add(self, frame):
        """Append a frame; returns its number."""
        self.frames.append(frame)
        self.size += len(frame)
        self.added += 1
        return self.added

    def chunk(self):
        """What to send next: bytes of one or many frames, joined once."""
        frames = self.frames
        if self._offset or len(frames) == 1 or len(frames[0]) >= _CHUNK:
            first = frames[0]
            return memoryview(first)[self._offset:] if self._offset else first
        if self.size <= _CHUNK:
            return b"".join(frames)
        size = 0
        for count, frame in enumerate(frames):
            size += len(frame)
            if size > _CHUNK:
                return b"".join(frames[:count])
        return b"".join(frames)

    def consume(self, size):
        """So many bytes of the last chunk are the kernel's."""
        self.size -= size
        frames = self.frames
        if not self.size:
            self.sent = self.added
            del frames[:]
            self._offset = 0
            return
        size += self._offset
        count = 0
        while count < len(frames) and size >= len(frames[count]):
            size -= len(frames[count])
            count += 1
        del frames[:count]
        self.sent += count
        self._offset = size

    def withdraw(self, number):
        """Take back a frame of which nothing was sent.

        :return: whether that was possible.  Its place stays, empty, so that the count holds.
        """
        index = number - self.sent - 1
        if index < 0 or (index == 0 and self._offset):
            return False
        self.size -= len(self.frames[index])
        self.frames[index] = b""
        return True

    def clear(self):
        """Forget what was not sent; ``added`` and ``sent`` stay as they are."""
        del self.frames[:]
        self.size = 0
        self._offset = 0
