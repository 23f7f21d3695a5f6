"""What the demo does, phase by phase, between the start and the end of its processes.

Every phase waits for what it is to show, with a deadline, and notes it in the findings.
"""

from __future__ import absolute_import, division, print_function

import os
import signal

import gevent

from clusterclient_sync._compat import monotonic
from clusterclient_sync.demo import findings as f
from clusterclient_sync.demo import load as fates
from clusterclient_sync.demo.http_request import ConnectionLost, request

KEY = "greeting"
FIRST_VALUE = "hello"
WORKERS = 4
STEP = 0.01
BOOT_TIMEOUT = 9.0
PHASE_TIMEOUT = 5.0


class Scenario(object):
    """One run.

    :param findings: takes what was seen.
    :param upstream: the running :class:`~.upstream.Upstream`.
    :param workers: the :class:`~.workers.Workers`, not yet watching.
    :param make_load: called with ``(key, values)``, makes the :class:`~.load.Load`.
    :param address: gunicorn's.
    :param check: called while waiting; raises when it is no use any more.
    :param say: shows a line of text.
    """

    def __init__(self, findings, upstream, workers, make_load, address, check, say):
        self._findings = findings
        self._facts = findings.facts
        self._sharing = findings.sharing
        self._upstream = upstream
        self._workers = workers
        self._values = [FIRST_VALUE]
        self.load = make_load(KEY, self._values)
        self._address = address
        self._check = check
        self._say = say

    def run(self):
        """All phases, in order; raises ``NotSeen`` at the first that fails."""
        try:
            self._run_phases()
        finally:
            self.load.stop()
            self._sum_up_requests()
        if not self._findings.facts["requests"]["examples"]:
            self._findings.seen(f.NO_ERRORS)

    def _run_phases(self):
        self._see_workers()
        self.load.start()
        self._wait(f.CALLS, self._all_answered)
        self._facts["calls_per_second"] = self._measure(3.0)
        self._facts["calls_by_worker"] = dict(self.load.by_pid)
        self._facts["change"] = self._publish("the second greeting", f.CHANGE)
        killed, killed_at, survivors = self._kill()
        if self._sharing:
            self._see_takeover(killed, killed_at, survivors)
        self._see_survivors_answer(killed_at, survivors)
        self._see_replacement(survivors)
        self._count_upstream(f.UPSTREAM_AGAIN, "upstream_connections_after")
        self._facts["calls_per_second_after"] = self._measure(2.0)
        self._facts["change_after"] = self._publish("the third greeting", f.CHANGE_AGAIN)
        self._sum_up_kill(killed_at)

    # Phases

    def _see_workers(self):
        self._wait(f.WORKERS, lambda: len(self._workers.alive()) == WORKERS, BOOT_TIMEOUT)
        if self._sharing:
            self._wait(f.ROLES, lambda: self._roles_are_right(WORKERS))
            leader = self._workers.leaders()[0]
            self._facts["leader"] = leader.pid
            self._say("worker %d leads, the other %d follow" % (leader.pid, WORKERS - 1))
        self._facts["workers"] = [worker.pid for worker in self._workers.alive()]
        self._count_upstream(f.UPSTREAM, "upstream_connections")

    def _count_upstream(self, expectation, fact):
        try:
            self._wait(expectation, self._upstream_is_right)
        finally:
            self._facts[fact] = self._upstream.connections
            self._facts[fact + "_of"] = list(self._upstream.clients)
        self._say("the registry server counts %d connection(s): %s" % (
            self._upstream.connections, ", ".join(self._upstream.clients)))

    def _measure(self, seconds):
        """Requests per second; all the while the number of connections has to be right."""
        self._upstream.measure_anew()
        counted, started = self.load.counts[fates.OK], monotonic()
        gevent.sleep(seconds)  # a measurement lasts a time; nothing is waited for
        rate = (self.load.counts[fates.OK] - counted) / (monotonic() - started)
        extremes = self._upstream.extremes()
        if extremes != (self._findings.connections,) * 2:
            self._findings.problem("while requests went on, the fewest and the most upstream "
                                   "connections were %s" % (extremes,))
        self._say("%d requests per second were answered (the demo sends at most %d), each with one "
                  "call of the client" % (round(rate), fates.MOST_PER_SECOND))
        return round(rate, 1)

    def _publish(self, value, expectation):
        self._values.append(value)
        published_at = monotonic()
        try:
            response = request(self._address, "/publish", {"key": KEY, "value": value})
        except ConnectionLost as error:
            raise f.NotSeen("a change could not be published: %s" % error)
        if response.status != 200:
            raise f.NotSeen("a change could not be published: %s" % (response.body,))
        publisher = response.body["pid"]
        self._wait(expectation, lambda: self._all_saw(value))
        arrived = {worker.pid: round((worker.saw(value) - published_at) * 1000, 2)
                   for worker in self._workers.alive()}
        self._say("a change published through worker %d arrived in all: %s" % (
            publisher, ", ".join("%d after %.1f ms" % each for each in sorted(arrived.items()))))
        return {"value": value, "publisher": publisher, "arrived_after_ms": arrived}

    def _kill(self):
        victim = (self._workers.leaders() or self._workers.alive())[0].pid
        killed_at = self.load.kill_now(lambda: os.kill(victim, signal.SIGKILL))
        self._workers.killed(victim)
        self._facts["killed"] = victim
        self._say("worker %d%s was killed with SIGKILL; the requests go on" % (
            victim, ", the leader," if self._sharing else ""))
        return victim, killed_at, {worker.pid for worker in self._workers.alive()}

    def _see_takeover(self, killed, killed_at, survivors):
        def successors():
            return [worker for worker in self._workers.leaders()
                    if worker.became("leader", killed_at) is not None]

        self._wait(f.TAKEOVER, lambda: len(successors()) == 1)
        successor = successors()[0]
        milliseconds = round((successor.became("leader", killed_at) - killed_at) * 1000, 2)
        self._facts["takeover"] = {
            "killed": killed, "successor": successor.pid, "milliseconds": milliseconds,
            "measured": "from just before kill(2) in the demo to the event leader_change in the "
                        "successor, by the monotonic clock that the host's processes share"}
        self._say("worker %d took over %.1f ms after the kill" % (successor.pid, milliseconds))
        self._wait(f.FOLLOWED, lambda: self._all_follow(successor.pid, survivors))

    def _see_survivors_answer(self, killed_at, survivors):
        def answered():
            return survivors <= {result.pid for result in self.load.since(killed_at)
                                 if result.kind == fates.OK and result.started > killed_at}

        self._wait(f.GOING_ON, answered)

    def _see_replacement(self, survivors):
        def newcomers():
            return [worker for worker in self._workers.alive() if worker.pid not in survivors
                    and (worker.is_leader is False or not self._sharing)]

        self._wait(f.REPLACEMENT, lambda: bool(newcomers()) and (
            not self._sharing or self._roles_are_right(WORKERS)))
        newcomer = newcomers()[0]
        self._facts["replacement"] = {"pid": newcomer.pid, "role": newcomer.role}
        self._say("gunicorn started worker %d instead, which is %s" % (
            newcomer.pid, "a follower" if self._sharing else "on its own"))

    def _sum_up_kill(self, killed_at):
        results = self.load.since(killed_at)
        answered = [result for result in results if result.kind == fates.OK]
        slowest = max([result.ended - result.started for result in answered] or [0])
        self._facts["since_the_kill"] = {
            "seconds": round(monotonic() - killed_at, 2),
            "answered": len(answered),
            "slowest_ms": round(slowest * 1000, 1),
            "lost_with_the_killed_worker": self._count(results, fates.LOST_BY_KILL),
            "lost_otherwise": self._count(results, fates.LOST),
            "error_responses": self._count(results, fates.ERROR),
        }

    def _sum_up_requests(self):
        counts = self.load.counts
        self._facts["requests"] = {
            "answered": counts[fates.OK],
            "lost_with_the_killed_worker": counts[fates.LOST_BY_KILL],
            "lost_otherwise": counts[fates.LOST],
            "error_responses": counts[fates.ERROR],
            "examples": list(self.load.examples),
        }
        self._say("%d requests were answered, %d were lost in the killed worker's hands, "
                  "%d were lost otherwise, %d got an error" % (
                      counts[fates.OK], counts[fates.LOST_BY_KILL], counts[fates.LOST],
                      counts[fates.ERROR]))
        for example in self.load.examples:
            self._findings.problem(example)

    # What is waited for

    def _wait(self, expectation, condition, timeout=PHASE_TIMEOUT):
        deadline = monotonic() + timeout
        while not condition():
            if monotonic() > deadline:
                raise f.NotSeen("gave up after %s s of waiting until %s" % (
                    timeout, self._findings.describe(expectation)))
            self._check()
            gevent.sleep(STEP)
        self._findings.seen(expectation)

    def _roles_are_right(self, count):
        workers = self._workers.alive()
        leaders = self._workers.leaders()
        return len(workers) == count and len(leaders) == 1 and all(
            worker.is_leader is False and worker.epoch == leaders[0].epoch
            for worker in workers if worker is not leaders[0])

    def _upstream_is_right(self):
        expected = self._workers.leaders() if self._sharing else self._workers.alive()
        return (self._upstream.connections == self._findings.connections and
                list(self._upstream.clients) == sorted("pid %d" % each.pid for each in expected))

    def _all_answered(self):
        return all(self.load.by_pid[worker.pid] for worker in self._workers.alive())

    def _all_saw(self, value):
        workers = self._workers.alive()
        return len(workers) == WORKERS and all(
            worker.saw(value) is not None for worker in workers)

    def _all_follow(self, leader, survivors):
        workers = {worker.pid: worker for worker in self._workers.alive()}
        return all(workers[pid].is_leader is False and
                   workers[pid].epoch == workers[leader].epoch
                   for pid in survivors if pid != leader)

    @staticmethod
    def _count(results, kind):
        return sum(result.kind == kind for result in results)
