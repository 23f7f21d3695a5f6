# -*- coding: utf-8 -*-
from __future__ import absolute_import, division, print_function

import array
import collections
import datetime
import decimal
import json
import time
import uuid

import hypothesis
import pytest
import six
from hypothesis import strategies as st

from clusterclient_sync._compat import utc
from clusterclient_sync.exceptions import TranscodeError
from clusterclient_sync.protocol.transcodes import JSON

relaxed = hypothesis.settings(deadline=None, derandomize=True)

NOT_TEXT = b"\xff\x00caf\xe9"  # no UTF-8, so bytes on Python 2 as well


class Zone(datetime.tzinfo):
    """An hour and a half east."""

    def utcoffset(self, when):
        return datetime.timedelta(minutes=90)

    def dst(self, when):
        return datetime.timedelta(0)


class Foreign(object):
    pass


def same(left, right):
    """Equal, and of the same types all the way down; NaN equals NaN."""
    if isinstance(left, six.integer_types) and isinstance(right, six.integer_types):
        return left == right and isinstance(left, bool) == isinstance(right, bool)
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return set(left) == set(right) and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (float, decimal.Decimal)):
        return repr(left) == repr(right)
    return left == right


def test_json_is_ascii_without_spaces():
    value = collections.OrderedDict([(u"a", [1, 2.5, None, True]), (u"\xe9", u"\u20ac \U0001f600")])
    assert JSON.encode(value) == (
        b'{"a":[1,2.5,null,true],"\\u00e9":"\\u20ac \\ud83d\\ude00"}')


@pytest.mark.parametrize("value", [
    None, True, False, 0, -1, 2 ** 53, -2 ** 53, 0.0, -0.0, 1.0, 1e300, float("inf"),
    float("-inf"), float("nan"), u"", u"text", u"\u20ac\U0001f600\x00\"\\", u"$type", [], {},
    [[], [{}]], {u"": {u"a": [1]}}, u"1234567890123456789", [u",1234567890123456", 1],
])
def test_plain_values_are_themselves(value):
    assert same(JSON.decode(JSON.encode(value)), value)


@pytest.mark.parametrize("value, encoded", [
    (NOT_TEXT, b'{"$type":"bytes","value":"/wBjYWbp"}'),
    (bytearray(b"text"), b'{"$type":"bytes","value":"dGV4dA=="}'),
    (datetime.datetime(2020, 2, 29, 1, 2, 3, 4),
     b'{"$type":"datetime","value":"2020-02-29T01:02:03.000004"}'),
    (datetime.datetime(20, 2, 3), b'{"$type":"datetime","value":"0020-02-03T00:00:00"}'),
    (datetime.datetime(2020, 2, 3, tzinfo=utc),
     b'{"$type":"datetime","value":"2020-02-03T00:00:00+00:00"}'),
    (datetime.datetime(2020, 2, 3, tzinfo=Zone()),
     b'{"$type":"datetime","value":"2020-02-02T22:30:00+00:00"}'),
    (datetime.date(2020, 2, 3), b'{"$type":"date","value":"2020-02-03"}'),
    (decimal.Decimal("-1.50E+7"), b'{"$type":"Decimal","value":"-1.50E+7"}'),
    (decimal.Decimal("-Infinity"), b'{"$type":"Decimal","value":"-Infinity"}'),
    (set([3, 1, 2]), b'{"$type":"set","value":[1,2,3]}'),
    (frozenset([u"a"]), b'{"$type":"frozenset","value":["a"]}'),
    (uuid.UUID(int=5), b'{"$type":"UUID","value":"00000000-0000-0000-0000-000000000005"}'),
    (2 ** 53 + 1, b'{"$type":"int","value":"9007199254740993"}'),
    (-2 ** 64, b'{"$type":"int","value":"-18446744073709551616"}'),
])
def test_what_json_lacks_is_tagged(value, encoded):
    for wrap in (lambda x: x, lambda x: [x], lambda x: {u"a": [1, {u"b": x}]}):
        data = JSON.encode(wrap(value))
        assert encoded in data
        back = JSON.decode(data)
        assert back == wrap(value)
    assert JSON.encode(value) == encoded
    wanted = bytes if isinstance(value, bytearray) else type(value)
    assert isinstance(JSON.decode(encoded), wanted)


@pytest.mark.parametrize("view, data", [
    (memoryview(b"text"), b"text"), (memoryview(bytearray(NOT_TEXT)), NOT_TEXT),
    (memoryview(b"abcdef")[1:3], b"bc"), (memoryview(b""), b""),
])
def test_a_memoryview_is_bytes(view, data):
    for wrap in (lambda x: x, lambda x: [x], lambda x: {u"a": [1, {u"b": x}]}):
        assert JSON.encode(wrap(view)) == JSON.encode(wrap(bytearray(data)))


@pytest.mark.skipif(six.PY2, reason="Python 2 has simpler ones only")
def test_a_memoryview_of_any_shape_is_its_bytes():
    numbers = array.array("i", [1, -1])
    assert JSON.decode(JSON.encode(memoryview(b"abcdef")[1::2])) == b"bdf"
    assert JSON.decode(JSON.encode(memoryview(numbers))) == numbers.tobytes()


def test_aware_datetimes_come_back_in_utc_and_naive_ones_naive():
    aware = datetime.datetime(2020, 2, 3, tzinfo=Zone())
    assert JSON.decode(JSON.encode(aware)).tzinfo is utc
    assert JSON.decode(JSON.encode(aware.replace(tzinfo=None))).tzinfo is None


@pytest.mark.parametrize("text, value", [
    ("2020-02-03T00:00:00Z", datetime.datetime(2020, 2, 3, tzinfo=utc)),
    ("2020-02-03T00:00:00+01:30", datetime.datetime(2020, 2, 2, 22, 30, tzinfo=utc)),
    ("2020-02-03T00:00:00-01:30", datetime.datetime(2020, 2, 3, 1, 30, tzinfo=utc)),
])
def test_any_zone_is_read(text, value):
    data = json.dumps({"$type": "datetime", "value": text}).encode("ascii")
    assert JSON.decode(data) == value


@pytest.mark.parametrize("value", [
    {u"$type": u"bytes", u"value": u"no tag"},
    {u"$type": None},
    {u"a": [{u"$type": {u"$type": [set([1])]}, u"b": NOT_TEXT}]},
])
def test_dicts_that_look_like_a_tag_survive(value):
    assert JSON.decode(JSON.encode(value)) == value


def test_a_dict_that_looks_like_a_tag_is_wrapped():
    assert JSON.encode({u"$type": 1}) == b'{"$type":"dict","value":[["$type",1]]}'


def test_tuples_are_lists_and_names_are_text():
    value = {1: (1, (2,)), 1.5: u"a", True: u"b", None: u"c", 2 ** 60: u"d", -0.0: 0}
    wanted = {u"true": u"b", u"1.5": u"a", u"null": u"c", u"1152921504606846976": u"d", u"-0.0": 0}
    assert same(JSON.decode(JSON.encode({None: (1, (2,))})), {u"null": [1, [2]]})
    # True and 1 are one key in Python: the first spelling stays, with the last value.
    wanted[u"1"] = wanted.pop(u"true")
    assert same(JSON.decode(JSON.encode(value)), wanted)
    # The same names where the value is walked in Python.
    assert same(JSON.decode(JSON.encode([value, NOT_TEXT])), [wanted, NOT_TEXT])


@pytest.mark.parametrize("name", [1.0, 1e16, 1e-7, float("inf"), float("-inf"), float("nan"), 7,
                                  True, False, None, u"x"])
def test_names_are_the_same_on_both_paths(name):
    plain = JSON.decode(JSON.encode({name: 1}))
    walked = JSON.decode(JSON.encode({name: NOT_TEXT}))
    assert list(plain) == list(walked)


def test_subclasses_come_back_as_what_they_derive_from():
    class Text(six.text_type):
        pass

    class Number(int):
        pass

    point = collections.namedtuple("point", "x y")(1, NOT_TEXT)
    value = [Text(u"a"), Number(3), point, collections.OrderedDict(a=1), Number(2 ** 60)]
    assert same(JSON.decode(JSON.encode(value)), [u"a", 3, [1, NOT_TEXT], {u"a": 1}, 2 ** 60])


@pytest.mark.skipif(not six.PY2, reason="str is bytes on Python 2 only")
def test_a_str_of_python_2_is_text_where_it_is_utf_8():
    assert same(JSON.decode(JSON.encode(["abc", "caf\xc3\xa9", {"caf\xc3\xa9": "\xff"}])),
                [u"abc", u"caf\xe9", {u"caf\xe9": "\xff"}])


@pytest.mark.parametrize("value, path, said", [
    (Foreign(), u"$", u"Foreign"),
    ({u"a": [0, 1, 2, {u"b": Foreign()}]}, u"$.a[3].b", u"Foreign"),
    ({u"two words": {u"\xe9": Foreign()}}, u'$["two words"]["\\u00e9"]', u"Foreign"),
    ({u"a": {(1, 2): 3}}, u"$.a", u"tuple"),
    ({u"a": {NOT_TEXT: 3}}, u"$.a", u"name"),
    ({u"a": set([(1, 2)])}, u"$.a", u"tuple"),
    ([1j], u"$[0]", u"complex"),
    ([10 ** 5000], u"$[0]", u"digits"),
    ({u"a": {10 ** 5000: NOT_TEXT}}, u"$.a", u"digits"),
    ([decimal.Decimal("1" * 5000)], u"$[0]", u"digits"),
    ([datetime.datetime.min.replace(tzinfo=Zone())], u"$[0]", u"year"),
    ([datetime.timedelta(1)], u"$[0]", u"datetime.timedelta"),
    ([ValueError()], u"$[0]", u"ValueError"),
    ([iter([])], u"$[0]", u"iterator"),
])
def test_what_has_no_place_is_refused_with_its_path(value, path, said):
    with pytest.raises(TranscodeError) as caught:
        JSON.encode(value)
    assert caught.value.path == path
    assert path in str(caught.value) and said in str(caught.value)


def test_a_long_path_is_cut():
    value = Foreign()
    for _ in range(50):
        value = [value]
    with pytest.raises(TranscodeError) as caught:
        JSON.encode(value)
    assert caught.value.path == u"$" + u"[0]" * 20 + u"..."


def test_a_value_without_an_end_is_refused():
    circle = []
    circle.append(circle)
    deep = []
    for _ in range(200000):
        deep = [deep]
    try:
        for value in (circle, {u"a": circle}, [NOT_TEXT, circle], deep):
            with pytest.raises(TranscodeError) as caught:
                JSON.encode(value)
            assert u"deeply" in str(caught.value)
    finally:
        while deep:
            deep = deep.pop()


def test_failures_of_the_values_own_code_are_transcode_errors():
    class Broken(dict):
        def items(self):
            raise ZeroDivisionError("inside items")

    with pytest.raises(TranscodeError) as caught:
        JSON.encode(Broken(a=NOT_TEXT))
    assert u"inside items" in str(caught.value)


def test_sets_of_one_content_come_out_alike():
    names = [u"n%d" % number for number in range(50)]
    assert JSON.encode(set(names)) == JSON.encode(set(reversed(names)))


def test_no_bytes_are_none():
    assert JSON.decode(b"") is None


@pytest.mark.parametrize("data, value", [
    (b' {"a" : [ 1 ] }\n', {u"a": [1]}),
    (u'"\u20ac\U0001f600"'.encode("utf-8"), u"\u20ac\U0001f600"),
    (b'"\\ud83d\\ude00"', u"\U0001f600"),
    (b'"' + b"9" * 10000 + b'"', u"9" * 10000),
    (b"100000000000000000000", 10 ** 20),
])
def test_json_of_other_peers_is_read(data, value):
    assert same(JSON.decode(data), value)


NOT_OURS = [
    b" ", b"{", b'{"a":1', b'{"a":1}}', b"[1,]", b"1 2", b"nul", b'"a', b"'a'", b'"\x01"',
    b"\xff", b'"\xed\xa0\x80"', b'["\xe2\x82"]', b"\xef\xbb\xbf1", b"5" * 5000, b"[" + b"5" * 5000,
    b'{"$type":"bytes"}', b'{"$type":"bytes","value":"?"}', b'{"$type":"bytes","value":"YQ"}',
    b'{"$type":"bytes","value":"YR=="}', b'{"$type":"bytes","value":1}',
    b'{"$type":"bytes","value":"","more":1}', b'{"$type":"no such","value":1}',
    b'{"$type":[],"value":1}', b'{"$type":{},"value":1}', b'{"value":1,"$type":null}',
    b'{"$type":"datetime","value":"2020-13-01T00:00:00"}',
    b'{"$type":"datetime","value":"0001-01-01T00:00:00+01:00"}',
    b'{"$type":"datetime","value":"2020-01-01T00:00:00.1"}',
    b'{"$type":"date","value":"2020-02-30"}', b'{"$type":"date","value":"2020-02-03\\n"}',
    b'{"$type":"date","value":20200203}', b'{"$type":"Decimal","value":"1_0"}',
    b'{"$type":"Decimal","value":" 1"}', b'{"$type":"Decimal","value":1}',
    b'{"$type":"Decimal","value":"' + b"1" * 5000 + b'"}',
    b'{"$type":"int","value":"' + b"1" * 5000 + b'"}', b'{"$type":"int","value":"0x1"}',
    b'{"$type":"int","value":"\\u0661"}', b'{"$type":"UUID","value":"5"}',
    b'{"$type":"set","value":{}}', b'{"$type":"set","value":[[1]]}',
    b'{"$type":"frozenset","value":[{}]}', b'{"$type":"set","value":"ab"}',
    b'{"$type":"dict","value":{}}', b'{"$type":"dict","value":["ab"]}',
    b'{"$type":"dict","value":[[1,2]]}', b'{"$type":"dict","value":[["a"]]}',
]


def test_everything_else_is_a_transcode_error():
    for data in NOT_OURS:
        try:
            value = JSON.decode(data)
        except TranscodeError:
            continue
        pytest.fail("%.80r gives %.80r" % (data, value))


@pytest.mark.parametrize("data", [
    b"[" * 200000, b'{"a":' * 200000, b'{"$type":' * 200000,
    b"9" * 2000000, b"-" + b"9" * 2000000, b"[1," + b"9" * 2000000 + b"]",
    b'{"$type":"int","value":"' + b"9" * 2000000 + b'"}',
    b'[{"$type":"int","value":"1"},' + b"9" * 2000000 + b"]",
])
def test_hostile_texts_end_soon(data):
    start = time.time()
    with pytest.raises(TranscodeError):
        JSON.decode(data)
    assert time.time() - start < 5  # the quadratic way would take minutes


names = st.text(max_size=5) | st.just(u"$type") | st.just(u"value")
hashable = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.datetimes() | st.dates() | st.uuids() | st.decimals(allow_nan=False)
    | st.builds(lambda tail: b"\xff" + tail, st.binary()))
# In a set equal values of several types are one, and which one is up to the set.
alike = (st.frozensets(st.text()) | st.frozensets(st.integers()) | st.frozensets(st.dates())
         | st.sets(st.uuids()))
values = st.recursive(
    hashable | alike,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20)


@relaxed
@hypothesis.given(values)
def test_every_value_comes_back_as_it_was(value):
    data = JSON.encode(value)
    assert same(JSON.decode(data), value)
    assert max(bytearray(data)) < 128


@relaxed
@hypothesis.given(st.integers(10 ** 15, 10 ** 20), st.sampled_from(["%d", "-%d", "[%d]", '{"a":%d}',
                                                                   "[1,%d,2]", '{"a":[-%d]}']))
def test_no_integer_beyond_2_53_leaves_untagged(number, form):
    value = json.loads(form % number)
    assert same(JSON.decode(JSON.encode(value)), value)
    assert (b"$type" in JSON.encode(value)) == (number > 2 ** 53)


@relaxed
@hypothesis.given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_give_a_value_or_a_transcode_error(data):
    try:
        JSON.decode(data)
    except TranscodeError:
        pass


@relaxed
@hypothesis.given(values, st.data())
def test_a_damaged_value_gives_a_value_or_a_transcode_error(value, data):
    damaged = bytearray(JSON.encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        JSON.decode(bytes(damaged))
    except TranscodeError:
        pass


@hypothesis.settings(relaxed, max_examples=30)
@hypothesis.given(st.lists(values, min_size=1))
def test_a_truncated_value_is_a_transcode_error(value):
    data = JSON.encode(value)
    for end in range(1, len(data), max(1, len(data) // 20)):
        with pytest.raises(TranscodeError):
            JSON.decode(data[:end])
