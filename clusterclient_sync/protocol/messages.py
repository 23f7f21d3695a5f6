"""What the connection objects say, and how the arguments of a call are packed.

Each function gives the bytes of one connection object, members in the order of the protocol's
description.  The few that repeat with every call are built once and kept, here or by the caller.
"""

from __future__ import absolute_import, division, print_function

import json
import struct

import six

from ..exceptions import ProtocolError

REGISTER_CHANNEL = u"register_channel"
SUBSCRIBE = u"subscribe"
UNSUBSCRIBE = u"unSubscribe"
INVOKE = u"invoke"
HEARTBEAT = u"heartbeat"
SUBSCRIBE_RESULT = u"subscribe_result"
SUBSCRIBE_ERROR = u"subscribe_error"
EVENT = u"event"
GOODBYE = u"goodbye"

#: The member of a registration and of its answer by which Python peers know each other.
HELLO = u"clusterclient_sync"

_LENGTH = struct.Struct(">I")
_SHORT = 4096  # bytes that are copied sooner than handled as a part
_pack_length = _LENGTH.pack
_unpack_length = _LENGTH.unpack_from


def _text(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _object(*members):
    """JSON with its members in the order given (dicts have none on Python 2)."""
    text = ",".join('"%s":%s' % (name, _text(value)) for name, value in members)
    return ("{%s}" % text).encode("ascii")


HEARTBEAT_REQUEST = _object(("type", HEARTBEAT))
HEARTBEAT_RESPONSE = _object(("type", "heartbeat_res"))
SUBSCRIBE_RESULT_RESPONSE = _object(("type", "subscribe_result_res"))
GOODBYE_REQUEST = _object(("type", GOODBYE))
GOODBYE_RESPONSE = _object(("type", "goodbye_res"))
ERROR_RESPONSE = _object(("type", "error"), ("success", False))


def register_channel(channel, hello):
    """A follower's registration; ``hello`` as ``negotiation`` makes it."""
    return _object(("type", REGISTER_CHANNEL), ("channelName", channel), (HELLO, hello))


def register_channel_response(hello=None):
    """The answer to a registration; without ``hello`` to a peer that is not Python."""
    members = [("type", "register_channel_res")]
    if hello is not None:
        members.append((HELLO, hello))
    return _object(*members)


def subscription(type, key, registration_text):
    """``subscribe`` or ``unSubscribe``.

    :param key: the key as it goes over the wire, with its prefix.
    :param registration_text: the registration as canonical JSON text.
    """
    head = u'{"type":"%s","key":%s,"reg":%s}' % (type, _text(key), registration_text)
    # Surrogates that stand alone are escaped in canonical JSON, so that this cannot fail.
    return head.encode("utf-8")


def invoke(method, count, oneway=False, has_kwargs=False):
    """A call: ``count`` packed arguments, the last of them a dict of keywords if ``has_kwargs``."""
    members = [("type", INVOKE), ("method", method), ("argLength", count), ("oneway", oneway)]
    if has_kwargs:
        members.append(("kwargs", True))
    return _object(*members)


_results = {}
_MAX_RESULTS = 256


def invoke_result(success, epoch=None):
    """The answer to a call; ``epoch`` only for a peer that knows epochs."""
    head = _results.get((success, epoch))
    if head is None:
        members = [("type", "invoke_result"), ("success", success)]
        if epoch is not None:
            members.append(("epoch", epoch))
        if len(_results) >= _MAX_RESULTS:
            _results.clear()
        head = _results[success, epoch] = _object(*members)
    return head


def subscribe_result(key, epoch=None):
    """A value of a subscription, under the key that the receiver used when it subscribed."""
    members = [("type", SUBSCRIBE_RESULT), ("key", key)]
    if epoch is not None:
        members.append(("epoch", epoch))
    return _object(*members)


def subscribe_error(key):
    """A subscription failed at the real client."""
    return _object(("type", SUBSCRIBE_ERROR), ("key", key))


def event(name):
    """An event that the real client emitted."""
    return _object(("type", EVENT), ("name", name))


def pack_arguments(encoded):
    """The parts of an application object that holds these encoded arguments."""
    if len(encoded) == 1 and len(encoded[0]) <= _SHORT:
        return (_pack_length(len(encoded[0])) + encoded[0],)
    parts = []
    for argument in encoded:
        parts += (_pack_length(len(argument)), argument)
    return parts


class CallHead(object):
    """What the connection object of a call says, read once for all calls that have the same.

    ``method``: text, whatever was there; ``count``: of arguments, or ``None`` where that is none.
    """

    __slots__ = ("method", "is_oneway", "count", "has_kwargs")

    def __init__(self, head):
        method = head.get("method")
        self.method = method if isinstance(method, six.string_types) else repr(method)
        count = head.get("argLength")
        is_count = (isinstance(count, six.integer_types) and not isinstance(count, bool)
                    and count >= 0)
        self.count = count if is_count else None
        self.is_oneway = head.get("oneway") is True
        self.has_kwargs = head.get("kwargs") is True


class Head(dict):
    """A received connection object; ``call`` is a :class:`CallHead` where it is that of a call."""

    __slots__ = ("call",)

    def __init__(self, members):
        super(Head, self).__init__(members)
        self.call = CallHead(members) if members.get("type") == INVOKE else None


def unpack_arguments(body, count):
    """The encoded arguments in an application object.

    :param count: as :class:`CallHead` has it.
    :raises ProtocolError: where ``body`` does not hold exactly ``count`` arguments.
    """
    if count is None:
        raise ProtocolError("a call's argLength is not a count")
    total = len(body)
    if count * 4 > total:
        raise ProtocolError("a call announces %d arguments in %d bytes" % (count, total))
    arguments = []
    end = 0
    for _ in range(count):
        start = end + 4
        if start > total:
            raise ProtocolError("a call's arguments end before the %d that were announced" % count)
        end = start + _unpack_length(body, end)[0]
        if end > total:
            raise ProtocolError("an argument is longer than the frame that it is in")
        arguments.append(body[start:end])
    if end != total:
        raise ProtocolError("%d bytes follow the last argument of a call" % (total - end))
    return arguments
