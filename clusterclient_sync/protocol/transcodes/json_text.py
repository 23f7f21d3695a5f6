"""The transcode ``json``: Python values as JSON text, tagged where JSON has no type for them.

JSON's own types are themselves, tuples are lists, names that are numbers, booleans or None are
text, and everything else is tagged (:mod:`.json_tags`).  The text is ASCII without spaces.

Every call goes through here, so what is plain JSON already pays next to nothing: the C encoder and
the C scanner are called as they are.  The C encoder takes two things natively that need a tag, a
member ``$type`` and an integer beyond 2^53; both show in its output.  Only then, and where it
refuses, is the value walked in Python.
"""

from __future__ import absolute_import, division, print_function

import json
import json.encoder

import six

from ..._compat import INT_PARSING_IS_BOUNDED, RecursionFailure, ascii_bytes, scannable
from ...exceptions import TranscodeError
from ..errors import message_of
from . import json_long
from .json_tags import bounded_int, tagged, untagged
from .values import BINARY, MAX_DIGITS, bytes_of, is_text, raise_failure


class JsonTranscode(object):
    """Encodes to and decodes from JSON; see the module.  Has no state."""

    name = "json"

    def encode(self, value):
        """The value as bytes.

        :raises TranscodeError: it, or something in it, has no place in JSON; ``path`` says where.
        """
        try:
            if value.__class__ in _TEXTS:
                text = _quote(value)
                return text if _TEXT_IS_BYTES else text.encode("ascii")
            text = _join(_encode_plain(value, 0))
        except MemoryError:
            raise
        except Exception:
            return _encode_carefully(value)
        data = text if _TEXT_IS_BYTES else text.encode("ascii")
        if (_MARK in text or data.translate(_NUMBERS_ALIKE).find(_LONG_INTEGER) >= 0
                or text.isdigit() or (_BOOLEANS_MISSPELT and _misspells_booleans(text))):
            return _encode_carefully(value)
        return data

    def decode(self, data):
        """The value of which ``data`` (bytes) is the encoded form; no bytes at all are ``None``.

        :raises TranscodeError: it is anything else.
        """
        try:
            if len(data) > _LONG:
                is_decoded, value = json_long.decoded(data)
                if is_decoded:
                    return value
            text = scannable(data) if _TEXT_IS_BYTES else data.decode("utf-8")
            if _MARK in text:
                value, end = _scan_tagged(text, 0)
            elif INT_PARSING_IS_BOUNDED or len(text) <= MAX_DIGITS:
                value, end = _scan_plain(text, 0)
            else:
                value, end = _scan_bounded(text, 0)
        except MemoryError:
            raise
        except Exception:
            return _decode_carefully(data)
        return value if end == len(text) else _decode_carefully(data)


_LONG = json_long.LONG
_TEXT_IS_BYTES = str is bytes  # a test of a global costs less than a call
_MARK = '"$type"'
_join = "".join
_TEXTS = frozenset([six.text_type, str])
_quote = json.encoder.encode_basestring_ascii


class _NotPlain(Exception):
    """The C encoder met a value that is not JSON's."""


def _not_plain(value):
    raise _NotPlain()


def _make_encoder():
    encoder = json.JSONEncoder(default=_not_plain, check_circular=False, separators=(",", ":"))
    make = json.encoder.c_make_encoder
    if make is None:
        return lambda value, level: encoder.encode(value)
    # What JSONEncoder.encode makes anew for every call.  No markers: a value that contains itself
    # ends at the recursion limit.
    return make(None, _not_plain, json.encoder.encode_basestring_ascii, None, ":", ",",
                False, False, True)


def _alike(*groups):
    table = bytearray(range(256))
    for characters in groups:
        for character in bytearray(characters):
            table[character] = bytearray(characters)[0]
    return bytes(table)


_encode_plain = _make_encoder()
# To find an integer of 16 digits or more at the speed of memory.  It follows one of four characters
# or is all there is; digits after a dot are a float's, after a quote a string's.  Where a string
# looks like it the value is walked for nothing, and comes out the same.
_NUMBERS_ALIKE = _alike(b"0123456789", b":,[-")
_LONG_INTEGER = b":" + b"0" * 16


# Python 2 writes a name that is a boolean as its str().
_BOOLEANS_MISSPELT = _join(_encode_plain({True: 0}, 0)) != '{"true":0}'


def _misspells_booleans(text):
    return '"True":' in text or '"False":' in text


def _encode_carefully(value):
    """Encode what is not plain JSON, or say what in it cannot be encoded."""
    try:
        if isinstance(value, BINARY) and not is_text(value):
            data = bytes_of(value)
            if len(data) > _LONG:
                return json_long.encoded_bytes(data)
        return ascii_bytes(_join(_encode_plain(tagged(value), 0)))
    except MemoryError:
        raise
    except Exception as error:
        raise_failure(error, "json")


# Where Python has no bound of its own, the texts that can hold an endless number get ours.
_parse_int = None if INT_PARSING_IS_BOUNDED else bounded_int
_decoder = json.JSONDecoder(parse_int=_parse_int)
_tag_decoder = json.JSONDecoder(parse_int=_parse_int, object_hook=untagged)
_scan_bounded = _decoder.scan_once
_scan_tagged = _tag_decoder.scan_once
_scan_plain = json.JSONDecoder().scan_once


def _decode_carefully(data):
    """Decode what is not just one JSON value, or say what is wrong with it."""
    try:
        if not len(data):
            return None  # the empty application object of a Node peer: undefined
        text = scannable(data)
        return (_tag_decoder if _MARK in text else _decoder).decode(text)
    except MemoryError:
        raise
    except RecursionFailure as error:
        reason, cause = u"it is nested too deeply", error
    except Exception as error:
        reason, cause = message_of(error), error
    six.raise_from(TranscodeError(u"The bytes received are not a value as json has it: %s."
                                  % reason), cause)
