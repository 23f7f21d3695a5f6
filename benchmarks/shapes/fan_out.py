"""One value to many followers: how many are delivered, and what one more follower costs."""

from __future__ import absolute_import, division, print_function

from benchmarks import figures
from benchmarks.shapes import crew
from benchmarks.shapes.benchmark import (
    OURS, TITLES, Benchmark, growth, in_turn, numbers, rows, subjects)

_KEY = "values"
#: Values that are told before others get their turn.
_BURSTS = ((1, "a value in each turn of the leader's loop"), (10, "10 values in each turn"))


def _audience(made, port, processes, clients):
    """Followers that listen, spread over processes that are there; how many in each: a list."""
    shares = [clients // processes + (number < clients % processes) for number in range(processes)]
    busy = [(process, share) for process, share in zip(made, shares) if share]
    for process, share in busy:
        process.begin("join", port=port, number=share)
    for process, _ in busy:
        process.finish()
    crew.all_do([process for process, _ in busy], "listen", port=port, key=_KEY)


def _tell(leader, port, followers, settings, burst):
    return leader.ask("tell", port=port, key=_KEY, followers=followers, burst=burst,
                      seconds=settings["seconds"], size=settings["payload"],
                      window=settings["window"])


def _warm_up(settings):
    """The numbers of the first round, which does not count: Node.js compiles what is busy."""
    return dict(settings, seconds=settings["seconds"] / 2)


def _measure_fan_out(options, progress):
    settings = numbers(
        options,
        {"rounds": 5, "seconds": 1.0, "payload": 100, "window": 800, "processes": 4,
         "clients": 4},
        {"rounds": 2, "seconds": 0.1, "processes": 2})
    names = subjects(options, progress)
    followers = settings["processes"] * settings["clients"]
    leaders = {}
    with crew.crews(names, settings["processes"] + 1) as made:
        for name in names:
            leaders[name] = leader, port = made[name].leader()
            processes = made[name].take(settings["processes"])
            _audience(processes, port, settings["processes"], followers)
            _tell(leader, port, followers, _warm_up(settings), 1)
        measured = in_turn(
            "fan_out", [(name, burst) for burst, _ in _BURSTS for name in names],
            settings["rounds"],
            lambda way: _tell(*leaders[way[0]], followers=followers, settings=settings,
                              burst=way[1]), progress)
    told = []
    for burst, title in _BURSTS:
        made = [figures.row(name, TITLES[name], [
            one["delivered"] / one["seconds"] for one in measured[name, burst]])
            for name in names]
        told.append(figures.figure(
            "delivered_%d" % burst, "values delivered, %s" % title, "/s", made, base=OURS))
    return figures.summary(FAN_OUT.name, FAN_OUT.about, settings, told)


FAN_OUT = Benchmark(
    "fan_out", "every value to 16 followers (4 processes x 4 clients), as fast as all hear them",
    _measure_fan_out)


def _measure_flat(options, progress):
    settings = numbers(
        options,
        {"rounds": 5, "seconds": 1.0, "payload": 100, "window": 100, "processes": 4,
         "followers": [1, 10, 100, 500]},
        {"rounds": 1, "seconds": 0.1, "processes": 2, "followers": [1, 10, 20]})
    counts = settings["followers"]
    with crew.crew(OURS, settings["processes"] + len(counts)) as made:
        processes = made.take(settings["processes"])
        leaders = {}
        for count in counts:
            leaders[count] = leader, port = made.leader()
            _audience(processes, port, settings["processes"], count)
            _tell(leader, port, count, _warm_up(settings), 1)
        measured = in_turn(
            "fan_out_flat", counts, settings["rounds"],
            lambda count: _tell(*leaders[count], followers=count, settings=settings, burst=1),
            progress)
    titles = [(count, "%d followers" % count) for count in counts]
    # Encoding a value is paid for once: with one follower by a single delivery.  So what grows
    # with the followers shows against a few of them.
    base = counts[1]
    return figures.summary(FLAT.name, FLAT.about, settings, [
        growth("cpu_per_delivery", "CPU of the leader for each value that a follower gets", "us",
               rows(measured, titles, lambda one: one["cpu"] / one["delivered"] * 1e6), base,
               digits=2),
        figures.figure("delivered", "values delivered", "/s",
                       rows(measured, titles, lambda one: one["delivered"] / one["seconds"]),
                       base=None)])


FLAT = Benchmark(
    "fan_out_flat", "what a value costs the leader for each follower, few followers and many",
    _measure_flat)
