"""A process of many followers, which notes how each of them looks for its leader.

Its one argument is a JSON object: ``port``, ``count``, ``config`` (of the real client) and
``is_leader``.  It answers each line of a test, see :class:`Commands`.  A client's notes are a
list: ``None`` for a try to connect, a number for a pause of so many seconds between tries.
"""

from __future__ import absolute_import, division, print_function

import collections
import json
import sys

import gevent

from clusterclient_sync import cluster
from clusterclient_sync._compat import monotonic
from clusterclient_sync.supervisor import Supervisor
from clusterclient_sync.transport import sockets
from support.real_client import RealClient
from support.talk import commands, tell

LONGEST_WAIT = 30

notes = collections.defaultdict(list)  # greenlet of a client's supervisor -> its notes


def note_tries():
    """Have tries and pauses noted from now on, by the greenlet that makes them."""
    real_connect, real_pause = sockets.connect, Supervisor.pause

    def connect(*args):
        notes[gevent.getcurrent()].append(None)
        return real_connect(*args)

    def pause(supervisor, seconds):
        notes[gevent.getcurrent()].append(seconds)
        real_pause(supervisor, seconds)

    sockets.connect, Supervisor.pause = connect, pause


class Commands(object):
    """What a test can have done; each returns its answer."""

    def __init__(self, clients):
        self._clients = clients

    def ready(self):
        """Every client leads or follows; returns how many lead."""
        for client in self._clients:
            client.ready(LONGEST_WAIT)
        return sum(client.is_leader for client in self._clients)

    def wait_for_leader_after(self, epoch):
        """Return when every client leads or follows in a newer epoch than that."""
        self._wait(lambda: all(client.is_leader is not None and client.epoch > epoch
                               for client in self._clients), "there is no new leader")

    def forget(self):
        notes.clear()

    def wait_for_pauses(self, seconds):
        """Return when the pauses of each client are as long as that together."""
        self._wait(lambda: len(notes) == len(self._clients) and all(
            sum(filter(None, own)) >= seconds for own in notes.values()), "they do not pause")

    @staticmethod
    def _wait(condition, otherwise):
        deadline = monotonic() + LONGEST_WAIT
        while not condition():
            assert monotonic() < deadline, otherwise
            gevent.sleep(0.02)

    def report(self):
        """The notes of all clients since they were forgotten."""
        return list(notes.values())


def main():
    how = json.loads(sys.argv[1])
    note_tries()
    builder = cluster(RealClient, port=how["port"], is_leader=how["is_leader"])
    answers = Commands([builder.create(how["config"]) for _ in range(how["count"])])
    tell("up")
    for command in commands():
        do = command.pop("do")
        tell("did " + do, value=getattr(answers, do)(
            **{str(name): value for name, value in command.items()}))


if __name__ == "__main__":
    main()
