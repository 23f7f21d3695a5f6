"""The parent's side: the processes of a benchmark of shapes, and what they are told."""

from __future__ import absolute_import, division, print_function

import contextlib
import sys

from benchmarks import npm
from benchmarks.shapes.benchmark import NPM, TITLES
from benchmarks.workers import START_TIMEOUT, Child, unused_port

#: Seconds for the longest command.
PATIENCE = 300.0


def _command_of(subject):
    if subject == NPM:
        command, environment = npm.program("fan_out.js")
        return command[:1] + ["--expose-gc"] + command[1:], environment
    return [sys.executable, "-m", "benchmarks.shapes.program"], None


class Process(Child):
    """One process that leads or follows (``program.py``, or ``node/fan_out.js``)."""

    def __init__(self, subject):
        command, environment = _command_of(subject)
        super(Process, self).__init__(command, "a process of %s" % TITLES[subject], environment)

    def begin(self, do, **how):
        """Have it do something; returns at once."""
        self.send(dict(how, do=do))

    def finish(self, timeout=PATIENCE):
        """Wait until it has done it; returns the value."""
        return self.receive(timeout)["value"]

    def ask(self, do, **how):
        """Have it do something, and wait for the value."""
        self.begin(do, **how)
        return self.finish()


def all_do(processes, do, **how):
    """Have all do something at once; returns their values."""
    for process in processes:
        process.begin(do, **how)
    return [process.finish() for process in processes]


def call_on(leader, follower, port, greenlets, seconds):
    """Let greenlets of a follower call: ``calls``, ``seconds``, and the leader's ``cpu``."""
    before = leader.ask("cpu")
    told = follower.ask("keep_calling", port=port, greenlets=greenlets, seconds=seconds)
    return dict(told, cpu=leader.ask("cpu") - before)


def cpu_per_call(told):
    """Of what :func:`call_on` gave: microseconds of the leader's."""
    return told["cpu"] / told["calls"] * 1e6


def calls_per_second(told):
    """Of what :func:`call_on` gave."""
    return told["calls"] / told["seconds"]


class Crew(object):
    """The processes of a benchmark that are of one subject: all start at once, and end together.

    :param processes: how many.
    """

    def __init__(self, subject, processes):
        self._processes = []
        self._idle = []
        #: how many connections one process may have
        self.most_connections = None
        try:
            for _ in range(processes):
                self._processes.append(Process(subject))
        except Exception:
            self.end()
            raise
        self._idle.extend(self._processes)

    def take(self, number=1):
        """So many processes that do nothing yet."""
        taken = [self._idle.pop() for _ in range(number)]
        for process in taken:
            self.most_connections = process.receive(START_TIMEOUT)["up"]
        return taken

    def leader(self, **options):
        """One process that leads: itself, and its port."""
        process, = self.take()
        port = unused_port()
        process.ask("join", port=port, is_leader=True, **options)
        return process, port

    def followers(self, processes, port, each=1, **options):
        """So many processes that follow a port, each with so many clients."""
        taken = self.take(processes)
        all_do(taken, "join", port=port, number=each, **options)
        return taken

    def end(self):
        """End the processes; what they measured is told already."""
        for process in self._processes:
            process.kill()
            process.end()
        self._processes = []


@contextlib.contextmanager
def crew(subject, processes):
    """A :class:`Crew` that ends with the block."""
    made = Crew(subject, processes)
    try:
        yield made
    finally:
        made.end()


@contextlib.contextmanager
def crews(subjects, processes):
    """A :class:`Crew` of each subject: a dict."""
    made = {}
    try:
        for subject in subjects:
            made[subject] = Crew(subject, processes)
        yield made
    finally:
        for one in made.values():
            one.end()
