"""What a pair of peers finds out about each other at registration.

A Python follower adds a *hello* to its registration and a Python leader one to its answer; a Node
peer knows nothing of it.  Both sides end with a :class:`Peer`.  A hello that is malformed counts as
none: its sender is served as a peer that speaks the base protocol only.
"""

from __future__ import absolute_import, division, print_function

import os

import six

from ..exceptions import ConfigurationError, ProtocolError, TranscodeError
from . import messages, plain_json, transcodes
from .frames import MAX_ID

REVISION = 1

KWARGS = u"kwargs"
EVENTS = u"events"
SUBSCRIBE_ERRORS = u"subscribe_error"
GOODBYE = u"goodbye"
EPOCH = u"epoch"
#: Pushed values need no acknowledgement (where each value goes to one listener they still get it).
QUIET_PUSH = u"quiet_push"

#: The leader sends the heartbeats, and the follower answers.
LEADER_BEATS = u"leader_beats"

CAPABILITIES = frozenset(
    [KWARGS, EVENTS, SUBSCRIBE_ERRORS, GOODBYE, EPOCH, QUIET_PUSH, LEADER_BEATS])

#: A successful registration for a peer whose transcode is not known yet: it decodes as success in
#: JSON and in serialize-json alike.
AMBIGUOUS_SUCCESS = b'{"a":"|success^^^^$1|-1]","success":true}'

_abilities = {}  # a set of them -> that very set

_numbers = six.integer_types + (float,)


def abilities(names):
    """What of this is known here, as a set; the same object for the same abilities."""
    known = CAPABILITIES.intersection(names)
    return _abilities.setdefault(known, known)


class Peer(object):
    """What is known of the process at the other end of a connection.

    ``transcode`` is ``None`` for a Node follower until its first application bytes are there.
    """

    __slots__ = ("is_python", "transcode", "can", "pid", "epoch", "max_frame_size",
                 "heartbeat_interval", "fingerprint", "failed_attempt", "may_lead")

    def __init__(self, is_python, transcode, can=frozenset(), pid=None, epoch=None,
                 max_frame_size=None, heartbeat_interval=None, fingerprint=None,
                 failed_attempt=0, may_lead=True):
        self.is_python = is_python
        self.transcode = transcode
        self.can = can
        self.pid = pid
        self.epoch = epoch
        self.max_frame_size = max_frame_size
        self.heartbeat_interval = heartbeat_interval
        self.fingerprint = fingerprint
        self.failed_attempt = failed_attempt
        self.may_lead = may_lead

    def takes(self, size):
        """Whether the peer takes a frame whose bodies have this size together."""
        return self.max_frame_size is None or size <= self.max_frame_size


class Negotiator(object):
    """One side's offers, from its options.

    :param transcode: the transcode that this client was given, as ``transcodes.offered`` takes it.
    :param max_frame_size: bytes that this side takes.
    :param node_transcode: what a Node leader may speak beside ours, as ``transcodes.named`` takes
        it.
    """

    def __init__(self, transcode, max_frame_size, heartbeat_interval, fingerprint=None,
                 node_transcode=transcodes.SERIALIZE_JSON):
        offered = transcodes.offered(transcode)
        #: what goes through a transcode within this process goes through the one it likes best
        self.own = offered[0]
        self._known = {one.name: one for one in offered}
        self._offers = [one.name for one in offered]
        self._max_frame_size = max_frame_size
        self._heartbeat_interval = heartbeat_interval
        self._fingerprint = fingerprint
        self._of_node = [transcodes.JSON, transcodes.SERIALIZE_JSON]
        if transcodes.named(node_transcode) not in self._of_node:
            self._of_node.append(transcodes.named(node_transcode))

    def follower_hello(self, epoch, failed_attempt=0, may_lead=True):
        """What a follower adds to its registration.

        :param failed_attempt: the number of the real client's failed start that it was told of:
            it wants the answer of the next one.
        :param may_lead: whether it can take over; not so where it is forced to follow.
        """
        hello = self._hello(epoch)
        hello["may_lead"] = may_lead
        hello["transcodes"] = self._offers
        hello["failed_attempt"] = failed_attempt
        return hello

    def leader_hello(self, peer, epoch, **more):
        """What a leader adds to its answer."""
        hello = self._hello(epoch)
        hello["heartbeat_interval"] = self._heartbeat_interval
        hello["transcode"] = peer.transcode.name
        hello["can"] = sorted(peer.can)
        hello.update(more)
        return hello

    def _hello(self, epoch):
        return {
            "revision": REVISION,
            "pid": os.getpid(),
            "epoch": epoch,
            "can": sorted(CAPABILITIES),
            "max_frame_size": self._max_frame_size,
            "fingerprint": self._fingerprint,
        }

    def meet_follower(self, head):
        """The :class:`Peer` that sent this registration (its connection object)."""
        hello = head.get(messages.HELLO)
        if not isinstance(hello, dict) or not isinstance(hello.get("transcodes"), list):
            return Peer(False, None)
        for name in hello["transcodes"]:
            if isinstance(name, six.string_types) and name in self._known:
                return self._python_peer(hello, self._known[name])
        return self._python_peer(hello, transcodes.JSON)

    def meet_leader(self, frame):
        """The :class:`Peer` that sent this answer, and what it answered (a dict)."""
        hello = frame.head.get(messages.HELLO)
        if isinstance(hello, dict):
            name = hello.get("transcode")
            known = isinstance(name, six.string_types) and self._known.get(name)
            return self._python_peer(hello, known or transcodes.JSON), plain_answer(frame.body)
        for transcode in self._of_node:
            try:
                answer = transcode.decode(frame.body)
            except TranscodeError:
                continue
            if isinstance(answer, dict):
                return Peer(False, transcode), answer
        raise ProtocolError("the answer to the registration is in no transcode that is known")

    def _python_peer(self, hello, transcode):
        def number(name):
            value = hello.get(name)
            is_number = isinstance(value, _numbers) and not isinstance(value, bool)
            return value if is_number and 0 <= value <= MAX_ID else None

        fingerprint = hello.get("fingerprint")
        can = hello.get("can")
        names = [name for name in can if isinstance(name, six.text_type)] \
            if isinstance(can, list) else []
        # A leader has thousands of followers that say the same: it is kept once.
        if fingerprint == self._fingerprint:
            fingerprint = self._fingerprint
        return Peer(True, transcode, abilities(names), number("pid"),
                    number("epoch"), number("max_frame_size"), number("heartbeat_interval") or None,
                    fingerprint if isinstance(fingerprint, six.string_types) else None,
                    number("failed_attempt") or 0,
                    hello.get("may_lead") is not False)


def stranger(channel, pid, theirs, own):
    """The error for a peer that made its client of another class or with other arguments."""
    return ConfigurationError(
        "the client %s of process %s is not made as here: %s there, %s here. One of the two does "
        "not get what it asked for; give one a name or a port of its own"
        % (channel, pid, theirs, own))


def plain_answer(body):
    """The answer between Python peers: a dict in JSON, whatever transcode they agreed on.

    :raises ProtocolError: where it is not one.
    """
    try:
        answer = transcodes.JSON.decode(body)
    except TranscodeError as error:
        raise ProtocolError("the answer to the registration is not JSON: %s" % (error,))
    if not isinstance(answer, dict):
        raise ProtocolError("the answer to the registration is not an object")
    return answer


def encode_plain(answer):
    """The other direction of :func:`plain_answer`.

    An error in it may carry what Python adds to JSON: a date among its arguments, say.
    """
    return transcodes.JSON.encode(answer)


def tell_transcode(data):
    """The transcode of a Node peer, told from application bytes that it sent.

    Text of ``serialize-json`` is never valid JSON.
    """
    try:
        plain_json.parse(data)
    except ValueError:
        return transcodes.SERIALIZE_JSON
    return transcodes.JSON
