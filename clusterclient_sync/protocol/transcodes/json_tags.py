"""Python values to JSON's own types and back: the ``{"$type": kind, "value": ...}`` objects.

``tagged`` and ``untagged`` are the two directions.  The first walks a whole value, the second is
called with each JSON object, the inner ones first.  A dict of the user's that has a member
``$type`` is tagged itself, as its list of pairs, so that nothing of it is taken for a tag.
"""

from __future__ import absolute_import, division, print_function

import base64
import datetime
import decimal
import json
import re
import uuid

import six

from ..._compat import text_of_bytes, utc
from .values import (
    BINARY, MAX_DIGITS, MAX_INTEGER, Refused, bytes_of, integer_text, name_text, no_place)


def tagged(value):
    """The same value in JSON's own types; exact types only, whatever subclasses went in.

    :raises Refused: something in it has no place in JSON.
    """
    # One frame a level, because the recursion limit is what bounds the depth.
    if value is None or isinstance(value, (six.text_type, bool, float)):
        return value
    if isinstance(value, six.integer_types):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return int(value)
        return {"$type": "int", "value": integer_text(value)}
    step = None
    try:
        if isinstance(value, dict):
            members = []
            for key, member in value.items():
                step = None  # a key that cannot be a name is the fault of its dict
                step = name_text(key)
                members.append([step, tagged(member)])
            plain = dict(members)
            return {"$type": "dict", "value": members} if u"$type" in plain else plain
        if isinstance(value, (list, tuple)):
            items = []
            for step, item in enumerate(value):
                items.append(tagged(item))
            return items
    except Refused as refused:
        if step is not None:
            refused.at(step)
        raise
    return _tagged_other(value)


def _tagged_other(value):
    for types, make in _TO_TAG:
        if isinstance(value, types):
            return make(value)
    raise no_place(value)


def _tagged_bytes(value):
    text = text_of_bytes(value) if isinstance(value, six.binary_type) else None
    if text is not None:
        return text
    return {"$type": "bytes", "value": base64.b64encode(bytes_of(value)).decode("ascii")}


def _tagged_datetime(value):
    if value.utcoffset() is None:
        value = value.replace(tzinfo=None)
    else:
        try:
            value = value.astimezone(utc)
        except OverflowError:
            raise Refused(u"in UTC it is outside of the years 1 to 9999")
    return {"$type": "datetime", "value": datetime.datetime.isoformat(value)}


def _tagged_date(value):
    return {"$type": "date", "value": datetime.date.isoformat(value)}


def _tagged_decimal(value):
    if len(value.as_tuple().digits) > MAX_DIGITS:
        raise Refused(u"it is a Decimal of more than %d digits" % MAX_DIGITS)
    return {"$type": "Decimal", "value": str(value)}


def _tagged_uuid(value):
    return {"$type": "UUID", "value": str(value)}


def _tagged_set(value):
    items = []
    for item in value:
        if isinstance(item, (tuple, list, dict)):
            raise Refused(u"a set cannot hold the list or dict as which its %s would arrive"
                          % type(item).__name__)
        items.append(tagged(item))
    # Sets of one content come out alike in all processes, whatever their hashes.
    items.sort(key=lambda item: json.dumps(item, sort_keys=True))
    return {"$type": "frozenset" if isinstance(value, frozenset) else "set", "value": items}


_TO_TAG = (
    (BINARY, _tagged_bytes),
    (datetime.datetime, _tagged_datetime),
    (datetime.date, _tagged_date),
    (decimal.Decimal, _tagged_decimal),
    ((set, frozenset), _tagged_set),
    (uuid.UUID, _tagged_uuid),
)


def untagged(members):
    """What a JSON object stands for: itself, or the value that its tag makes of it.

    :raises ValueError: it has a tag that is unknown or malformed.
    """
    if u"$type" not in members:
        return members
    kind = members[u"$type"]
    make = _FROM_TAG.get(kind) if isinstance(kind, six.text_type) else None
    if make is None:
        raise ValueError("$type %.60r is unknown here" % (kind,))
    if len(members) != 2 or u"value" not in members:
        raise ValueError("a tagged value has two members, $type and value")
    try:
        return make(members[u"value"])
    except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError("the value of $type %s is malformed: %s" % (str(kind), error))


def bounded_int(digits):
    """An integer from its text, where that is not so long that reading it takes forever."""
    if len(digits) > MAX_DIGITS + 1:
        raise ValueError("an integer has more than %d digits" % MAX_DIGITS)
    return int(digits)


def _matched(pattern, text):
    match = re.match(u"(?:%s)\\Z" % pattern, text)
    if match is None:
        raise ValueError("%.60r" % text)
    return match


def _bytes_from(text):
    data = text.encode("ascii")
    value = base64.b64decode(data)
    if base64.b64encode(value) != data:  # the decoder skips what is not base64
        raise ValueError("it is not base64")
    return value


_DATE = u"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME = u"T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\\.([0-9]{6}))?"
_ZONE = u"(Z|([+-])([0-9]{2}):([0-9]{2}))?"


def _datetime_from(text):
    groups = _matched(_DATE + _TIME + _ZONE, text).groups()
    value = datetime.datetime(*[int(group or 0) for group in groups[:7]])
    if groups[7] is None:
        return value
    offset = datetime.timedelta(hours=int(groups[9] or 0), minutes=int(groups[10] or 0))
    return (value + offset if groups[8] == u"-" else value - offset).replace(tzinfo=utc)


def _date_from(text):
    return datetime.date(*[int(group) for group in _matched(_DATE, text).groups()])


def _decimal_from(text):
    if len(text) > MAX_DIGITS + 50:  # a point, an exponent
        raise ValueError("it has more than %d digits" % MAX_DIGITS)
    _matched(u"[+-]?([0-9]+(\\.[0-9]*)?([Ee][+-]?[0-9]+)?|Infinity|s?NaN[0-9]*)", text)
    return decimal.Decimal(text)


def _uuid_from(text):
    return uuid.UUID(_matched(u"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text).group())


def _int_from(text):
    return bounded_int(_matched(u"-?[0-9]+", text).group())


def _items_of(value):
    if not isinstance(value, list):
        raise ValueError("it is no list")
    return value


def _set_from(items):
    return set(_items_of(items))


def _frozenset_from(items):
    return frozenset(_items_of(items))


def _dict_from(pairs):
    value = {}
    for pair in _items_of(pairs):
        name, member = _items_of(pair)
        if not isinstance(name, six.text_type):
            raise ValueError("a name is no text")
        value[name] = member
    return value


_FROM_TAG = {
    u"bytes": _bytes_from,
    u"datetime": _datetime_from,
    u"date": _date_from,
    u"Decimal": _decimal_from,
    u"set": _set_from,
    u"frozenset": _frozenset_from,
    u"UUID": _uuid_from,
    u"int": _int_from,
    u"dict": _dict_from,
}
