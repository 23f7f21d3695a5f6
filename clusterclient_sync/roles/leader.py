"""A process that leads a channel: it holds the real client and serves the followers.

A :class:`Leader` is made when a seat was won and lives until the seat is given up.  Stages:

*starting*
    the real client is being made; registrations wait.  Where a start fails, Python followers are
    told so, and those that know of the failure wait for the next one.
*serving*
    registrations are answered at once.
*parting*
    goodbye was said: Python followers make no more calls and keep their connections; what is in
    hand is finished; new registrations wait for the closed connection that is to come.
*over*
    the real client is closed, and the connections are.
"""

from __future__ import absolute_import, division, print_function

import os

from ..exceptions import TranscodeError
from ..greenlets.waits import Wait, wait_until
from ..method_spec import PUBLISH
from ..protocol import frames, keys, messages, negotiation, transcodes
from ..protocol.negotiation import LEADER_BEATS, QUIET_PUSH
from ..transport.heartbeat import Beats, SilenceWatch
from . import event_arguments
from .host import Host
from .invocation import dump
from .session import FollowerSession
from .upstream import UpstreamTable

STARTING = "starting"
SERVING = "serving"
PARTING = "parting"
OVER = "over"

#: per follower, on the average: peers repeat a registration while it has no answer
_MAX_UNANSWERED = 64
#: fingerprints of others that are warned of
_MAX_STRANGERS = 100
_MAX_SAFE_INTEGER = 2 ** 53 - 1


class Leader(object):
    """See the module; the handler of its channel (see ``transport.server``).

    :param epoch_seen: the highest epoch that this process has seen, or ``None``.
    :param node_speech: what this process knows of Node peers, see ``node_speech``.
    :param on_event: called as ``on_event(name, args)``, in a worker, for the real client's events.
    :param on_error: called as ``on_error(exception)`` for what goes wrong without a caller.
    """

    def __init__(self, plan, options, negotiator, pool, deadlines, epoch_seen, node_speech,
                 on_event, on_error):
        self.plan = plan
        self.options = options
        self.pool = pool
        self.negotiator = negotiator
        self.format_key = options.format_key or keys.format_key
        self.node_speech = node_speech
        self.epoch = None
        self.host = None
        self.upstreams = None
        self.stage = STARTING
        #: whether its connections and its port were cut while the loop was blocked
        self.is_cut_off = False
        #: what headers of requests to followers say
        self.timeout_ms = frames.milliseconds(options.response_timeout)
        #: what this side cannot do for followers, as its options are
        self._lacking = frozenset(
            ([] if options.is_broadcast else [QUIET_PUSH])
            + ([] if options.check_heartbeat else [LEADER_BEATS]))
        #: what calls of the wire name as their method when they publish
        self.publishing = frozenset(
            spec.remote_name for spec in plan.specs.values() if spec.target == PUBLISH)
        self._deadlines = deadlines
        self._epoch_seen = epoch_seen or 0
        self._on_event = on_event
        self._on_error = on_error
        self._sessions = {}  # connection -> FollowerSession
        self._unanswered = []  # (session, frame) of registrations
        self._last_id = 0
        self._failures = 0
        self._last_failure = None  # dumped
        self._drained = None
        self._strangers = set()  # fingerprints that were warned of
        self._watch = None

    # Its life -----------------------------------------------------------------------------

    def take_seat(self, seat):
        """The seat was won: this leadership has an epoch from now on."""
        self.epoch = max(self._epoch_seen + 1, int(seat.listening_since * 1e6))
        if self.options.check_heartbeat:
            beats = Beats(self.pool.loop, self._beaten, self._beat)
            self._watch = SilenceWatch(
                self.pool.loop, lambda: list(self._sessions), self.options.heartbeat_interval,
                on_tick=beats.tick, beat=self._beat)

    def _beaten(self):
        """The connections on which this side sends the heartbeats."""
        return [connection for connection, session in self._sessions.items()
                if LEADER_BEATS in session.peer.can]

    def _beat(self, connection):
        # Its id is of the one sequence of what this side asks of followers: answers are told apart.
        connection.send(frames.encode(
            frames.REQUEST, self.next_id(), self.timeout_ms, messages.HEARTBEAT_REQUEST))

    def start(self, wait):
        """Make the real client, see :meth:`Host.start`; answer the registrations that wait.

        May be called again after it raised.
        """
        self.host = Host(self.plan, self.options, self.pool, self._deadlines, self._event)
        self.upstreams = UpstreamTable(
            self.host, self.negotiator.own, lambda: self.epoch, self._on_error)
        try:
            self.host.start(wait)
        except Exception as error:
            self._failures += 1
            self._last_failure = dump(error, transcodes.JSON)
            self._answer_waiting()
            raise
        self.stage = SERVING
        self._answer_waiting()

    def part(self, when):
        """Say goodbye and wait until nothing is in hand, at most until ``when``."""
        self.stage = PARTING
        self._drained = Wait()
        self.host.on_work_done = self.check_drained
        for session in list(self._sessions.values()):
            session.say_goodbye()
        self.check_drained()
        if not wait_until(self._drained, self._deadlines, when, self.pool.hub):
            self.options.logger.warning("%s: not all calls ended within the drain_timeout of %s s",
                         self.plan.name, self.options.drain_timeout)
        for connection in list(self._sessions):
            connection.wait_until_sent(when)

    def check_drained(self):
        """Whether the last thing in hand has ended."""
        if (self._drained is not None and not self.host.local_in_work
                and all(session.is_drained for session in self._sessions.values())):
            self._drained.resolve()

    def close_real_client(self):
        """Close the real client; nothing is served from then on."""
        self.stage = OVER
        if self.host is not None:
            self.host.close()

    def cut_off(self):
        """Serve nothing any more; from any thread, while the loop is blocked."""
        self.is_cut_off = True
        if self.host is not None:
            self.host.cut_off()

    def close_connections(self):
        """End all followers' connections: their sign to compete."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        self._unanswered = []
        for connection in list(self._sessions):
            connection.close()

    @property
    def is_serving(self):
        """Whether followers have no reason of this side to go."""
        return self.stage == SERVING

    @property
    def has_followers_elsewhere(self):
        """Whether another process follows, and no client of this one that could lead instead."""
        own = os.getpid()
        peers = [session.peer for session in self._sessions.values()]
        return (any(peer.pid != own for peer in peers)
                and not any(peer.pid == own and peer.may_lead for peer in peers))

    # Registrations --------------------------------------------------------------------------

    def on_register(self, connection, frame):
        """A follower registers, maybe not for the first time on its connection."""
        session = self._sessions.get(connection)
        if session is None:
            peer = self.negotiator.meet_follower(frame.head)
            peer.can = negotiation.abilities(peer.can - self._lacking)
            if not peer.is_python and self.node_speech.is_certain:
                peer.transcode = self.node_speech.guess()
            session = self._sessions[connection] = FollowerSession(self, connection, peer)
            connection.handler = session
            # Who comes while the leader leaves gets no answer, and so makes no calls to wait for.
            session.has_parted = self.stage in (PARTING, OVER)
            self._look_at(peer)
        elif session.peer.is_python:
            session.peer.failed_attempt = self.negotiator.meet_follower(frame.head).failed_attempt
        if self.stage == SERVING:
            self._answer(session, frame)
        elif (self.stage == STARTING and session.peer.is_python
                and self._failures > session.peer.failed_attempt):
            self._answer_failure(session, frame)
        elif len(self._unanswered) < _MAX_UNANSWERED * len(self._sessions):
            self._unanswered.append((session, frame))

    def _look_at(self, peer):
        if peer.epoch is not None and self.epoch < peer.epoch <= _MAX_SAFE_INTEGER - 1:
            self.epoch = int(peer.epoch) + 1
        own = self.plan.fingerprint
        theirs = peer.fingerprint
        if (peer.is_python and theirs != own and theirs not in self._strangers
                and len(self._strangers) < _MAX_STRANGERS):
            self._strangers.add(theirs)
            self._on_error(negotiation.stranger(self.plan.name, peer.pid, theirs, own))

    def _answer_waiting(self):
        waiting, self._unanswered = self._unanswered, []
        for session, frame in waiting:
            if session.connection.is_closed:
                continue
            if self.stage == SERVING:
                self._answer(session, frame)
            elif session.peer.is_python:
                self._answer_failure(session, frame)
            else:
                # A refusal is final for a Node follower: it waits until a start succeeds.
                self._unanswered.append((session, frame))

    def _answer(self, session, frame):
        peer = session.peer
        if not peer.is_python:
            # Only an answer that is right in either transcode is safe until its own is known.
            answer = negotiation.AMBIGUOUS_SUCCESS
            if self.node_speech.is_certain:
                answer = peer.transcode.encode({u"success": True})
            session.connection.respond(frame, messages.register_channel_response(), (answer,))
            return
        hello = self.negotiator.leader_hello(peer, self.epoch)
        session.connection.respond(frame, messages.register_channel_response(hello),
                                   (negotiation.encode_plain({"success": True}),))

    def _answer_failure(self, session, frame):
        hello = self.negotiator.leader_hello(
            session.peer, self.epoch, failed_attempt=self._failures)
        answer = {"success": False, "error": self._last_failure}
        session.connection.respond(frame, messages.register_channel_response(hello),
                                   (negotiation.encode_plain(answer),))

    def session_ends(self, session):
        """A follower's connection is gone."""
        self._sessions.pop(session.connection, None)
        if self.upstreams is not None:
            self.pool.run(lambda: self.upstreams.remove_all(session))
        self.check_drained()

    # For its sessions -----------------------------------------------------------------------

    def next_id(self):
        """An id for a request to followers; one sequence, so that pushes can be shared."""
        self._last_id = self._last_id % _MAX_SAFE_INTEGER + 1
        return self._last_id

    def _event(self, name, args):
        """The real client emitted an event: here, and at every Python follower."""
        own = self.negotiator.own
        try:
            wired = event_arguments.to_wire(args)
            encoded = {own.name: own.encode(wired)}
            self._on_event(name, event_arguments.from_wire(own.decode(encoded[own.name])))
        except TranscodeError as error:
            self.options.logger.warning("The event %r cannot be passed on: %s", name, error)
            return
        for session in list(self._sessions.values()) if self.stage == SERVING else ():
            try:
                session.tell_event(name, wired, encoded)
            except TranscodeError as error:  # others may speak a transcode that takes it
                self.options.logger.warning("The event %r cannot be passed on to a follower (%s): "
                                            "%s", name, session, error)


def refuse(own_channels, connection, frame):
    """A registration for a channel that this process does not lead.

    :return: whether it is to be held: so for a Node follower, which takes a refusal for final.
    """
    peer = negotiation.Negotiator(transcodes.JSON, None, None).meet_follower(frame.head)
    if not peer.is_python:
        return True
    answer = {"success": False, "error": {
        "name": "ChannelNotFoundError", "owner_pid": os.getpid(), "channels": own_channels,
        "message": "the channel is not there", "stack": None, "code": None}}
    hello = {"pid": os.getpid(), "revision": negotiation.REVISION}
    connection.respond(frame, messages.register_channel_response(hello),
                       (negotiation.encode_plain(answer),))
    return False
