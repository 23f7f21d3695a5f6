"""The demo, run as a user runs it: what it says, what it leaves, and how it ends when it must."""

from __future__ import absolute_import, division, print_function

import errno
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

LIMIT = 20  # what the demo promises
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Run(object):
    """A demo under way: its process, and what it has written."""

    def __init__(self, *arguments):
        # A file, not a pipe: the output is read line by line, and nobody reads beside that.
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clusterclient_sync", "demo"] + list(arguments), cwd=ROOT,
            stdout=subprocess.PIPE, stderr=self._errors)
        self._timer = threading.Timer(LIMIT, self.process.terminate)
        self._timer.start()

    def finish(self):
        """Wait for its end; returns ``(status, output, errors)``."""
        output = self.process.stdout.read()
        status = self.process.wait()
        self._errors.seek(0)
        errors = self._errors.read()
        return status, output.decode("ascii"), errors.decode("ascii")

    def close(self):
        """End it when it was left running; it ends its own processes on SIGTERM."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self._timer.cancel()
        self._timer.join()
        self.process.stdout.close()
        self._errors.close()


@pytest.fixture
def run():
    """Starts demos; ends what a failing test leaves."""
    started = []

    def start(*arguments):
        started.append(Run(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def facts_of(run, *arguments):
    status, output, errors = run("--json", *arguments).finish()
    facts = json.loads(output)
    assert (status, facts["not_seen"], errors) == (0, [], "")
    assert facts["seconds"] < LIMIT
    assert all(is_gone(pid) for pid in facts["processes"])
    # The server, gunicorn, its four workers, and the one that replaced the killed one.
    assert len(set(facts["processes"])) == 7
    return facts


def check_requests(facts):
    assert facts["requests"]["answered"] > 100
    assert facts["requests"]["lost_otherwise"] == facts["requests"]["error_responses"] == 0
    assert facts["since_the_kill"]["answered"] > 0
    assert facts["calls_per_second"] > 0
    assert len(facts["calls_by_worker"]) == 4
    assert all(facts["calls_by_worker"].values())


def check_change(change, workers):
    assert sorted(map(int, change["arrived_after_ms"])) == sorted(workers)
    assert all(after > 0 for after in change["arrived_after_ms"].values())


@pytest.mark.limit(40)
def test_workers_share_one_connection_and_survive_their_leader(run):
    facts = facts_of(run)
    survivors = set(facts["workers"]) - {facts["leader"]}
    assert facts["upstream_connections"] == facts["upstream_connections_after"] == 1
    assert facts["upstream_connections_of"] == ["pid %d" % facts["leader"]]
    takeover = facts["takeover"]
    assert takeover["killed"] == facts["killed"] == facts["leader"]
    assert takeover["successor"] in survivors
    assert 0 < takeover["milliseconds"] < 3000
    assert facts["upstream_connections_after_of"] == ["pid %d" % takeover["successor"]]
    assert facts["replacement"]["pid"] not in facts["workers"]
    assert facts["replacement"]["role"] == "follower"
    check_change(facts["change"], facts["workers"])
    check_change(facts["change_after"], survivors | {facts["replacement"]["pid"]})
    check_requests(facts)


@pytest.mark.limit(40)
def test_without_sharing_every_worker_has_a_connection(run):
    facts = facts_of(run, "--without-sharing")
    assert facts["upstream_connections"] == facts["upstream_connections_after"] == 4
    assert facts["upstream_connections_of"] == sorted("pid %d" % pid for pid in facts["workers"])
    assert "takeover" not in facts and "leader" not in facts
    check_change(facts["change"], facts["workers"])
    check_requests(facts)


def wait_for(run, pattern):
    """Read lines until one matches; returns the match."""
    for line in iter(run.process.stdout.readline, b""):
        found = re.search(pattern, line.decode("ascii"))
        if found:
            return found
    raise AssertionError("the demo ended before it said %r" % pattern)


@pytest.mark.limit(40)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_no_process(run, number):
    demo = run("--without-sharing", "--plain")
    server = int(wait_for(demo, r"registry server, process (\d+)").group(1))
    gunicorn = int(wait_for(demo, r"gunicorn, process (\d+)").group(1))
    workers = wait_for(demo, r"connection\(s\): (.*)").group(1)
    os.kill(demo.process.pid, number)
    status, _, _ = demo.finish()
    assert status == 128 + number
    pids = [server, gunicorn] + [int(pid) for pid in re.findall(r"\d+", workers)]
    assert len(pids) == 6
    assert [pid for pid in pids if not is_gone(pid)] == []


@pytest.mark.limit(40)
def test_what_was_not_seen_is_said_and_fails_it(run):
    demo = run("--without-sharing", "--plain")
    server = int(wait_for(demo, r"registry server, process (\d+)").group(1))
    wait_for(demo, r"counts 4 connection")
    os.kill(server, signal.SIGKILL)
    status, output, errors = demo.finish()
    assert status == 1
    assert "not seen: a published change arrived in every worker\n" in output
    assert "not seen: four workers answered" not in output
    assert "RegistryUnavailableError" in output
    assert "the end of gunicorn.log" in errors


@pytest.mark.limit(40)
def test_on_a_terminal_a_table_is_drawn_again_in_place():
    master, slave = pty.openpty()
    demo = subprocess.Popen(
        [sys.executable, "-m", "clusterclient_sync", "demo", "--without-sharing"], cwd=ROOT,
        stdout=slave, stderr=slave, env=dict(os.environ, TERM="xterm"))
    os.close(slave)
    timer = threading.Timer(LIMIT, demo.terminate)
    timer.start()
    try:
        shown = read_until(master, br"\x1b\[\d+A\r\x1b\[J[^\x1b]*upstream connections: 4")
        assert len(re.findall(br"\d+ +on its own", shown)) >= 4
    finally:
        demo.terminate()
        read_until(master, b"never matches: all of it is read, or it could not end")
        demo.wait()
        os.close(master)
        timer.cancel()
        timer.join()


def read_until(fileno, pattern):
    """What arrives until the pattern is in it, or until the other side is closed."""
    received = b""
    while not re.search(pattern, received):
        try:
            chunk = os.read(fileno, 4096)
        except OSError:  # Linux: the last one who had the terminal open is gone
            break
        if not chunk:
            break
        received += chunk
    return received


def test_the_command_line_explains_itself():
    command = [sys.executable, "-m", "clusterclient_sync"]
    assert b"--without-sharing" in subprocess.check_output(command + ["demo", "--help"], cwd=ROOT)
    told = subprocess.check_output(command + ["--version"], cwd=ROOT, stderr=subprocess.STDOUT)
    assert re.match(br"clusterclient_sync \d+\.\d+", told)
    nothing = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    assert b"COMMAND" in nothing.communicate()[1]
    assert nothing.returncode == 2
