"""``python -m benchmarks [name ...] [options]``."""

from __future__ import absolute_import, division, print_function

import json
import sys
import time
import traceback

from benchmarks import arguments, catalogue, figures, npm, pyperf_file, subjects
from benchmarks.command_line import describe_machine, machine
from benchmarks.progress import LeftOut, Progress


def described(options):
    """The machine, and the versions of the peers."""
    told = dict(machine(), date=time.strftime("%Y-%m-%d"))
    if options.peers or options.only:
        told["peers"] = {one.name: " ".join(one.packages) for one in subjects.SUBJECTS
                         if one.packages and one.name in (options.only or subjects.NAMES)}
        try:
            told["npm"] = dict(zip(("cluster-client", "node"), npm.versions()))
        except LeftOut:
            pass  # then it is not measured either, and that is told
    return told


def run(chosen, options, progress):
    """Run these benchmarks; returns their summaries, and name -> error of those that failed."""
    summaries, failed = [], {}
    for benchmark in chosen:
        progress.begin(benchmark.name)
        try:
            summaries.append(benchmark.measure(options, progress))
        except LeftOut as reason:
            progress.leave_out(benchmark.name, str(reason))
        except Exception as error:
            failed[benchmark.name] = str(error) or repr(error)
            progress.say("%s failed:\n%s" % (benchmark.name, traceback.format_exc()))
        else:
            if not options.json:
                print("\n" + figures.as_text(summaries[-1]))
                sys.stdout.flush()
    return summaries, failed


def main(given):
    options = arguments.parse(given, [one.name for one in catalogue.BENCHMARKS],
                              catalogue.listed("  "))
    if options.list:
        print(catalogue.listed())
        return 0
    if not options.json:
        print(describe_machine())
        sys.stdout.flush()
    progress = Progress(sys.stderr)
    chosen = [one for one in catalogue.BENCHMARKS
              if not options.names or one.name in options.names]
    summaries, failed = run(chosen, options, progress)
    document = json.dumps(
        {"machine": described(options), "benchmarks": summaries, "failed": failed,
         "left_out": progress.left_out}, indent=2, sort_keys=True)
    if options.json:
        print(document)
    if options.output:
        with open(options.output, "w") as target:
            target.write(document + "\n")
    if options.pyperf:
        try:
            pyperf_file.write(options.pyperf, summaries)
        except ValueError as error:
            failed["--pyperf"] = str(error)
            progress.say("--pyperf failed: %s" % error)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
