"""Child processes of a test: Python scripts that talk in lines of JSON.

The script's side is :mod:`support.talk`.  Waiting blocks only the greenlet that waits, so a test
may be a client itself meanwhile.

The standard library's ``subprocess`` starts them: gevent's forks in Python, which would run the
fork hooks of the package in the child, and once its child watchers are installed they reap every
child of the process.
"""

from __future__ import absolute_import, division, print_function

import collections
import json
import os
import signal
import subprocess
import sys
import tempfile

import gevent
from gevent.event import Event
from gevent.fileobject import FileObject

from clusterclient_sync._compat import monotonic

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TESTS)
TIMEOUT = 20.0
KEPT_LINES = 200
POLL_INTERVAL = 0.005


class Child(object):
    """One running script; ``pid`` is its process id, ``noise`` what it printed besides events."""

    def __init__(self, command, env, cwd):
        # Appended to: it has no offset that our reading could move under the child's feet.
        self._stderr_path = temporary_file()
        with open(self._stderr_path, "ab") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
                env=env, cwd=cwd, close_fds=True)
        self.pid = self._process.pid
        self._stdin = cooperative(self._process.stdin, "wb")
        self._stdout = cooperative(self._process.stdout, "rb")
        self.noise = collections.deque(maxlen=KEPT_LINES)
        self._events = []
        self._news = Event()
        self._at_end = False
        self._reader = gevent.spawn(self._read)

    def _read(self):
        try:
            for line in self._stdout:
                self._take(line.decode("utf-8", "replace"))
        finally:
            self._at_end = True
            self._news.set()

    def _take(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if isinstance(message, dict) and "event" in message:
            self._events.append(message)
            self._news.set()
        else:
            self.noise.append(line)

    def expect(self, event, timeout=TIMEOUT):
        """The oldest event of this name that was not taken yet, as a dict; waits for it.

        Events of other names stay, to be taken later.  Fails where the script ends first, or
        after ``timeout`` seconds.
        """
        deadline = monotonic() + timeout
        while True:
            for index, message in enumerate(self._events):
                if message["event"] == event:
                    return self._events.pop(index)
            if self._at_end:
                raise AssertionError("%s ended without the event %r" % (self.describe(), event))
            self._news.clear()
            if not self._news.wait(max(0, deadline - monotonic())):
                raise AssertionError("no event %r within %g s from %s" % (
                    event, timeout, self.describe()))

    def send(self, message):
        """Send one object to the script."""
        self._stdin.write((json.dumps(message) + "\n").encode("ascii"))
        self._stdin.flush()

    def kill(self, sig=signal.SIGKILL):
        """Send a signal by pid; one that has ended already is left alone."""
        if self._process.poll() is None:
            os.kill(self.pid, sig)

    def close_stdin(self):
        """End the script's ``commands()``."""
        self._stdin.close()

    @property
    def returncode(self):
        """The exit status, negative for a signal; ``None`` while it runs."""
        return self._process.poll()

    def wait(self, timeout=TIMEOUT):
        """Wait for the end; returns the exit status."""
        deadline = monotonic() + timeout
        while self.returncode is None:
            if monotonic() > deadline:
                raise AssertionError("still running after %g s: %s" % (timeout, self.describe()))
            gevent.sleep(POLL_INTERVAL)
        return self.returncode

    def stderr_text(self):
        """What it wrote to its standard error so far."""
        if self._stderr_path is None:
            return self._last_stderr
        with open(self._stderr_path, "rb") as lines:
            return lines.read().decode("utf-8", "replace")

    def describe(self):
        """Everything that is known about it, for a message."""
        state = "running" if self.returncode is None else "status %d" % self.returncode
        return "process %d (%s)\nevents not taken: %r\nother output: %s\nstderr: %s" % (
            self.pid, state, self._events, "".join(self.noise), self.stderr_text())

    def end(self, timeout=TIMEOUT):
        """Kill it, stopped or not, wait for it, and close the pipes."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, signal.SIGKILL)
        try:
            self.wait(timeout)
        finally:
            self._reader.kill()
            for stream in (self._stdin, self._stdout):
                try:
                    stream.close()
                except (IOError, OSError):  # it died with our last line unread
                    pass
            self._last_stderr = self.stderr_text()
            os.unlink(self._stderr_path)
            self._stderr_path = None


def cooperative(pipe, mode):
    """The same pipe as a file that blocks only the greenlet that waits for it."""
    with pipe:
        return FileObject(os.dup(pipe.fileno()), mode)


def temporary_file():
    """The path of a new, empty file; who asks removes it."""
    handle, path = tempfile.mkstemp(prefix="clusterclient-test-")
    os.close(handle)
    return path


class Processes(object):
    """Starts children and ends them all."""

    def __init__(self):
        self.children = []

    def start(self, script, *args, **options):
        """Start a script: the path of a ``.py`` file, or code.

        :param args: the script's arguments, in text.
        :param python: the interpreter; the test's own by default.
        :param env: variables to set (``None`` as a value removes one).
        :param cwd: the working directory; the checkout by default.
        """
        python = options.pop("python", None) or sys.executable
        env = environment(python, options.pop("env", {}))
        cwd = options.pop("cwd", ROOT)
        if options:
            raise TypeError("unknown options: %s" % ", ".join(sorted(options)))
        is_file = script.endswith(".py") and "\n" not in script
        command = [python] + ([script] if is_file else ["-c", script]) + [str(arg) for arg in args]
        child = Child(command, env, cwd)
        self.children.append(child)
        return child

    def end_all(self):
        """End every child; the first that cannot be ended is raised after all were tried."""
        failures = []
        for child in self.children:
            try:
                child.end()
            except AssertionError as failure:
                failures.append(failure)
        self.children = []
        if failures:
            raise failures[0]


def environment(python, changes):
    """Our environment, with the package and ``support`` to be imported from this checkout."""
    env = dict(os.environ)
    paths = [ROOT, TESTS]
    if python == sys.executable and env.get("PYTHONPATH"):
        paths.append(env["PYTHONPATH"])
    env["PYTHONPATH"] = os.pathsep.join(paths)
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = str(value)
    return env
