"""How soon the survivors of a leader go on, and what they lose.

``python -m benchmarks.failover``: in each round a leader serves 8 followers, each of which has 16
greenlets that call an idempotent method and one subscription, and then ends.  With ``--npm``, npm's
package does the same between our rounds.  Times are of every survivor, the new leader included.
"""

from __future__ import absolute_import, division, print_function

import argparse
import json
import shutil
import sys
import tempfile

from benchmarks import failover_report, npm
from benchmarks.command_line import describe_machine, machine, positive
from benchmarks.failover_crew import CLOSE, KILL, RESIGN, Crew, Scenario
from benchmarks.workers import WorkerFailed

SCENARIOS = (
    Scenario("kill", "the leader is killed; its followers compete", KILL, 0, None),
    Scenario("slow_start", "the same, and a real client needs 500 ms to start (not counted)",
             KILL, 0.5, None),
    Scenario("forced_short", "roles are forced; the next leader's process comes within 1 s "
             "(counted from then)", KILL, 0, (0.2, 0.8)),
    Scenario("forced_long", "the same, after 3 s", KILL, 0, (3.0, 3.0)),
    Scenario("resign", "the leader resigns", RESIGN, 0, None),
    Scenario("close", "the leader closes", CLOSE, 0, None),
)
OURS, NPM = "ours", "npm"
DEFAULTS = {"rounds": 10, "followers": 8, "greenlets": 16}
QUICK = {"rounds": 1, "followers": 2, "greenlets": 4}


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.failover", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="scenarios:\n" + "\n".join("  %-14s %s" % (one.name, one.about)
                                          for one in SCENARIOS))
    parser.add_argument("--quick", action="store_true",
                        help="one small round of each: shows that it runs, measures nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--npm", action="store_true",
                        help="measure npm's package beside ours (needs Node.js and npm)")
    parser.add_argument("--only", action="append", choices=[one.name for one in SCENARIOS],
                        help="this scenario alone (repeatable)")
    parser.add_argument("--rounds", type=positive, metavar="N", help="of each scenario (10)")
    parser.add_argument("--followers", type=positive, metavar="N", help="processes (8)")
    parser.add_argument("--greenlets", type=positive, metavar="N", help="in each of them (16)")
    parser.add_argument("--timeout", type=float, default=3.0, metavar="S",
                        help="of each call in seconds (3)")
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else DEFAULTS).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def measure(scenario, options, programs, folder):
    """Run the rounds of everybody in turn; returns name -> its rounds."""
    crews = []
    rounds = {}
    try:
        for name, program in programs:
            if name == OURS or scenario.how != RESIGN:  # npm's package cannot resign
                crews.append((name, Crew(scenario, options, folder, name, program)))
        for number in range(options.rounds):
            first = number % len(crews)
            for name, crew in crews[first:] + crews[:first]:
                rounds.setdefault(name, []).append(crew.round())
    finally:
        for _, crew in crews:
            crew.end()
    return rounds


def main(arguments):
    options = parse(arguments)
    programs = [(OURS, None)]
    if options.npm:
        programs.append((NPM, npm.program()))
    if not options.json:
        print(describe_machine())
        if options.npm:
            print("npm: cluster-client %s on Node.js %s" % npm.versions())
        print("%(followers)d followers x %(greenlets)d greenlets, %(rounds)d rounds"
              % vars(options))
    summaries = []
    folder = tempfile.mkdtemp(prefix="clusterclient-failover-")
    try:
        for scenario in SCENARIOS:
            if options.only and scenario.name not in options.only:
                continue
            summaries.append(failover_report.summarize(
                scenario, measure(scenario, options, programs, folder)))
            if not options.json:
                print("\n" + failover_report.as_text(summaries[-1]))
                sys.stdout.flush()
    finally:
        shutil.rmtree(folder)
    if options.json:
        told = {"machine": machine(), "settings": vars(options), "scenarios": summaries}
        if options.npm:
            told["npm"] = dict(zip(("cluster-client", "node"), npm.versions()))
        print(json.dumps(told, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (WorkerFailed, npm.NotMade) as failure:
        sys.exit("benchmarks: %s" % failure)
