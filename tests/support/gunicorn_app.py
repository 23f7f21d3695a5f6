"""The application of the tests with gunicorn: each request makes one call of a shared client.

The client is made when the module is imported, and nothing else is done for it, whatever kind of
worker it is in.  Each request is answered with what its worker knows.  The environment's
``TEST_JOURNAL`` is the real clients' journal; with ``TEST_PLAIN`` there is no client at all, to see
what gunicorn itself does.

``/hold``           is answered when the worker does not lead any more
``/together/N``     is answered when N such requests are under way in one worker
``/push/TEXT``      has the real client tell its subscribers the text

The same module has the agent's functions.

It has nothing of gevent's among its names: so workers that are not gevent's have the client's hub
in a thread.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import sys
import threading

from clusterclient_sync import cluster
from clusterclient_sync._compat import existing_hub
from support.real_client import RealClient
from support.talk import tell

PLAIN = "TEST_PLAIN" in os.environ
KEY = "value"
#: Python 2 is deaf to signals in a wait for a lock that has no end.
PATIENCE = 60
next_role = threading.Event()
all_are_here = threading.Event()
arrivals = []
told = []  # what the listener was told, the last one only


class Source(RealClient):
    """The real client, of a module that does not use gevent."""


def make_client():
    """The client; tells who makes it, and then each of its roles."""
    made = (cluster(Source, response_timeout=15)
            .delegate("whoami", idempotent=True)
            .create({"journal": os.environ["TEST_JOURNAL"]}))
    tell("made", pid=os.getpid(), parent=os.getppid())
    made.on("leader_change", note_role)
    made.subscribe({"dataId": KEY}, note_value)
    return made


def note_value(value):
    """Keep it, for the next answers."""
    told[:] = [value]


def note_role(role, epoch, pid):
    """Tell it, and let go of the requests that wait for it."""
    tell("role", role=role, pid=os.getpid(), parent=os.getppid(), leader=pid,
         port=int(os.environ["CLUSTERCLIENT_PORT"]))
    next_role.set()


def make_agent():
    """The agent's function: its client, and an error that nobody catches."""
    make_client()
    _gevent().spawn(_fail)
    tell("agent", pid=os.getpid(), parent=os.getppid())


def exit_3():
    """An agent's function that ends its process as a gunicorn worker that cannot boot would."""
    os._exit(3)


def _gevent():
    import gevent
    return gevent


def _fail():
    raise RuntimeError("nobody catches this")


def _ask(path):
    name, _, argument = path[1:].partition("/")
    if name == "hold":
        _hold()
    elif name == "together":
        _meet(int(argument))
    elif name == "push":
        client.push(KEY, argument)
    return dict({"pid": os.getpid(), "has_hub": existing_hub() is not None}, **(
        {} if PLAIN else {"leader": client.whoami(), "is_leader": client.is_leader,
                          "told": told[0] if told else None}))


def _hold():
    is_leader = client.is_leader
    next_role.clear()
    tell("holding", pid=os.getpid(), is_leader=is_leader)
    if is_leader:  # until it has resigned, and knows who leads now
        next_role.wait(PATIENCE)


def _meet(number):
    arrivals.append(None)
    if len(arrivals) == number:
        all_are_here.set()
    all_are_here.wait(PATIENCE)


def application(environ, start_response):
    """WSGI."""
    body = json.dumps(_ask(environ["PATH_INFO"])).encode("ascii")
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


if not PLAIN and "clusterclient_sync agent" not in sys.argv:
    client = make_client()
    if "TEST_YIELDS_AT_IMPORT" in os.environ:
        for _ in range(10):
            _gevent().sleep(0)
