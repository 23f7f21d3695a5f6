"""What a real client of a test raises, by name."""

from __future__ import absolute_import, division, print_function

import errno

import gevent
from gevent import GreenletExit


class QuotaError(Exception):
    """A constructor that takes other arguments than those it hands on, and attributes."""

    def __init__(self, user, limit):
        super(QuotaError, self).__init__("%s has used up %d" % (user, limit))
        self.user = user
        self.limit = limit
        self.history = (1, 2)
        self.lock = object()  # cannot be sent


class CountedError(Exception):
    """Counts how often its constructor ran in this process."""

    made = 0

    def __init__(self, text):
        super(CountedError, self).__init__(text)
        CountedError.made += 1


class SpecialExit(SystemExit):
    """No Exception."""


def _local():
    class LocalError(Exception):
        code = "E_LOCAL"

    return LocalError(u"only here")


def _decode_error():
    try:
        b"\xff".decode("utf-8")
    except UnicodeDecodeError as error:
        return error


_MAKE = {
    "value": lambda: ValueError("bad value"),
    "key": lambda: KeyError(u"missing"),
    "os": lambda: OSError(errno.ENOENT, "no such file", "/a/file"),
    "decode": _decode_error,
    "no_message": RuntimeError,
    "tuple": lambda: ValueError((1, (2, 3)), {"a": (4,)}),
    "mutable": lambda: ValueError(_SHARED),
    "unencodable": lambda: ValueError("with an object", object()),
    "quota": lambda: QuotaError("ann", 7),
    "counted": lambda: CountedError("counted"),
    "local": _local,
    "exit": lambda: SystemExit(3),
    "special_exit": lambda: SpecialExit("special"),
    "greenlet_exit": lambda: GreenletExit("killed"),
    "timeout": lambda: gevent.Timeout(None, exception="of the real client"),
    "large": lambda: ValueError("x" * 5000),
    "unicode": lambda: ValueError(u"\u00e9\u20ac"),
}
_SHARED = [1, 2]


def made(name):
    """The exception of that name."""
    if name == "elsewhere":
        from support import only_at_leader
        return only_at_leader.ElsewhereError("not here", 5)
    return _MAKE[name]()


def throw(name):
    raise made(name)
