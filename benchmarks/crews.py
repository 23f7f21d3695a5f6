"""The processes of a subject, and the rounds of several subjects in turn."""

from __future__ import absolute_import, division, print_function

import collections
import json

from benchmarks.progress import LeftOut
from benchmarks.workers import (
    ANSWER_TIMEOUT, START_TIMEOUT, Child, WorkerFailed, unused_port)


class Load(object):
    """How many call: so many processes, each with so many connections, each with so many callers,
    each with so many calls at once."""

    def __init__(self, processes=1, connections=1, greenlets=1, at_once=1):
        self.processes = processes
        self.connections = connections
        self.greenlets = greenlets
        self.at_once = at_once


class Crew(object):
    """One process that serves a subject, and those that call.

    :param program: what ``environments.program`` gave.
    :param pins: their cores (``pinning.Pins``), or ``None``.
    """

    def __init__(self, subject, program, load, payload, pins=None):
        self._program = program
        self._pins = pins
        self._workers = []
        self.port = unused_port()
        job = {"subject": subject.name, "payload": payload, "port": self.port,
               "transcode": subject.where}
        try:
            server = self._start(dict(job, role="serve", subject=subject.server))
            server.receive(START_TIMEOUT)
            self._callers = [self._start(dict(job, role="call", connections=load.connections))
                             for _ in range(load.processes)]
            for caller in self._callers:
                caller.receive(START_TIMEOUT)
        except BaseException:
            self.end()
            raise

    @property
    def pids(self):
        """Of the processes: that which serves comes first."""
        return [worker.pid for worker in self._workers]

    def _start(self, job):
        command, env = self._program
        command, prepare = command + [json.dumps(job)], None
        if self._pins is not None:
            command, prepare = self._pins.start(command, job["role"])
        worker = Child(command, "%(role)s of %(subject)s" % job, env, prepare)
        self._workers.append(worker)
        return worker

    def warm_up(self, load, seconds):
        """A round that does not count."""
        try:
            self.round(load, seconds)
        except BaseException:
            self.end()
            raise

    def round(self, load, seconds):
        """Let all callers go at once; returns what the round measured, times in seconds."""
        for caller in self._callers:
            caller.send({"callers": load.greenlets, "at_once": load.at_once, "seconds": seconds})
        told = [caller.receive(seconds + ANSWER_TIMEOUT) for caller in self._callers]
        lasted = max(one["ended"] for one in told) - min(one["started"] for one in told)
        return {"calls_per_second": sum(one["calls"] for one in told) * load.at_once / lasted,
                "p50": max(one["p50"] for one in told), "p99": max(one["p99"] for one in told)}

    def end(self):
        """End the callers, then the server."""
        server, callers = self._workers[:1], self._workers[1:]
        self._workers = []
        for workers in (callers, server):
            for worker in workers:
                worker.let_go()
            for worker in workers:
                worker.end()


class Turn(object):
    """Somebody's part of every round.

    :param start: called once; gives a :class:`Crew`, or what else has ``end()``.
    :param play: called with that in each round; returns what it measured.
    """

    def __init__(self, name, start, play, is_peer):
        self.name = name
        self.start = start
        self.play = play
        self.is_peer = is_peer


def order(count, number):
    """The order of so many in a round: over ``count`` rounds (twice that where it is odd) each has
    each of the others before it equally often, so that nobody always runs after a heavy one."""
    zigzag = [step // 2 if step % 2 == 0 else count - (step + 1) // 2 for step in range(count)]
    shifted = [(place + number) % count for place in zigzag]
    return shifted[::-1] if number // count % 2 else shifted


def interleave(benchmark, turns, rounds, progress):
    """Play the rounds of all in turn.

    A peer that fails is left out; whoever else fails ends the benchmark.

    :return: name -> what its rounds measured, in the order of the turns, for each that played all.
    """
    crews, told = [], {}
    try:
        for turn in turns:
            with _Excused(turn, progress):
                progress.begin(benchmark)
                progress.step("starting %s" % turn.name)
                crews.append((turn, turn.start()))
        progress.begin(benchmark, rounds * len(crews))
        for number in range(rounds):
            for place in order(len(crews), number):
                turn, crew = crews[place]
                progress.step("round %d of %d, %s" % (number + 1, rounds, turn.name))
                if len(told.get(turn.name, ())) == number:  # it has not failed
                    with _Excused(turn, progress):
                        told.setdefault(turn.name, []).append(turn.play(crew))
    finally:
        for _, crew in crews:
            crew.end()
    return collections.OrderedDict(
        (turn.name, told[turn.name]) for turn, _ in crews
        if len(told.get(turn.name, ())) == rounds)


class _Excused(object):
    """Where a peer fails, the others go on."""

    def __init__(self, turn, progress):
        self._turn = turn
        self._progress = progress

    def __enter__(self):
        return self

    def __exit__(self, _, error, traceback):
        if not isinstance(error, (WorkerFailed, LeftOut)) or not self._turn.is_peer:
            return False
        self._progress.leave_out(self._turn.name, str(error))
        return True
