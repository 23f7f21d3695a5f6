"""The program of every process that leads or follows while leaders end.

``python -m benchmarks.member JOB``; JOB is a JSON object: ``port``, ``is_leader``, ``greenlets``,
``methods`` (each greenlet calls one of them), ``pause`` (seconds between two calls of a greenlet),
``keys`` (to subscribe to), ``timeout`` (of calls), and ``source`` (the real client's settings).

It says ``{"up": pid}``, does what it is told, and answers each command with a line.  What happens
to its calls and subscriptions it notes in the journal.  SIGTERM has it leave as a program should.
"""

from __future__ import absolute_import, division, print_function

import collections
import json
import logging
import os
import signal
import sys

import gevent
from gevent.event import Event

from benchmarks.journal import Pen
from benchmarks.sources import FedSource, Source
from benchmarks.worker import lines, say
from clusterclient_sync import cluster
from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import outcome

READY_TIMEOUT = 60.0
#: A member that leads only keeps its own calls going: the followers' are what is measured.
LEADING_PAUSE = 0.02
FAILURE_PAUSE = 0.005
#: Beyond so many, failures are only counted.
MAX_NOTED_FAILURES = 1000


class Watch(object):
    """What a member sees of leaders; it notes what is new."""

    def __init__(self, pen):
        self._pen = pen
        self.leader = None  # the real client that answered last
        self._last_answer = None
        self._noted = 0
        self._more_failures = collections.Counter()
        self._calls = {}
        self.values = {}  # key -> (number, leader)

    def begin(self):
        """Calls start now: there is no gap before."""
        self._last_answer = monotonic()

    def answered(self, method, leader):
        """A call was answered by this real client."""
        now = monotonic()
        self._calls[method] = self._calls.get(method, 0) + 1
        if leader != self.leader:
            gap = now - self._last_answer if self.leader is not None else None
            self._pen.note("first_answer", time=now, leader=leader, gap=gap)
            self.leader = leader
            self.note_calls()  # who leads now may be killed with what it knows
        self._last_answer = now

    def failed(self, method, leader, error):
        """A call raised that was begun when this real client had answered last."""
        kind = method, type(error).__name__, outcome(error), leader
        if self._noted < MAX_NOTED_FAILURES:
            self._noted += 1
            self._note_failed(kind, 1, text=(u"%s" % (error,))[:200])
        else:
            self._more_failures[kind] += 1

    def _note_failed(self, kind, count, **details):
        self._pen.note("failed", count=count, **dict(
            details, **dict(zip(("method", "error", "outcome", "leader"), kind))))

    def told(self, key, value):
        """A listener of this key was called."""
        number, leader = value["number"], value["leader"]
        last = self.values.get(key)
        self.values[key] = number, leader
        if last is None or leader != last[1]:
            self._pen.note("first_value", key=key, leader=leader, number=number)
        if last is not None and (number < last[0] or (number, leader) == last):
            self._pen.note("went_back", key=key, leader=leader, number=number, last=last)

    def note_calls(self):
        """Note the number of calls so far, and the failures that were not noted one by one."""
        self._pen.note("calls", calls=self._calls)
        for kind, count in self._more_failures.items():
            self._note_failed(kind, count)
        self._more_failures.clear()


class Member(object):
    """See the module; the names of the commands are those of the public methods."""

    def __init__(self, job):
        self._job = job
        self._watch = Watch(Pen(job["source"]["journal"]))
        self._client = None
        self._callers = []
        self._is_halted = False
        self._has_answer = Event()

    def join(self):
        """Make the client, subscribe, and return when it leads or follows."""
        job = self._job
        source = FedSource if job["source"].get("upstream") else Source
        self._client = (
            cluster(source, name="benchmark", port=job["port"], is_leader=job["is_leader"],
                    runtime="greenlet",
                    response_timeout=job["timeout"])
            .delegate("whoami", idempotent=True).delegate("count").create(job["source"]))
        for key in job["keys"]:
            self._subscribe(key)
        self._client.ready(timeout=READY_TIMEOUT)

    def _subscribe(self, key):
        self._client.subscribe({"key": key}, lambda value: self._watch.told(key, value))

    def go(self):
        """Begin to call; returns with the first answer."""
        methods = self._job["methods"]
        self._is_halted = False
        self._has_answer.clear()
        self._watch.begin()
        self._callers = [gevent.spawn(self._call_on, methods[number % len(methods)])
                         for number in range(self._job["greenlets"])]
        self._has_answer.wait(READY_TIMEOUT)

    def _call_on(self, method):
        call, watch = getattr(self._client, method), self._watch
        while not self._is_halted:
            leader_before = watch.leader
            try:
                leader = call()
            except Exception as error:
                watch.failed(method, leader_before, error)
                gevent.sleep(FAILURE_PAUSE)
                continue
            watch.answered(method, leader)
            self._has_answer.set()
            if self._client.is_leader:
                gevent.sleep(LEADING_PAUSE)
            elif self._job["pause"]:
                gevent.sleep(self._job["pause"])

    def halt(self):
        """End calling; returns when every call is over."""
        self._is_halted = True
        gevent.joinall(self._callers, raise_error=True)
        self._watch.note_calls()

    def resign(self):
        self._client.resign()

    def close(self):
        """Leave the cluster."""
        self.halt()
        self._client.close()

    def values(self):
        """The last number of each key."""
        return {key: number for key, (number, _) in self._watch.values.items()}


def main(text):
    logging.basicConfig(level=logging.ERROR)
    member = Member(json.loads(text))
    me = gevent.getcurrent()

    def leave():
        member.close()
        gevent.kill(me, SystemExit(0))

    gevent.signal_handler(signal.SIGTERM, leave)
    say({"up": os.getpid()})
    for command in lines():
        say({"did": command, "value": getattr(member, command)()})


if __name__ == "__main__":
    main(sys.argv[1])
