"""Who leads: the background greenlet of a cluster client.

The supervisor is one greenlet per client.  It serves one term after another (see ``terms``): it
claims the port and leads, or finds a leader and follows, and begins again when that ended, until
the client is closed.  Everything that others want of it (close, resign, leave the port) is a flag
and a wake-up.
"""

from __future__ import absolute_import, division, print_function

import os
import socket

import gevent
from gevent.event import Event

from ._compat import monotonic
from .election import port_holder
from .election.ports import NotNow, PortElection
from .exceptions import NOT_SENT, LeaderUnavailableError, PortOccupiedError
from .greenlets.backoff import Backoff
from .roles.leader import Leader, refuse
from .transport.server import Limits
from .terms.following import FollowingTerm
from .terms.leading import LeadingTerm
from .terms.sharing import SharingTerm


#: A leader that comes back within this (seconds) is found at once by forced followers.
_EAGER_TIME = 1.0
#: How long (seconds) a reluctant client leaves a port that has become free to others.
_STAND_BACK_TIME = 0.2


class Supervisor(object):
    """See the module; what the terms may use is public."""

    def __init__(self, core):
        options = core.options
        self.core = core
        self.options = options
        self.election = PortElection(
            options.host, options.port,
            Limits(options.max_frame_size, options.handshake_timeout, options.max_connections),
            refuse)
        # Who may not lead has only its own tries to find the next leader by.
        self.backoff = Backoff(cap=options.max_retry_interval,
                               eager_time=_EAGER_TIME if options.is_leader is False else 0.0)
        self.is_forced = options.is_leader
        self.is_closing = False
        #: whether others are to lead where there are any, see :meth:`stand_back`
        self.is_reluctant = False
        #: whether the whole process steps down from the port, for another of its clients
        self.must_leave = False
        #: what the following terms know of each other
        self.following = FollowingTerm.Memory()
        self._is_last_term = False
        self._resigning = None  # an Event for who waits in resign()
        self._greenlet = None
        self._wake = Event()
        self._pid = os.getpid()

    def start(self):
        """Start the greenlet."""
        self._greenlet = gevent.Greenlet(self._run)
        self._greenlet.name = "supervisor of %s" % self.core.plan.name
        self._greenlet.start()

    # What others want -----------------------------------------------------------------------

    @property
    def is_started(self):
        """Whether there is a greenlet."""
        return self._greenlet is not None

    def close(self, role):
        """End: leave the role, then finish the core.  Returns at once."""
        self.is_closing = True
        if not self.is_started:
            self.start()  # which ends at once
        if role is not None:
            role.fail_callers()
        self.wake()

    def resign(self):
        """Step down; returns when the port is free."""
        self._begin_resigning().wait()

    def stand_back(self):
        """Step down, and claim the port only when nobody else has for a while; returns at once."""
        self.is_reluctant = True
        if self.core.role is None or self.core.role.is_leader:
            self._begin_resigning()

    def leave_for_good(self, timeout):
        """Step down, and do nothing more; returns when the port is free, or after the timeout."""
        self._is_last_term = True
        self._begin_resigning().wait(timeout)

    def _begin_resigning(self):
        if self._resigning is None:
            self._resigning = Event()
            self.wake()
        return self._resigning

    def leave(self):
        """Step down, since the process does."""
        self.must_leave = True
        self.wake()

    def abandon(self):
        """In a forked child: end without touching anything, see :meth:`sleep`."""
        self.is_closing = True
        self.wake()

    def wake(self):
        """Have the greenlet look at what has changed."""
        self._wake.set()

    def unavailable(self, kind, text):
        """An error of this class that names the holder of the port, where the system tells."""
        address = self.election.address
        holder = self.election.holder
        if holder.pid is None:
            named = "no process is known to listen at %s" % address
        else:
            named = "%s is held by %s" % (address, port_holder.describe(holder))
        return kind("%s (%s)" % (text, named), outcome=NOT_SENT, address=address,
                    holder_pid=holder.pid, holder_command=holder.command)

    # The loop -------------------------------------------------------------------------------

    def _run(self):
        try:
            while not self.is_closing:
                try:
                    self._serve_a_term()
                except Exception:
                    self.options.logger.exception("The supervisor of %s stumbled; it goes on",
                                   self.core.plan.name)
                    self.pause(self.backoff.pause())
        finally:
            if not self.is_foreign:
                self._end_resigning()
                self.core.finish()

    def _serve_a_term(self):
        if self.options.single_mode:
            SharingTerm(self).serve()
            return
        self._end_resigning()
        while self._is_last_term and not self.is_closing:
            self.sleep(None)
        if self.is_closing:
            return
        self.must_leave = False
        if self.is_forced is not False:
            leader = self._new_leader()
            try:
                seat = self.election.claim(self.core.plan.name, leader, self.leave)
            except NotNow:
                pass
            except socket.error as error:
                self.core.admission.join_error = LeaderUnavailableError(
                    "%s cannot be listened on (%s)" % (self.election.address, error),
                    address=self.election.address)
            else:
                if seat is not None:
                    LeadingTerm(self, leader, seat).serve()
                    return
                if self.is_forced:
                    self._stay_refused()
                    return
        if self.is_forced:
            self.pause_before_next_try()
        else:
            FollowingTerm(self).serve()

    def _new_leader(self):
        core = self.core
        return Leader(core.plan, self.options, core.negotiator, core.pool, core.deadlines,
                      core.epoch_seen, core.node_speech, core.on_event, core.emit_error)

    def _stay_refused(self):
        """A forced leader whose port another holds: nothing will change until it is closed."""
        self.election.look_up_holder()
        self.core.admission.refused(self.unavailable(
            PortOccupiedError, "this client must lead, and another process does"))
        while not self.is_closing:
            self.sleep(None)

    def _end_resigning(self):
        if self._resigning is not None:
            self._resigning.set()
            self._resigning = None

    # For the terms --------------------------------------------------------------------------

    @property
    def is_resigning(self):
        """Whether somebody waits in ``resign``."""
        return self._resigning is not None

    @property
    def must_go(self):
        """Whether a leader is to end its term."""
        return self.is_closing or self.must_leave or self.is_resigning

    @property
    def is_foreign(self):
        """Whether this greenlet is a copy in a forked child."""
        return os.getpid() != self._pid

    def sleep(self, timeout):
        """Wait for a wake-up, or for so many seconds (``None``: for ever).

        In a forked child it does not return: what this greenlet holds is the parent's.
        """
        self._wake.wait(timeout)
        self._wake.clear()
        if self.is_foreign:
            raise gevent.GreenletExit

    def sleep_until(self, condition, seconds):
        """Wait until ``condition()``, at most so many seconds, or until the client is closed."""
        until = monotonic() + seconds
        while not self.is_closing and not condition() and monotonic() < until:
            self.sleep(until - monotonic())

    def pause(self, seconds):
        """Wait so long, unless the term is to end meanwhile."""
        self.sleep_until(lambda: self.must_go, seconds)

    def pause_before_next_try(self):
        """The pause that is due between tries to find a leader."""
        cooldown = self.election.seconds_until_claim()
        pause = self.backoff.pause()
        # Others may claim it at any moment of the cooldown.
        self.pause(min(pause, cooldown, Backoff.EAGER_PAUSE) if cooldown else pause)

    def note_leader_gone(self):
        """A leader that was followed is gone: who stands back gives others the first go."""
        if self.is_reluctant:
            self.election.leave_to_others(_STAND_BACK_TIME)

    def wait_for_start(self, greenlet):
        """Wait for the end of the greenlet that makes the real client, or until that is no use."""
        greenlet.rawlink(lambda _: self.wake())
        while not greenlet.dead and not self.must_go:
            self.sleep(None)
