"""Frames: a 24-byte header, a connection object, an application object.

The format is that of the npm package ``cluster-client`` 3.x (big-endian)::

    offset  size  field
         0     1  version, always 1
         1     1  0 = request, 1 = response
         2     2  reserved, 0
         4     8  request id
        12     4  timeout, milliseconds
        16     4  length of the connection object
        20     4  length of the application object
        24     -  connection object: UTF-8 JSON
         -     -  application object: bytes of the transcode
"""

from __future__ import absolute_import, division, print_function

import struct

from ..exceptions import NOT_SENT, FrameTooLargeError

VERSION = 1
REQUEST = 0
RESPONSE = 1

HEADER = struct.Struct(">BBHqiii")
HEADER_SIZE = HEADER.size
_ID = struct.Struct(">q")
_pack = HEADER.pack
_join = b"".join

#: Ids stay below this: a Node peer holds them in a double.
MAX_ID = 2 ** 53 - 1
MAX_TIMEOUT_MS = 2 ** 31 - 1
MAX_SIZE = 2 ** 31 - 1
#: bytes of a body that is not copied into one piece with its header
LONG = 256 * 1024


class Frame(object):
    """One decoded frame.

    ``head`` is the parsed connection object; it may be shared with other frames: do not change it.
    ``body`` is the application object as bytes.
    """

    __slots__ = ("is_response", "id", "timeout_ms", "head", "body")

    def __init__(self, is_response, id, timeout_ms, head, body):
        self.is_response = is_response
        self.id = id
        self.timeout_ms = timeout_ms
        self.head = head
        self.body = body

    def __repr__(self):
        return "<%s %d %r, %d bytes>" % (
            "response" if self.is_response else "request", self.id, self.head, len(self.body))


class LongFrame(object):
    """An encoded frame in pieces: to join a long body with its header would copy it.

    Its ``len()`` is in bytes, as that of any other encoded frame.
    """

    __slots__ = ("pieces", "_size")

    def __init__(self, pieces, size):
        self.pieces = pieces
        self._size = size

    def __len__(self):
        return self._size


def encode(kind, id, timeout_ms, head, parts=()):
    """One frame: bytes, or a :class:`LongFrame` where it is longer than :data:`LONG`.

    :param kind: ``REQUEST`` or ``RESPONSE``.
    :param head: the connection object as bytes, never empty (a Node peer fails on a frame that
        has no body at all).
    :param parts: pieces of the application object, in order; joined here, once.
    :raises FrameTooLargeError: a header cannot tell its length.
    """
    if len(parts) == 1 and len(parts[0]) <= LONG:  # as most have: in fewer steps
        body = parts[0]
        return _pack(VERSION, kind, 0, id, timeout_ms, len(head), len(body)) + head + body
    size = 0
    for part in parts:
        size += len(part)
    try:
        pieces = [_pack(VERSION, kind, 0, id, timeout_ms, len(head), size), head]
    except struct.error:
        if size <= MAX_SIZE:
            raise
        raise too_large(size, MAX_SIZE)
    pieces += parts
    if size > LONG:
        return LongFrame(pieces, HEADER_SIZE + len(head) + size)
    return _join(pieces)


def too_large(size, limit):
    """The error of who wants to send more than the peer takes."""
    return FrameTooLargeError("what is to be sent has %d bytes, and the peer takes %d"
                              % (size, limit), size=size, limit=limit, outcome=NOT_SENT)


def with_id(frame, id):
    """A copy of an encoded frame that has another id."""
    if frame.__class__ is LongFrame:
        return LongFrame([with_id(frame.pieces[0], id)] + frame.pieces[1:], len(frame))
    return frame[:4] + _ID.pack(id) + frame[12:]


def milliseconds(seconds):
    """A duration as the header has it: at least 1, at most what 31 bits hold."""
    whole = int(seconds * 1000)
    return whole if 1 <= whole <= MAX_TIMEOUT_MS else max(1, min(MAX_TIMEOUT_MS, whole))
