"""The parent's side of members: starts them, tells them what to do, sees who leads."""

from __future__ import absolute_import, division, print_function

import collections
import json
import signal
import sys
import time

from benchmarks.workers import ANSWER_TIMEOUT, START_TIMEOUT, Child, WorkerFailed
from clusterclient_sync._compat import monotonic

POLL_SECONDS = 0.002

#: What a member is told, see ``member.py``.
Job = collections.namedtuple(
    "Job", "port is_leader greenlets methods pause keys timeout source")


class Member(Child):
    """One process that leads or follows.

    :param job: a :class:`Job`.
    :param program: the command before the job, and its environment; Python's by default.
    """

    def __init__(self, job, program=None):
        command, env = program or ([sys.executable, "-m", "benchmarks.member"], None)
        self._outstanding = ["up"]  # what it has not said yet
        super(Member, self).__init__(
            command + [json.dumps(dict(job._asdict()))], "a member", env)

    def begin(self, command):
        """Have it do something; returns at once."""
        self.send(command)
        self._outstanding.append(command)

    def finish(self, timeout=START_TIMEOUT):
        """Wait until it has done all that it was told; returns the last value."""
        value = None
        while self._outstanding:
            value = self._take(timeout)
        return value

    def _take(self, timeout):
        value = self.receive(timeout).get("value")
        self._outstanding.pop(0)
        return value

    def do(self, command, timeout=START_TIMEOUT):
        """Have it do something, and wait for the value."""
        self.begin(command)
        return self.finish(timeout)

    def is_idle(self):
        """Whether it has done all that it was told."""
        while self._outstanding and self.has_said():
            self._take(START_TIMEOUT)
        return not self._outstanding

    def kill(self):
        """Kill it: ``(just before, when it was gone)``."""
        before = monotonic()
        super(Member, self).kill()
        return before, monotonic()

    def terminate(self):
        """Tell it to leave and end, and wait: its status."""
        self.signal(signal.SIGTERM)
        status = self.wait(ANSWER_TIMEOUT)
        if status is None:
            raise WorkerFailed("a member did not end by itself")
        return status


def all_do(members, command):
    """Have all do something at once, and wait for them."""
    for member in members:
        member.begin(command)
    for member in members:
        member.finish()


def end_all(members):
    """End them whatever they do: each is killed, stopped or not."""
    for member in members:
        member.kill()
        member.end()


def until(condition, what, timeout=START_TIMEOUT):
    """Look until ``condition()`` is true; returns what it gave."""
    deadline = monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if monotonic() > deadline:
            raise WorkerFailed("not within %g s: %s" % (timeout, what))
        time.sleep(POLL_SECONDS)
