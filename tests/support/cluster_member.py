"""A member of a cluster, run as a child script: it makes clients and does what its test says.

A command is ``{"number": n, "do": name, ...}``.  Each runs in a greenlet of its own, and is
answered with the event ``"answer n"``, which has a ``value`` or an ``error``.  Listeners and handlers tell
their news as events named ``"<client> value"``, ``"<client> leader_change"`` and so on.  The test's
side is :mod:`support.members`.
"""

from __future__ import absolute_import, division, print_function

import sys

if "--patched" in sys.argv:
    from gevent import monkey
    monkey.patch_all()

import logging
import os
import resource
import traceback

import gevent

from clusterclient_sync import cluster
from clusterclient_sync.exceptions import ClusterClientError, outcome
from support import forked, real_client
from support.real_client import RealClient
from support.talk import commands, tell

clients = {}
hammers = {}


class Hammer(object):
    """Greenlets that call a client without end, and note what fails."""

    def __init__(self, client, greenlets):
        self.calls = 0
        self.failures = []
        self.is_over = False
        self._client = client
        self._greenlets = [gevent.spawn(self._run, number) for number in range(greenlets)]

    def _run(self, number):
        while not self.is_over:
            asked = "%d of %d" % (self.calls, number)
            try:
                answer = self._client.call("echo", (asked,), timeout=15)
                if answer != asked:
                    self.failures.append("asked %r, got %r" % (asked, answer))
            except Exception:
                self.failures.append(traceback.format_exc())
            self.calls += 1
            gevent.sleep(0.001)

    def wait_for(self, calls):
        goal = self.calls + calls
        while self.calls < goal:
            gevent.sleep(0.001)

    def stop(self):
        self.is_over = True
        gevent.joinall(self._greenlets)
        return {"calls": self.calls, "failures": self.failures}


class Commands(object):
    """What a test can have done; the names of the methods are those of the commands."""

    def create(self, client, options, config, delegates=()):
        options = {str(name): value for name, value in options.items()}
        member = options.pop("publish_key_member", None)
        if member is not None:
            options["publish_key"] = lambda registration: registration[member]
        builder = cluster(RealClient, **options)
        for name, target, how in delegates:
            builder = builder.delegate(
                str(name), str(target), **{str(key): value for key, value in how.items()})
        made = clients[client] = builder.create(config)
        made.on("leader_change", lambda role, epoch, pid: tell(
            client + " leader_change", role=role, epoch=epoch, pid=pid))
        made.on("error", lambda error: tell(client + " error", **told_error(error)))
        made.on("news", lambda value: tell(client + " news", value=value))

    def ready(self, client, timeout=None):
        clients[client].ready(timeout)

    def close(self, client, timeout=None):
        clients[client].close(timeout)

    def resign(self, client):
        clients[client].resign()

    def stand_back(self, client):
        cluster.stand_back(clients[client])

    def is_leader(self, client):
        return clients[client].is_leader

    def epoch(self, client):
        return clients[client].epoch

    def call(self, client, name, args=(), kwargs=None, timeout=None):
        kwargs = {str(key): value for key, value in (kwargs or {}).items()}
        return clients[client].call(name, args, kwargs, timeout)

    def publish(self, client, registration, name="publish"):
        getattr(clients[client], name)(registration)

    def subscribe(self, client, registration):
        clients[client].subscribe(registration, lambda value: tell(
            client + " value", key=registration["dataId"], value=shortened(value)))

    def unsubscribe(self, client, registration):
        clients[client].unsubscribe(registration)

    def hammer(self, client, greenlets=3):
        hammers[client] = Hammer(clients[client], greenlets)
        hammers[client].wait_for(greenlets)

    def progress(self, client, calls):
        """Return after so many calls more."""
        hammers[client].wait_for(calls)

    def stop_hammer(self, client):
        return hammers.pop(client).stop()

    def open_gate(self, gate):
        real_client.gates[gate].set()

    def held(self, gate):
        return real_client.held[gate]

    def peak_memory(self):
        """The most memory that this process had so far, in MiB."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0

    def limit_descriptors(self, more):
        """Allow so many descriptors more than there are."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        top = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (top + 1 + more, hard))

    def count_descriptors(self):
        return len(os.listdir("/proc/self/fd"))

    def fork(self, how, stop_path):
        return forked.start(how, stop_path, dict(clients))


def shortened(value):
    is_long = hasattr(value, "encode") and len(value) > 1000
    return {"starts": value[:16], "length": len(value)} if is_long else value


def told_error(error):
    details = error.details() if isinstance(error, ClusterClientError) else {}
    return {"type": type(error).__name__, "text": u"%s" % (error,), "outcome": outcome(error),
            "details": {name: value for name, value in details.items()
                        if isinstance(value, (type(u""), str, int, float, list, type(None)))},
            "args": [arg for arg in error.args if isinstance(arg, (type(u""), str, int))]}


def obey(command):
    number = command.pop("number")
    action = getattr(Commands(), command.pop("do"))
    try:
        value = action(**{str(name): value for name, value in command.items()})
    except Exception as error:
        logging.getLogger("member").info("a command failed", exc_info=True)
        tell("answer %d" % number, error=told_error(error))
    else:
        tell("answer %d" % number, value=value)


def main():
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    tell("started", pid=os.getpid())
    for command in commands():
        gevent.spawn(obey, command)


if __name__ == "__main__":
    main()
