# -*- coding: utf-8 -*-
"""The transcode msgpack: what json gives for a value, or says of it, msgpack gives and says."""

from __future__ import absolute_import, division, print_function

import array
import collections
import datetime
import decimal
import sys
import uuid

import pytest

pytest.importorskip("ormsgpack", "1.13.1")

import dataclasses
import enum
import tracemalloc

import hypothesis
import ormsgpack
from hypothesis import strategies as st

from clusterclient_sync.exceptions import TranscodeError
from clusterclient_sync.protocol import transcodes
from clusterclient_sync.protocol.transcodes import JSON
from support.sample_values import REFUSED, SAMPLES, alike, nested

MSGPACK = transcodes.named("msgpack")
relaxed = hypothesis.settings(deadline=None, derandomize=True)

JSON_FOLLOWS = b"\xc1"


class Text(str):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Items(list):
    pass


class Binary(bytes):
    pass


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):
    YES = "yes"


class Shouting(dict):
    """A dict whose items are not those that it holds."""

    def items(self):
        return [(name.upper(), value) for name, value in super(Shouting, self).items()]


def turned():
    """An OrderedDict whose order is not the one in which it was filled."""
    value = collections.OrderedDict([(u"a", 1), (u"b", 2)])
    value.move_to_end(u"a")
    return value


Record = dataclasses.make_dataclass("Record", ["a"])
Point = collections.namedtuple("Point", "x y")


def result(transcode, value):
    """What becomes of a value: itself as it arrives, or what the error says and where."""
    try:
        data = transcode.encode(value)
    except TranscodeError as error:
        return error.path, str(error)
    return transcode.decode(data)


def assert_same(value):
    """Both give the same: repr() shows types, order, NaN and the sign of zero."""
    ours, theirs = result(MSGPACK, value), result(JSON, value)
    assert repr(ours) == repr(theirs)
    assert alike(ours, theirs)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_samples_arrive_as_they_should(name):
    sample = SAMPLES[name]
    for wrap in (lambda value: value, lambda value: [value, {u"a": value}]):
        arrived = MSGPACK.decode(MSGPACK.encode(wrap(sample.value)))
        assert alike(arrived, wrap(sample.expected))
        assert_same(wrap(sample.value))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_json_refuses_is_refused_in_the_same_words(name):
    value, path = REFUSED[name]
    with pytest.raises(TranscodeError) as caught:
        MSGPACK.encode(value)
    assert caught.value.path == path
    assert_same(value)


@pytest.mark.parametrize("value", [
    Text(u"a"), Number(3), Number(2 ** 70), Real(1.5), Items([1]), Binary(b"b"), Point(1, 2),
    Shouting(a=1), turned(), Record(1), Record,
    collections.OrderedDict([(u"b", 1), (u"a", 2)]), collections.defaultdict(int, a=1),
    {Text(u"a"): 1}, {Word.YES: 1}, {Level.LOW: 1}, Level.LOW, Colour.RED, Word.YES,
    {1: 1}, {True: 1, None: 2, 2.5: 3}, {b"a": 1}, {float("nan"): 1}, {1: u"a", u"1": u"b"},
    u"\ud800", {u"\ud800": 1}, u"\ud83d\ude00", u"\U0001f600",
    2 ** 63, 2 ** 64 - 1, 2 ** 64, -2 ** 63, -2 ** 63 - 1, 10 ** 4300, 10 ** 5000,
    -0.0, float("nan"), float("-inf"), 5e-324,
    bytearray(b"a"), memoryview(b"abcdef")[1:4], memoryview(b"abcdef")[::2],
    memoryview(array.array("i", [1, 2, 3])), memoryview(b"abcd").cast("B", (2, 2)),
    set([memoryview(b"a")]), {memoryview(b"a"): 1}, {u"$type": u"bytes", u"value": u"AA=="},
    datetime.time(1), datetime.timedelta(1), 1j, range(3), iter([]), ValueError("x"),
    set([(1, 2)]), decimal.Decimal("1" * 5000), Ellipsis, NotImplemented, sys, Text,
], ids=lambda value: type(value).__name__)
def test_what_is_special_comes_out_as_from_json(value):
    for wrap in (lambda value: value, lambda value: [0, value], lambda value: {u"a": (value,)}):
        assert_same(wrap(value))


def test_a_memoryview_that_was_released_is_refused():
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(TranscodeError):
        MSGPACK.encode([view])
    assert_same([view])


@pytest.mark.parametrize("depth", [100, 254, 255, 256, 257, 300, 500, 700])
def test_any_depth_that_json_has(depth):
    value = MSGPACK.decode(MSGPACK.encode(nested(depth)))
    found = 0
    while value:
        value, = value
        found += 1
    assert (found, value) == (depth, [])


def test_a_value_without_an_end_is_refused():
    circle = []
    circle.append(circle)
    for value in (circle, {u"a": circle}):
        with pytest.raises(TranscodeError) as caught:
            MSGPACK.encode(value)
        assert u"deeply" in str(caught.value)


def test_what_is_plain_is_messagepack_and_the_rest_json():
    assert MSGPACK.encode({u"a": [1, -1, None, True, u"b", b"c"]}) == (
        b"\x81\xa1a\x96\x01\xff\xc0\xc3\xa1b\xc4\x01c")
    assert MSGPACK.encode((1.5,)) == b"\x91\xcb\x3f\xf8\0\0\0\0\0\0"
    day = [datetime.date(2020, 2, 3)]
    assert MSGPACK.encode(day) == JSON_FOLLOWS + JSON.encode(day)
    assert MSGPACK.decode(JSON_FOLLOWS + b'{"a":[1]}') == {u"a": [1]}


def test_bytes_that_the_library_takes_for_encoded_already_are_read_as_any_others():
    with pytest.raises(TranscodeError):
        MSGPACK.decode(MSGPACK.encode([ormsgpack.Ext(1, b"a")]))
    assert MSGPACK.decode(MSGPACK.encode([ormsgpack.Fragment(b"\x01")])) == [1]


def test_no_bytes_are_none():
    assert MSGPACK.decode(b"") is None


# -- agreement, searched for

texts = st.text(max_size=5) | st.text(st.characters(), max_size=5)  # surrogates, too
numbers = (st.integers() | st.integers(-2 ** 70, 2 ** 70) | st.floats()
           | st.sampled_from([2 ** 53, 2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64, -2 ** 63]))
scalars = (
    st.none() | st.booleans() | numbers | texts | st.binary(max_size=5)
    | st.builds(bytearray, st.binary(max_size=3)) | st.builds(memoryview, st.binary(max_size=3))
    | st.datetimes() | st.datetimes(timezones=st.just(datetime.timezone.utc)) | st.dates()
    | st.times() | st.uuids() | st.decimals() | st.timedeltas()
    | st.builds(Text, texts) | st.builds(Number, st.integers()) | st.builds(Real, st.floats())
    | st.sampled_from([Level.LOW, Colour.RED, Word.YES, object, 1j, uuid.UUID(int=1)]))
keys = (texts | st.sampled_from([u"$type", u"value"]) | st.integers() | st.floats()
        | st.booleans() | st.none() | st.builds(Text, texts) | st.binary(max_size=2)
        | st.tuples(st.integers()))
usual = st.sampled_from([u"a", u"b", u"$type", u"value"])
values = st.recursive(
    scalars | st.frozensets(st.integers() | texts, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.builds(Point, inner, inner)
        | st.builds(Items, st.lists(inner, max_size=2)) | st.dictionaries(usual, inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=3)
        | st.builds(collections.OrderedDict, st.dictionaries(usual, inner, max_size=2))),
    max_leaves=12)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12)


@hypothesis.settings(relaxed, max_examples=400)
@hypothesis.given(values)
def test_json_and_msgpack_agree_on_any_value(value):
    assert_same(value)


@relaxed
@hypothesis.given(plain)
def test_plain_values_come_back_as_they_were(value):
    assert alike(MSGPACK.decode(MSGPACK.encode(value)), value)


# -- what peers may send

def decoded(data):
    """What the bytes give, or ``None`` where they are refused; no other error passes."""
    try:
        return MSGPACK.decode(data)
    except TranscodeError:
        return None


MARKS = [0x80, 0x81, 0x8f, 0x90, 0x91, 0xa1, 0xbf, 0xc0, 0xc1, 0xc2, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8,
         0xc9, 0xca, 0xcb, 0xcc, 0xcf, 0xd3, 0xd4, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
         0x00, 0x7f, 0xff]


@hypothesis.settings(relaxed, max_examples=300)
@hypothesis.given(st.binary() | st.lists(st.sampled_from(MARKS)).map(bytes))
def test_any_bytes_give_a_value_of_ours_or_a_transcode_error(data):
    value = decoded(data)
    if data[:1] != JSON_FOLLOWS:
        assert alike(decoded(MSGPACK.encode(value)), value)


@relaxed
@hypothesis.given(values, st.data())
def test_a_damaged_value_gives_a_value_or_a_transcode_error(value, data):
    try:
        damaged = bytearray(MSGPACK.encode(value))
    except TranscodeError:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.sampled_from(MARKS) | st.integers(0, 255))
    decoded(bytes(damaged))


@hypothesis.settings(relaxed, max_examples=50)
@hypothesis.given(st.lists(plain, min_size=1))
def test_a_truncated_value_is_a_transcode_error(value):
    for data in (MSGPACK.encode(value), JSON_FOLLOWS + JSON.encode(value)):
        for end in range(1, len(data), max(1, len(data) // 20)):
            with pytest.raises(TranscodeError):
                MSGPACK.decode(data[:end])


@pytest.mark.parametrize("data", [
    b"\xc1", b"\xc1{", b"\xc1\xc1", b"\xc1" + b"5" * 5000, b'\xc1{"$type":"no such","value":1}',
    b"\xc1" + b"[" * 100000, b"\xd4\x01a", b"\xd6\xff\0\0\0\0", b"\xc7\x01\x01a",  # extensions
    b"\x81\x01\x01", b"\x81\xc0\x01", b"\x81\xc4\x01a\x01", b"\x81\x90\x01",  # names that are none
    b"\xa1\xff", b"\xa3\xed\xa0\x80",
], ids=lambda data: repr(data[:10]))
def test_what_is_no_value_of_ours_is_a_transcode_error(data):
    with pytest.raises(TranscodeError) as caught:
        MSGPACK.decode(data)
    assert u"The bytes received are not a value" in str(caught.value)


HUGE = b"\x7f\xff\xff\xff"


@pytest.mark.parametrize("data", [
    b"\xdd" + HUGE, b"\xdd" + HUGE + b"\xc0" * 100, (b"\xdd" + HUGE) * 500, b"\xdf" + HUGE,
    (b"\xdf" + HUGE + b"\xa1a") * 500, b"\xdb" + HUGE + b"a", b"\xc6" + HUGE + b"a",
    b"\xc9" + HUGE + b"\x01a", b"\xdc\xff\xff" * 1000, b"\x91" * 1000000, b"\x81\xa1a" * 300000,
], ids=lambda data: repr(data[:10]))
def test_what_is_announced_and_does_not_come_costs_no_memory(data):
    tracemalloc.start()
    try:
        with pytest.raises(TranscodeError):
            MSGPACK.decode(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 ** 20
