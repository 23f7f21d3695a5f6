# -*- coding: utf-8 -*-
"""The byte vectors were written by the npm package serialize-json 1.0.3."""

from __future__ import absolute_import, division, print_function

import array
import collections
import datetime
import decimal
import time
import uuid

import hypothesis
import pytest
import six
from hypothesis import strategies as st

from clusterclient_sync._compat import utc
from clusterclient_sync.exceptions import RemoteError, TranscodeError, outcome
from clusterclient_sync.protocol.transcodes import JSON, SERIALIZE_JSON

relaxed = hypothesis.settings(deadline=None, derandomize=True)

EPOCH = datetime.datetime(1970, 1, 1)
NOT_TEXT = b"\xff\x00\x61"


def ordered(*pairs):
    return collections.OrderedDict(pairs)


VECTORS = [
    (None, u"^^^^-3"),
    (True, u"^^^^-1"),
    (False, u"^^^^-2"),
    (u"", u"^^^^-4"),
    (u"a b+c|d^e%f", u"a+b%2Bc%7Cd%5Ee%25f^^^^0"),
    (u"\u20ac\U0001f600", u"\u20ac\U0001f600^^^^0"),
    (0, u"^0^^^0"),
    (35, u"^Z^^^0"),
    (36, u"^10^^^0"),
    (-1296, u"^-100^^^0"),
    (2 ** 53, u"^2GOSA7PA2GW^^^0"),
    (1.5, u"^^1.5^^0"),
    (1e-7, u"^^1e-7^^0"),
    (float("-inf"), u"^^-Infinity^^0"),
    (EPOCH, u"^^^0^0"),
    (EPOCH + datetime.timedelta(milliseconds=-1), u"^^^-1^0"),
    (datetime.datetime(2020, 1, 2, 3, 4, 5, 6000), u"^^^K4W5B3PQ^0"),
    ([], u"^^^^@]"),
    ([1, u"a", 1.5, EPOCH + datetime.timedelta(milliseconds=1), None, True, u"", []],
     u"a^1^1.5^1^@1|0|2|3|-3|-1|-4|@]]"),
    ({}, u"^^^^$]"),
    (ordered((u"a", 1), (u"", 2), (u"b", {u"c": [u"x"]})), u"a|b|c|x^1|2^^^$0|4|-4|5|1|$2|@3]]]"),
    (bytearray(), u"^^^^*]"),
    (NOT_TEXT, u"^73|0|2P^^^*0|1|2]"),
    ({u"success": True}, u"success^^^^$0|-1]"),
]


@pytest.mark.parametrize("value, text", VECTORS)
def test_values_come_and_go_as_the_npm_package_writes_them(value, text):
    data = text.encode("utf-8")
    assert SERIALIZE_JSON.encode(value) == data
    back = SERIALIZE_JSON.decode(data)
    assert back == value
    if not isinstance(value, (bytearray, collections.OrderedDict)):
        assert type(back) is type(value)


@pytest.mark.parametrize("view, data", [
    (memoryview(b"text"), b"text"), (memoryview(NOT_TEXT), NOT_TEXT),
    (memoryview(b"abcdef")[1:3], b"bc"), (memoryview(b""), b""),
])
def test_a_memoryview_is_bytes(view, data):
    assert SERIALIZE_JSON.encode([1, view]) == SERIALIZE_JSON.encode([1, bytearray(data)])


@pytest.mark.skipif(six.PY2, reason="Python 2 has simpler ones only")
def test_a_memoryview_of_any_shape_is_its_bytes():
    numbers = array.array("i", [1, -1])
    assert SERIALIZE_JSON.decode(SERIALIZE_JSON.encode(memoryview(b"abcdef")[1::2])) == b"bdf"
    assert SERIALIZE_JSON.decode(SERIALIZE_JSON.encode(memoryview(numbers))) == numbers.tobytes()


def test_undefined_is_none():
    assert SERIALIZE_JSON.decode(b"^^^^-5") is None
    assert SERIALIZE_JSON.decode(b"^^^^@-5]") == [None]
    assert SERIALIZE_JSON.decode(b"") is None


def test_whole_floats_stay_floats():
    value = [0.0, -0.0, 3.0, 1e300, float("inf"), float("nan"), 1e21, 123456789.0]
    data = SERIALIZE_JSON.encode(value)
    assert data == b"^^0|-0|3|1e+300|Infinity|NaN|1e+21|123456789^^@0|1|2|3|4|5|6|7]"
    assert [repr(number) for number in SERIALIZE_JSON.decode(data)] == [
        repr(number) for number in value]


def test_integers_of_javascript_beyond_2_53_are_read():
    assert SERIALIZE_JSON.decode(b"^5V1J4F4DS7C000^^^0") == int("5V1J4F4DS7C000", 36)


def test_an_error_of_node_is_a_remote_error():
    error = SERIALIZE_JSON.decode(
        b"message|boom+at+%7C%5E%2B+%25|stack|Error:+boom\n++++at+x.js:1|code|ECONN|status^DZ"
        b"^^^#0|1|2|3|4|5|6|7]")
    assert type(error) is RemoteError
    assert (error.message, error.code, error.status) == (u"boom at |^+ %", u"ECONN", 503)
    assert error.stack == u"Error: boom\n    at x.js:1"
    assert error.name is None and outcome(error) is None


def test_an_error_cannot_overwrite_what_a_remote_error_is():
    error = SERIALIZE_JSON.decode(
        b"message|m|name|n|outcome|__class__|args|_details|with_traceback"
        b"^^^^#0|1|2|3|4|-1|5|-1|6|-1|7|-1|8|-1]")
    assert type(error) is RemoteError
    assert (error.message, error.name, error.outcome, error.args) == (u"m", u"n", None, (u"m",))


def test_an_exception_is_an_error_there():
    class Failure(Exception):
        pass

    failure = Failure(u"it+failed")
    failure.code = u"E1"
    failure.status = 503
    failure.response = object()
    failure._private = 1
    data = SERIALIZE_JSON.encode({u"e": failure})
    assert data.startswith(b"e|message|it%2Bfailed|stack|")
    assert data.endswith(b"|name|Failure|code|E1|status^DZ^^^$0|#1|2|3|4|5|6|7|8|9|A]]")
    error = SERIALIZE_JSON.decode(data)[u"e"]
    assert type(error) is RemoteError
    assert (error.name, error.message, error.code, error.status) == (
        u"Failure", u"it+failed", u"E1", 503)
    assert u"it+failed" in error.stack
    assert not hasattr(error, "response") and not hasattr(error, "_private")


def test_any_exception_can_be_encoded():
    class Silent(Exception):
        def __str__(self):
            raise ValueError("no text")

    for failure in (Silent(), KeyboardInterrupt(), ValueError(u"\ud800"), ValueError(b"\xff"),
                    OSError(2, "gone", "file")):
        error = SERIALIZE_JSON.decode(SERIALIZE_JSON.encode(failure))
        assert error.name == type(failure).__name__
    assert error.code == 2


@pytest.mark.parametrize("value, path", [
    (set(), u"$"), ([frozenset()], u"$[0]"), ({u"a": [decimal.Decimal(1)]}, u"$.a[0]"),
    ([uuid.UUID(int=1)], u"$[0]"), ([datetime.date(2020, 1, 1)], u"$[0]"),
    ([datetime.datetime(2020, 1, 1, tzinfo=utc)], u"$[0]"),
    ([datetime.datetime(2020, 1, 1, 0, 0, 0, 1)], u"$[0]"),
    ([2 ** 53 + 1], u"$[0]"), ([-2 ** 53 - 1], u"$[0]"), ([object()], u"$[0]"),
    ({u"a": {(1,): 1}}, u"$.a"), ({u"a": {NOT_TEXT: 1}}, u"$.a"),
    ([u"half \ud800"], u"$[0]"), ({u"\udc00": 1}, u"$"),
])
def test_what_has_no_place_is_refused_with_its_path(value, path):
    with pytest.raises(TranscodeError) as caught:
        SERIALIZE_JSON.encode(value)
    assert caught.value.path == path


def test_a_value_without_an_end_is_refused():
    circle = {}
    circle[u"a"] = [circle]
    with pytest.raises(TranscodeError):
        SERIALIZE_JSON.encode(circle)


def test_the_depth_that_is_encoded_is_the_depth_that_is_decoded():
    value = []
    for _ in range(499):
        value = [value]
    assert SERIALIZE_JSON.decode(SERIALIZE_JSON.encode(value)) == value
    with pytest.raises(TranscodeError):
        SERIALIZE_JSON.encode([value])
    with pytest.raises(TranscodeError):
        SERIALIZE_JSON.decode(b"^^^^" + b"@" * 501 + b"]" * 501)


def test_a_pair_of_surrogates_is_one_character():
    high, low = u"\ud83d", u"\ude00"
    assert SERIALIZE_JSON.encode([high + low]) == u"\U0001f600^^^^@0]".encode("utf-8")


@pytest.mark.skipif(not six.PY2, reason="str is bytes on Python 2 only")
def test_a_str_of_python_2_is_text_where_it_is_utf_8():
    assert SERIALIZE_JSON.decode(SERIALIZE_JSON.encode({"caf\xc3\xa9": "\xff", "a": "b"})) == {
        u"caf\xe9": "\xff", u"a": u"b"}


NOT_OURS = [
    b"^", b"^^^", b"^^^^", b"^^^^^0", b"a^^^^", b"a^^^^0^", b"a^^^^1", b"a^^^^-6", b"a^^^^-",
    b"a^^^^ZZZZZZZZ", b"a^^^^" + b"Z" * 50, b"a^^^^0 ", b"a^^^^|0", b"a^^^^0|", b"a^^^^0|0",
    b"a^^^^0]", b"^^^^]", b"^^^^|", b"^^^^@", b"^^^^@@]", b"^^^^@]]", b"^^^^@]@]", b"^^^^@]|@]",
    b"a^^^^@0", b"a^^^^@|0]", b"a^^^^@0|]", b"a^^^^@0||0]", b"a^^^^@0@]]", b"a^^^^@@]0]",
    b"a^^^^@0!]", b"a^^^^$0]", b"a^^^^$0|0|0]", b"^1^^^$0|0]", b"^^^^$-1|-1]", b"a^^^^$@]|0]",
    b"a^^^^$0|0", b"a^^^^#0]", b"a^^^^*0]", b"^74^^^*0]", b"^-1^^^*0]", b"^^^^*-1]", b"^^1.5^^*0]",
    b"^^^^*@]]", b"^ 1^^^0", b"^1_0^^^0", b"^+1^^^0", b"^1-^^^0", b"^--1^^^0", b"^|1^^^0",
    b"^1!^^^0", b"^" + b"Z" * 300 + b"^^^0", b"^^x^^0", b"^^1_0^^0", b"^^ 1^^0", b"^^|^^0",
    b"^^nan^^0", b"^^inf^^0", b"^^0x1^^0", b"^^^!^0", b"^^^ZZZZZZZZZZZZ^0", b"^^^|^0",
    b"\xff^^^^0", b"\xed\xa0\x80^^^^0", b"{}", b'{"success":true}', b"null", b"garbage",
    u"^\u0661^^^0".encode("utf-8"), u"^^\u0661^^0".encode("utf-8"),
    u"a^^^^\u0660".encode("utf-8"),
    b'{"a":"|success^^^^$1|-1]","success":true}',
]


def test_everything_else_is_a_transcode_error():
    for data in NOT_OURS:
        try:
            value = SERIALIZE_JSON.decode(data)
        except TranscodeError:
            continue
        pytest.fail("%.80r gives %.80r" % (data, value))


@pytest.mark.parametrize("data", [
    b"^^^^" + b"@" * 1000000, b"^" + b"9" * 2000000 + b"^^^0", b"^^" + b"1" * 2000000 + b"x^^0",
    b"^^^^" + b"9" * 2000000, b"^" * 2000000, b"|" * 2000000 + b"^^^^@" + b"|" * 10,
    b"a^^^^@" + b"0|" * 500000, b"^^^" + b"Z" * 2000000 + b"^0",
])
def test_hostile_texts_end_soon(data):
    start = time.time()
    with pytest.raises(TranscodeError):
        SERIALIZE_JSON.decode(data)
    assert time.time() - start < 10


names = st.text(st.characters(blacklist_categories=("Cs",)), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2 ** 53, 2 ** 53) | st.floats(allow_nan=False)
    | st.text(u" +|^%2BCE75@$*#]-a\u20ac\U0001f600") | names
    | st.datetimes().map(lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000))
    | st.binary().map(lambda tail: b"\xff" + tail),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20)


def in_order(value):
    if isinstance(value, dict):
        return [(name, in_order(value[name])) for name in sorted(value)]
    if isinstance(value, list):
        return [in_order(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()  # the fold of a naive one says nothing
    return int(value) if type(value) in six.integer_types else value


@relaxed
@hypothesis.given(values)
def test_every_value_comes_back_as_it_was(value):
    back = SERIALIZE_JSON.decode(SERIALIZE_JSON.encode(value))
    assert back == value
    # What is equal may still be of another type: 1, 1.0 and True; 0.0 and -0.0.
    assert repr(in_order(back)) == repr(in_order(value))


keys = st.text() | st.integers() | st.booleans() | st.none() | st.floats() | st.tuples()
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary() | st.datetimes() | st.dates() | st.decimals(allow_nan=False) | st.uuids(),
    lambda inner: (st.lists(inner, max_size=4) | st.tuples(inner, inner)
                   | st.dictionaries(keys, inner, max_size=4)),
    max_leaves=20)


@relaxed
@hypothesis.given(anything)
def test_it_gives_the_same_as_json_or_a_transcode_error(value):
    try:
        data = SERIALIZE_JSON.encode(value)
    except TranscodeError:
        return
    assert SERIALIZE_JSON.decode(data) == JSON.decode(JSON.encode(value))


@relaxed
@hypothesis.given(st.binary() | st.text(u"@$*#]|-^0123AZaz.+ ", max_size=60).map(
    lambda text: text.encode("ascii")))
def test_any_bytes_give_a_value_or_a_transcode_error(data):
    try:
        SERIALIZE_JSON.decode(data)
    except TranscodeError:
        pass


@relaxed
@hypothesis.given(values, st.data())
def test_a_damaged_value_gives_a_value_or_a_transcode_error(value, data):
    damaged = bytearray(SERIALIZE_JSON.encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.sampled_from(bytearray(b"@$*#]|-^09AZ \xff")))
    try:
        SERIALIZE_JSON.decode(bytes(damaged))
    except TranscodeError:
        pass
