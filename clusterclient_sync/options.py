"""The options of a cluster client: one table, checked once, immutable afterwards.

Whoever holds an :class:`Options` may rely on every value having the type and the range that the
table names.  A new option is one line in ``_TABLE`` (and one in the stub and the README).
Durations are seconds.
"""

from __future__ import absolute_import, division, print_function

import collections
import difflib
import logging
import os
import re

import six

from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.protocol import transcodes

MEBIBYTE = 1024 * 1024
#: The value of ``remote_names`` that writes ``get_config`` as ``getConfig``.
CAMEL_CASE = "camelCase"

# A frame tells its timeout in milliseconds, as a signed 32-bit integer.
_LONGEST = (2 ** 31 - 1) // 1000
_LARGEST_BODY = 2 ** 31 - 1

#: What a value has to be: ``what`` in words, ``accepts(value) -> bool``, and ``parse(text)`` where
#: an environment variable may hold it (it raises ValueError for what it cannot read).
Check = collections.namedtuple("Check", "what accepts parse")

_Option = collections.namedtuple("_Option", "name default check variables")


def is_text(value):
    """Whether this is text: on Python 2 also a ``str`` that holds valid UTF-8."""
    if not isinstance(value, six.string_types):
        return False
    try:
        six.ensure_text(value).encode("utf-8")
    except UnicodeError:
        return False
    return True


def is_seconds(value):
    """Whether this is a duration above 0 that fits a frame."""
    return _is_number(value) and 0 < value <= _LONGEST


def _is_number(value):
    return isinstance(value, six.integer_types + (float,)) and not isinstance(value, bool)


def _is_integer(value):
    return isinstance(value, six.integer_types) and not isinstance(value, bool)


def _transcode_of(names):
    def accepts(value):
        if isinstance(value, (six.text_type, bytes)):
            # named() raises for one that is not installed, and says what to install.
            return is_text(value) and value in names and bool(transcodes.named(value))
        return all(callable(getattr(value, name, None)) for name in ("encode", "decode"))

    return Check("%s, or an object with encode(value) and decode(data)"
                 % ", ".join('"%s"' % name for name in sorted(names)), accepts, None)


def _is_logger(value):
    return all(callable(getattr(value, name, None))
               for name in ("debug", "info", "warning", "error", "exception"))


def _parse_flag(text):
    return {"1": True, "0": False}[text]


def _between(least, most):
    def accepts(value):
        return _is_integer(value) and least <= value <= most

    return Check("a whole number from %d to %d" % (least, most), accepts, int)


def _or_none(check):
    def accepts(value):
        return value is None or check.accepts(value)

    return Check("%s, or None" % check.what, accepts, check.parse)


def _is_runtime(value):
    return is_text(value) and value in ("greenlet", "thread")


def _parse_runtime(text):
    return text


def _is_naming(value):
    return callable(value) or (is_text(value) and value == CAMEL_CASE)


def _name_accepts(value):
    return is_text(value) and bool(value) and not re.search(r"[\x00-\x1f\x7f]", value)


_SECONDS = Check("a number of seconds above 0 (at most %d)" % _LONGEST, is_seconds, float)
_SECONDS_OR_ZERO = Check("a number of seconds from 0 (at most %d)" % _LONGEST,
                         lambda value: _is_number(value) and 0 <= value <= _LONGEST, float)
_FLAG = Check("True or False", lambda value: isinstance(value, bool), _parse_flag)
_NAME = Check("text that is not empty and has no control characters", _name_accepts, None)
_CALLABLE = Check("callable", callable, None)
_NAMING = Check('"%s", or a callable that takes a name and gives one' % CAMEL_CASE,
                _is_naming, None)
_RUNTIME = Check('"greenlet" or "thread"', _is_runtime, _parse_runtime)
_PORT = _between(1, 65535)
_COUNT = _between(1, _LARGEST_BODY)
_TRANSCODE = _transcode_of(transcodes.NAMES)
_NODE_TRANSCODE = _transcode_of(transcodes.BUILTIN_NAMES)
_LOGGER = Check("a logging.Logger or what has its methods", _is_logger, None)

# name, default, check, environment variables (the first that is set and not empty counts)
_TABLE = tuple(_Option(*row) for row in (
    ("port", 7777, _PORT, ("CLUSTERCLIENT_PORT", "NODE_CLUSTER_CLIENT_PORT")),
    ("host", "127.0.0.1", _NAME, ()),
    ("name", None, _or_none(_NAME), ()),
    ("is_leader", None, _or_none(_FLAG), ("CLUSTERCLIENT_IS_LEADER",)),
    ("max_wait_time", 30, _SECONDS, ()),
    ("connect_timeout", 10, _SECONDS, ("CLUSTERCLIENT_CONNECT_TIMEOUT",)),
    ("response_timeout", 3, _SECONDS, ()),
    ("subscribe_timeout", None, _or_none(_SECONDS), ()),
    ("heartbeat_interval", 20, _SECONDS, ()),
    ("check_heartbeat", True, _FLAG, ()),
    ("auto_generate", True, _FLAG, ()),
    ("remote_names", None, _or_none(_NAMING), ()),
    ("is_broadcast", True, _FLAG, ()),
    ("single_mode", False, _FLAG, ("CLUSTERCLIENT_SINGLE_MODE",)),
    ("transcode", "json", _TRANSCODE, ()),
    ("node_transcode", "serialize-json", _NODE_TRANSCODE, ()),
    ("format_key", None, _or_none(_CALLABLE), ()),
    ("publish_key", None, _or_none(_CALLABLE), ()),
    ("drain_timeout", 5, _SECONDS_OR_ZERO, ()),
    ("handshake_timeout", 10, _SECONDS, ()),
    ("max_frame_size", 64 * MEBIBYTE, _between(256, _LARGEST_BODY), ()),
    ("max_connections", 10000, _COUNT, ()),
    ("max_queued_values", 1000, _COUNT, ()),
    ("max_kept_publishes", 1000, _between(0, _LARGEST_BODY), ()),
    ("max_retry_interval", 1.0, _SECONDS, ()),
    ("runtime", None, _or_none(_RUNTIME), ("CLUSTERCLIENT_RUNTIME",)),
    ("real_client_runtime", None, _or_none(_RUNTIME), ()),
    ("max_threads", 64, _COUNT, ()),
    ("watchdog_timeout", None, _or_none(_SECONDS), ()),
    ("close_with", None, _or_none(_CALLABLE), ()),
    ("logger", logging.getLogger("clusterclient_sync"), _LOGGER, ()),
))

NAMES = tuple(option.name for option in _TABLE)
_BY_NAME = {option.name: option for option in _TABLE}
_TEXTS = ("host", "name")


class Options(object):
    """All options of one client, each an attribute; see the README for what they mean.

    :param given: options by name.  What is not given comes from its environment variable, where
        it has one that is set and not empty, else from the default.
    :raises ConfigurationError: for an option that does not exist, and for a value or a variable
        of a wrong type or range; the text names what is allowed.

    ``name``, ``format_key`` and ``publish_key`` are ``None`` where they are not given: the class's
    name, the canonical JSON of the registration, and the formatted registration.  ``transcode``
    and ``node_transcode`` are kept as given.
    """

    __slots__ = NAMES

    def __init__(self, **given):
        check_options(given)
        for option in _TABLE:
            value = given[option.name] if option.name in given else _not_given(option)
            if option.name in _TEXTS and value is not None:
                value = six.ensure_text(value)
            object.__setattr__(self, option.name, value)

    def __setattr__(self, name, value):
        raise AttributeError("options do not change; replace(%s=...) gives new ones" % name)

    def __delattr__(self, name):
        raise AttributeError("options do not change")

    def replace(self, **changes):
        """New options that differ from these in ``changes``; the environment is not asked again.

        :raises ConfigurationError: as the constructor does.
        """
        values = {name: getattr(self, name) for name in NAMES}
        check_options(changes)
        values.update(changes)
        return Options(**values)

    def __repr__(self):
        told = ["%s=%r" % (option.name, getattr(self, option.name)) for option in _TABLE
                if getattr(self, option.name) != option.default]
        return "Options(%s)" % ", ".join(told)


def check_options(given):
    """Check options by name, as a dict, without looking at the environment.

    :raises ConfigurationError: for the first that does not exist or has a wrong value.
    """
    for name in sorted(given):
        option = _BY_NAME.get(name)
        if option is None:
            raise ConfigurationError(
                u"there is no option %s%s; the options are: %s"
                % (name, closest(name, NAMES), ", ".join(sorted(NAMES))))
        if not option.check.accepts(given[name]):
            raise ConfigurationError(
                u"the option %s must be %s, not %s"
                % (name, option.check.what, show(given[name])))


def _not_given(option):
    for variable in option.variables:
        text = os.environ.get(variable, "").strip()
        if text:
            return _from_environment(option, variable, text)
    return option.default


def _from_environment(option, variable, text):
    check = option.check
    try:
        value = check.parse(text)
        if check.accepts(value):
            return value
    except (ValueError, KeyError):
        pass
    allowed = "1 or 0" if check is _FLAG else check.what
    raise ConfigurationError(
        u"the environment variable %s (for the option %s) must be %s, not %s"
        % (variable, option.name, allowed, show(text)))


def closest(name, known):
    """`` (did you mean ...?)`` for text that is no known name, or nothing where none is near.

    Knows camelCase, which is how the npm package writes its names.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    near = difflib.get_close_matches(snake, known, n=2)
    return " (did you mean %s?)" % " or ".join(near) if near else ""


def show(value):
    """A value and its type for an error's text, cut where it is long; never raises."""
    try:
        text = repr(value)
    except Exception:
        text = "what has no repr()"
    text = six.ensure_text(text, errors="replace")
    if len(text) > 80:
        text = text[:77] + u"..."
    return u"%s (%s)" % (text, type(value).__name__)
