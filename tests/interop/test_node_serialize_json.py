# -*- coding: utf-8 -*-
"""serialize-json: our encoder and decoder against those of the npm package, all four ways."""

from __future__ import absolute_import, division, print_function

import base64
import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterclient_sync.exceptions import RemoteError, TranscodeError
from clusterclient_sync.protocol.transcodes import SERIALIZE_JSON
from node_values import EPOCH, UNDEFINED, bytes_of, comparable, describe

MAX = 2 ** 53 - 1


def through_npm(node, data):
    """What the package decodes, as descriptions."""
    texts = [base64.b64encode(item).decode("ascii") for item in data]
    return [comparable(item) for item in node.do("decode", encoded=texts)]


def from_npm(node, descriptions):
    """What the package encodes."""
    return [base64.b64decode(item) for item in node.do("encode", values=descriptions)]


def described(value):
    return comparable(describe(value))


def date(milliseconds):
    return EPOCH + datetime.timedelta(milliseconds=milliseconds)


# No "__proto__": the package's decoder assigns it, and so changes the prototype.
texts = st.one_of(
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=12),
    st.text(u" +|^%25B7CE@$#*]-\\\"\u4e2d\U0001f600\x00\n", max_size=12))
names = texts.filter(lambda name: name != "__proto__")
# What npm's encoder keeps of the numbers; what it loses has a test of its own.
lossy = st.floats().filter(lambda number: number % 1 == 0)
numbers = st.one_of(
    st.integers(-MAX, MAX), st.floats().filter(lambda number: number % 1 != 0))
octets = st.binary(max_size=12).map(lambda data: b"\xff" + data)  # no text on Python 2 either
errors = st.builds(
    lambda message, stack, name, code: RemoteError(message, name=name, stack=stack, code=code),
    texts, texts, texts.filter(bool), st.one_of(st.none(), texts.filter(bool), st.integers(0, 99)))
scalars = st.one_of(
    st.none(), st.booleans(), texts, numbers, octets, errors,
    st.integers(-10 ** 13, 10 ** 14).map(date))


def containers(children):
    return st.one_of(st.lists(children, max_size=4), st.dictionaries(names, children, max_size=4))


values = st.recursive(scalars, containers, max_leaves=20)
batches = st.lists(values, min_size=1, max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=batches)
def test_random_values_are_the_same_all_four_ways(shared_node, batch):
    expected = [described(value) for value in batch]
    ours = [SERIALIZE_JSON.encode(value) for value in batch]
    npms = from_npm(shared_node, [describe(value) for value in batch])
    assert through_npm(shared_node, ours) == expected
    assert through_npm(shared_node, npms) == expected
    assert [described(SERIALIZE_JSON.decode(data)) for data in ours] == expected
    assert [described(SERIALIZE_JSON.decode(data)) for data in npms] == expected


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(lossy, min_size=1, max_size=20))
def test_whole_floats_keep_every_digit_on_the_way_to_node(shared_node, batch):
    ours = [SERIALIZE_JSON.encode(value) for value in batch]
    assert through_npm(shared_node, ours) == [described(value) for value in batch]


EXAMPLES = [
    u"", u" ", u"+ |^%", u"%2B%7C%5E%25%20", u"a+b c|d^e%f", u"\u00e9\u4e2d\U0001f600", u"\x00\n",
    u"-1", u"@]", 0, 1, -1, MAX, -MAX, 0.5, -0.0, 1e21, 1.5e300, 5e-324, -1.25e-7,
    float("nan"), float("inf"), float("-inf"), None, True, False, date(0), date(-1),
    date(1709209815123), b"\xff\x00\x80", [], {}, [[]], [{}], {u"": {}}, {u"a|b^c d": [u"", None]},
    {u"1": 1, u"b": [True, {u"c": [1.5, date(7)]}]},
]


def test_these_values_arrive_at_node(shared_node):
    ours = [SERIALIZE_JSON.encode(value) for value in EXAMPLES]
    for value, told in zip(EXAMPLES, through_npm(shared_node, ours)):
        assert told == described(value), repr(value)


def test_bytes_that_are_text_are_bytes_in_a_bytearray(shared_node):
    data = [SERIALIZE_JSON.encode(bytearray(value)) for value in (b"", b"text", b"\x00")]
    assert through_npm(shared_node, data) == [
        comparable(bytes_of(value)) for value in (b"", b"text", b"\x00")]


def test_undefined_is_none_and_none_is_null(shared_node):
    encoded = from_npm(shared_node, [UNDEFINED, [UNDEFINED], None])
    assert [SERIALIZE_JSON.decode(data) for data in encoded] == [None, [None], None]
    assert through_npm(shared_node, [SERIALIZE_JSON.encode(None)]) == [None]


def test_deep_values(shared_node):
    value = 1
    for _ in range(120):
        value = {u"a": [value]}
    data = [SERIALIZE_JSON.encode(value)] + from_npm(shared_node, [describe(value)])
    for told in through_npm(shared_node, data):
        assert told == described(value)
    assert [SERIALIZE_JSON.decode(one) for one in data] == [value, value]


def test_errors_keep_their_members(shared_node):
    error = {"error": [["message", u"m|^"], ["stack", u"at x y"], ["name", u"EvalError"],
                       ["code", u"E+1"], ["extra", {"number": describe(7)["number"]}]]}
    data, = from_npm(shared_node, [error])
    came = SERIALIZE_JSON.decode(data)
    assert isinstance(came, RemoteError)
    assert (came.message, came.stack, came.name, came.code) == (u"m|^", u"at x y", u"EvalError",
                                                               u"E+1")
    assert came.extra == 7
    assert through_npm(shared_node, [SERIALIZE_JSON.encode(came)]) == [comparable(error)]


def test_an_exception_is_an_error_in_node(shared_node):
    kind, members = through_npm(shared_node, [SERIALIZE_JSON.encode(KeyError("k"))])[0]
    assert (kind, members["name"], members["message"]) == ("error", "KeyError", "'k'")
    assert members["stack"].startswith("KeyError")
    assert None not in members.values()


def test_what_npms_encoder_loses_is_not_ours_to_save(shared_node):
    minus_zero, large = [SERIALIZE_JSON.decode(data) for data in from_npm(
        shared_node, [describe(-0.0), describe(1e300)])]
    assert described(minus_zero) == described(0)
    assert described(large) != described(1e300)
    assert abs(large - 1e300) < 1e290


@pytest.mark.parametrize("value, path", [
    ({u"a": [2 ** 53 + 1]}, "$.a[0]"), ([{1, 2}], "$[0]"),
    (datetime.datetime(2024, 1, 1, 0, 0, 0, 1), "$"), ([u"\ud800"], "$[0]"), (1j, "$")])
def test_what_javascript_cannot_hold_is_refused(value, path):
    with pytest.raises(TranscodeError) as caught:
        SERIALIZE_JSON.encode(value)
    assert caught.value.path == path
