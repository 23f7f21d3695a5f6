"""Those who wait for a role, and what they are told where none comes.

Calls and ``ready`` wait here while a client is neither leader nor follower.  What went wrong on the
way to a role is kept here, too: the last start's error, and why no leader was found.
"""

from __future__ import absolute_import, division, print_function

from . import states
from ._compat import monotonic
from .exceptions import NOT_SENT, LeaderUnavailableError, PortOccupiedError, set_outcome
from .greenlets.line import WaitingLine
from .protocol import errors


class Admission(object):
    """See the module.

    :param core: whose state it reads, and tells what happened.
    :param unavailable: makes an error that names the holder of the port: ``unavailable(class,
        text)``.
    """

    def __init__(self, core, unavailable):
        #: the error that a call which finds no leader in time tells, where one is known
        self.join_error = None
        self._core = core
        self._options = core.options
        self._make_unavailable = unavailable
        self._line = WaitingLine(core.hub, core.deadlines)
        self._failure = None  # of the last start: an exception dumped
        self._failures = 0
        self._failures_told = 0  # of those: how many ready() has raised

    # What happens ---------------------------------------------------------------------------

    def open(self):
        """There is a role."""
        self._failure = self.join_error = None
        self._line.release_all()

    def close(self):
        """The client is closed."""
        self._line.release_all(lambda: self._core.closed_error(NOT_SENT))

    def start_failed(self, dumped):
        """The real client could not be started, here or at the leader."""
        self._failure = dumped
        self._failures += 1
        self._core.transition(states.START_FAILED)
        self._line.release_all(self._hopeless)

    def refused(self, error):
        """A forced leader cannot lead: for good."""
        self.join_error = error
        self._core.transition(states.REFUSED_PORT)
        self._line.release_all(self._hopeless)

    # Who waits ------------------------------------------------------------------------------

    def wait(self, call):
        """Return when there may be a role; raises where the call cannot wait for one."""
        core = self._core
        core.check_open()
        if core.state in (states.FAILED, states.REFUSED):
            raise self._hopeless()
        call.has_waited = True
        if not self._line.wait(call.deadline):
            raise self._unavailable(
                "%s found no leader within %s s" % (call.describe(), call.timeout))

    def ready(self, timeout=None):
        """Block until there is a role."""
        core = self._core
        limit = self._options.max_wait_time if timeout is None else timeout
        until = monotonic() + limit
        while core.role is None:
            core.check_open()
            known, self._failures_told = self._failures_told, self._failures
            if core.state == states.REFUSED or (
                    core.state == states.FAILED and self._failures > known):
                raise self._hopeless()
            # A failure that was told already is not told again: this waits for the next outcome.
            try:
                in_time = self._line.wait(until)
            finally:
                self._failures_told = self._failures
            if not in_time:
                raise self._unavailable("no leader was found within %s s" % limit)

    def _hopeless(self):
        """Why no call can be made now: a new exception for each that raises it."""
        if self._core.state == states.FAILED:
            return set_outcome(errors.load_error(self._failure), NOT_SENT)
        error = self.join_error
        return error.__class__(error.message, **dict(error.details(), outcome=NOT_SENT))

    def _unavailable(self, text):
        """The error for who waited for a leader in vain."""
        known = self.join_error
        if known is not None and not isinstance(known, LeaderUnavailableError):
            return known.__class__("%s: %s" % (text, known),
                                   **dict(known.details(), outcome=NOT_SENT))
        return self._make_unavailable(
            PortOccupiedError if isinstance(known, PortOccupiedError) else LeaderUnavailableError,
            text if known is None else "%s: %s" % (text, known))
