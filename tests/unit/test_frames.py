"""The header, byte by byte."""

from __future__ import absolute_import, division, print_function

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
