"""The command line of ``python -m benchmarks``."""

from __future__ import absolute_import, division, print_function

import argparse

from benchmarks import subjects
from benchmarks.command_line import positive


def chosen(options, name, default, quick):
    """A number of the user's, or else the default of this kind of run."""
    given = getattr(options, name)
    if given is not None:
        return given
    return quick if options.quick else default


def parse(arguments, names, listed):
    """The options of a run.

    :param names: of the benchmarks; ``listed``: the same with what they do, as text.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure calls, subscriptions and their costs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="names, and programs of their own:\n%s\n\nsubjects of calls:\n  %s" % (
            listed, " ".join(subjects.NAMES)))
    parser.add_argument("names", nargs="*", metavar="name", help="which to run; all by default")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--quick", action="store_true",
                        help="a few short rounds: shows that it runs, measures nothing")
    parser.add_argument("--peers", action="store_true",
                        help="measure other libraries too; makes their environments on first use")
    parser.add_argument("--only", action="append", choices=subjects.NAMES, metavar="SUBJECT",
                        help="of calls, measure this subject alone (repeatable)")
    parser.add_argument("--rounds", type=positive, metavar="N", help="rounds of each (5)")
    parser.add_argument("--seconds", type=positive_seconds, metavar="S",
                        help="length of a round of calls (1)")
    _add_load(parser)
    _add_output(parser)
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in names:
            parser.error("there is no benchmark %s; choose from %s" % (name, ", ".join(names)))
    return options


def _add_load(parser):
    load = parser.add_argument_group("how many call")
    load.add_argument("--processes", type=positive, metavar="N", help="followers (fan_in)")
    load.add_argument("--connections", type=positive, metavar="N",
                      help="in each process (concurrent, fan_in, python2)")
    load.add_argument("--greenlets", type=positive, metavar="N",
                      help="for each connection (concurrent, fan_in, python2)")
    load.add_argument("--payload", type=positive, default=100, metavar="N",
                      help="characters of JSON in an answer (100)")
    load.add_argument("--python2", metavar="PATH", help="the interpreter of the benchmark python2")


def _add_output(parser):
    output = parser.add_argument_group("what comes of it")
    output.add_argument("--json", action="store_true", help="print one JSON document")
    output.add_argument("--output", metavar="FILE", help="write that document to a file as well")
    output.add_argument("--pyperf", metavar="FILE",
                        help="write the rounds of calls for `pyperf compare_to`")


def positive_seconds(text):
    """The type of an argument that is a time above 0."""
    seconds = float(text)
    if not seconds > 0:
        raise ValueError(text)
    return seconds
