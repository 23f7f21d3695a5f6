"""A term as a leader: start the real client, serve, hand over.

Where the loop is blocked for too long, a watchdog's thread cuts the connections and the port, so
that another process can lead; as soon as the loop runs again, the real client is closed.

The order in which it ends is what the others rely on: what is in hand is finished, the real client
is closed, then the listener, then the connections.
"""

from __future__ import absolute_import, division, print_function


from .. import states
from .._compat import monotonic
from ..protocol import transcodes
from ..roles.invocation import dump
from ..roles.local import LocalRole
from ..watchdog import Watchdog

#: How long (seconds) a process that resigned leaves the port to others; and one that steps down
#: since a channel of its was closed, or since it cannot start its real client.
_RESIGN_COOLDOWN = 0.2
_STEP_DOWN_COOLDOWN = 1.0
#: A process that cannot start its real client lets others compete after so many tries.
_MAX_FAILED_STARTS = 3


class LeadingTerm(object):
    """See the module.

    :param leader: the :class:`~clusterclient_sync.roles.leader.Leader` that serves the seat.
    :param seat: won, see ``election.ports``.
    """

    def __init__(self, supervisor, leader, seat):
        self._supervisor = supervisor
        self._core = supervisor.core
        self._options = supervisor.options
        self._leader = leader
        self._seat = seat
        self._role = None

    def serve(self):
        """Lead until the client is closed or is to step down, or cannot start its real client."""
        core, leader = self._core, self._leader
        core.transition(states.WON_PORT)
        watchdog = None
        try:
            leader.take_seat(self._seat)
            watchdog = self._start_watchdog()
            if self._start_real_client():
                self._role = LocalRole(
                    leader.host, leader.upstreams, core.subscriptions, core.deadlines)
                core.enter(self._role, states.STARTED)
                self._supervisor.backoff.reset()
                while not self._supervisor.must_go:
                    self._supervisor.sleep(None)
        finally:
            try:
                if not self._supervisor.is_foreign:
                    self._choose_way_out()
                    self._hand_over()
            finally:
                if watchdog is not None:
                    watchdog.stop()

    # A blocked loop ---------------------------------------------------------------------------

    def _start_watchdog(self):
        limit = self._options.watchdog_timeout
        if limit is None:
            return None
        try:
            return Watchdog(self._core.hub.loop, limit, self._give_up)
        except Exception:  # no descriptor, no thread
            self._options.logger.exception(
                "%s: there is no watchdog over this leader", self._core.plan.name)
            return None

    def _give_up(self, seconds, stack):
        """The loop is blocked: let another process lead.  In the watchdog's thread."""
        self._seat.cut()
        self._core.hub.loop.run_callback_threadsafe(self._find_itself_cut_off, monotonic())
        self._options.logger.error(
            "%s: the loop has been blocked for %.1f s; leadership is given up. It is blocked here:"
            "\n%s", self._core.plan.name, seconds, stack)

    def _find_itself_cut_off(self, since):
        self._options.logger.warning(
            "%s: the loop runs again, %.1f s after leadership was given up; the real client is "
            "closed", self._core.plan.name, monotonic() - since)
        self._seat.step_down(_STEP_DOWN_COOLDOWN)

    # From the start to the end ------------------------------------------------------------------

    def _start_real_client(self):
        """Whether it could be started before this process had to go or had tried often enough."""
        supervisor = self._supervisor
        for _ in range(_MAX_FAILED_STARTS):
            if supervisor.must_go or self._leader.is_cut_off:
                return False
            try:
                self._leader.start(supervisor.wait_for_start)
                return True
            except Exception as error:
                if supervisor.must_go:
                    return False
                self._options.logger.warning("%s: the real client could not be started: %r",
                             self._core.plan.name, error)
                self._core.admission.start_failed(dump(error, transcodes.JSON))
                supervisor.pause(supervisor.backoff.pause())
        return False

    def _choose_way_out(self):
        """Where the whole process is to step down from the port, have it do so."""
        supervisor, seat = self._supervisor, self._seat
        if supervisor.is_closing:
            if not seat.is_only_one and self._leader.has_followers_elsewhere:
                seat.step_down(_STEP_DOWN_COOLDOWN)
        elif supervisor.is_resigning:
            self._insist_no_more()
            seat.step_down(_RESIGN_COOLDOWN)
        elif self._leader.is_cut_off:
            self._insist_no_more()
            seat.step_down(_STEP_DOWN_COOLDOWN)
        elif self._role is None and seat.is_only_one:
            seat.step_down(_STEP_DOWN_COOLDOWN)

    def _insist_no_more(self):
        """Who gave leadership up follows, also where it was made to lead."""
        if self._supervisor.is_forced:
            self._supervisor.is_forced = None

    def _hand_over(self):
        core, leader, role, seat = self._core, self._leader, self._role, self._seat
        if role is not None:
            core.hold()
        if role is not None and not leader.is_cut_off:
            leader.part(monotonic() + self._options.drain_timeout)
        leader.close_real_client()
        if role is not None:
            role.end()
            core.leave(role)
        core.transition(states.LOST)
        seat.vacate(leader.close_connections)
        # Other channels of the process may need as long as this one did.
        seat.wait_until_free(2 * self._options.drain_timeout + 1)
