"""What a call from a native thread costs over one from a greenlet.

``python -m benchmarks.runtimes``: two processes follow one leader, which is a third one.  One
follower's client has the runtime "greenlet", the other's has "thread".  They take turns: in each
round each number of callers calls for a while, and nobody else does.  Costs and ratios are those of
callers of one round; the medians of all rounds are printed, and the lowest and highest.
"""

from __future__ import absolute_import, division, print_function

import argparse
import collections
import json
import sys

from benchmarks.command_line import describe_machine, machine, positive
from benchmarks.report import median
from benchmarks.workers import (
    ANSWER_TIMEOUT, START_TIMEOUT, Child, Worker, WorkerFailed, unused_port)

Way = collections.namedtuple("Way", "name title runtime callers")

ONE_GREENLET, GREENLETS = "greenlet_1", "greenlet_100"
ONE_THREAD = "thread_1"
WAYS = (
    Way(ONE_GREENLET, "1 greenlet", "greenlet", 1),
    Way(ONE_THREAD, "1 thread", "thread", 1),
    Way(GREENLETS, "100 greenlets", "greenlet", 100),
    Way("thread_8", "8 threads", "thread", 8),
    Way("thread_64", "64 threads", "thread", 64),
)
#: The ways whose round trips are compared; of the others the throughput counts.
ALONE = (ONE_GREENLET, ONE_THREAD)
DEFAULTS = {"rounds": 7, "seconds": 1.0}
QUICK = {"rounds": 2, "seconds": 0.1}


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
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="how long each way calls in a round (1)")
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else DEFAULTS).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


class Caller(Child):
    """The process of one runtime (``runtime_caller.py``)."""

    def __init__(self, **job):
        super(Caller, self).__init__(
            [sys.executable, "-m", "benchmarks.runtime_caller", json.dumps(job)],
            "the follower with the runtime %(runtime)s" % job)

    def round(self, callers, seconds):
        """Let so many call; what the round measured, times in seconds."""
        self.send({"callers": callers, "seconds": seconds})
        told = self.receive(seconds + ANSWER_TIMEOUT)
        return {"calls_per_second": told["calls"] / (told["ended"] - told["started"]),
                "p50": told["p50"], "p99": told["p99"]}


def measure(options):
    """Run all rounds; returns a way's name -> its rounds."""
    rounds = {way.name: [] for way in WAYS}
    children = []
    try:
        leader = Worker(subject="cluster", role="serve", port=unused_port(),
                        payload=options.payload)
        children.append(leader)
        port = leader.receive(START_TIMEOUT)["ready"]
        callers = {}
        for runtime in ("greenlet", "thread"):
            callers[runtime] = Caller(runtime=runtime, port=port, payload=options.payload)
            children.append(callers[runtime])
            callers[runtime].receive(START_TIMEOUT)
        for number in range(options.rounds):
            first = number % len(WAYS)  # nobody is always the one that runs after another
            for way in WAYS[first:] + WAYS[:first]:
                rounds[way.name].append(
                    callers[way.runtime].round(way.callers, options.seconds))
    finally:
        for child in reversed(children):
            child.end()
    return rounds


def spread(values):
    """Median, lowest and highest."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def summarize(rounds):
    """As JSON takes it; times in seconds.

    :param rounds: what :func:`measure` returned.
    """
    def compared(key, name, base, how):
        return spread([how(one[key], other[key])
                       for one, other in zip(rounds[name], rounds[base])])

    def ratio(one, other):
        return one / other if other else 0.0

    measured = {way.name: dict({key: spread([one[key] for one in rounds[way.name]])
                                for key in ("p50", "p99", "calls_per_second")},
                               callers=way.callers, runtime=way.runtime) for way in WAYS}
    return {
        "measured": measured,
        "extra_seconds": compared("p50", ONE_THREAD, ONE_GREENLET, lambda one, two: one - two),
        "round_trip_ratio": compared("p50", ONE_THREAD, ONE_GREENLET, ratio),
        "throughput_ratio": {way.name: compared("calls_per_second", way.name, GREENLETS, ratio)
                             for way in WAYS if way.name not in ALONE and way.name != GREENLETS},
    }


def _row(title, figures, factor, unit, digits=0):
    numbers = [figures[part] * factor for part in ("median", "min", "max")]
    return "  %-28s %9.*f %-3s (%.*f..%.*f)" % (
        title, digits, numbers[0], unit, digits, numbers[1], digits, numbers[2])


def as_text(summary):
    """The summary as a table."""
    measured = summary["measured"]
    lines = ["round trip: one caller waits for each answer"]
    for way in WAYS:
        if way.name in ALONE:
            for key in ("p50", "p99"):
                lines.append(_row("%s, %s" % (way.title, key), measured[way.name][key], 1e6, "us"))
    lines.append(_row("the thread costs more", summary["extra_seconds"], 1e6, "us"))
    lines.append(_row("its time over the greenlet's", summary["round_trip_ratio"], 1, "", 2))
    lines.append("throughput: callers of one follower call at once")
    for way in WAYS:
        if way.name not in ALONE:
            lines.append(_row(way.title, measured[way.name]["calls_per_second"], 1, "/s"))
    for way in WAYS:
        if way.name in summary["throughput_ratio"]:
            lines.append(_row("%s over greenlets" % way.title,
                              summary["throughput_ratio"][way.name], 1, "", 2))
    return "\n".join(lines)


def main(arguments):
    options = parse(arguments)
    if not options.json:
        print(describe_machine())
        print("answers of %(payload)d characters, %(rounds)d rounds of %(seconds)g s"
              % vars(options))
        sys.stdout.flush()
    summary = summarize(measure(options))
    if options.json:
        print(json.dumps(dict(summary, machine=machine(), settings=vars(options)), indent=2,
                         sort_keys=True))
    else:
        print(as_text(summary))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WorkerFailed as failure:
        sys.exit("benchmarks: %s" % failure)
