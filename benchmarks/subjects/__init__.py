"""Who is measured.  The module of a subject has, itself or in an object, two functions:

``serve(port, payload) -> close``
    serve on the port until ``close()``; answers are dicts of about ``payload`` characters of JSON.
``connect(port, payload) -> (call, close)``
    ``call()`` asks once over a connection of its own, and returns the dict.

Peers come with ``--peers`` only: each is what that library recommends for a server in another
process and many callers, and has an environment of its own (see ``environments``).
"""

from __future__ import absolute_import, division, print_function

import importlib
import json

PAD = "lorem ipsum dolor "

#: How the callers of a process run, see ``load``.
GREENLETS, THREADS, ALONE = "greenlets", "threads", "alone"
PYTHON, NODE = "python", "node"
#: Seconds of calls before the first round counts.  Node.js goes on compiling what runs often: its
#: first seconds have a quarter of the calls of later ones.
WARM_UP_SECONDS = {PYTHON: 0.5, NODE: 6.0}


def answer(payload):
    """The dict that every call returns: about so many characters of JSON, of several types."""
    value = {"id": 12345, "weight": 0.75, "enabled": True, "name": ""}
    missing = payload - len(json.dumps(value, separators=(",", ":")))
    if missing > 0:
        value["name"] = (PAD * (missing // len(PAD) + 1))[:missing]
    return value


class Subject(object):
    """One that is measured.

    :param where: its module in this package, with ``:attribute`` where an object of it is meant;
        of a Node.js program, what the program's job calls it.
    :param callers: ``GREENLETS``, ``THREADS``, or ``ALONE`` where there can only be one.
    :param packages: what its environment needs, pinned; ``None`` where ours will do.
    :param server: the name of the subject that serves it; its own by default.
    """

    def __init__(self, name, title, where, callers=GREENLETS, runs_on=PYTHON, is_peer=True,
                 packages=None, server=None):
        self.name = name
        self.title = title
        self.where = where
        self.callers = callers
        self.runs_on = runs_on
        self.is_peer = is_peer
        self.packages = packages
        self.server = server or name

    def load(self):
        """Its functions; only the processes that serve or call import them."""
        module, _, attribute = self.where.partition(":")
        found = importlib.import_module("benchmarks.subjects." + module)
        return getattr(found, attribute) if attribute else found


#: The cluster with the extra "speed" is measured without ``--peers`` where that is installed here.
SPEED = "cluster_speed"

SUBJECTS = (
    Subject("cluster", "cluster", "cluster_subject:DEFAULT", is_peer=False),
    Subject(SPEED, "cluster, speed", "cluster_subject:SPEED", is_peer=False,
            packages=("ormsgpack==1.13.1",)),
    Subject("echo", "echo", "echo:PLAIN", is_peer=False),
    Subject("echo_coalesced", "echo, coalesced", "echo:COALESCED", is_peer=False),
    Subject("ping_pong", "ping-pong", "ping_pong", ALONE, is_peer=False),
    Subject("npm", "npm", "serialize-json", runs_on=NODE),
    Subject("npm_json", "npm, JSON", "json", runs_on=NODE),
    Subject("echo_orjson", "echo, orjson", "echo_orjson", packages=("orjson==3.13.0",)),
    Subject("managers", "managers", "managers", THREADS),
    Subject("rpyc", "RPyC", "rpyc_peer", THREADS, packages=("rpyc==6.0.2",)),
    Subject("pyro5", "Pyro5", "pyro5_peer", THREADS, packages=("Pyro5==5.17",)),
    Subject("zerorpc", "zerorpc", "zerorpc_peer", packages=("zerorpc==0.6.3",)),
    Subject("grpc", "gRPC", "grpc_peer", THREADS, packages=("grpcio==1.85.1",)),
)
NAMES = tuple(one.name for one in SUBJECTS)
#: The cluster's client with native threads; what ``runtimes`` measures beside the other.
IN_THREADS = Subject("cluster_threads", "cluster, threads", "cluster_subject:IN_THREADS", THREADS,
                     is_peer=False, server="cluster")


def named(name):
    """The subject of this name; ``KeyError`` where there is none."""
    return {one.name: one for one in SUBJECTS + (IN_THREADS,)}[name]
