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


def encode(kind, id, timeout_ms, head, parts=()):
    """The bytes of one frame.

    :param kind: ``REQUEST`` or ``RESPONSE``.
    :param head: the connection object as bytes, never empty (a Node peer fails on a frame that
        has no body at all).
    :param parts: pieces of the application object, in order; joined here, once.
    :raises FrameTooLargeError: a header cannot tell its length.
    """
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
    return _join(pieces)


def too_large(size, limit):
    """The error of who wants to send more than the peer takes."""
    return FrameTooLargeError("what is to be sent has %d bytes, and the peer takes %d"
                              % (size, limit), size=size, limit=limit, outcome=NOT_SENT)


def with_id(frame, id):
    """A copy of an encoded frame that has another id."""
    return frame[:4] + _ID.pack(id) + frame[12:]


def milliseconds(seconds):
    """A duration as the header has it: at least 1, at most what 31 bits hold."""
    whole = int(seconds * 1000)
    return whole if 1 <= whole <= MAX_TIMEOUT_MS else max(1, min(MAX_TIMEOUT_MS, whole))
