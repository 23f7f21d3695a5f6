"""Bytes, in whatever pieces they come, to frames.

The contract of :class:`FrameDecoder`: ``feed`` it bytes, then call ``next_frame`` until it answers
``None`` ('need more'), and only then feed again.  Bytes that are not our protocol raise
:class:`ProtocolError`, after which the decoder must not be used any more.  A frame that is larger
than ``max_frame_size`` raises :class:`FrameTooLargeError` as soon as its header is there: nothing
of its body is kept.  What a decoder holds is bounded by one frame and the piece that was fed last.
"""

from __future__ import absolute_import, division, print_function

from ..exceptions import FrameTooLargeError, ProtocolError
from . import frames, plain_json
from .frames import Frame
from .messages import Head

_unpack = frames.HEADER.unpack_from
_HEADER_SIZE = frames.HEADER_SIZE

#: Connection objects repeat (one per method and argument count): parsed ones are kept, by bytes.
_parsed = {}
_MAX_PARSED = 2048
_MAX_PARSED_SIZE = 512
#: The bytes of a longer body are gathered by themselves: joined once, they are the body.
_LONG = 64 * 1024
#: So many pieces in a row that are shorter than that are joined.
_CRUMBS = 64
_SHORT = 1024


def parse_head(data):
    """The connection object in ``data``; the same object for the same short bytes."""
    head = _parsed.get(data)
    if head is None:
        try:
            head = plain_json.parse(data)
        except ValueError as error:
            raise ProtocolError("the connection object is not JSON: %s" % (error,))
        if not isinstance(head, dict):
            raise ProtocolError("the connection object is not a JSON object but %s"
                                % type(head).__name__)
        head = Head(head)
        if len(data) <= _MAX_PARSED_SIZE:
            if len(_parsed) >= _MAX_PARSED:
                _parsed.clear()
            _parsed[data] = head
    return head


class FrameDecoder(object):
    """An incremental decoder; see the module's contract.

    :param max_frame_size: bytes; the largest sum of both bodies of a frame.  May be changed at any
        time; it holds from the next header on.
    """

    __slots__ = ("max_frame_size", "missing", "_buffer", "_position", "_pieces", "_crumbs",
                 "_long")

    def __init__(self, max_frame_size):
        self.max_frame_size = max_frame_size
        self._buffer = b""
        self._position = 0
        # The rest of a frame that is not complete: pieces are joined once, when all are there.
        self._pieces = None
        self._crumbs = 0  # how many of the last ones are short
        #: how many bytes the frame that was begun still lacks; 0 where none was begun
        self.missing = 0
        # A frame whose body is long, without it or, when that is complete, with it.
        self._long = None

    @property
    def is_inside_frame(self):
        """Whether part of a frame is held: the end of the stream would cut it."""
        return (bool(self._pieces) or self._long is not None
                or self._position < len(self._buffer))

    def feed(self, data):
        """Take the next bytes of the stream."""
        if self._pieces:
            pieces = self._pieces
            pieces.append(data)
            if len(data) < _SHORT:
                self._crumbs += 1
                if self._crumbs == _CRUMBS:  # each costs more than it holds
                    pieces[-_CRUMBS:] = [b"".join(pieces[-_CRUMBS:])]
                    self._crumbs = 0
            else:
                self._crumbs = 0
            self.missing -= len(data)
            if self.missing > 0:
                return
            if self._long is not None:
                self._complete_long(-self.missing)
            else:
                self._buffer = b"".join(self._pieces)
            self._pieces = None
            self.missing = 0
        elif self._position < len(self._buffer):
            self._buffer = self._buffer[self._position:] + data
        else:
            self._buffer = data
        self._position = 0

    def _complete_long(self, surplus):
        """Its body is there, and so many bytes of what follows it."""
        pieces = self._pieces
        self._buffer = b""
        if surplus:
            last = pieces.pop()
            pieces.append(last[:-surplus])
            self._buffer = last[-surplus:]
        self._long.body = b"".join(pieces)

    def next_frame(self):
        """The next :class:`Frame`, or ``None`` where more bytes are needed."""
        if self._long is not None:
            if self._pieces:
                return None
            frame, self._long = self._long, None
            frame.head = parse_head(frame.head)
            return frame
        buffer = self._buffer
        start = self._position
        available = len(buffer) - start
        if available < _HEADER_SIZE or self._pieces:
            return None
        version, kind, _, id, timeout_ms, head_size, body_size = _unpack(buffer, start)
        head_start = start + _HEADER_SIZE
        if head_size < 0 or body_size < 0 or version != 1 or kind > 1:
            raise _malformed(version, kind, head_size, body_size)
        size = head_size + body_size
        if size > self.max_frame_size:
            raise FrameTooLargeError(
                "a frame of %d bytes was announced, and at most %d are taken"
                % (size, self.max_frame_size), size=size, limit=self.max_frame_size)
        end = head_start + size
        body_start = head_start + head_size
        if end > len(buffer):
            if body_size > _LONG and body_start <= len(buffer):
                # Its head is looked at when it is whole, as that of any other frame.
                head = buffer[head_start:body_start]
                self._long = Frame(kind == 1, id, timeout_ms, head, None)
                start, size = body_start, body_size
            else:
                size += _HEADER_SIZE
            self._pieces = [buffer[start:] if start else buffer]
            self._crumbs = 0
            self.missing = size - (len(buffer) - start)
            self._buffer, self._position = b"", 0
            return None
        head = buffer[head_start:body_start]
        head = _parsed.get(head) or parse_head(head)
        body = buffer[body_start:end] if body_size else b""
        if end == len(buffer):
            self._buffer, self._position = b"", 0
        else:
            self._position = end
        return Frame(kind == 1, id, timeout_ms, head, body)


def _malformed(version, kind, head_size, body_size):
    if version != frames.VERSION:
        return ProtocolError("the first byte is %d and not the protocol's version %d: this is not "
                             "a cluster client" % (version, frames.VERSION))
    if kind not in (frames.REQUEST, frames.RESPONSE):
        return ProtocolError("a frame's kind is %d, neither request nor response" % kind)
    return ProtocolError("a frame announces a negative length (%d, %d)" % (head_size, body_size))
