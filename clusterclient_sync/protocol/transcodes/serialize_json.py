"""The transcode ``serialize-json``, which Node's cluster-client uses unless told otherwise.

Text in UTF-8, five parts joined by ``^``: strings, integers, floats, dates, and a structure that
refers to their entries by index, counted through the four.  Its grammar::

    value     = reference | mark [ value *( "|" value ) ] "]"
    mark      = "@" array | "$" object: name, value, ... | "*" bytes | "#" error: like an object
    reference = an index, or -1 true, -2 false, -3 null, -4 empty string, -5 undefined

Integers, dates (milliseconds since the epoch) and references are in base 36.

The encoder writes what the npm package (1.0.3) writes for the same value, but that a float stays a
float when it is whole.  The decoder takes what that package writes, and nothing else.
"""

from __future__ import absolute_import, division, print_function

import datetime
import math
import re

import six

from ..._compat import LONE_SURROGATE, merge_surrogates, text_of_bytes, utf8_text
from ...exceptions import TranscodeError
from ..errors import description_of, message_of, remote_error, state_of
from .values import (
    BINARY, MAX_INTEGER, TOO_DEEP, Refused, bytes_of, name_text, no_place, number_text,
    raise_failure)

MAX_DEPTH = 500  # of containers, in both directions
_EPOCH = datetime.datetime(1970, 1, 1)
_MILLISECOND = datetime.timedelta(milliseconds=1)
_SPECIAL = {-1: True, -2: False, -3: None, -4: u"", -5: None}
_TRUE, _FALSE, _NULL, _EMPTY = "-1", "-2", "-3", "-4"


class SerializeJsonTranscode(object):
    """Encodes to and decodes from serialize-json; see the module.  Has no state."""

    name = "serialize-json"

    def encode(self, value):
        """The value as bytes.

        :raises TranscodeError: it, or something in it, has no place there; ``path`` says where.
        """
        try:
            writer = _Writer()
            writer.add(value, 0)
            return writer.packed()
        except MemoryError:
            raise
        except Exception as error:
            raise_failure(error, "serialize-json")

    def decode(self, data):
        """The value of which ``data`` (bytes) is the encoded form; no bytes at all are ``None``.

        :raises TranscodeError: it is anything else.
        """
        try:
            return _decoded(data) if len(data) else None
        except MemoryError:
            raise
        except Exception as error:
            six.raise_from(TranscodeError(u"The bytes received are not a value as serialize-json "
                                          u"has it: %s." % message_of(error)), error)


# --- encoding --------------------------------------------------------------------------------

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE_36 = [a + b if a != "0" else b for a in _DIGITS for b in _DIGITS]  # of 0 to 1295

_ESCAPES = {u" ": u"+", u"+": u"%2B", u"|": u"%7C", u"^": u"%5E", u"%": u"%25"}
_UNESCAPES = {escaped: plain for plain, escaped in _ESCAPES.items()}
_escape = re.compile(u"[+ |^%]").sub
_unescape = re.compile(u"\\+|%2B|%7C|%5E|%25").sub


def _base36(number):
    if 0 <= number < 1296:
        return _BASE_36[number]
    if number < 0:
        return "-" + _base36(-number)
    digits = []
    while number:
        number, low = divmod(number, 1296)
        digits.append(_BASE_36[low].rjust(2, "0"))
    return "".join(reversed(digits)).lstrip("0")


class _Writer(object):
    """Collects the entries of one value, and the structure that refers to them.

    An index is known only when all entries are: until then the structure holds, beside finished
    text, ``(section, first, count)`` for references to consecutive entries of a section.
    """

    _STRINGS, _INTEGERS, _FLOATS, _DATES = range(4)

    def __init__(self):
        self._sections = ([], [], [], [])
        self._structure = []

    def packed(self):
        """All of it, as bytes."""
        offsets, total = [], 0
        for section in self._sections:
            offsets.append(total)
            total += len(section)
        structure = []
        for part in self._structure:
            if isinstance(part, tuple):
                section, first, count = part
                first += offsets[section]
                part = "|".join([_base36(index) for index in range(first, first + count)])
            structure.append(part)
        parts = [u"|".join(section) for section in self._sections]
        parts.append(u"".join(structure))
        return u"^".join(parts).encode("utf-8")

    def add(self, value, depth):
        """Append a value; one frame a level."""
        if isinstance(value, dict):
            items, mark, step = value.items(), "$", None
        elif isinstance(value, (list, tuple)):
            items, mark, step = enumerate(value), "@", None
        elif isinstance(value, BaseException):
            items, mark, step = _error_members(value), "#", None
        else:
            return self._add_scalar(value)
        if depth == MAX_DEPTH:
            raise Refused(TOO_DEEP)
        separator = mark
        try:
            for key, item in items:
                step = None  # a key that cannot be a name is the fault of its dict
                self._structure.append(separator)
                separator = "|"
                if mark != "@":
                    key = name_text(key)
                    self._add_text(key)
                    self._structure.append(separator)
                step = key
                self.add(item, depth + 1)
        except Refused as refused:
            if step is not None:
                refused.at(step)
            raise
        self._structure.append("]" if separator == "|" else mark + "]")

    def _entry(self, section, text):
        entries = self._sections[section]
        self._structure.append((section, len(entries), 1))
        entries.append(text)

    def _add_scalar(self, value):
        if value is None:
            self._structure.append(_NULL)
        elif isinstance(value, bool):
            self._structure.append(_TRUE if value else _FALSE)
        elif isinstance(value, six.text_type):
            self._add_text(value)
        elif isinstance(value, six.integer_types):
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise Refused(u"it is an integer beyond 2^53")
            self._entry(self._INTEGERS, _base36(int(value)))
        elif isinstance(value, float):
            self._entry(self._FLOATS, _float_text(value))
        elif isinstance(value, BINARY):
            self._add_bytes(value)
        elif isinstance(value, datetime.datetime):
            self._entry(self._DATES, _date_text(value))
        else:
            raise no_place(value)

    def _add_text(self, text):
        if not text:
            self._structure.append(_EMPTY)
            return
        text = merge_surrogates(text)
        if LONE_SURROGATE.search(text):
            raise Refused(u"it has half of a surrogate pair in its text")
        self._entry(self._STRINGS, _escape(_escaped, text))

    def _add_bytes(self, value):
        text = text_of_bytes(value) if isinstance(value, six.binary_type) else None
        if text is not None:
            return self._add_text(text)
        data = bytearray(bytes_of(value))
        entries = self._sections[self._INTEGERS]
        self._structure += ["*", (self._INTEGERS, len(entries), len(data)), "]"]
        entries.extend([_BASE_36[byte] for byte in data])


def _escaped(match):
    return _ESCAPES[match.group()]


def _unescaped(match):
    return _UNESCAPES[match.group()]


def _float_text(value):
    if value == 0:
        return u"-0" if math.copysign(1, value) < 0 else u"0"
    if value - value == 0:  # finite
        return number_text(value)
    return u"NaN" if value != value else u"Infinity" if value > 0 else u"-Infinity"


def _date_text(value):
    if value.utcoffset() is not None:
        raise Refused(u"it is an aware datetime, whose zone would be lost; make it naive, in UTC")
    since = value.replace(tzinfo=None) - _EPOCH
    milliseconds, rest = divmod(since.microseconds, 1000)
    if rest:
        raise Refused(u"it is a datetime with microseconds below a millisecond")
    return _base36((since.days * 86400 + since.seconds) * 1000 + milliseconds)


def _error_members(error):
    """The members of an exception, those first that npm's package writes first."""
    description = description_of(error)
    members = [(name, description[name]) for name in ("message", "stack", "name")]
    if description["code"] is not None:
        members.append(("code", description["code"]))
    others = [(name, value) for name, value in state_of(error)
              if name not in _NOT_MEMBERS and name[0] != "_" and _is_simple(value)]
    return members + sorted(others, key=lambda member: member[0])


_NOT_MEMBERS = frozenset(["message", "stack", "name", "code", "outcome"])


def _is_simple(value):
    if isinstance(value, six.integer_types):
        return -MAX_INTEGER <= value <= MAX_INTEGER
    if isinstance(value, six.binary_type):
        value = text_of_bytes(value)
        return value is not None
    if isinstance(value, six.text_type):
        return LONE_SURROGATE.search(merge_surrogates(value)) is None
    return value is None or isinstance(value, float)


# --- decoding --------------------------------------------------------------------------------

_TOKEN = re.compile(u"(\\|?)(?:([@$*#])|(-?[0-9A-Za-z]{1,10}))|\\]")
_NOT_BASE_36 = re.compile(u"[^0-9A-Za-z|-]")
_FLOAT = re.compile(u"-?(?:[0-9]+(?:\\.[0-9]*)?(?:[Ee][+-]?[0-9]+)?|Infinity)\\Z|NaN\\Z")
_MAX_BASE_36 = 200  # digits; the largest number of JavaScript has 198


def _decoded(data):
    parts = utf8_text(data).split(u"^", 5)
    if len(parts) != 5:
        raise ValueError("it has not five parts")
    strings, integers, floats, dates, structure = parts
    entries = [_unescape(_unescaped, entry) for entry in strings.split(u"|")] if strings else []
    entries += _base36_entries(integers)
    entries += [_float_entry(entry) for entry in floats.split(u"|")] if floats else []
    entries += [_EPOCH + number * _MILLISECOND for number in _base36_entries(dates)]
    return _unpacked(structure, entries)


def _base36_entries(part):
    if not part:
        return []
    if _NOT_BASE_36.search(part):  # int() takes more, such as blanks
        raise ValueError("an integer is not in base 36")
    entries = part.split(u"|")
    if max([len(entry) for entry in entries]) > _MAX_BASE_36:
        raise ValueError("an integer is too large")
    return [int(entry, 36) for entry in entries]


def _float_entry(text):
    if not _FLOAT.match(text):
        raise ValueError("a float is malformed: %.60r" % text)
    return float(text)


def _unpacked(structure, entries):
    """The value that a structure describes.  No recursion: a peer decides how deep it is."""
    mark, items = None, []  # of the container that is open; the outermost holds the value itself
    outer = []
    first = True  # nothing stands before the next item in its container, no separator either
    position = 0
    for match in _TOKEN.finditer(structure):
        if match.start() != position or (mark is None and not first):
            break
        position = match.end()
        separator, opened, reference = match.groups()
        if separator is None:
            if mark is None:
                raise ValueError("a container is closed that is not open")
            value = _BUILDERS[mark](items)
            mark, items = outer.pop()
            items.append(value)
            first = False
            continue
        if bool(separator) == first:
            raise ValueError("items are not separated by single bars")
        if opened:
            if len(outer) == MAX_DEPTH:
                raise ValueError("it is nested too deeply")
            outer.append((mark, items))
            mark, items = opened, []
            first = True
        else:
            items.append(_referred(reference, entries))
            first = False
    if mark is not None or first or position != len(structure):
        raise ValueError("its structure is malformed at character %d" % position)
    return items[0]


def _referred(reference, entries):
    index = int(reference, 36)
    if 0 <= index < len(entries):
        return entries[index]
    if index in _SPECIAL:
        return _SPECIAL[index]
    raise ValueError("its structure refers to entry %d of %d" % (index, len(entries)))


def _object_from(items):
    names, values = items[::2], items[1::2]
    if len(names) != len(values):
        raise ValueError("an object has a name without a value")
    if not all(isinstance(name, six.text_type) for name in names):
        raise ValueError("an object has a name that is no string")
    return dict(zip(names, values))


def _bytes_from(items):
    if not all(type(item) is int and 0 <= item < 256 for item in items):
        raise ValueError("bytes hold what is no byte")
    return bytes(bytearray(items))


def _error_from(items):
    return remote_error(_object_from(items))


_BUILDERS = {u"@": list, u"$": _object_from, u"*": _bytes_from, u"#": _error_from}
