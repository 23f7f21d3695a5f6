"""What a call costs with many connections, and with many calls in flight."""

from __future__ import absolute_import, division, print_function

from benchmarks import figures
from benchmarks.shapes import crew
from benchmarks.shapes.benchmark import OURS, Benchmark, growth, in_turn, name_of, numbers, rows


def _two_figures(key, about, measured, titles, base):
    """CPU of the leader per call, and calls per second."""
    return [growth("%s_cpu" % key, "CPU of the leader for a call, %s" % about, "us",
                   rows(measured, titles, crew.cpu_per_call), base, digits=2),
            figures.figure("%s_calls" % key, "calls, %s" % about, "/s",
                           rows(measured, titles, crew.calls_per_second), base=name_of(base),
                           ratio=figures.ROW_OVER_BASE)]


# -- connections ------------------------------------------------------------------------------

def _measure_connections(options, progress):
    settings = numbers(
        options,
        {"rounds": 5, "seconds": 1.0, "greenlets": 100, "connections": [1, 10, 100, 500]},
        {"rounds": 1, "seconds": 0.1, "greenlets": 10, "connections": [1, 20]})
    counts = settings["connections"]

    def run(way):
        shape, count = way
        leader, port = leaders[count]
        greenlets = settings["greenlets"] if shape == "spread" else count
        return crew.call_on(leader, follower, port, greenlets, settings["seconds"])

    with crew.crew(OURS, 1 + len(counts)) as made:
        follower, = made.take()
        leaders = {}
        for count in counts:
            leaders[count] = made.leader()
            follower.ask("join", port=leaders[count][1], number=count)
            run(("each", count))  # warm up
        ways = [(shape, count) for shape in ("spread", "each") for count in counts]
        measured = in_turn("connections", ways, settings["rounds"], run, progress)
    told = []
    for shape, about in (
            ("spread", "%d greenlets in all, which go round the connections"
             % settings["greenlets"]),
            ("each", "one greenlet for each connection")):
        titles = [((shape, count), "%d connections" % count) for count in counts]
        told.extend(_two_figures(shape, about, measured, titles, (shape, counts[0])))
    return figures.summary(CONNECTIONS.name, CONNECTIONS.about, settings, told)


CONNECTIONS = Benchmark(
    "connections", "what a call costs with 1 to 500 connections, all of one calling process",
    _measure_connections)


# -- in_flight --------------------------------------------------------------------------------

def _measure_in_flight(options, progress):
    # A follower with 10,000 calls in work is not read further: those that wait stay below that.
    settings = numbers(
        options,
        {"rounds": 5, "seconds": 1.0, "greenlets": 100, "waiting": [0, 10, 100, 1000, 9800],
         "at_once": [1, 10, 100, 1000, 10000]},
        {"rounds": 1, "seconds": 0.1, "greenlets": 10, "waiting": [0, 100],
         "at_once": [1, 10, 100]})

    def run(way):
        shape, count = way
        if shape == "at_once":
            return crew.call_on(leader, follower, port, count, settings["seconds"])
        follower.ask("hold", port=port, number=count)
        told = crew.call_on(leader, follower, port, settings["greenlets"], settings["seconds"])
        follower.ask("release", port=port)
        return told

    with crew.crew(OURS, 2) as made:
        leader, port = made.leader()
        follower, = made.followers(1, port)
        crew.call_on(leader, follower, port, settings["greenlets"], 0.05)  # warm up
        ways = [(shape, count) for shape in ("waiting", "at_once") for count in settings[shape]]
        measured = in_turn("in_flight", ways, settings["rounds"], run, progress)
    waiting = [(("waiting", count), "%d others wait" % count) for count in settings["waiting"]]
    at_once = [(("at_once", count), "%d at once" % count) for count in settings["at_once"]]
    # Calls that are alone in their turn of the loop pay for the turn: what more calls add shows
    # against those that share it.
    base = settings["at_once"][2]
    told = _two_figures(
        "waiting", "%d greenlets call while others wait at the real client"
        % settings["greenlets"], measured, waiting, waiting[0][0])
    told += _two_figures("at_once", "all call and none waits", measured, at_once,
                         ("at_once", base))
    return figures.summary(IN_FLIGHT.name, IN_FLIGHT.about, settings, told)


IN_FLIGHT = Benchmark(
    "in_flight", "what a call costs with 1 to 10,000 calls in flight on one connection",
    _measure_in_flight)
