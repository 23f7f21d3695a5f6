"""The canonical text of a registration: its key, in every process and every language.

It is JSON exactly as JavaScript's ``JSON.stringify`` prints the same object, because a Node leader
computes the key again from the registration and answers under its own.  Members come in the order
in which JavaScript would give them back: names that are array indexes first, ascending, the rest
sorted by their UTF-8 bytes.  So one registration has one key, whatever the order of its members.
"""

from __future__ import absolute_import, division, print_function

import json
import re

import six

from .._compat import LONE_SURROGATE, merge_surrogates, text_of_bytes
from .transcodes.values import (
    MAX_INTEGER, Refused, bad_name, no_place, number_text, raise_failure)

WIRE_PREFIX = u"$$inner$$__"  # of every key on the wire

_MAX_ARRAY_INDEX = 2 ** 32 - 2
_array_index = re.compile(u"(?:0|[1-9][0-9]{0,9})\\Z").match
_escape = re.compile(u'["\\\\\x00-\x1f]').sub
_SHORT_ESCAPES = {u'"': u'\\"', u"\\": u"\\\\", u"\b": u"\\b", u"\t": u"\\t", u"\n": u"\\n",
                  u"\f": u"\\f", u"\r": u"\\r"}


def format_key(registration):
    """The key of a registration, as text.

    :raises TranscodeError: something in it is not a dict, list, tuple, text, boolean, None, finite
        float, or integer up to 2^53; or two members of a dict have the same name.  ``path`` says
        where.
    """
    try:
        return _text(registration)
    except MemoryError:
        raise
    except Exception as error:
        raise_failure(error, "a registration")


def read(text):
    """The registration in canonical text, as the real client gets it in every role."""
    return received(json.loads(text))


def received(registration):
    """A registration that was read from JSON, as a copy of its own.

    JavaScript prints large whole numbers like integers: those beyond 2^53 are the floats that they
    were.
    """
    if isinstance(registration, dict):
        return {name: received(value) for name, value in registration.items()}
    if isinstance(registration, list):
        return [received(value) for value in registration]
    if isinstance(registration, six.integer_types) and abs(registration) > MAX_INTEGER:
        return float(registration)
    return registration


def _text(value):
    if isinstance(value, dict):
        return _object_text(value)
    if isinstance(value, (list, tuple)):
        return _array_text(value)
    if isinstance(value, six.binary_type):
        text = text_of_bytes(value)
        if text is None:
            raise no_place(value)
        return _string_text(text)
    if isinstance(value, six.text_type):
        return _string_text(value)
    text = _plain_text(value)
    if text is None:
        raise no_place(value)
    return text


def _array_text(items):
    texts = []
    for index, item in enumerate(items):
        try:
            texts.append(_text(item))
        except Refused as refused:
            raise refused.at(index)
    return u"[" + u",".join(texts) + u"]"


def _object_text(members):
    by_name = {}
    for key, member in members.items():
        name = _name(key)
        if name in by_name:
            raise Refused(u"two of its members have the name %s" % _string_text(name))
        by_name[name] = member
    texts = []
    for name in sorted(by_name, key=_rank):
        try:
            texts.append(_string_text(name) + u":" + _text(by_name[name]))
        except Refused as refused:
            raise refused.at(name)
    return u"{" + u",".join(texts) + u"}"


def _name(key):
    """A member's name as JavaScript would have it: numbers as it prints them."""
    text = text_of_bytes(key) if isinstance(key, six.binary_type) else key
    if not isinstance(text, six.text_type):
        text = _plain_text(key)
        if text is None:
            raise bad_name(key)
    return merge_surrogates(text)


def _rank(name):
    if _array_index(name) and int(name) <= _MAX_ARRAY_INDEX:
        return 0, int(name)
    return 1, name.encode("utf-8", "surrogatepass")


def _plain_text(value):
    """A number, boolean or None as JavaScript prints it; ``None`` for any other value."""
    if value is None:
        return u"null"
    if isinstance(value, bool):
        return u"true" if value else u"false"
    if isinstance(value, six.integer_types):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise Refused(u"it is an integer beyond 2^53")
        return u"%d" % value
    if isinstance(value, float):
        return number_text(value)
    return None


def _string_text(text):
    text = _escape(_escaped, merge_surrogates(text))
    return u'"' + LONE_SURROGATE.sub(_escaped, text) + u'"'


def _escaped(match):
    character = match.group()
    return _SHORT_ESCAPES.get(character) or u"\\u%04x" % ord(character)
