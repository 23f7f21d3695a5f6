"""A client that was made before a fork joins anew in the child, at its first use there."""

from __future__ import absolute_import, division, print_function

import pytest

from support.members import until

#: argv: port, journal, runtime, moment, how the child comes to be.
PROGRAM = """
import sys
import os
import threading
if sys.argv[3] == "patched":
    from gevent import monkey
    monkey.patch_all()
import multiprocessing
import gevent
from clusterclient_sync import cluster, ClientClosedError
from clusterclient_sync.exceptions import ClusterClientError
from support.gates import Event
from support.real_client import RealClient
from support.talk import commands, tell

KEY = {"dataId": "k"}
port, journal, runtime, moment, how = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], \\
    sys.argv[5]
client = (cluster(RealClient, port=port, response_timeout=10, drain_timeout=0.5,
                  runtime={"patched": None}.get(runtime, runtime))
          .delegate("echo", idempotent=True).create({"journal": journal}))
told = Event()
values = []


def listen(value):
    values.append((os.getpid(), value))
    told.set()


def handle(role, epoch, pid):
    if os.getpid() != parent:
        tell("child leads or follows", role=role)


parent = os.getpid()
client.on("leader_change", handle)
client.subscribe(KEY, listen)
if moment != "while joining":
    client.ready(10)
    told.wait(10)
pending = []
if moment == "with calls pending":
    client.call("hold", ("gate",), timeout=20, callback=lambda *outcome: pending.append(outcome))
if moment == "closed":
    client.close()


def work_in_child():
    del values[:]
    told.clear()
    try:
        answer = client.echo("from the child")
    except ClientClosedError:
        tell("child", pid=os.getpid(), closed=True)
        return
    told.wait(10)
    tell("child", pid=os.getpid(), answer=answer, is_leader=client.is_leader,
         value=[value for pid, value in values], foreign=[
             pid for pid, _ in values if pid != os.getpid()])
    client.close()


def fork():
    if how == "multiprocessing":
        context = multiprocessing.get_context("fork") if hasattr(
            multiprocessing, "get_context") else multiprocessing
        child = context.Process(target=work_in_child)
        child.start()
        return child.join
    pid = os.fork()
    if pid == 0:
        try:
            work_in_child()
        finally:
            os._exit(0)
    return lambda: os.waitpid(pid, 0)


if how == "a thread's":
    waits = []
    thread = threading.Thread(target=lambda: waits.append(fork()))
    thread.start()
    thread.join()
    wait = waits[0]
else:
    wait = fork()
tell("forked")
if moment == "closed":
    wait()
else:
    if moment == "while joining":
        client.ready(10)
    for number in range(20):
        assert client.echo(number) == number
    tell("parent works", is_leader=client.is_leader)
    # The child lives beside its parent, which may be its leader.
    gevent.get_hub().threadpool.apply(wait) if runtime == "greenlet" else wait()
    assert client.echo("at last") == "at last"
    client.close()
tell("over")
"""
RUNTIMES = ("greenlet", "thread", "patched")
CASES = [(runtime, moment, how) for runtime in RUNTIMES
         for moment, how in (("at work", "os.fork"), ("at work", "multiprocessing"),
                             ("while joining", "os.fork"), ("with calls pending", "os.fork"),
                             ("at work", "a thread's"))
         if (runtime, how) != ("greenlet", "a thread's")]


def start(processes, port, journal, *how):
    return processes.start(PROGRAM, port, journal.path, *how, env={"CLUSTERCLIENT_RUNTIME": None})


@pytest.mark.parametrize("runtime, moment, how", CASES)
def test_the_child_of_a_leader_follows_its_parent(
        processes, port, journal, runtime, moment, how):
    program = start(processes, port, journal, runtime, moment, how)
    told = program.expect("child")
    assert (told["answer"], told["foreign"]) == ("from the child", [])
    # Where both join at the same time, either may lead.
    leader = told["pid"] if told["is_leader"] else program.pid
    assert leader == program.pid or moment == "while joining"
    # Its listener came along, and so did its handlers.
    assert told["value"][0] == {"first": leader}
    role = "leader" if told["is_leader"] else "follower"
    assert program.expect("child leads or follows")["role"] == role
    program.expect("parent works")
    program.expect("over", timeout=30)
    assert program.wait() == 0, program.describe()
    assert [life[0] for life in journal.assert_one_at_a_time()][0] == leader
    assert "Traceback" not in program.stderr_text()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_child_of_a_follower_follows_as_well(members, processes, port, journal, runtime):
    leader = members.join()
    program = start(processes, port, journal, runtime, "at work", "os.fork")
    told = program.expect("child")
    assert (told["answer"], told["is_leader"]) == ("from the child", False)
    assert told["value"] == [{"first": leader.pid}]
    program.expect("over", timeout=30)
    assert program.wait() == 0, program.describe()
    until(lambda: journal.lines("unsubscribed"), "the listeners of both are gone")
    assert leader.call("whoami") == leader.pid


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_was_closed_stays_closed(processes, port, journal, runtime):
    program = start(processes, port, journal, runtime, "closed", "os.fork")
    assert program.expect("child")["closed"] is True
    program.expect("over")
    assert program.wait() == 0, program.describe()
