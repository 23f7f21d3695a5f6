"""The checks that ``conftest.py`` makes: each is seen to catch what it is there for."""

from __future__ import absolute_import, division, print_function

import signal
import socket
import subprocess
import sys
import threading
import time

import gevent
import gevent.event
import pytest

from clusterclient_sync.election import free_ports
from support import leaks, limits, ports
from support.processes import Processes

PATIENCE = 0.05


@pytest.fixture
def before():
    return leaks.Snapshot()


def only(found, word):
    assert len(found) == 1, found
    assert word in found[0]


def test_nothing_is_found_where_nothing_was_left(before):
    assert leaks.wait_until_clean(before, PATIENCE) == []


def test_a_greenlet_is_found_with_its_stack(before):
    def lingering():
        begun.set()
        gevent.sleep(1000)

    begun = gevent.event.Event()
    greenlet = gevent.spawn(lingering)
    begun.wait(10)
    try:
        only(leaks.wait_until_clean(before, PATIENCE), "in lingering")
    finally:
        greenlet.kill()


def test_a_greenlet_that_has_not_started_is_found(before):
    greenlet = gevent.spawn_later(1000, len, "")
    try:
        only(leaks.wait_until_clean(before, PATIENCE), "not started")
    finally:
        greenlet.kill()


def test_a_greenlet_that_ends_by_itself_is_waited_for(before):
    gevent.spawn(gevent.sleep, 0.02)
    assert leaks.wait_until_clean(before) == []


def test_a_socket_is_found_with_its_ports(before):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    try:
        only(leaks.wait_until_clean(before, PATIENCE), "descriptor %d" % server.fileno())
    finally:
        server.close()


def test_a_thread_is_found_with_its_stack(before):
    gone = threading.Event()

    def waiting_thread():
        gone.wait()

    thread = threading.Thread(target=waiting_thread)
    thread.start()
    try:
        only(leaks.wait_until_clean(before, PATIENCE), "in waiting_thread")
    finally:
        gone.set()
        thread.join()


def test_a_child_is_found_until_it_was_waited_for(before):
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        only(leaks.wait_until_clean(before, PATIENCE), "child process %d" % child.pid)
    finally:
        child.wait()
    assert leaks.wait_until_clean(before, PATIENCE) == []


def busy_loop():
    while True:
        pass


def test_a_limit_ends_what_is_busy_and_what_sleeps(request):
    limiter = request.config.clusterclient_limiter
    for run in (busy_loop, lambda: time.sleep(1000), lambda: gevent.sleep(1000)):
        with pytest.raises(limits.LimitExceeded) as caught:
            with limiter.limit("this", 0.1):
                run()
        assert "this took longer than 0.1 s" in str(caught.value)


def test_a_limit_ends_a_test_whose_greenlet_is_busy(request):
    greenlet = gevent.spawn(busy_loop)
    with pytest.raises(limits.LimitExceeded):
        with request.config.clusterclient_limiter.limit("this", 0.1):
            gevent.sleep(1000)
    greenlet.join(timeout=10)
    assert isinstance(greenlet.exception, limits.LimitExceeded)


def test_a_limit_that_was_kept_raises_nothing_later(request):
    with request.config.clusterclient_limiter.limit("this", 0.05):
        pass
    gevent.sleep(0.1)


def test_ports_are_free_and_never_the_same():
    given = [ports.free_port() for _ in range(20)]
    first, last = free_ports.ephemeral_range()
    assert len(set(given)) == 20
    assert not [port for port in given if first <= port <= last]


SCRIPT = """
from support.talk import commands, tell
print("by the way")
tell("ready", pid=__import__("os").getpid())
for command in commands():
    tell("later", n=command["n"])
    tell("echo", n=command["n"])
tell("bye")
"""


def test_a_script_talks_and_is_ended(processes):
    child = processes.start(SCRIPT)
    assert child.expect("ready")["pid"] == child.pid
    for number in (1, 2):
        child.send({"n": number})
    assert [child.expect("echo")["n"], child.expect("later")["n"]] == [1, 1]
    child.close_stdin()
    child.expect("bye")
    assert child.wait() == 0
    assert list(child.noise) == [u"by the way\n"]


def test_a_script_that_ends_early_fails_the_wait_and_shows_why(processes):
    child = processes.start("import sys; sys.exit('no luck today')")
    with pytest.raises(AssertionError) as caught:
        child.expect("ready")
    assert "ended without the event 'ready'" in str(caught.value)
    assert "no luck today" in str(caught.value)


def test_a_silent_script_fails_the_wait_at_its_timeout(processes):
    child = processes.start("import time; time.sleep(1000)")
    with pytest.raises(AssertionError) as caught:
        child.expect("ready", timeout=0.05)
    assert "no event 'ready' within 0.05 s" in str(caught.value)


def test_a_stopped_script_is_ended_too():
    started = Processes()
    child = started.start(SCRIPT)
    child.expect("ready")
    child.kill(signal.SIGSTOP)
    started.end_all()
    assert child.returncode == -signal.SIGKILL


def test_a_script_of_the_other_python_talks_too(processes, other_python):
    code = "import sys\nfrom support.talk import tell\ntell('ready', major=sys.version_info[0])\n"
    child = processes.start(code, python=other_python)
    assert child.expect("ready")["major"] == 5 - sys.version_info[0]
