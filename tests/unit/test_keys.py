# -*- coding: utf-8 -*-
"""The expected texts are what node 20 prints for ``JSON.stringify(JSON.parse(text))``."""

from __future__ import absolute_import, division, print_function

import collections
import json

import hypothesis
import pytest
import six
from hypothesis import strategies as st

from clusterclient_sync.exceptions import TranscodeError
from clusterclient_sync.protocol.keys import WIRE_PREFIX, format_key

relaxed = hypothesis.settings(deadline=None, derandomize=True)


@pytest.mark.parametrize("value, text", [
    (None, u"null"), (True, u"true"), (False, u"false"), (u"", u'""'), ([], u"[]"), ({}, u"{}"),
    ((1, (2, u"a")), u'[1,[2,"a"]]'),
    ({u"dataId": u"a", u"group": [1, None]}, u'{"dataId":"a","group":[1,null]}'),
])
def test_plain_registrations(value, text):
    assert format_key(value) == text
    assert isinstance(format_key(value), six.text_type)


@pytest.mark.parametrize("number, text", [
    (0, u"0"), (-7, u"-7"), (2 ** 53, u"9007199254740992"), (-2 ** 53, u"-9007199254740992"),
    (0.0, u"0"), (-0.0, u"0"), (1.0, u"1"), (-1.5, u"-1.5"), (100.0, u"100"), (0.1, u"0.1"),
    (123456789.125, u"123456789.125"), (1e16, u"10000000000000000"),
    (2.0 ** 53, u"9007199254740992"), (2.0 ** 63, u"9223372036854776000"),
    (1e20, u"100000000000000000000"), (123456789012345680000.0, u"123456789012345680000"),
    (1e21, u"1e+21"), (1.5e21, u"1.5e+21"), (-1e22, u"-1e+22"), (1e-6, u"0.000001"),
    (1.5e-6, u"0.0000015"), (1e-7, u"1e-7"), (-1.5e-7, u"-1.5e-7"), (5e-324, u"5e-324"),
    (1.7976931348623157e308, u"1.7976931348623157e+308"), (1e100, u"1e+100"),
    (0.000001234, u"0.000001234"), (1.0 / 3, u"0.3333333333333333"),
])
def test_numbers_are_printed_as_ecmascript_prints_them(number, text):
    assert format_key(number) == text
    assert format_key([number]) == u"[" + text + u"]"
    assert format_key({number: 1}) == u'{"' + text + u'":1}'


@pytest.mark.parametrize("text, printed", [
    (u"\u20ac \U0001f600 \x7f\x80\u2028\uffff/<", u'"\u20ac \U0001f600 \x7f\x80\u2028\uffff/<"'),
    (u'"\\', u'"\\"\\\\"'),
    (u"\b\t\n\f\r\x00\x0b\x1f", u'"\\b\\t\\n\\f\\r\\u0000\\u000b\\u001f"'),
    (u"\\ud800", u'"\\\\ud800"'),
    (u"a\ud83d", u'"a\\ud83d"'), (u"\udeadb", u'"\\udeadb"'),
    (u"\ude00\ud83d", u'"\\ude00\\ud83d"'),
    (u"\ud83d" + u"\ude00", u'"\U0001f600"'),
])
def test_text_is_printed_as_json_stringify_prints_it(text, printed):
    assert format_key(text) == printed
    assert format_key({text: 0}) == u"{" + printed + u":0}"


def test_array_indexes_come_first_and_the_rest_by_its_utf_8_bytes():
    names = [u"b", u"a", u"B", u"", u"10", u"9", u"0", u"01", u"-1", u"1.5", u"4294967294",
             u"4294967295", u"__proto__", u"\u20ac", u"\uffff", u"\U0001f600", u"aa", u"1 "]
    wanted = [u"0", u"9", u"10", u"4294967294",
              u"", u"-1", u"01", u"1 ", u"1.5", u"4294967295", u"B", u"__proto__", u"a", u"aa",
              u"b", u"\u20ac", u"\uffff", u"\U0001f600"]
    for order in (names, names[::-1]):
        value = collections.OrderedDict((name, 0) for name in order)
        assert format_key(value) == u"{%s}" % u",".join(u'"%s":0' % name for name in wanted)


def test_names_that_are_no_text_become_text():
    assert format_key({None: 0, True: 1, 2.0: 3, 1e-7: 4, u"x": {False: 5}}) == (
        u'{"2":3,"1e-7":4,"null":0,"true":1,"x":{"false":5}}')


@pytest.mark.skipif(not six.PY2, reason="str is bytes on Python 2 only")
def test_a_str_of_python_2_is_text():
    assert format_key({"caf\xc3\xa9": "\xe2\x82\xac"}) == u'{"caf\xe9":"\u20ac"}'
    assert format_key({"a": int(2 ** 40)}) == format_key({u"a": 2 ** 40})


@pytest.mark.parametrize("value, path", [
    (float("nan"), u"$"), ({u"a": [float("inf")]}, u"$.a[0]"), ([2 ** 53 + 1], u"$[0]"),
    ([-2 ** 53 - 1], u"$[0]"), ({u"a": {2 ** 53 + 1: 1}}, u"$.a"), ({float("nan"): 1}, u"$"),
    ([object()], u"$[0]"), ([set()], u"$[0]"), ([b"\xff"], u"$[0]"), ({b"\xff": 1}, u"$"),
    ({u"a": {(1,): 1}}, u"$.a"), ({u"a": {1: 0, u"1": 0}}, u"$.a"), ([10 ** 5000], u"$[0]"),
])
def test_what_has_no_key_is_refused_with_its_path(value, path):
    with pytest.raises(TranscodeError) as caught:
        format_key(value)
    assert caught.value.path == path and path in str(caught.value)


def test_a_registration_without_an_end_is_refused():
    circle = {}
    circle[u"a"] = circle
    with pytest.raises(TranscodeError):
        format_key(circle)


def test_the_prefix_of_the_wire():
    assert WIRE_PREFIX == u"$$inner$$__"


registrations = st.recursive(
    st.none() | st.booleans() | st.integers(-2 ** 53, 2 ** 53)
    # Larger ones read back as integers, which have no key beyond 2^53.
    | st.floats(-2.0 ** 53, 2.0 ** 53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=15)


def reversed_members(value):
    if isinstance(value, dict):
        pairs = [(name, reversed_members(member)) for name, member in value.items()]
        return collections.OrderedDict(reversed(pairs))
    if isinstance(value, list):
        return [reversed_members(item) for item in value]
    return value


@relaxed
@hypothesis.given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_as_itself(number):
    assert float(format_key(number)) == number


@relaxed
@hypothesis.given(registrations)
def test_a_key_reads_back_as_its_registration_whatever_the_order(value):
    key = format_key(value)
    assert json.loads(key) == value
    assert format_key(reversed_members(value)) == key
    assert format_key(json.loads(key)) == key
    key.encode("utf-8")
