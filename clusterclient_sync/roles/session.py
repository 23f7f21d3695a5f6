"""A leader's side of one follower's connection.

Requests are handled in the hub as they come: calls go to workers and run concurrently, publishes
and (un)subscriptions each go through a lane of this session and so stay in order.  A follower with
too many calls in work is not read further until there are fewer.
"""

from __future__ import absolute_import, division, print_function


import six

from ..exceptions import ProtocolError
from ..greenlets.workers import Lane
from ..protocol import frames, keys, messages
from ..protocol.negotiation import (
    EPOCH, EVENTS, GOODBYE, SUBSCRIBE_ERRORS, tell_transcode)
from ..protocol.transcodes import SERIALIZE_JSON
from ..transport.sender import MAX_OUTGOING
from .invocation import RemoteInvocation, dump
from .node_speech import Guess
from .outbox import Outbox

_MAX_IN_WORK = 10000
_RESUME_AT = 9000
_MAX_SUBSCRIPTION_JOBS = 1000
#: reasons not to read a follower
_TOO_MUCH_WORK = "calls in work"
_TOO_MANY_SUBSCRIPTIONS = "subscriptions in work"
#: With more than this (bytes) in a connection's buffer, values wait in the outbox.
_PUSH_HIGH_WATER = 1024 * 1024


class FollowerSession(object):
    """See the module; a handler of its connection, and a subscriber (see ``upstream``).

    :param leader: the :class:`~.leader.Leader` that it belongs to.
    :param peer: what the registration told about the follower.
    """

    __slots__ = ("leader", "connection", "peer", "in_work", "has_parted", "owed_at_goodbye", "_log",
                 "_last_owed", "_calls", "_guess", "_timeout_ms", "_publishes", "_subscriptions",
                 "_outbox", "_awaits_confirmation", "_unconfirmed")

    def __init__(self, leader, connection, peer):
        self.leader = leader
        self.connection = connection
        self.peer = peer
        self._log = leader.options.logger
        self.in_work = 0
        #: said goodbye to, and the peer has said that it sends no more calls
        self.has_parted = False
        #: of a Node peer: calls that were in work when the leader said goodbye
        self.owed_at_goodbye = 0
        self._last_owed = 0
        self._calls = 0
        # Of a Node follower.
        self._guess = None if peer.is_python else Guess(leader.node_speech)
        self._timeout_ms = leader.timeout_ms
        self._awaits_confirmation = False  # of what a guess was made for
        # Thousands of followers may be idle: what they do not use is not there.
        self._publishes = None
        self._subscriptions = None
        self._outbox = None
        self._unconfirmed = None  # id of a push -> key, where each value goes to one listener

    # A handler of its connection ------------------------------------------------------------

    def on_request(self, connection, frame):
        """The follower sent a request."""
        if frame.head.call is not None:
            self._on_invoke(connection, frame)
            return
        try:
            handler = self._handlers.get(frame.head.get("type"))
        except TypeError:  # a list or an object
            handler = None
        if handler is not None:
            handler(self, connection, frame)
        else:
            self._on_unknown(frame)

    def on_closed(self, connection, error):
        """The follower is gone."""
        if isinstance(error, ProtocolError):
            self._log.warning("A follower (%s) sent what cannot be read: %s", self, error)
        elif connection.decoder.is_inside_frame:
            self._log.warning("The connection of a follower (%s) ended in the middle of a frame",
                              self)
        if self.peer.transcode is None and self.leader.is_serving:
            self._guess.peer_is_gone()
        self.leader.session_ends(self)

    def on_drained(self, connection):
        """The follower reads again: go on with what waited."""
        while self._outbox and connection.outgoing_size <= _PUSH_HIGH_WATER:
            connection.send(self._outbox.take())
        if not self.leader.options.is_broadcast:
            self._tell_room()

    def __str__(self):
        return "pid %d" % self.peer.pid if self.peer.pid else "not Python"

    # Requests -----------------------------------------------------------------------------

    def _on_invoke(self, connection, frame):
        leader = self.leader
        self._calls += 1
        invocation = RemoteInvocation(leader.host, self, frame, self._calls)
        self.in_work += 1
        if self.in_work >= _MAX_IN_WORK:
            connection.pause(_TOO_MUCH_WORK)
        if invocation.method in leader.publishing:
            if self._publishes is None:
                self._publishes = Lane(leader.pool)
            self._publishes.submit(invocation)
        else:
            leader.pool.run_in_hub(invocation)

    def work_ends(self, invocation):
        """A call of this follower is complete."""
        self.in_work -= 1
        if self.owed_at_goodbye and invocation.number <= self._last_owed:
            self.owed_at_goodbye -= 1
        if self.in_work <= _RESUME_AT and self.connection.is_paused:
            self.connection.resume(_TOO_MUCH_WORK)

    def _on_subscribe(self, connection, frame):
        self._submit(lambda: self._subscribe(frame))

    def _submit(self, job):
        if self._subscriptions is None:
            self._subscriptions = Lane(self.leader.pool)
        self._subscriptions.submit(lambda: self._do_and_read_on(job))
        if len(self._subscriptions) >= _MAX_SUBSCRIPTION_JOBS:
            self.connection.pause(_TOO_MANY_SUBSCRIPTIONS)

    def _do_and_read_on(self, job):
        job()
        if len(self._subscriptions) <= _MAX_SUBSCRIPTION_JOBS // 2:
            self.connection.resume(_TOO_MANY_SUBSCRIPTIONS)

    def _subscribe(self, frame):
        if self.connection.is_closed:
            return
        try:
            registration, formatted, key = self._read_registration(frame)
        except Exception as error:  # a key format is the user's, and so is what comes in
            self._log.warning("A follower (%s) subscribed what cannot be: %r", self, error)
            self.push_error(frame.head.get("key"), dump(error, self.leader.negotiator.own))
        else:
            if not self.connection.is_closed:  # a key format of the user's may have taken its time
                self.leader.upstreams.add(formatted, registration, self, key)

    def _read_registration(self, frame):
        registration = keys.received(frame.head.get("reg"))
        formatted = self.leader.format_key(registration)
        key = frame.head.get("key")
        is_named = isinstance(key, six.text_type)
        return registration, formatted, key if is_named else keys.WIRE_PREFIX + formatted

    def _on_unsubscribe(self, connection, frame):
        self._submit(lambda: self._unsubscribe(frame))

    def _unsubscribe(self, frame):
        try:
            _, formatted, key = self._read_registration(frame)
        except Exception as error:
            self._log.warning("A follower (%s) unsubscribed what cannot be: %r", self, error)
            return
        if self._outbox is not None:
            self._outbox.drop(key)
        self.leader.upstreams.remove(formatted, self, key)

    def _on_heartbeat(self, connection, frame):
        connection.respond(frame, messages.HEARTBEAT_RESPONSE)

    def _on_register(self, connection, frame):
        self.leader.on_register(connection, frame)

    def _on_unknown(self, frame):
        type = frame.head.get("type")
        self._log.warning("A follower (%s) sent a request of the unknown type %r", self, type)
        transcode = self.transcode_for(frame)
        error = ProtocolError("there is no request of the type %r" % (type,))
        self.leader.pool.run(lambda: self.connection.respond(
            frame, messages.ERROR_RESPONSE,
            (transcode.encode(dump(error, transcode, None, self.peer.is_python)),)))

    def transcode_for(self, frame=None):
        """The follower's transcode; a Node follower's is told from its first application bytes."""
        peer = self.peer
        if peer.transcode is None:
            arguments = _arguments_of(frame) if frame is not None else []
            if not arguments:
                return self._guessed()
            peer.transcode = self.leader.node_speech.heard(tell_transcode(arguments[0]))
        return peer.transcode

    def _guessed(self, is_dangerous=False):
        """What is likely to be a Node follower's transcode.

        :param is_dangerous: whether the follower would not survive a wrong guess.
        """
        transcode = self._guess.make()
        # JSON can pass for serialize-json, so that an answer would be misread; never the reverse.
        if is_dangerous or transcode is not SERIALIZE_JSON:
            guard = self._guess.guard()
            if guard:
                self.connection.send(guard)
        return transcode

    _handlers = {
        messages.SUBSCRIBE: _on_subscribe,
        messages.UNSUBSCRIBE: _on_unsubscribe,
        messages.HEARTBEAT: _on_heartbeat,
        messages.REGISTER_CHANNEL: _on_register,
    }

    # A subscriber -------------------------------------------------------------------------

    def push(self, key, value):
        """Send a value, or keep it until the follower reads."""
        peer = self.peer
        # npm's keys all have the prefix; whoever sends others is not npm's follower.
        transcode = peer.transcode or self._guessed(is_dangerous=key.startswith(keys.WIRE_PREFIX))
        frame = value.frame(key, transcode, EPOCH in peer.can, self.leader.next_id,
                            self._timeout_ms)
        if not peer.takes(len(frame) - frames.HEADER_SIZE):
            self._log.warning("A value of %s is larger than the follower (%s) takes: %d bytes",
                         key, self, len(frame))
            return
        if not self.leader.options.is_broadcast:
            self._push_confirmed(key, frame)
        elif self._outbox or self.connection.outgoing_size > _PUSH_HIGH_WATER:
            if self._outbox is None:
                self._outbox = Outbox(self.leader.options.max_queued_values)
            self._outbox.put(key, frame)
        elif peer.transcode is None and not self._guess.is_accepted:
            self._push_guessed(frame)
        else:
            self.connection.send(frame)

    def _push_guessed(self, frame):
        if not self._awaits_confirmation:
            self._awaits_confirmation = True
            id = self.leader.next_id()
            self.connection.expect(id, lambda answer: self._guess.accept())
            frame = frames.with_id(frame, id)
        self.connection.send(frame)

    def _push_confirmed(self, key, frame):
        id = self.leader.next_id()
        if self._unconfirmed is None:
            self._unconfirmed = {}
        self._unconfirmed[id] = key
        self.connection.expect(id, lambda answer: self._confirmed(id))
        self.connection.send(frames.with_id(frame, id))

    def _confirmed(self, id):
        if self._guess is not None:
            self._guess.accept()
        self._unconfirmed.pop(id, None)
        self._tell_room()

    def _tell_room(self):
        # In a worker: a waiting value may have to be encoded for the follower that gets it.
        self.leader.pool.run(self.leader.upstreams.room)

    def has_room(self, key):
        """Whether this follower keeps up (asked only where each value goes to one listener)."""
        return (not self.connection.is_closed
                and len(self._unconfirmed or ()) < self.leader.options.max_queued_values
                and self.connection.outgoing_size <= _PUSH_HIGH_WATER)

    def push_error(self, key, dumped):
        """The subscription failed at the real client."""
        if SUBSCRIBE_ERRORS in self.peer.can:
            data = self.peer.transcode.encode(dumped)
            self._tell(messages.subscribe_error(key), data, "an error of %s" % (key,))

    # What the leader tells ------------------------------------------------------------------

    def tell_event(self, name, args, encoded):
        """An event of the real client; ``args`` as a transcode takes them.

        :param encoded: name of a transcode -> ``args`` as its bytes, which all followers share;
            what is not there yet is added.
        :raises TranscodeError: ``args`` have no place in this follower's transcode.
        """
        if EVENTS in self.peer.can:
            transcode = self.peer.transcode
            data = encoded.get(transcode.name)
            if data is None:
                data = encoded[transcode.name] = transcode.encode(args)
            self._tell(messages.event(name), data, "an event %r" % (name,))

    def say_goodbye(self):
        """Tell a Python follower to make no more calls; it confirms when it has stopped."""
        if GOODBYE in self.peer.can:
            id = self.leader.next_id()
            self.connection.expect(id, self._parted)
            self.connection.send(frames.encode(
                frames.REQUEST, id, self._timeout_ms, messages.GOODBYE_REQUEST))
        else:
            self.owed_at_goodbye = self.in_work
            self._last_owed = self._calls
            self.has_parted = True

    def _parted(self, answer):
        self.has_parted = True
        self.leader.check_drained()

    @property
    def is_drained(self):
        """Whether nothing of this follower's is in hand any more."""
        if GOODBYE in self.peer.can:
            return self.has_parted and not self.in_work
        return not self.owed_at_goodbye

    def _tell(self, head, data, what):
        """Send a request that needs no answer, unless it is larger than the follower takes."""
        if self.connection.outgoing_size > MAX_OUTGOING:
            self._log.warning("A follower (%s) does not read: %s is not told", self, what)
        elif self.peer.takes(len(head) + len(data)):
            self.connection.send(frames.encode(
                frames.REQUEST, self.leader.next_id(), self._timeout_ms, head, (data,)))
        else:
            self._log.warning("%s is larger than the follower (%s) takes and is not told: %d bytes",
                              what, self, len(data))


def _arguments_of(frame):
    """The encoded arguments of a call; none where it has none or they cannot be unpacked."""
    if frame.head.call is None:
        return []
    try:
        return messages.unpack_arguments(frame.body, frame.head.call.count)
    except ProtocolError:  # the call's own answer says so
        return []
