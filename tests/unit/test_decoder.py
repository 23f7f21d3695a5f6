"""The decoder: any split of the bytes, bounded memory, only frames or a ProtocolError."""

from __future__ import absolute_import, division, print_function

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterclient_sync.exceptions import FrameTooLargeError, ProtocolError
from clusterclient_sync.protocol import decoder as decoder_module
from clusterclient_sync.protocol.decoder import FrameDecoder, parse_head
from support.scripted import REQUEST, RESPONSE, Message, frame

LIMIT = 4096
HEADS = [{}, {u"type": u"heartbeat"},
         {u"type": u"invoke", u"method": u"\u00e9\u4e16", u"n": [1, None]}]


def decode(data, pieces, limit=LIMIT):
    """The frames of a stream that comes in these pieces (cut positions)."""
    decoder = FrameDecoder(limit)
    found = []
    start = 0
    for end in list(pieces) + [len(data)]:
        decoder.feed(data[start:end])
        start = end
        while True:
            one = decoder.next_frame()
            if one is None:
                break
            assert decoder_size(decoder) <= len(data)
            found.append(Message(RESPONSE if one.is_response else REQUEST, one.id,
                                 one.timeout_ms, one.head, one.body))
    return found, decoder


def decoder_size(decoder):
    """The bytes that it holds."""
    pieces = decoder._pieces or []
    return len(decoder._buffer) + sum(len(piece) for piece in pieces)


@pytest.fixture(autouse=True, scope="module", params=["long bodies", "short bodies"])
def length(request):
    """Whether the bodies of these tests count as long ones."""
    usual = decoder_module._LONG
    decoder_module._LONG = 0 if request.param == "long bodies" else usual
    yield
    decoder_module._LONG = usual


def stream_of(messages):
    return b"".join(frame(one.kind, one.id, one.head, one.body, one.timeout_ms)
                    for one in messages)


THREE = [Message(REQUEST, 1, 3000, HEADS[1], b""), Message(RESPONSE, -1, 0, HEADS[0], b"\x00" * 40),
         Message(REQUEST, 2 ** 53 - 1, 1, HEADS[2], b"x")]


def test_frames_come_whole_byte_by_byte_and_with_more_behind():
    data = stream_of(THREE)
    assert decode(data, [])[0] == THREE
    assert decode(data, range(1, len(data)))[0] == THREE
    found, decoder = decode(data + data[:30], [])
    assert found == THREE
    assert decoder.is_inside_frame and decoder.missing == 14


def test_every_cut_in_two_gives_the_same():
    data = stream_of(THREE)
    for cut in range(len(data) + 1):
        found, decoder = decode(data, [cut])
        assert found == THREE
        assert not decoder.is_inside_frame and decoder.missing == 0


def test_what_is_missing_is_known_once_the_header_is_there():
    data = frame(REQUEST, 1, {}, b"y" * 100)
    decoder = FrameDecoder(LIMIT)
    decoder.feed(data[:23])
    assert decoder.next_frame() is None
    assert (decoder.missing, decoder.is_inside_frame) == (0, True)
    decoder.feed(data[23:30])
    assert decoder.next_frame() is None
    assert (decoder.missing, decoder.is_inside_frame) == (len(data) - 30, True)


@pytest.mark.parametrize("head_size, body_size", [
    (2, 2 ** 31 - 1), (2 ** 31 - 1, 0), (2 ** 31 - 1, 2 ** 31 - 1), (2, LIMIT - 1)])
def test_a_frame_that_is_too_large_raises_before_its_body_is_there(head_size, body_size):
    decoder = FrameDecoder(LIMIT)
    decoder.feed(struct.pack(">BBHqiii", 1, 0, 0, 1, 0, head_size, body_size))
    with pytest.raises(FrameTooLargeError) as caught:
        decoder.next_frame()
    assert caught.value.size == head_size + body_size
    assert caught.value.limit == LIMIT
    assert decoder_size(decoder) == 24


def test_the_largest_frame_that_is_taken():
    data = frame(REQUEST, 1, {}, b"z" * (LIMIT - 2))
    assert len(decode(data, [100])[0][0].body) == LIMIT - 2


def test_a_limit_that_is_raised_holds_from_the_next_header_on():
    decoder = FrameDecoder(10)
    decoder.feed(frame(REQUEST, 1, {}) + frame(REQUEST, 2, {}, b"x" * 100))
    assert decoder.next_frame().id == 1
    decoder.max_frame_size = 200
    assert decoder.next_frame().id == 2


HEADER = ">BBHqiii"


NOT_THE_PROTOCOL = [
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not a cluster client"),
    (struct.pack(HEADER, 0, 0, 0, 1, 0, 2, 0), "version"),
    (struct.pack(HEADER, 1, 2, 0, 1, 0, 2, 0), "kind"),
    (struct.pack(HEADER, 1, 0, 0, 1, 0, -1, 0), "negative"),
    (struct.pack(HEADER, 1, 0, 0, 1, 0, 2, -2 ** 31), "negative"),
    (frame(REQUEST, 1, b"{"), "not JSON"),
    (frame(REQUEST, 1, b""), "not JSON"),
    (frame(REQUEST, 1, b'"\xff\xfe"'), "not JSON"),
    (frame(REQUEST, 1, b"[]"), "not a JSON object"),
    (frame(REQUEST, 1, b"null"), "not a JSON object"),
    (frame(REQUEST, 1, b'{"a":1} x'), "not JSON"),
    (frame(REQUEST, 1, b'{"a":' + b"[" * 200000 + b"]" * 200000 + b"}"), "not JSON"),
]


def test_what_is_not_the_protocol_says_which():
    for data, words in NOT_THE_PROTOCOL:
        with pytest.raises(ProtocolError) as caught:
            decode(data, [], limit=2 ** 20)
        assert words in str(caught.value)


def test_a_number_of_a_million_digits_takes_no_time():
    # On Pythons that have no bound of their own it would take minutes.
    data = frame(REQUEST, 1, b'{"a":' + b"9" * 10 ** 6 + b"}")
    with pytest.raises(ProtocolError):
        decode(data, [], limit=2 ** 20)


def test_short_connection_objects_are_parsed_once_and_their_table_is_bounded():
    one = b'{"type":"heartbeat"}'
    assert parse_head(one) is parse_head(b"".join([one[:5], one[5:]]))
    long = b'{"a":"%s"}' % (b"x" * 600)
    assert parse_head(long) == parse_head(long)
    assert parse_head(long) is not parse_head(long)
    for number in range(5000):
        parse_head(b'{"n":%d}' % number)
        assert len(decoder_module._parsed) <= decoder_module._MAX_PARSED


messages = st.lists(st.builds(
    Message, st.sampled_from([REQUEST, RESPONSE]), st.integers(-2 ** 63, 2 ** 63 - 1),
    st.integers(-2 ** 31, 2 ** 31 - 1), st.sampled_from(HEADS), st.binary(max_size=200)),
    max_size=6)


def cuts(data):
    return st.lists(st.integers(0, len(data)), max_size=12).map(sorted)


@settings(deadline=None, max_examples=200)
@given(messages=messages, draw=st.data())
def test_any_split_of_any_frames_gives_exactly_them(messages, draw):
    data = stream_of(messages)
    found, decoder = decode(data, draw.draw(cuts(data)))
    assert found == messages
    assert not decoder.is_inside_frame
    assert decoder_size(decoder) == 0


@settings(deadline=None, max_examples=400)
@given(messages=messages, draw=st.data())
def test_any_mutation_gives_frames_or_a_protocol_error(messages, draw):
    data = bytearray(stream_of(messages))
    for _ in range(draw.draw(st.integers(1, 3))):
        kind = draw.draw(st.sampled_from(["flip", "cut", "insert"]))
        place = draw.draw(st.integers(0, max(0, len(data) - 1)))
        if kind == "flip" and data:
            data[place] = draw.draw(st.integers(0, 255))
        elif kind == "cut":
            del data[place:place + draw.draw(st.integers(0, 30))]
        else:
            data[place:place] = draw.draw(st.binary(max_size=30))
    data = bytes(data)
    pieces = draw.draw(cuts(data))
    # However it is split, it comes out the same.
    assert outcome(data, pieces) == outcome(data, [])


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=400), draw=st.data())
def test_any_bytes_give_frames_or_a_protocol_error(data, draw):
    assert outcome(data, draw.draw(cuts(data))) == outcome(data, range(1, len(data)))


def outcome(data, pieces):
    try:
        found, _ = decode(data, pieces)
    except ProtocolError as error:
        return type(error), str(error)
    return found


def test_a_body_that_comes_in_crumbs_takes_no_more_than_its_size(monkeypatch):
    monkeypatch.setattr(decoder_module, "_LONG", 100)
    body = b"0123456789" * 10000
    decoder = FrameDecoder(2 ** 20)
    data = frame(REQUEST, 1, {"type": "x"}, body) + b"rest"
    decoder.feed(data[:200])
    assert decoder.next_frame() is None
    most = 0
    for start in range(200, len(data), 3):
        decoder.feed(data[start:start + 3])
        most = max(most, len(decoder._pieces or ()))
    assert most <= len(body) // (3 * decoder_module._CRUMBS) + decoder_module._CRUMBS + 1
    assert decoder.next_frame().body == body
    assert decoder.is_inside_frame
