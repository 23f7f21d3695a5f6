# -*- coding: utf-8 -*-
"""Values of every kind that can be sent, and as what they arrive, whatever the role."""

from __future__ import absolute_import, division, print_function

import collections
import datetime
import decimal
import uuid

import six

from clusterclient_sync._compat import utc

#: ``expected`` is as what the value arrives, ``returned`` as what that comes back.
Sample = collections.namedtuple("Sample", "value expected returned")


class _Hour(datetime.tzinfo):
    """Two hours east."""

    def utcoffset(self, when):
        return datetime.timedelta(hours=2)

    def dst(self, when):
        return datetime.timedelta(0)

    def tzname(self, when):
        return "east"


def alike(one, two):
    """Whether two values are the same in type and content, all the way down."""
    if isinstance(one, six.integer_types) and not isinstance(one, bool):
        return isinstance(two, six.integer_types) and not isinstance(two, bool) and one == two
    if type(one) is not type(two):
        return False
    if isinstance(one, float):
        return repr(one) == repr(two)
    if isinstance(one, datetime.datetime):
        return one.replace(tzinfo=None) == two.replace(tzinfo=None) \
            and one.utcoffset() == two.utcoffset()
    if isinstance(one, decimal.Decimal):
        return one.as_tuple() == two.as_tuple()
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(alike(a, b) for a, b in zip(one, two))
    if isinstance(one, dict):
        return (sorted(one) == sorted(two)
                and all(alike(name, other) for name, other in zip(sorted(one), sorted(two)))
                and all(alike(one[name], two[name]) for name in one))
    return one == two


_NOON = datetime.datetime(2026, 3, 4, 12, 30, 15, 678000)
_ID = uuid.UUID("12345678-1234-5678-1234-567812345678")

_SAME = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "negative": -7,
    "largest_plain": 2 ** 53,
    "smallest_plain": -2 ** 53,
    "beyond_plain": 2 ** 53 + 1,
    "below_plain": -2 ** 64,
    "huge": 10 ** 40,
    "whole_float": 3.0,
    "minus_zero": -0.0,
    "float": 0.1,
    "large_float": 1.7976931348623157e308,
    "tiny_float": 5e-324,
    "infinity": float("inf"),
    "minus_infinity": float("-inf"),
    "nan": float("nan"),
    "empty_text": u"",
    "text": u"plain text",
    "wide_text": u"é€😀\u2028",
    "control_text": u"\x00\n\"\\/",
    "marks": u"+ | ^ % $ @ # * ] ^^^^-1",
    "json_text": u"{\"$type\": \"bytes\"}",
    "long_text": u"0123456789abcdef" * 20000,
    "empty_list": [],
    "list": [1, u"a", None, [True, [2.5]]],
    "long_list": list(range(20000)),
    "empty_dict": {},
    "dict": {u"a": 1, u"b": {u"c": [None, {}]}, u"": u"empty name"},
    "type_member": {u"$type": u"mine"},
    "looks_tagged": {u"$type": u"bytes", u"value": u"AA=="},
    "looks_tagged_inside": [{u"$type": u"dict", u"value": [[u"$type", 1]], u"more": 2}],
    "bytes": b"\xff\x00\xfe",
    "datetime": _NOON,
    "datetime_micro": _NOON.replace(microsecond=1),
    "datetime_utc": _NOON.replace(tzinfo=utc),
    "date": datetime.date(2026, 3, 4),
    "decimal": decimal.Decimal("-1.230E+3"),
    "decimal_nan": decimal.Decimal("NaN"),
    "uuid": _ID,
    "set": set([1, u"two", None]),
    "frozenset": frozenset([3]),
    "empty_set": set(),
    "all_in_one": {u"list": [set([1]), b"\xff", {u"when": _NOON, u"id": [_ID]}]},
}

_OTHERWISE = {
    "tuple": ((1, (2, ())), [1, [2, []]]),
    "names": ({7: u"a", None: u"c", 2.5: u"d"}, {u"7": u"a", u"null": u"c", u"2.5": u"d"}),
    "boolean_name": ({True: 1}, {u"true": 1}),
    "bytearray": (bytearray(b"ab\xff"), b"ab\xff"),
    "text_bytearray": ([bytearray(b"ab")], [b"ab"], [u"ab" if six.PY2 else b"ab"]),
    "ascii_bytes": (b"ab", u"ab" if six.PY2 else b"ab"),
    "empty_bytes": (b"", u"" if six.PY2 else b""),
    "datetime_east": (_NOON.replace(tzinfo=_Hour()),
                      (_NOON - datetime.timedelta(hours=2)).replace(tzinfo=utc)),
    "native_text": ("native", u"native"),
    "subclasses": (collections.OrderedDict([(u"a", collections.namedtuple("P", "x y")(1, 2))]),
                   {u"a": [1, 2]}),
}

SAMPLES = {name: Sample(value, value, value) for name, value in _SAME.items()}
SAMPLES.update({name: Sample(forms[0], forms[1], forms[-1]) for name, forms in _OTHERWISE.items()})

#: What serialize-json has a place for; of the rest it refuses what it cannot give back the same.
SERIALIZE_JSON = (
    "none", "true", "false", "zero", "negative", "largest_plain", "smallest_plain", "whole_float",
    "minus_zero", "float", "tiny_float", "large_float", "empty_text", "text", "wide_text",
    "control_text", "marks", "json_text", "long_text", "empty_list", "list", "long_list",
    "empty_dict", "dict", "type_member", "looks_tagged", "bytes", "datetime", "tuple",
    "native_text")
NOT_SERIALIZE_JSON = ("beyond_plain", "huge", "datetime_micro", "set", "frozenset", "decimal",
                      "uuid")

#: What no transcode of ours takes, and the path at which it says so.
REFUSED = {
    "object": (object(), "$"),
    "deep_object": ({u"a": [1, {u"b": object()}]}, "$.a[1].b"),
    "complex": ([1j], "$[0]"),
    "tuple_name": ({u"a": {(1, 2): 3}}, "$.a"),
}


def nested(depth):
    """A list in a list in a list."""
    value = []
    for _ in range(depth):
        value = [value]
    return value
