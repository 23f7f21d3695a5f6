"""Leaders end at random moments under load, and what is lost is counted.

``python -m benchmarks.chaos --rounds 200``: each round kills a leader (SIGKILL) and starts a new
process; between rounds a leader leaves by itself (SIGTERM with ``close``, or ``resign``) or is
stopped for a while (SIGSTOP, SIGCONT).  All members call all the time, and have listeners of values
that change 100 times a second.  The status is 1 where a promise was broken.
"""

from __future__ import absolute_import, division, print_function

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from benchmarks import book, chaos_report
from benchmarks.command_line import describe_machine, machine, positive
from benchmarks.journal import Journal
from benchmarks.members import Job, Member, all_do, end_all, until
from benchmarks.workers import ANSWER_TIMEOUT, START_TIMEOUT, Child, WorkerFailed, unused_port
from clusterclient_sync._compat import monotonic

#: After so many kills a leader ends in another way, each in its turn.
KILLS_BETWEEN = 3
LONGEST_LEADERSHIP = 0.5  # seconds, as far as it is up to us
PAUSE_SECONDS = (0.05, 0.5)
CONVERGE_SECONDS = 10.0


class Chaos(object):
    """One run; the values are told as it goes to ``book``."""

    def __init__(self, options, folder, say):
        self._options = options
        self._say = say
        self._random = random.Random(options.seed)
        self.book = book.Book()
        self.stale = 0
        self.unclean = 0  # processes that were told to end and failed
        path = os.path.join(folder, "journal")
        self._journal = Journal(path)
        self._members = []
        self._keys = ["key%d" % number for number in range(options.keys)]
        self._upstream = Child(
            [sys.executable, "-m", "benchmarks.upstream", str(options.rate)] + self._keys,
            "the upstream")
        self._source = {"journal": path, "start_seconds": 0}

    def run(self):
        """The whole run."""
        self._source["upstream"] = self._upstream.receive(START_TIMEOUT)["port"]
        port = unused_port()
        self._job = Job(
            port=port, is_leader=None, greenlets=self._options.greenlets,
            methods=["whoami", "count"], pause=self._options.pause / 1000.0, keys=self._keys,
            timeout=self._options.timeout, source=self._source)
        for _ in range(self._options.followers + 1):
            self._start_member()
        for member in self._members:
            member.finish()
        others = [self._terminate, self._resign, self._stop_for_a_while]
        for number in range(1, self._options.rounds + 1):
            self._kill()
            if number % KILLS_BETWEEN == 0:
                others[number // KILLS_BETWEEN % len(others)]()
            if number % 20 == 0:
                self._say("%d of %d" % (number, self._options.rounds))
        self._settle()

    def end(self):
        """End all processes."""
        end_all(self._members)
        self._upstream.kill()
        self._upstream.end()
        self._journal.close()

    def _start_member(self):
        member = Member(self._job)
        self._members.append(member)
        member.begin("join")
        member.begin("go")

    # Ends -----------------------------------------------------------------------------------

    def _leader(self):
        """Wait for a leader, and for a random moment of its time."""
        until(lambda: sum(not member.is_idle() for member in self._members) <= 1,
              "those that came in time join")
        until(self._find_leader, "one of them leads")
        time.sleep(self._random.uniform(0, LONGEST_LEADERSHIP))
        return until(self._find_leader, "one of them leads")

    def _find_leader(self):
        self.book.read(self._journal.news())
        leader = self.book.leader()
        found = [member for member in self._members if leader and member.pid == leader[1]]
        return found[0] if found else None

    def _kill(self):
        leader = self._leader()
        before, after = leader.kill()
        self.book.note_end(book.KILL, before, after, leader.pid)
        self._replace(leader)

    def _replace(self, member):
        member.end()
        self._members.remove(member)
        self._start_member()

    def _terminate(self):
        leader = self._leader_that_leaves()
        before = monotonic()
        self.unclean += leader.terminate() != 0
        self.book.note_end(book.TERM, before, monotonic())
        self._replace(leader)

    def _resign(self):
        leader = self._leader_that_leaves()
        leader.finish()
        before = monotonic()
        leader.do("resign")
        self.book.note_end(book.RESIGN, before, monotonic())

    def _leader_that_leaves(self):
        leader = self._leader()
        leader.finish()
        return leader

    def _stop_for_a_while(self):
        leader = self._leader()
        before = monotonic()
        leader.signal(signal.SIGSTOP)
        time.sleep(self._random.uniform(*PAUSE_SECONDS))
        leader.signal(signal.SIGCONT)
        self.book.note_end(book.PAUSE, before, monotonic())

    # The end --------------------------------------------------------------------------------

    def _settle(self):
        """Values and calls stop; every listener must have the last values."""
        for member in self._members:
            member.finish()
        until(self._find_leader, "one of them leads")
        self._upstream.send("stop")
        last = self._upstream.receive(ANSWER_TIMEOUT)
        deadline = monotonic() + CONVERGE_SECONDS
        while True:
            told = [member.do("values") for member in self._members]
            self.stale = sum(values.get(key) != last[key] for values in told for key in last)
            if not self.stale or monotonic() > deadline:
                break
        all_do(self._members, "halt")
        self.book.read(self._journal.news())


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=200, metavar="N",
                        help="leaders to kill (200)")
    parser.add_argument("--followers", type=positive, default=8, metavar="N",
                        help="processes besides the leader (8)")
    parser.add_argument("--greenlets", type=positive, default=16, metavar="N",
                        help="that call in each process (16); half of them what is not idempotent")
    parser.add_argument("--pause", type=float, default=5.0, metavar="MS",
                        help="of a greenlet between two calls, in milliseconds (5)")
    parser.add_argument("--keys", type=positive, default=3, metavar="N",
                        help="subscribed by every process (3)")
    parser.add_argument("--rate", type=float, default=100.0, metavar="N",
                        help="changes of each key a second (100)")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="S",
                        help="of each call in seconds (10)")
    parser.add_argument("--seed", type=int, default=None, metavar="N",
                        help="of the random moments; printed, and another each time by default")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(2 ** 31)
    return options


def run(options, say):
    """Run, end everything, and return what came of it."""
    folder = tempfile.mkdtemp(prefix="clusterclient-chaos-")
    chaos = None
    try:
        chaos = Chaos(options, folder, say)
        chaos.run()
        return chaos_report.summarize(chaos.book, chaos.stale, chaos.unclean)
    finally:
        if chaos is not None:
            chaos.end()
        shutil.rmtree(folder)


def main(arguments):
    options = parse(arguments)

    def say(text):
        sys.stderr.write(text + "\n")

    if not options.json:
        print(describe_machine())
        print("%(followers)d followers x %(greenlets)d greenlets, seed %(seed)d" % vars(options))
        sys.stdout.flush()
    summary = run(options, say)
    if options.json:
        print(json.dumps({"machine": machine(), "settings": vars(options), "result": summary},
                         indent=2, sort_keys=True))
    else:
        print(chaos_report.as_text(summary))
    return 1 if summary["broken"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WorkerFailed as failure:
        sys.exit("benchmarks: %s" % failure)
