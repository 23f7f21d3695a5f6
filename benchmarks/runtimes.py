"""What a call from a native thread costs over one from a greenlet.

``python -m benchmarks.runtimes``: two leaders have a follower each, all in processes of their own.
One follower's client has the runtime "greenlet", the other's has "thread".  They take turns: in
each round each number of callers calls for a while, and nobody else does.  Costs and ratios are
those of callers of one round; the medians of all rounds are printed, and the lowest and highest.
"""

from __future__ import absolute_import, division, print_function

import argparse
import collections
import functools
import json
import sys

from benchmarks import environments, figures, subjects
from benchmarks.arguments import chosen, positive_seconds
from benchmarks.command_line import describe_machine, machine, positive
from benchmarks.crews import Crew, Load, Turn, interleave
from benchmarks.progress import Progress
from benchmarks.workers import WorkerFailed

Way = collections.namedtuple("Way", "name title subject callers")

ONE_GREENLET, GREENLETS = "greenlet_1", "greenlet_100"
ONE_THREAD = "thread_1"
WAYS = (
    Way(ONE_GREENLET, "1 greenlet", "cluster", 1),
    Way(ONE_THREAD, "1 thread", "cluster_threads", 1),
    Way(GREENLETS, "100 greenlets", "cluster", 100),
    Way("thread_8", "8 threads", "cluster_threads", 8),
    Way("thread_64", "64 threads", "cluster_threads", 64),
)
#: The ways whose round trips are compared; of the others the throughput counts.
ALONE = (ONE_GREENLET, ONE_THREAD)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runtimes", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="a few short rounds: shows that it runs, measures nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--payload", type=positive, default=100, metavar="N",
                        help="characters of JSON in an answer (100)")
    parser.add_argument("--rounds", type=positive, metavar="N", help="rounds (7)")
    parser.add_argument("--seconds", type=positive_seconds, metavar="S",
                        help="how long each way calls in a round (1)")
    return parser.parse_args(arguments)


class Crews(object):
    """The processes of each runtime, started when the first of its ways asks."""

    def __init__(self, payload, progress):
        self._payload = payload
        self._progress = progress
        self._made = {}

    def of(self, name):
        if name not in self._made:
            subject = subjects.named(name)
            program = environments.program(subject, False, self._progress.say)
            self._made[name] = Crew(subject, program, Load(), self._payload)
        return self._made[name]


def measure(options, progress):
    """Run all rounds, as the benchmarks of the catalogue do."""
    rounds = chosen(options, "rounds", default=7, quick=2)
    seconds = chosen(options, "seconds", default=1.0, quick=0.1)
    crews = Crews(options.payload, progress)
    turns = [Turn(way.name, functools.partial(crews.of, way.subject),
                  functools.partial(Crew.round, load=Load(greenlets=way.callers),
                                    seconds=seconds), False)
             for way in WAYS]
    told = interleave("runtimes", turns, rounds, progress)
    return figures.summary(
        "runtimes", "calls of native threads against calls of greenlets",
        {"payload": options.payload, "rounds": rounds, "seconds": seconds}, figures_of(told))


def figures_of(told):
    """What counts of the rounds.

    :param told: a way's name -> its rounds.
    """
    def rows(ways, key, factor=1):
        return [figures.row(way.name, way.title, [one[key] * factor for one in told[way.name]])
                for way in ways]

    alone = [way for way in WAYS if way.name in ALONE]
    many = [way for way in WAYS if way.name not in ALONE]
    extra = [(thread["p50"] - greenlet["p50"]) * 1e6
             for thread, greenlet in zip(told[ONE_THREAD], told[ONE_GREENLET])]
    times = dict(ratio=figures.ROW_OVER_BASE, more_is_better=False, digits=1)
    return [
        figures.figure("p50", "round trip of one caller, p50", "us", rows(alone, "p50", 1e6),
                       ONE_GREENLET, **times),
        figures.figure("p99", "round trip of one caller, p99", "us", rows(alone, "p99", 1e6),
                       ONE_GREENLET, **times),
        figures.figure("extra", "the thread costs more", "us",
                       [figures.row(ONE_THREAD, "1 thread", extra)], None, **times),
        figures.figure("calls", "calls of one follower", "/s", rows(many, "calls_per_second"),
                       GREENLETS, ratio=figures.ROW_OVER_BASE),
    ]


def main(arguments):
    options = parse(arguments)
    if not options.json:
        print(describe_machine())
        sys.stdout.flush()
    summary = measure(options, Progress(sys.stderr))
    if options.json:
        print(json.dumps({"machine": machine(), "benchmarks": [summary]}, indent=2,
                         sort_keys=True))
    else:
        print(figures.as_text(summary))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WorkerFailed as failure:
        sys.exit("benchmarks: %s" % failure)
