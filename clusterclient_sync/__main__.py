"""The command line: ``python -m clusterclient_sync``."""

from __future__ import absolute_import, division, print_function

import argparse
import sys

from clusterclient_sync import demo
from clusterclient_sync._version import __version__

DESCRIPTION = "Many gevent workers of a host share one real client."


def make_parser():
    """The parser of the command line; every command sets ``run``, which takes what was parsed."""
    parser = argparse.ArgumentParser(prog="python -m clusterclient_sync", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version="clusterclient_sync " + __version__)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    demo.add_command(commands)
    return parser


def main(arguments=None):
    """Run a command; returns the process's exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:  # Python 2 says so itself, with status 2
        parser.print_help(sys.stderr)
        return 2
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
