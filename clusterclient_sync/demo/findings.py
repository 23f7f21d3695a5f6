"""What the demo is to show, what of it was seen, and the facts beside it."""

from __future__ import absolute_import, division, print_function

WORKERS = "four workers answered"
ROLES = "one worker leads and three follow it"
UPSTREAM = "the registry server counted %d connection(s) from the workers"
CALLS = "calls were answered through every worker"
CHANGE = "a published change arrived in every worker"
TAKEOVER = "another worker leads after the leading one was killed"
FOLLOWED = "the others follow the new leader"
GOING_ON = "every surviving worker answered requests after the kill"
NO_ERRORS = "no request failed but those in the killed worker's hands"
REPLACEMENT = "gunicorn's replacement for the killed worker joined"
UPSTREAM_AGAIN = "the registry server counted %d connection(s) again"
CHANGE_AGAIN = "a change that was published after that arrived in every worker"
NOTHING_LEFT = "all processes ended when they were told to"

SHARED_ONLY = (ROLES, TAKEOVER, FOLLOWED)
ALL = (WORKERS, ROLES, UPSTREAM, CALLS, CHANGE, TAKEOVER, FOLLOWED, GOING_ON, REPLACEMENT,
       UPSTREAM_AGAIN, CHANGE_AGAIN, NO_ERRORS, NOTHING_LEFT)


class DemoError(Exception):
    """The demo cannot be run here, or a part of it failed; the text says what."""


class NotSeen(Exception):
    """What a phase waits for did not come in time; the phases after it make no sense."""


class Findings(object):
    """What is expected of a run, and what was seen.

    :param sharing: whether the workers share a client.
    :param workers: how many there are.
    """

    def __init__(self, sharing, workers):
        self.sharing = sharing
        self.connections = 1 if sharing else workers
        self.facts = {"sharing": sharing}
        self._expected = [each for each in ALL if sharing or each not in SHARED_ONLY]
        self._seen = set()
        self._problems = []

    def seen(self, expectation):
        """Note that it was seen."""
        if expectation not in self._expected:
            raise ValueError("nobody expects that %s" % expectation)
        self._seen.add(expectation)

    def problem(self, text):
        """Note what went wrong; the run has failed."""
        self._problems.append(text)

    def describe(self, expectation):
        """Its text, with the number of connections that this run expects."""
        return expectation % self.connections if "%d" in expectation else expectation

    def not_seen(self):
        """A line for each thing that was to be seen and was not, after the problems."""
        return self._problems + ["not seen: " + self.describe(each) for each in self._expected
                                 if each not in self._seen]

    def document(self):
        """All of it, for JSON."""
        return dict(self.facts, seen=[self.describe(each) for each in self._expected
                                      if each in self._seen],
                    not_seen=self.not_seen(), ok=not self.not_seen())
