"""The parent's side: starts the processes of a subject, lets them go at once, collects."""

from __future__ import absolute_import, division, print_function

import json
import os
import select
import socket
import subprocess
import sys

from clusterclient_sync._compat import monotonic

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_TIMEOUT = 60.0
ANSWER_TIMEOUT = 30.0
END_TIMEOUT = 10.0
POLL_SECONDS = 0.02


class WorkerFailed(Exception):
    """A process ended or fell silent; what it said of it stands on standard error."""


class Child(object):
    """A process that talks with its parent in lines of JSON.

    :param command: how it is started, a list.
    :param who: how messages call it.
    """

    def __init__(self, command, who, env=None):
        self._who = who
        self._received = b""
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            close_fds=True)
        self.pid = self._process.pid

    def receive(self, timeout):
        """The next line that it says, as an object."""
        if not self.has_said(timeout):
            raise WorkerFailed("%s said nothing for %g s" % (self._who, timeout))
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line.decode("ascii"))

    def has_said(self, timeout=0.0):
        """Whether there is a line to receive, within so many seconds."""
        deadline = monotonic() + timeout
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._process.stdout], [], [],
                                        max(0, deadline - monotonic()))
            if not ready:
                return False
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise WorkerFailed("%s ended" % self._who)
            self._received += data
        return True

    def send(self, message):
        self._process.stdin.write((json.dumps(message) + "\n").encode("ascii"))
        self._process.stdin.flush()

    def wait(self, timeout):
        """Wait until it has ended; returns its status, or ``None`` where it has not by then."""
        deadline = monotonic() + timeout
        while self._process.poll() is None and monotonic() < deadline:
            select.select([], [], [], POLL_SECONDS)
        return self._process.returncode

    def signal(self, number):
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self):
        """End it the hard way, and return when it is gone."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def end(self):
        """Let it end by itself, and kill it where it does not."""
        try:
            self._process.stdin.close()
        except (IOError, OSError):  # it is gone, and did not read the last line
            pass
        self.wait(END_TIMEOUT)
        self.kill()
        self._process.stdout.close()


class Worker(Child):
    """One process that serves or calls (``worker.py``)."""

    def __init__(self, **job):
        super(Worker, self).__init__(
            [sys.executable, "-m", "benchmarks.worker", json.dumps(job)],
            "%(role)s of %(subject)s" % job)


class Crew(object):
    """The processes of one subject: one that serves, and those that call."""

    def __init__(self, subject, settings, port):
        self._settings = settings
        self._workers = []
        job = {"subject": subject, "payload": settings.payload}
        try:
            server = self._start(role="serve", port=port, **job)
            port = server.receive(START_TIMEOUT)["ready"]
            self._callers = [self._start(role="call", port=port, **job)
                             for _ in range(settings.processes)]
            for caller in self._callers:
                caller.receive(START_TIMEOUT)
        except Exception:
            self.end()
            raise

    def _start(self, **job):
        worker = Worker(**job)
        self._workers.append(worker)
        return worker

    def round(self):
        """Let all callers go at once; returns what the round measured, times in seconds."""
        for caller in self._callers:
            caller.send({"greenlets": self._settings.greenlets, "seconds": self._settings.seconds})
        told = [caller.receive(self._settings.seconds + ANSWER_TIMEOUT)
                for caller in self._callers]
        lasted = max(one["ended"] for one in told) - min(one["started"] for one in told)
        return {"calls_per_second": sum(one["calls"] for one in told) / lasted,
                "p50": max(one["p50"] for one in told), "p99": max(one["p99"] for one in told)}

    def end(self):
        """End the callers, then the server."""
        for worker in reversed(self._workers):
            worker.end()
        self._workers = []


def unused_port():
    """A port for a subject that cannot choose its own."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
    finally:
        probe.close()
