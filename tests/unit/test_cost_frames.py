"""What a connection does with many frames, and a decoder with a long one, counted."""

from __future__ import absolute_import, division, print_function

import sys

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import ConnectionClosedError
from clusterclient_sync.protocol import decoder as decoder_module
from clusterclient_sync.protocol import frames
from clusterclient_sync.protocol.decoder import _LONG, FrameDecoder
from clusterclient_sync.transport.outgoing import _CHUNK, OutgoingBuffer
from support.connections import Line
from support.scripted import REQUEST, frame, until

pytestmark = pytest.mark.limit(20)

COUNT = 1000
HEAD = b'{"type":"t"}'
PIECE = 64 * 1024


# -- sending

@pytest.mark.parametrize("body_size, sends", [(100, 1), (1000, 4), (100000, 500)])
def test_requests_of_one_turn_leave_in_as_few_sends_as_a_chunk_allows(body_size, sends):
    line = Line()
    line.sock.swallows = True  # the kernel would take parts
    size = 24 + len(HEAD) + body_size

    def ask():
        with pytest.raises(ConnectionClosedError):
            line.connection.request(HEAD, (b"x" * body_size,), monotonic() + 100, 100)

    try:
        greenlets = [gevent.spawn(ask) for _ in range(COUNT)]
        until(lambda: sum(line.sock.sends) == COUNT * size)
        # The last one takes what is left.
        whole = COUNT * size if COUNT * size <= _CHUNK else _CHUNK // size * size
        assert line.sock.sends[:-1] == [whole] * (sends - 1)
        assert 0 < line.sock.sends[-1] <= whole
    finally:
        line.end()
    gevent.joinall(greenlets, raise_error=True)


def test_a_long_body_is_handed_to_the_kernel_as_it_is():
    body = b"x" * (frames.LONG + 1)
    buffer = OutgoingBuffer()
    buffer.add(frames.encode(frames.REQUEST, 1, 0, HEAD, (b"1234", body)))
    buffer.add(frames.encode(frames.REQUEST, 2, 0, HEAD, (b"short",)))
    chunks = []
    while buffer.size:
        chunks.append(buffer.chunk())
        buffer.consume(len(chunks[-1]))
    assert [chunk is body for chunk in chunks] == [False, True, False]


# -- receiving

class Copies(object):
    """Counts the bytes that are copied out of pieces and into new ones."""

    def __init__(self):
        self.size = 0
        self.joins = 0

    def piece(self, data):
        """These bytes, whose copies are counted, and those of the copies."""
        made = _Piece(data)
        made.copies = self
        return made

    def copied(self, data):
        self.size += len(data)
        return self.piece(data)

    def on_call(self, frame, event, function):
        """A profiler's function: ``join`` cannot be counted at the pieces."""
        if event == "c_call" and getattr(function, "__name__", None) == "join" \
                and frame.f_code.co_filename == _source_of(decoder_module):
            self.joins += 1


def _source_of(module):
    return module.FrameDecoder.feed.__code__.co_filename


class _Piece(bytes):

    def __getitem__(self, key):
        found = bytes.__getitem__(self, key)
        return self.copies.copied(found) if isinstance(key, slice) else found

    def __getslice__(self, start, end):  # Python 2
        return self[slice(start, end)]

    def __add__(self, other):
        return self.copies.copied(bytes.__add__(self, other))

    def __radd__(self, other):
        return self.copies.copied(other + bytes(self))


def take(data, size):
    """Feed a frame in pieces; the frame and what was copied for it."""
    copies = Copies()
    decoder = FrameDecoder(2 * len(data))
    pieces = [copies.piece(data[start:start + size]) for start in range(0, len(data), size)]
    previous = sys.getprofile()
    sys.setprofile(copies.on_call)
    try:
        for piece in pieces:
            decoder.feed(piece)
            found = decoder.next_frame()
            assert (found is not None) is (piece is pieces[-1])
    finally:
        sys.setprofile(previous)
    return found, copies


def crumbs(length, size):
    """How often pieces of a body that are short are joined, so many at once."""
    return length // size // decoder_module._CRUMBS if size < decoder_module._SHORT else 0


@pytest.mark.parametrize("size", [100, 1448, PIECE])
def test_a_body_that_comes_in_pieces_is_joined_once(size):
    body = b"0123456789abcdef" * (8 * PIECE // 16)
    found, copies = take(frame(REQUEST, 1, HEAD, body), size)
    assert found.body == body
    assert copies.joins == 1 + crumbs(len(body), size)
    # The first piece is cut behind the head, and so may the one be that ends the frame.
    assert copies.size <= len(HEAD) + 2 * size + 24 + len(HEAD)


def test_so_is_a_short_one_which_is_then_cut_out():
    body = b"x" * (_LONG - 1000)
    found, copies = take(frame(REQUEST, 1, HEAD, body), 100)
    assert found.body == body
    assert copies.joins == 1 + crumbs(len(body), 100)
    # The beginning was looked at before the header was there, and was put together with the next.
    assert copies.size <= 400


def test_a_long_body_is_not_copied_again():
    tracemalloc = pytest.importorskip("tracemalloc", reason="Python 2 does not tell that")
    body = b"x" * (16 * PIECE)
    data = frame(REQUEST, 1, HEAD, body)
    pieces = [data[start:start + PIECE] for start in range(0, len(data), PIECE)]
    decoder = FrameDecoder(2 * len(data))
    tracemalloc.start()
    try:
        for piece in pieces:
            decoder.feed(piece)
            found = decoder.next_frame()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.body == body
    assert len(body) <= peak < len(body) + 2 * PIECE


def test_what_a_decoder_copies_is_counted():
    copies = Copies()
    one = copies.piece(b"0123456789")
    assert type(one[2:] + b"ab") is type(b"ab" + one[:5]) is _Piece
    assert copies.size == 8 + 10 + 5 + 7
