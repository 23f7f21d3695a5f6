"""The bytes that wait to be sent on one socket.

Pieces are counted, most frames being one: a frame whose last piece was the *n*-th is wholly in the
kernel's hands once ``sent`` is at least *n*.  That tells, when the socket breaks, which calls the
peer cannot have seen.
"""

from __future__ import absolute_import, division, print_function

from ..protocol.frames import LongFrame

_CHUNK = 256 * 1024


class OutgoingBuffer(object):
    """Frames in the order in which they are to leave.

    ``size``: bytes that wait.  ``added``, ``sent``: counts of pieces since the beginning.
    """

    __slots__ = ("_pieces", "_offset", "_long", "size", "added", "sent")

    def __init__(self):
        self._pieces = []
        self._offset = 0  # how much of the first piece is sent
        self._long = None  # numbers of the last pieces of long frames -> those of their first
        self.size = 0
        self.added = 0
        self.sent = 0

    def __len__(self):
        return len(self._pieces)

    def add(self, frame):
        """Append an encoded frame; returns its number."""
        self.size += len(frame)
        if frame.__class__ is LongFrame:
            first = self.added + 1
            self._pieces += frame.pieces
            self.added += len(frame.pieces)
            if self._long is None:
                self._long = {}
            self._long[self.added] = first
        else:
            self._pieces.append(frame)
            self.added += 1
        return self.added

    def chunk(self):
        """What to send next: bytes of one or many pieces, joined once."""
        pieces = self._pieces
        if self._offset or len(pieces) == 1 or len(pieces[0]) >= _CHUNK:
            first = pieces[0]
            return memoryview(first)[self._offset:] if self._offset else first
        if self.size <= _CHUNK:
            return b"".join(pieces)
        size = 0
        for count, piece in enumerate(pieces):
            size += len(piece)
            if size > _CHUNK:
                return b"".join(pieces[:count])
        return b"".join(pieces)

    def consume(self, size):
        """So many bytes of the last chunk are the kernel's."""
        self.size -= size
        pieces = self._pieces
        if not self.size:
            self.sent = self.added
            del pieces[:]
            self._offset = 0
            self._long = None
            return
        size += self._offset
        count = 0
        while count < len(pieces) and size >= len(pieces[count]):
            size -= len(pieces[count])
            count += 1
        del pieces[:count]
        self.sent += count
        self._offset = size
        if self._long:
            self._long = {last: first for last, first in self._long.items() if last > self.sent}

    def withdraw(self, number):
        """Take back a frame of which nothing was sent.

        :return: whether that was possible.  Its place stays, empty, so that the count holds.
        """
        first = number if self._long is None else self._long.get(number, number)
        start = first - self.sent - 1
        if start < 0 or (start == 0 and self._offset):
            return False
        for index in range(start, start + number - first + 1):
            self.size -= len(self._pieces[index])
            self._pieces[index] = b""
        return True

    def clear(self):
        """Forget what was not sent; ``added`` and ``sent`` stay as they are."""
        del self._pieces[:]
        self.size = 0
        self._offset = 0
        self._long = None
