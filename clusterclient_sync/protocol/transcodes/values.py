"""What all transcodes of ours agree on: what a name is, which integers there are, how numbers are
printed, how a value that has no place is refused.

One value gives the same on each of them, or a TranscodeError, because they normalise it alike.
"""

from __future__ import absolute_import, division, print_function

import json
import re

import six

from ..._compat import RecursionFailure, text_of_bytes
from ...exceptions import TranscodeError
from ..errors import message_of

MAX_INTEGER = 2 ** 53  # beyond it JavaScript's numbers skip integers
MAX_DIGITS = 4300  # of an integer or a Decimal: more would take quadratic time to read

TOO_DEEP = u"it is nested too deeply, or contains itself"

#: What arrives as bytes (but for text of Python 2).
BINARY = (six.binary_type, bytearray, memoryview)

_IDENTIFIER = re.compile(u"[A-Za-z_][A-Za-z0-9_]*\\Z")
_PATH_STEPS = 20


class Refused(Exception):
    """A value has no place in a transcode.  Collects its path while the walk unwinds.

    :param reason: text, what is wrong with the value; it ends a sentence, without its dot.
    """

    def __init__(self, reason):
        super(Refused, self).__init__(reason)
        self.reason = reason
        self._steps = []

    def at(self, step):
        """Note a step of the path, the innermost first: an index, or a member's name."""
        self._steps.append(step)
        return self

    def error(self, form):
        """The TranscodeError that the caller sees.

        :param form: what the value was to become, for the sentence.
        """
        steps = self._steps[::-1]
        path = u"$" + u"".join(_step_text(step) for step in steps[:_PATH_STEPS])
        if len(steps) > _PATH_STEPS:
            path += u"..."
        return TranscodeError(u"The value at %s cannot be sent as %s: %s."
                              % (path, form, self.reason), path=path)


def _step_text(step):
    if isinstance(step, six.integer_types):
        return u"[%d]" % step
    if _IDENTIFIER.match(step):
        return u"." + step
    return u"[%s]" % six.ensure_text(json.dumps(step))


def no_place(value):
    """The refusal of a value for its type."""
    cls = value.__class__
    name = getattr(cls, "__name__", "?")
    module = getattr(cls, "__module__", None)
    if module and module not in ("builtins", "__builtin__", "exceptions"):
        name = "%s.%s" % (module, name)
    return Refused(u"a value of type %s has no place in it; convert it first" % name)


def raise_failure(error, form):
    """Raise the TranscodeError for any exception that ended a walk over a value."""
    if isinstance(error, Refused):
        six.raise_from(error.error(form), None)
    if isinstance(error, RecursionFailure):
        refused = Refused(TOO_DEEP)
    else:  # the value's own code, such as an items() that raises
        refused = Refused(u"reading it failed (%s)" % message_of(error))
    six.raise_from(refused.error(form), error)


def bytes_of(value):
    """Binary of any type as bytes; a memoryview's items may be wider than a byte."""
    return value.tobytes() if isinstance(value, memoryview) else bytes(value)


def is_text(value):
    """Whether a binary is text: a ``str`` of Python 2 that is UTF-8."""
    return isinstance(value, six.binary_type) and text_of_bytes(value) is not None


def name_text(name):
    """A dict's key as the text that JSON has for it, exactly as Python's C encoder writes it.

    :raises Refused: it is not text, a number, a boolean or None.
    """
    if isinstance(name, six.text_type):
        return name
    if isinstance(name, bool):
        return u"true" if name else u"false"
    if name is None:
        return u"null"
    if isinstance(name, six.integer_types):
        return integer_text(name)
    if isinstance(name, float):
        return six.ensure_text(json.dumps(float(name)))
    text = text_of_bytes(name) if isinstance(name, six.binary_type) else None
    if text is None:
        raise bad_name(name)
    return text


def bad_name(name):
    """The refusal of a dict's key for its type."""
    return Refused(u"a member's name is of type %s; text, numbers, booleans and None can be names"
                   % type(name).__name__)


def integer_text(number):
    """The decimal digits of an integer.

    :raises Refused: there are more than :data:`MAX_DIGITS`.
    """
    if number.bit_length() <= 14284:  # 10 ** 4300 has 14285 bits
        return u"%d" % number
    raise Refused(u"it is an integer of more than %d digits" % MAX_DIGITS)


def number_text(number):
    """A finite float as ECMAScript's Number::toString prints it.

    Both languages print the shortest digits that give the same number back; they differ in where
    they put the point, and from when on they write an exponent.

    :raises Refused: it is not finite.
    """
    sign, digits, point = _decimal_parts(number)
    if not digits:
        return u"0"
    if len(digits) <= point <= 21:
        return sign + digits + u"0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + u"." + digits[point:]
    if -6 < point <= 0:
        return sign + u"0." + u"0" * -point + digits
    fraction = u"." + digits[1:] if len(digits) > 1 else u""
    return u"%s%s%se%+d" % (sign, digits[0], fraction, point - 1)


def _decimal_parts(number):
    """Sign, significant digits, and where the point is: 0.d1d2... times ten to the that."""
    text = six.ensure_text(repr(float(number)))
    if text[-1] in u"nf":  # nan, inf
        raise Refused(u"it is a number that is not finite")
    sign = u"-" if text[0] == u"-" else u""
    mantissa, _, exponent = text.lstrip(u"-").partition(u"e")
    whole, _, fraction = mantissa.partition(u".")
    digits = (whole + fraction).lstrip(u"0")
    point = len(digits) - len(fraction) + int(exponent or 0)
    return sign, digits.rstrip(u"0"), point
