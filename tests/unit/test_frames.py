"""The header, byte by byte."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.exceptions import NOT_SENT, FrameTooLargeError
from clusterclient_sync.protocol import frames

HEARTBEAT = b'{"type":"heartbeat"}'


def test_a_request_is_these_bytes():
    data = frames.encode(frames.REQUEST, 7, 3000, HEARTBEAT)
    assert data == (b"\x01\x00\x00\x00"
                    b"\x00\x00\x00\x00\x00\x00\x00\x07"
                    b"\x00\x00\x0b\xb8"
                    b"\x00\x00\x00\x14"
                    b"\x00\x00\x00\x00"
                    b'{"type":"heartbeat"}')


def test_a_response_has_kind_1_and_its_parts_in_order():
    data = frames.encode(frames.RESPONSE, 2 ** 53 - 1, 0, b"{}", (b"ab", b"", b"c"))
    assert data == (b"\x01\x01\x00\x00"
                    b"\x00\x1f\xff\xff\xff\xff\xff\xff"
                    b"\x00\x00\x00\x00"
                    b"\x00\x00\x00\x02"
                    b"\x00\x00\x00\x03"
                    b"{}abc")


def test_with_id_changes_the_id_alone():
    one = frames.encode(frames.REQUEST, 1, 5, HEARTBEAT, (b"x" * 100,))
    other = frames.encode(frames.REQUEST, 2 ** 40, 5, HEARTBEAT, (b"x" * 100,))
    assert frames.with_id(one, 2 ** 40) == other


def test_milliseconds_fit_the_header():
    for seconds, expected in [
            (3, 3000), (0.5, 500), (0.0001, 1), (0, 1), (-5, 1), (2 ** 40, 2 ** 31 - 1)]:
        assert frames.milliseconds(seconds) == expected
        frames.encode(frames.REQUEST, 1, frames.milliseconds(seconds), b"{}")


def test_a_frame_shows_what_it_is():
    frame = frames.Frame(True, 3, 0, {"a": 1}, b"xyz")
    assert repr(frame) == "<response 3 {'a': 1}, 3 bytes>"


def test_a_long_frame_is_the_same_in_pieces(monkeypatch):
    parts = (b"x" * 100, b"y" * 50)
    whole = frames.encode(frames.REQUEST, 1, 5, HEARTBEAT, parts)
    monkeypatch.setattr(frames, "LONG", 149)
    long = frames.encode(frames.REQUEST, 1, 5, HEARTBEAT, parts)
    assert isinstance(long, frames.LongFrame)
    assert b"".join(long.pieces) == whole and len(long) == len(whole)
    assert long.pieces[-2:] == list(parts)
    other = frames.with_id(long, 77)
    assert b"".join(other.pieces) == frames.with_id(whole, 77) and len(other) == len(whole)
    assert b"".join(long.pieces) == whole


def test_a_body_whose_length_no_header_can_tell(monkeypatch):
    class Enormous(bytes):
        def __len__(self):
            return frames.MAX_SIZE + 1

    with pytest.raises(FrameTooLargeError) as caught:
        frames.encode(frames.REQUEST, 1, 5, HEARTBEAT, (Enormous(),))
    assert (caught.value.outcome, caught.value.limit) == (NOT_SENT, frames.MAX_SIZE)
