"""A real client that takes its time: many calls in flight over one."""

from __future__ import absolute_import, division, print_function

from benchmarks import figures
from benchmarks.shapes import crew
from benchmarks.shapes.benchmark import OURS, Benchmark, growth, in_turn, numbers, rows


def _measure(options, progress):
    settings = numbers(options, {"rounds": 15, "calls": 1000, "sleep_ms": 1},
                       {"rounds": 2, "calls": 100})
    with crew.crew(OURS, 2) as made:
        _, port = made.leader()
        follower, = made.followers(1, port)

        def run(number):
            return follower.ask("doze_at_once", port=port, number=number,
                                seconds=settings["sleep_ms"] / 1e3) * 1e3

        run(settings["calls"])  # warm up
        measured = in_turn("blocking", [1, settings["calls"]], settings["rounds"], run,
                           progress)
    titles = [(1, "1 call"), (settings["calls"], "%d calls at once" % settings["calls"])]
    return figures.summary(BLOCKING.name, BLOCKING.about, settings, [
        growth("lasted", "until all have their answer, at a real client that sleeps %g ms a call"
               % settings["sleep_ms"], "ms", rows(measured, titles, lambda one: one), 1, digits=2)])


BLOCKING = Benchmark(
    "blocking", "1,000 calls in flight at a real client that sleeps 1 ms, over one", _measure)
