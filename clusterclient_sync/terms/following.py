"""A term as a follower: find the leader, register, forward, until the connection goes.

Nothing is tried in a hurry twice: the first try after a loss is immediate, later ones back off, and
a leader that is silent keeps the one connection that was made to it.
"""

from __future__ import absolute_import, division, print_function

import os

from .. import states
from .._compat import monotonic
from ..exceptions import (
    ChannelNotFoundError, LeaderUnavailableError, PortOccupiedError, ProtocolError)
from ..greenlets.backoff import Backoff
from ..roles.follower import Follower, Registered

#: A leader that drops this client sooner than this (seconds) is not asked again at once.
_SHORT_TERM = 0.5
#: So many connections closed without an answer are not a leader that happens to go.
_CLOSED_BY_STRANGER = 3
#: A registration is sent again after so many seconds without an answer, and then less often.
_FIRST_SILENCE = 0.1
#: After so many seconds without an answer it is worth knowing who holds the port.
_LONG_SILENCE = 1.0


class _Memory(object):
    """What one term leaves for the next."""

    def __init__(self):
        self.closed_unanswered = 0
        self.dropped_by = None  # (pid, epoch) of the leader that dropped this client at once


class FollowingTerm(object):
    """See the module; what its :class:`~clusterclient_sync.roles.follower.Follower` tells comes
    here.
    """

    Memory = _Memory

    def __init__(self, supervisor):
        self._supervisor = supervisor
        self._core = supervisor.core
        self._options = supervisor.options
        self._memory = supervisor.following
        self._answer = None  # to a registration
        self._lost = None  # the connection's error
        self._is_ending = False  # it went, or the leader said goodbye

    def serve(self):
        """Follow whoever leads; returns at once (after a pause) where nobody can be found."""
        core = self._core
        try:
            sock = self._supervisor.election.locate(self._options.connect_timeout)
        except LeaderUnavailableError as error:
            core.admission.join_error = error
            self._supervisor.pause_before_next_try()
            return
        role = Follower(sock, core.plan, self._options, core.negotiator, core.subscriptions, self,
                        core.deadlines, core.hub)
        try:
            if self._register(role):
                self._stay(role)
            elif self._lost is not None and not self._supervisor.is_closing:
                self._note_unregistered()
        finally:
            role.end()

    # Registration ---------------------------------------------------------------------------

    def _register(self, role):
        """Whether the leader took this follower; not where the connection went, the client did, or
        the channel is to be led here.
        """
        core, supervisor = self._core, self._supervisor
        since = monotonic()
        failed_attempt = 0
        is_holder_known = False
        retries = Backoff(cap=self._options.max_retry_interval)
        silence = Backoff(first=_FIRST_SILENCE, cap=self._options.max_retry_interval)
        role.register(core.epoch_seen)
        while True:
            supervisor.sleep_until(lambda: self._answer or self._lost, silence.pause())
            answer, self._answer = self._answer, None
            if isinstance(answer, Registered):
                return not supervisor.is_closing
            if self._lost is not None or supervisor.is_closing:
                return False
            if answer is not None:
                failed_attempt = self._note_refusal(answer)
                if self._is_ours_to_lead(answer):
                    supervisor.pause_before_next_try()
                    return False
                if not failed_attempt:
                    supervisor.sleep_until(lambda: self._lost, retries.pause())
            else:
                # Its real client takes long to start, it is stuck, or it is a Node leader, which is
                # silent about a channel that it lacks.
                core.admission.join_error = LeaderUnavailableError(
                    "what listens at %s has not answered the registration for %.1f s"
                    % (supervisor.election.address, monotonic() - since),
                    address=supervisor.election.address)
                if not is_holder_known and monotonic() - since > _LONG_SILENCE:
                    # Beside: the answer may come at any moment, and the look takes its time.
                    core.pool.run(supervisor.election.look_up_holder)
                    is_holder_known = True
            role.register(core.epoch_seen, failed_attempt)

    def _note_refusal(self, answer):
        """The number of the failed start whose successor is worth waiting for; 0 for none."""
        if isinstance(answer.error, ChannelNotFoundError):
            self._core.admission.join_error = answer.error
            return 0
        self._core.admission.start_failed(answer.error)
        return answer.failed_attempt or 0

    def _is_ours_to_lead(self, answer):
        """Whether this very process won the port meanwhile, for another channel: then it leads
        this one as well.
        """
        return (isinstance(answer.error, ChannelNotFoundError)
                and answer.error.owner_pid == os.getpid()
                and self._supervisor.is_forced is not False)

    def _note_unregistered(self):
        """The connection went before the leader took this follower."""
        address = self._supervisor.election.address
        self._memory.closed_unanswered += 1
        if isinstance(self._lost, ProtocolError):
            self._core.admission.join_error = PortOccupiedError(
                "what listens at %s is not a cluster client: %s" % (address, self._lost),
                address=address)
            self._core.pool.run(self._supervisor.election.look_up_holder)
        elif self._memory.closed_unanswered >= _CLOSED_BY_STRANGER:
            self._core.admission.join_error = PortOccupiedError(
                "what listens at %s closes our connections without an answer" % address,
                address=address)
            self._core.pool.run(self._supervisor.election.look_up_holder)
        self._core.transition(states.LOST)
        self._supervisor.pause_before_next_try()

    # The term -------------------------------------------------------------------------------

    def _stay(self, role):
        core, supervisor = self._core, self._supervisor
        since = monotonic()
        if not role.peer.is_python:
            core.node_speech.heard(role.peer.transcode)
        leader = (role.leader_pid, role.epoch)
        is_flapping = leader == self._memory.dropped_by
        self._memory.closed_unanswered = 0
        supervisor.election.note_another_leads()
        if not is_flapping:
            supervisor.backoff.reset()
        if not self._is_ending:
            core.enter(role, states.REGISTERED)
            if self._is_ending:  # meanwhile
                core.hold()
        while self._lost is None and not supervisor.is_closing:
            supervisor.sleep(None)
        if self._lost is None:
            # What was sent before the close is on its way before the connection ends.
            role.connection.wait_until_sent(monotonic() + self._options.drain_timeout)
            role.end()
        else:
            self._options.logger.info("%s: the leader (pid %s) is gone: %s",
                      core.plan.name, role.leader_pid, self._lost)
            supervisor.note_leader_gone()
        core.leave(role)
        core.transition(states.LOST)
        is_short = monotonic() - since < _SHORT_TERM
        self._memory.dropped_by = leader if is_short else None
        if is_short and is_flapping:
            supervisor.pause_before_next_try()

    # What the role tells --------------------------------------------------------------------

    def on_registration(self, answer):
        """The leader answered; in the hub."""
        self._answer = answer
        self._supervisor.wake()

    def on_lost(self, role, error):
        """The connection went; in the hub or wherever it was closed."""
        self._lost = error
        self._is_ending = True
        if self._core.role is role:
            self._core.hold()
        self._supervisor.wake()

    def on_goodbye(self, role):
        """The leader is leaving: new calls wait for the next one; in the hub."""
        self._is_ending = True
        if self._core.role is role:
            self._core.hold()

    def on_remote_event(self, name, args):
        """The real client emitted an event at the leader; in a worker, between the events."""
        self._core.tell(name, args)

    def in_order(self, job):
        """Run a job between the client's events."""
        self._core.in_order(job)
