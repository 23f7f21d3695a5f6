"""The command line: ``python -m benchmarks [name] [options]``."""

from __future__ import absolute_import, division, print_function

import argparse
import json
import sys

from benchmarks import report, scenarios, subjects
from benchmarks.command_line import describe_machine, machine, positive
from benchmarks.workers import Crew, WorkerFailed, unused_port

DEFAULTS = {"rounds": 5, "seconds": 1.0}
QUICK = {"rounds": 2, "seconds": 0.1}
#: What is run as ``python -m benchmarks.<name>``.
PROGRAMS = (
    ("failover", "python -m benchmarks.failover: how soon survivors of a leader go on"),
    ("chaos", "python -m benchmarks.chaos: leaders end under load; what is lost is counted"),
    ("runtimes", "python -m benchmarks.runtimes: calls of native threads against greenlets"),
)


def listed(indent=""):
    """What there is, a line each."""
    return "\n".join("%s%-12s %s" % (indent, name, about) for name, about in
                     [(one.name, one.about) for one in scenarios.SCENARIOS] + list(PROGRAMS))


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure calls from followers to a leader.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="names, and programs of their own:\n" + listed("  "))
    parser.add_argument("name", nargs="?", choices=[one.name for one in scenarios.SCENARIOS],
                        metavar="name", help="which one to run; all by default")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--quick", action="store_true",
                        help="a few short rounds: shows that it runs, measures nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--processes", type=positive, metavar="N", help="followers (fan_in)")
    parser.add_argument("--greenlets", type=positive, metavar="N",
                        help="greenlets in each follower (concurrent, fan_in)")
    parser.add_argument("--payload", type=positive, default=100, metavar="N",
                        help="characters of JSON in an answer (100)")
    parser.add_argument("--rounds", type=positive, metavar="N", help="rounds of each subject (5)")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of a round (1)")
    parser.add_argument("--only", action="append", choices=subjects.NAMES,
                        help="measure this subject alone (repeatable)")
    return parser.parse_args(arguments)


def settings_of(scenario, options):
    defaults = QUICK if options.quick else DEFAULTS
    return scenarios.settings(
        scenario, options.processes, options.greenlets, options.payload,
        options.rounds or defaults["rounds"], options.seconds or defaults["seconds"])


def measure(settings, names):
    """Run the subjects' rounds in turn; returns subject name -> its rounds."""
    crews = []
    rounds = {name: [] for name in names}
    try:
        for name in names:
            crews.append((name, Crew(name, settings, unused_port())))
        for number in range(settings.rounds):
            first = number % len(crews)  # nobody is always the one that runs after another
            for name, crew in crews[first:] + crews[:first]:
                rounds[name].append(crew.round())
    finally:
        for _, crew in crews:
            crew.end()
    return rounds


def main(arguments):
    options = parse(arguments)
    if options.list:
        print(listed())
        return 0
    chosen = [scenarios.named(options.name)] if options.name else scenarios.SCENARIOS
    names = [name for name in subjects.NAMES if not options.only or name in options.only]
    summaries = []
    if not options.json:
        print(describe_machine())
    for scenario in chosen:
        settings = settings_of(scenario, options)
        summaries.append(report.summarize(scenario, settings, measure(settings, names)))
        if not options.json:
            print("\n" + report.as_text(scenario, summaries[-1]))
            sys.stdout.flush()
    if options.json:
        print(json.dumps({"machine": machine(), "scenarios": summaries}, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WorkerFailed as failure:
        sys.exit("benchmarks: %s" % failure)
