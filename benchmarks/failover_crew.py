"""The processes of one scenario of ``failover``: a leader and its followers, round by round.

A round lets all call, ends the leader as the scenario says, and waits until every survivor had an
answer, and a value of its subscription, of the next leader.  Between rounds nobody calls.
"""

from __future__ import absolute_import, division, print_function

import collections
import os
import random
import time

from benchmarks.journal import Journal
from benchmarks.members import Job, Member, all_do, end_all, until
from benchmarks.workers import unused_port
from clusterclient_sync._compat import monotonic

KEY = "key"
#: How long all call before the leader ends: a random time of this range, in seconds.
LOADED_SECONDS = (0.1, 0.3)

KILL, RESIGN, CLOSE = "kill", "resign", "close"
#: ``how`` the leader ends; ``start_seconds`` that a real client needs; ``gone``: ``None`` where the
#: followers compete, else roles are forced, and the next leader comes after so long (from, to).
Scenario = collections.namedtuple("Scenario", "name about how start_seconds gone")


class Crew(object):
    """See the module.

    :param program: of the members, see :class:`members.Member`.
    """

    def __init__(self, scenario, options, folder, name, program=None):
        self._scenario = scenario
        self._program = program
        path = os.path.join(folder, "%s-%s" % (scenario.name, name))
        self._seen = Seen(Journal(path))
        self._job = Job(
            port=unused_port(), is_leader=None, greenlets=options.greenlets, methods=["whoami"],
            pause=0, keys=[KEY], timeout=options.timeout,
            source={"journal": path, "start_seconds": scenario.start_seconds})
        self._members = []
        try:
            self._start(leads=True).do("join")
            all_do([self._start(leads=False) for _ in range(options.followers)], "join")
        except Exception:
            self.end()
            raise

    def _start(self, leads):
        role = leads if self._scenario.gone else None
        member = Member(self._job._replace(is_leader=role), self._program)
        self._members.append(member)
        return member

    def end(self):
        """End all processes."""
        end_all(self._members)
        self._seen.close()

    def round(self):
        """One round.

        :return: a dict: ``answer``, ``value`` (seconds from the end of the leader, or from the next
            one's listening where roles are forced) and ``gap`` (seconds without an answer) are
            lists, with one number of each survivor; ``failed``: kind of error -> number; ``calls``.
        """
        self._seen.read()
        old, pid = self._seen.leader
        leader, = [member for member in self._members if member.pid == pid]
        survivors = [member for member in self._members if member is not leader]
        successor = self._start(leads=True) if self._scenario.gone else None
        if successor is not None:
            successor.finish()
        self._seen.begin_round(old)
        all_do([leader] + survivors, "go")
        time.sleep(random.uniform(*LOADED_SECONDS))
        begun = self._end_leader(leader, successor)
        self._wait_for(survivors)
        all_do(survivors, "halt")
        if self._scenario.how == RESIGN:
            leader.do("halt")
        elif successor is None:
            self._start(leads=False).do("join")
        return self._figures(survivors, begun)

    def _end_leader(self, leader, successor):
        """End it; returns when it began to end."""
        if self._scenario.how != KILL:
            begun = monotonic()
            leader.do(self._scenario.how)
        else:
            begun, _ = leader.kill()
        if successor is not None:
            time.sleep(random.uniform(*self._scenario.gone))
            successor.do("join")
        if self._scenario.how != RESIGN:
            leader.end()
            self._members.remove(leader)
        return begun

    def _wait_for(self, survivors):
        def have_all():
            self._seen.read()
            return all(member.pid in self._seen.answers and member.pid in self._seen.values
                       for member in survivors)

        until(have_all, "every survivor has an answer and a value of the next leader")

    def _figures(self, survivors, begun):
        seen = self._seen
        seen.read()
        # What the next leader itself needs to start is not ours.
        since = seen.made if self._scenario.gone else begun + self._scenario.start_seconds
        pids = [member.pid for member in survivors]
        return {"answer": [seen.answers[pid]["time"] - since for pid in pids],
                "value": [seen.values[pid]["time"] - since for pid in pids],
                "gap": [seen.answers[pid]["gap"] for pid in pids],
                "failed": dict(seen.failed), "calls": seen.count_calls()}


class Seen(object):
    """What the journal tells of one round."""

    def __init__(self, journal):
        self._journal = journal
        self._calls = {}
        self._calls_before = 0
        self.leader = None  # (real client, pid) that was made last
        self.begin_round(None)

    def begin_round(self, old):
        """A round begins, in which this real client ends."""
        self._old = old
        self._calls_before = sum(self._calls.values())
        self.made = None  # when the next leader's real client was
        self.answers = {}  # pid -> its first line of the next leader
        self.values = {}
        self.failed = collections.Counter()

    def read(self):
        """Take what is new."""
        for line in self._journal.news():
            what, pid = line["what"], line["pid"]
            if what == "made":
                self.leader = line["leader"], pid
                self.made = line["time"]
            elif what in ("first_answer", "first_value") and line["leader"] != self._old:
                (self.answers if what == "first_answer" else self.values).setdefault(pid, line)
            elif what == "failed":
                self.failed[", ".join(filter(None, [line["error"], line["outcome"]]))] += (
                    line["count"])
            elif what == "calls":
                self._calls[pid] = sum(line["calls"].values())

    def count_calls(self):
        """How many were answered in this round."""
        return sum(self._calls.values()) - self._calls_before

    def close(self):
        self._journal.close()
