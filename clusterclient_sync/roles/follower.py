"""The role of a process that follows: it forwards over one connection.

A :class:`Follower` owns its connection and heartbeat.  ``register`` may be called again and again
on one connection; the answer to any of them counts.  When the connection goes, ``on_lost`` is
called once, before the calls in flight learn of it.
"""

from __future__ import absolute_import, division, print_function

import functools

import six

from ..exceptions import (
    NOT_SENT, UNKNOWN, ChannelNotFoundError, ConnectionClosedError, FrameTooLargeError,
    ProtocolError, ResponseTimeoutError, TranscodeError, set_outcome)
from ..protocol import errors, frames, messages, negotiation, transcodes
from ..protocol.negotiation import LEADER_BEATS, QUIET_PUSH
from . import event_arguments
from .call import LeaderLost
from ..transport.connection import Connection
from ..transport.heartbeat import Heartbeat, Listening


class Registered(object):
    """The answer: the leader serves this follower."""


class Refused(object):
    """The answer: it does not; ``error`` says why.

    ``failed_attempt`` is the number of the real client's start that failed, or ``None`` where it
    is not that but that the channel is not there.
    """

    def __init__(self, error, failed_attempt):
        self.error = error
        self.failed_attempt = failed_attempt


class Follower(object):
    """See the module, and the package for what a role offers.

    :param sock: connected, see ``transport.sockets``.
    :param core: told of what comes: ``on_registration(answer)``, ``on_lost(role, error)``,
        ``on_goodbye(role)``, ``on_remote_event(name, args)``.
    """

    is_leader = False

    def __init__(self, sock, plan, options, negotiator, subscriptions, core, deadlines, hub):
        self.plan = plan
        self.options = options
        self._log = options.logger
        self.peer = None
        self.epoch = None
        self._negotiator = negotiator
        self._subscriptions = subscriptions
        self._core = core
        self._hub = hub
        self._heartbeat = None
        self._is_registered = False
        self._has_parted = False
        self.connection = Connection(sock, self, deadlines, options.max_frame_size)

    @property
    def transcode(self):
        """What the pair of peers agreed on."""
        return self.peer.transcode

    @property
    def leader_pid(self):
        """The leader's pid where it is known."""
        return self.peer.pid if self.peer is not None else None

    # Registration ---------------------------------------------------------------------------

    def register(self, epoch, failed_attempt=0):
        """Ask the leader to serve this follower; the answer comes to ``core.on_registration``."""
        connection = self.connection
        if connection.is_closed:
            return
        id = connection.next_id()
        connection.expect(id, self._on_answer)
        head = messages.register_channel(
            self.plan.name, self._negotiator.follower_hello(
                epoch, failed_attempt, may_lead=self.options.is_leader is not False))
        connection.send(frames.encode(
            frames.REQUEST, id, frames.milliseconds(self.options.response_timeout), head))

    def _on_answer(self, frame):
        if self._is_registered:
            return
        try:
            peer, answer = self._negotiator.meet_leader(frame)
        except ProtocolError as error:
            self.connection.close(error)
            return
        if not peer.is_python:
            peer.transcode = transcodes.for_node(peer.transcode)
        self.peer = peer
        if answer.get("success") is True:
            self._begin(peer)
            self._core.on_registration(Registered())
        else:
            self._core.on_registration(self._refusal(frame, answer))

    def _begin(self, peer):
        self._is_registered = True
        self.epoch = peer.epoch
        interval = peer.heartbeat_interval or self.options.heartbeat_interval
        if LEADER_BEATS not in peer.can:
            self._heartbeat = Heartbeat(
                self._hub.loop, self.connection, interval, self.options.check_heartbeat)
        elif self.options.check_heartbeat:
            self._heartbeat = Listening(self._hub.loop, self.connection, interval)

    def _refusal(self, frame, answer):
        dumped = answer.get("error")
        dumped = dumped if isinstance(dumped, dict) else {}
        if dumped.get("name") == "ChannelNotFoundError" and self.peer.is_python:
            channels = dumped.get("channels")
            channels = [str(name) for name in channels] if isinstance(channels, list) else []
            return Refused(ChannelNotFoundError(
                "process %s owns the port %s and has no client %s (it has: %s); where that is as "
                "it should be, give this client a port of its own"
                % (self.peer.pid, self.options.port, self.plan.name, ", ".join(channels) or "none"),
                channel=self.plan.name, owner_pid=self.peer.pid, channels=channels), None)
        hello = frame.head.get(messages.HELLO)
        attempt = hello.get("failed_attempt") if isinstance(hello, dict) else None
        return Refused(dumped, attempt if isinstance(attempt, int) else 0)

    # A role ---------------------------------------------------------------------------------

    def invoke(self, call):
        """Call a method at the leader and wait for its value.

        :raises LeaderLost: the leader went; the core decides what becomes of the call.
        """
        peer = self.peer
        head, parts = call.message(peer, False)
        connection = self.connection
        try:
            if connection.is_congested or self._has_parted or connection.is_closed:
                self._wait_to_send(call)
            frame = connection.request(
                head, parts, call.deadline, call.remaining if call.has_waited else call.timeout,
                peer.max_frame_size)
        except ResponseTimeoutError as error:
            raise self._timed_out(call, error.outcome)
        except ConnectionClosedError as error:
            raise LeaderLost(error, was_node=not self.peer.is_python)
        answer = frame.head
        epoch = answer.get("epoch")
        if epoch is not None and epoch != self.epoch and not self._is_current(epoch):
            raise LeaderLost(ConnectionClosedError(
                "the answer is of an older epoch than the one that is known", outcome=UNKNOWN))
        if answer.get("success") is True:
            # A Node leader's undefined may come as no bytes at all.
            try:
                return peer.transcode.decode(frame.body) if frame.body else None
            except TranscodeError as error:
                raise set_outcome(error, UNKNOWN)  # the work may have been done
        raise errors.load_error(call.value_of(frame.body, peer.transcode))

    def _wait_to_send(self, call):
        """Return when a call may be sent; nothing else may run before it is."""
        if self.connection.is_congested:
            call.has_waited = True
            self.connection.wait_for_room(call.deadline)
        if self._has_parted or self.connection.is_closed:
            raise ConnectionClosedError("the leader is gone or leaving", outcome=NOT_SENT)

    def _timed_out(self, call, outcome):
        silent = ""
        if outcome == UNKNOWN:
            silent_for = self.connection.silent_for()
            silent = "; the leader (pid %s) %s" % (
                self.leader_pid,
                "has not said anything for %.1f s" % silent_for if silent_for >= call.timeout
                else "answers others: its last word came %.1f s ago" % silent_for)
        return ResponseTimeoutError(
            "%s got no answer within %s s%s" % (call.describe(), call.timeout, silent),
            outcome=outcome, timeout=call.timeout, method=call.spec.name,
            leader_pid=self.leader_pid)

    def _check_size(self, head, parts):
        size = len(head) + sum(len(part) for part in parts)
        if not self.peer.takes(size):
            raise frames.too_large(size, self.peer.max_frame_size)

    def invoke_oneway(self, call, may_wait=True):
        """Call a method at the leader; nobody learns what it returns."""
        call.freeze(self.peer.transcode)
        head, parts = call.message(self.peer, oneway=True)
        self._check_size(head, parts)
        connection = self.connection
        if may_wait:
            try:
                self._wait_to_send(call)
            except ResponseTimeoutError as error:
                raise self._timed_out(call, error.outcome)
            except ConnectionClosedError as error:
                raise LeaderLost(error)
        connection.send_tracked(frames.encode(
            frames.REQUEST, connection.next_id(), frames.milliseconds(call.timeout), head, parts),
            call)

    #: A publish is a one-way call of the method that publishes.
    publish = invoke_oneway

    def subscribe(self, entry):
        """The client wants the values of a registration."""
        self._tell(messages.SUBSCRIBE, entry)

    def unsubscribe(self, entry):
        """The client wants them no more."""
        self._tell(messages.UNSUBSCRIBE, entry)

    def _tell(self, type, entry):
        head = messages.subscription(type, entry.key, entry.text)
        try:
            self._check_size(head, ())
        except FrameTooLargeError as error:
            self._subscriptions.fail(entry.key, error)
        else:
            self.connection.notify(
                head, timeout_ms=frames.milliseconds(self.options.response_timeout))

    def end(self, error=None):
        """Leave: close the connection."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None
        self.connection.close(error)

    def fail_callers(self):
        """End the calls that wait for an answer."""
        self.connection.fail_requests()

    def unsent(self):
        """One-way calls that the kernel never took, in order."""
        return self.connection.unsent()

    # A handler of its connection --------------------------------------------------------------

    def on_request(self, connection, frame):
        """The leader sent a request."""
        try:
            handler = self._handlers.get(frame.head.get("type"))
        except TypeError:  # a list or an object
            handler = None
        if handler is not None:
            handler(self, frame)
        else:
            self._log.warning("The leader sent a request of the unknown type %r",
                              frame.head.get("type"))
            connection.reply(frame, messages.ERROR_RESPONSE, (negotiation.encode_plain(
                {"name": "ProtocolError", "message": "there is no request of this type"}),))

    def on_closed(self, connection, error):
        """The connection is gone."""
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None
        if isinstance(error, ProtocolError):
            self._log.warning("The leader at port %s sent what cannot be read: %s",
                         self.options.port, error)
        self._core.on_lost(self, error)

    def on_drained(self, connection):
        """Nothing waits for that here: senders wait in line at the connection."""

    def _on_value(self, frame):
        head = frame.head
        epoch = head.get("epoch")
        if self.peer is None:
            return
        wants_confirmation = QUIET_PUSH not in self.peer.can
        # A Python leader that wants values confirmed gives each to one listener, and counts those
        # for which none here had room; a Node leader only wants to know that they came.
        on_taken = None
        if wants_confirmation and self.peer.is_python:
            on_taken = functools.partial(self._confirm, frame)
        is_kept = (epoch is None or self._is_current(epoch)) and self._subscriptions.deliver(
            head.get("key"), frame.body, self.peer.transcode, epoch, on_taken)
        if wants_confirmation and not (is_kept and on_taken):
            self._confirm(frame)

    def _confirm(self, frame):
        # A Python leader counts them.
        self.connection.reply(frame, messages.SUBSCRIBE_RESULT_RESPONSE,
                              may_drop=not self.peer.is_python)

    def _is_current(self, epoch):
        """Whether this epoch is not older than what is known; a newer one is known from now on."""
        if not isinstance(epoch, six.integer_types):
            return False
        if self.epoch is not None and epoch < self.epoch:
            return False
        self.epoch = epoch
        return True

    def _on_subscribe_error(self, frame):
        self._hand_over(frame, lambda dumped: self._subscriptions.fail(
            frame.head.get("key"), errors.load_error(dumped)))

    def _on_event(self, frame):
        self._hand_over(frame, lambda args: self._core.on_remote_event(
            frame.head.get("name"), event_arguments.from_wire(args)))

    def _hand_over(self, frame, job):
        """Decode and go on in a worker, in the order in which such frames came."""
        transcode = self.peer.transcode

        def run():
            try:
                value = transcode.decode(frame.body)
            except TranscodeError as error:
                self._log.warning("What the leader sent cannot be decoded: %s", error)
            else:
                job(value)

        self._core.in_order(run)

    def _on_goodbye(self, frame):
        # The answer promises that no call follows it on this connection.
        self._has_parted = True
        self._core.on_goodbye(self)
        self.connection.reply(frame, messages.GOODBYE_RESPONSE, may_drop=False)

    def _on_heartbeat(self, frame):
        self.connection.reply(frame, messages.HEARTBEAT_RESPONSE)
        if isinstance(self._heartbeat, Listening):
            self._heartbeat.heard()

    _handlers = {
        messages.SUBSCRIBE_RESULT: _on_value,
        messages.SUBSCRIBE_ERROR: _on_subscribe_error,
        messages.EVENT: _on_event,
        messages.GOODBYE: _on_goodbye,
        messages.HEARTBEAT: _on_heartbeat,
    }
