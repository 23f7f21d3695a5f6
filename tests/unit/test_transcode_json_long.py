"""Long bytes and texts take a way of their own through JSON, which shows in nothing."""

from __future__ import absolute_import, division, print_function

import pytest
import six
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterclient_sync.exceptions import TranscodeError
from clusterclient_sync.protocol.transcodes import JSON, json_long, json_text

FOR_EVER = 2 ** 40


class Way(object):
    """All values count as long ones, or none."""

    def __init__(self, limit):
        self._limit = limit

    def __enter__(self):
        self._usual, json_text._LONG = json_text._LONG, self._limit

    def __exit__(self, *exc_info):
        json_text._LONG = self._usual


def outcome(limit, function, value):
    """What a way gives: a value and its type, or that it refuses."""
    with Way(limit):
        try:
            result = function(value)
        except TranscodeError:
            return TranscodeError
    return type(result), result


def assert_alike(function, value):
    assert outcome(0, function, value) == outcome(FOR_EVER, function, value)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=40), st.text(max_size=40)))
def test_both_ways_write_and_read_the_same(value):
    assert_alike(JSON.encode, value)
    data = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    assert_alike(JSON.encode, bytearray(data))
    assert_alike(JSON.encode, Bytes(data))
    assert_alike(JSON.encode, [value])
    assert_alike(JSON.decode, JSON.encode(value))


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=12), st.integers(0, 60), st.sampled_from(
    [b"", b"=", b"==", b'"', b"\\", b"\n", b"\xff", b"A", b"\xc3\xa9", b"-", b" "]), st.booleans())
def test_both_ways_refuse_the_same(value, place, inserted, replaces):
    for data in (JSON.encode(bytearray(value)), JSON.encode(u"some text")):
        place = min(place, len(data))
        end = place + len(inserted) if replaces else place
        assert_alike(JSON.decode, data[:place] + inserted + data[end:])


class Bytes(bytes):
    """Of Python 2 a text, where it is UTF-8."""


@pytest.mark.parametrize("value", [
    Bytes(b":1234567890123456"), Bytes(b"\xff:1234567890123456"), bytearray(b"ab"),
    memoryview(b"abcd"), Bytes(b"a" * 3)])
def test_binary_of_other_classes(value):
    assert_alike(JSON.encode, value)
    assert_alike(JSON.encode, [value])


@pytest.mark.parametrize("digits", [b"QUI=", b"QUJ=", b"QUJD====", b"QU=I", b"QQ==QUJD", b"QUJ",
                                    b"", b"=", b"Q===", b"QR=="])
def test_base64_that_is_not_canonical(digits):
    data = b'{"$type":"bytes","value":"' + digits + b'"}'
    assert_alike(JSON.decode, data)
    if outcome(FOR_EVER, JSON.decode, data) is not TranscodeError:
        assert json_long.decoded(data)[0]


def test_long_values_do_take_it(monkeypatch):
    taken = []
    for name in ("encoded_bytes", "decoded"):
        function = getattr(json_long, name)
        monkeypatch.setattr(json_long, name, lambda value, function=function, name=name: (
            taken.append(name), function(value))[1])
    value = bytearray(b"\xff\x00" * json_long.LONG)
    assert JSON.decode(JSON.encode(value)) == value
    text = u"a" * (2 * json_long.LONG)
    again = JSON.decode(JSON.encode(text))
    assert again == text and isinstance(again, six.text_type)
    assert taken == ["encoded_bytes", "decoded", "decoded"]
