"""The registry server's side: its process, and what it counts."""

from __future__ import absolute_import, division, print_function

import json
import os
import socket
import sys

import gevent
import gevent.socket
from gevent import subprocess
from gevent.lock import BoundedSemaphore

from clusterclient_sync.demo.findings import DemoError

INTERVAL = 0.1
START_TIMEOUT = 5.0
ANSWER_TIMEOUT = 2.0


class Upstream(object):
    """The running registry server, over a connection of our own, which it does not count.

    ``connections`` and ``clients`` are the last answer: how many are open, and whose they are.
    """

    def __init__(self):
        self.address = None
        self.pid = None
        self.connections = None
        self.clients = ()
        self.peak = None
        self._lines = None
        self._connection = None
        self._watcher = None
        self._extremes = None
        self._asking = BoundedSemaphore()

    def start(self, processes, examples, environment, log):
        """Start the server and connect to it."""
        process = processes.start(
            [sys.executable, os.path.join(examples, "registry_server.py"), "--port", "0"],
            stdout=subprocess.PIPE, stderr=log, env=environment)
        self.pid = process.pid
        line = None
        with gevent.Timeout(START_TIMEOUT, False):
            line = process.stdout.readline().decode("ascii").strip()
        if not line:
            raise DemoError("the registry server did not start")
        self.address = line
        host, port = line.rsplit(":", 1)
        self._connection = gevent.socket.create_connection((host, int(port)), ANSWER_TIMEOUT)
        self._lines = self._connection.makefile("rb")

    def watch(self):
        """Keep counting from now on."""
        self._watcher = gevent.spawn(self._watch)

    def set(self, key, value):
        """Set a key of the registry."""
        self._ask(op="set", key=key, value=value)

    def measure_anew(self):
        """Start a new measurement of the fewest and most connections."""
        self._extremes = None

    def extremes(self):
        """``(fewest, most)`` connections of the samples since ``measure_anew``, or ``None``."""
        return self._extremes

    def close(self):
        """End our connection; the process is ended by who owns the processes."""
        if self._watcher is not None:
            self._watcher.kill()
        if self._connection is not None:
            self._lines.close()
            self._connection.close()

    def _watch(self):
        while True:
            try:
                self._note(self._ask(op="stats"))
            except (DemoError, OSError, socket.error):
                self.connections = None  # no longer known; whoever expects a number says so
                return
            gevent.sleep(INTERVAL)

    def _note(self, stats):
        count = self.connections = stats["connections"]
        self.clients = sorted(str(name) for name in stats["clients"])
        self.peak = stats["peak"] - 1  # without ours, which was the first
        fewest, most = self._extremes or (count, count)
        self._extremes = (min(fewest, count), max(most, count))

    def _ask(self, **members):
        text = json.dumps(dict(members, id=1)) + "\n"
        with self._asking:
            self._connection.sendall(text.encode("utf-8"))
            line = self._lines.readline()
        if not line:
            raise DemoError("the registry server ended our connection")
        answer = json.loads(line.decode("utf-8"))
        if not answer["ok"]:
            raise DemoError("the registry server refused: %s" % answer["error"])
        return answer
