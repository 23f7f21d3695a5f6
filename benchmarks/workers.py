"""The parent's side of a process that talks with it in lines of JSON."""

from __future__ import absolute_import, division, print_function

import json
import os
import select
import socket
import subprocess

from benchmarks.clock import monotonic

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
    :param prepare: called in the child before it becomes the program, or ``None``.
    """

    def __init__(self, command, who, env=None, prepare=None):
        self._who = who
        self._received = b""
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=prepare, close_fds=True)
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
        try:
            self._process.stdin.write((json.dumps(message) + "\n").encode("ascii"))
            self._process.stdin.flush()
        except (IOError, OSError):  # nobody reads
            raise WorkerFailed("%s ended" % self._who)

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

    def let_go(self):
        """Let it end by itself; returns at once."""
        try:
            self._process.stdin.close()
        except (IOError, OSError):  # it is gone, and did not read the last line
            pass

    def end(self):
        """Let it end by itself, and kill it where it does not."""
        self.let_go()
        self.wait(END_TIMEOUT)
        self.kill()
        self._process.stdout.close()


def unused_port():
    """A port for a subject that cannot choose its own."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
    finally:
        probe.close()
