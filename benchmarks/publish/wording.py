"""How numbers and what they mean are written, on the page and in the charts."""

from __future__ import absolute_import, division, print_function

import six

_SMALL_RATIO = 0.05


def number(value, digits=0):
    """``12,345.6``"""
    return format(value, ",.%df" % digits)


def ratio(told):
    """Median and spread of a ratio: ``1.33 (1.32 to 1.34)``; nothing for none."""
    if told is None:
        return ""
    digits = 2 if told["median"] >= _SMALL_RATIO else 4
    return "%s (%s)" % (number(told["median"], digits), spread(told, digits))


def spread(told, digits):
    """``12.3 to 12.6``"""
    return "%s to %s" % (number(told["min"], digits), number(told["max"], digits))


def is_better(figure):
    """Which values are the good ones."""
    return "%s is better" % ("more" if figure["more_is_better"] else "less")


def settings(told):
    """The numbers of a run in a line."""
    return ", ".join("%s %s" % (name.replace("_", " "), _setting(told[name]))
                     for name in sorted(told))


def _setting(value):
    if isinstance(value, list):
        return " / ".join(_setting(one) for one in value)
    return number(value) if isinstance(value, six.integer_types) else "%s" % value
