"""``python -m clusterclient_sync demo``: see it work, with real processes, in under 20 seconds.

The demo starts a small registry server and a gunicorn with four gevent workers, whose application
(``examples/app.py``) wraps one client of that registry.  It drives HTTP requests through all
workers, shows what they tell, publishes a change, kills the leading worker, and says what it saw.

``command`` is its life from the first to the last process, ``scenario`` what it does in between;
``workers``, ``load`` and ``upstream`` observe from three sides (the workers' own status, the
requests' fates, the server's count of connections), ``findings`` keeps what was seen, and ``view``
shows it.

This module imports none of that before the command runs: the command line stays light.
"""

from __future__ import absolute_import, division, print_function

EPILOG = """\
Exit status: 0 when all that the demo is to show was seen, 1 when something was not (there is a
line for each) or the demo could not be started, 130 after Ctrl-C.  Nothing outside this host is
talked to, and no process is left behind.
"""


def add_command(commands):
    """Add the command ``demo`` to the subparsers of an ``argparse`` parser."""
    parser = commands.add_parser(
        "demo", help="four gunicorn workers share one client, and one of them is killed",
        description="Four gunicorn workers share one registry client; the leading one is killed.",
        epilog=EPILOG)
    parser.add_argument("--without-sharing", action="store_true",
                        help="every worker makes a registry client, and a connection, of its own")
    parser.add_argument("--json", action="store_true",
                        help="print nothing but one JSON document with all facts, at the end")
    parser.add_argument("--plain", action="store_true",
                        help="no live table, on a terminal either")
    parser.set_defaults(run=_run)


def _run(options):
    from clusterclient_sync.demo.command import run

    return run(sharing=not options.without_sharing, as_json=options.json, plain=options.plain)
