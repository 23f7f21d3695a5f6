"""Followers that do nothing: memory at the leader, what they cost others, how often they wake."""

from __future__ import absolute_import, division, print_function

import time

from benchmarks import figures
from benchmarks.progress import LeftOut
from benchmarks.shapes import crew, usage
from benchmarks.shapes.benchmark import (
    OURS, TITLES, Benchmark, growth, in_turn, name_of, numbers, rows, subjects)

#: How many are there before the first is counted, so that caches and buffers are made.
_FIRST = 20
_ALONE, _AMONG = "alone", "among"
_TITLES = ((_ALONE, "alone"), (_AMONG, "among idle ones"))
#: Seconds; a long one would measure the same and take longer.
_HEARTBEAT_INTERVAL = 0.2


class _Field(object):
    """Two leaders of one subject: one to which idle followers come, one without; a follower of
    both calls.
    """

    #: that it takes beside those of idle followers
    PROCESSES = 4

    def __init__(self, made):
        self._crew = made
        self._leader, self._port = made.leader()
        self._other, self._other_port = made.leader()
        self._caller, = made.followers(1, self._port)
        self._caller.ask("join", port=self._other_port)
        made.followers(1, self._port, _FIRST)
        self._memory = self._leader.ask("memory")["now"]

    def room(self, wanted, processes):
        """How many idle followers there can be, at most so many in so many processes."""
        most = self._crew.most_connections
        return min(wanted, most - _FIRST - 1, most * processes)

    def add(self, number):
        """So many more idle followers, in a process of theirs; bytes that each costs the leader.
        """
        self._crew.followers(1, self._port, number)
        before, self._memory = self._memory, self._leader.ask("memory")["now"]
        return (self._memory - before) / number

    def call(self, where, greenlets, seconds):
        """Let the follower that is not idle call, see ``crew.call_on``."""
        leader, port = ((self._leader, self._port) if where == _AMONG
                        else (self._other, self._other_port))
        return crew.call_on(leader, self._caller, port, greenlets, seconds)


def _wakes(settings):
    """How often an idle follower's process went to sleep in each heartbeat interval, by rounds;
    none where the system does not tell.
    """
    with crew.crew(OURS, 2) as made:
        _, port = made.leader(heartbeat_interval=_HEARTBEAT_INTERVAL)
        follower, = made.followers(1, port)
        told = []
        for _ in range(settings["rounds"]):
            before, started = usage.wakes(follower.pid), time.time()
            time.sleep(settings["intervals"] * _HEARTBEAT_INTERVAL)  # what is measured is a rate
            after, lasted = usage.wakes(follower.pid), time.time() - started
            if before is not None and after is not None:
                told.append((after - before) / (lasted / _HEARTBEAT_INTERVAL))
        return told


def _each(fields, settings, progress):
    """How many idle followers each process is to have: as many as descriptors allow."""
    wanted = settings["followers"]
    room = min(field.room(wanted, settings["processes"]) for field in fields)
    each = room // settings["processes"]
    if each < 1:
        raise LeftOut("a process may not have enough descriptors: ulimit -n allows too few")
    settings["followers"] = each * settings["processes"]
    if settings["followers"] < wanted:
        progress.say("idle: descriptors allow %d followers, not %d (ulimit -n)"
                     % (settings["followers"], wanted))
    return each


def _measure(options, progress):
    settings = numbers(
        options,
        {"rounds": 5, "seconds": 1.0, "greenlets": 100, "followers": 5000, "processes": 5,
         "intervals": 10},
        {"rounds": 2, "seconds": 0.1, "greenlets": 10, "followers": 100, "processes": 2,
         "intervals": 3})
    names = subjects(options, progress)
    memory = {name: [] for name in names}
    with crew.crews(names, _Field.PROCESSES + settings["processes"]) as made:
        fields = {name: _Field(made[name]) for name in names}
        each = _each(fields.values(), settings, progress)
        progress.begin("idle", settings["processes"] * len(names))
        for number in range(settings["processes"]):
            for name in names:
                progress("%s, %d idle followers" % (TITLES[name], (number + 1) * each))
                memory[name].append(fields[name].add(each) / 1024)
        measured = in_turn(
            "idle", [(name, where) for name in names for where in (_ALONE, _AMONG)],
            settings["rounds"],
            lambda way: fields[way[0]].call(way[1], settings["greenlets"], settings["seconds"]),
            progress)
    progress.begin("idle")
    progress("wakes")
    return figures.summary(IDLE.name, IDLE.about, settings,
                           _figures(names, memory, measured, _wakes(settings)))


def _figures(names, memory, measured, wakes):
    told = [figures.figure(
        "memory", "memory of the leader for an idle follower (means of a process of them)",
        "KiB", [figures.row(name, TITLES[name], memory[name]) for name in names], base=OURS,
        more_is_better=False, digits=2)]
    for name in names:
        titles = [((name, where), title) for where, title in _TITLES]
        told.append(figures.figure(
            "calls_%s" % name, "calls of one follower (%s)" % TITLES[name], "/s",
            rows(measured, titles, crew.calls_per_second),
            base=name_of((name, _ALONE)), ratio=figures.ROW_OVER_BASE))
        told.append(growth(
            "cpu_%s" % name, "CPU of the leader for a call of one follower (%s)" % TITLES[name],
            "us", rows(measured, titles, crew.cpu_per_call), (name, _ALONE), digits=2))
    if wakes:
        told.append(figures.figure(
            "wakes", "wakes of an idle follower's process in a heartbeat interval", "",
            [figures.row(OURS, TITLES[OURS], wakes)], base=None, more_is_better=False, digits=2))
    return told


IDLE = Benchmark(
    "idle", "5,000 idle followers: memory at the leader, what they cost one that calls, wakes",
    _measure)
