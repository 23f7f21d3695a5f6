"""What calls, starts and forks leave behind: leader and follower in this process, no other."""

from __future__ import absolute_import, division, print_function

import errno
import logging
import socket

import gevent
import pytest
from gevent.event import Event

from clusterclient_sync import (
    DataClientBase, FrameTooLargeError, LeaderUnavailableError, cluster, outcome)
from clusterclient_sync._compat import monotonic
from clusterclient_sync.transport import sockets


class Real(DataClientBase):
    """A real client that notes what happens to it."""

    made = []

    def __init__(self):
        self.published = []
        self.is_open = True
        self.touched = Event()
        Real.made.append(self)

    def get(self, value):
        return value

    def touch(self, value, callback=None):
        self.touched.set()

    def publish(self, registration):
        self.published.append(registration["value"])

    def tell(self, *args):
        self.emit("told", *args)

    def close(self):
        self.is_open = False


@pytest.fixture(autouse=True)
def nothing_made():
    del Real.made[:]
    yield
    del Real.made[:]


@pytest.fixture
def make(port):
    clients = []

    def make_one(make_real=Real, name="real", delegates=(), **options):
        builder = cluster(make_real, port=port, name=name, **options)
        for delegate in delegates:
            builder.delegate(*delegate)
        clients.append(builder.create())
        return clients[-1]

    yield make_one
    for client in clients:
        client.close()


def until(condition, timeout=10):
    deadline = monotonic() + timeout
    while not condition():
        assert monotonic() < deadline
        gevent.sleep(0.005)


def said(caplog, text):
    return any(text in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("is_follower", [False, True])
def test_a_one_way_call_that_never_calls_back_is_no_work_for_ever(make, caplog, is_follower):
    caplog.set_level(logging.WARNING)
    touch = [("touch", "invoke_oneway")]
    leader = make(delegates=touch, response_timeout=0.05)
    leader.ready()
    client = leader
    if is_follower:
        client = make(delegates=touch, response_timeout=0.05)
        client.ready()
    client.touch(1)
    assert Real.made[0].touched.wait(10)
    until(lambda: said(caplog, "never called its callback"))
    leader.close()
    assert not said(caplog, "not all calls ended")


def test_callers_killed_before_their_calls_began_leave_no_work(make, caplog):
    caplog.set_level(logging.WARNING)
    client = make()
    client.ready()
    callers = [gevent.spawn(client.get, number) for number in range(300)]
    gevent.sleep(0)
    gevent.killall(callers)
    assert client.get("still") == "still"
    client.close()
    assert not said(caplog, "not all calls ended")


def test_a_forced_leader_that_could_not_listen_once_leads(make, monkeypatch):
    failures = [socket.error(errno.EMFILE, "no descriptors")]
    listen = sockets.listen

    def listen_later(host, port):
        if failures:
            raise failures.pop()
        return listen(host, port)

    monkeypatch.setattr(sockets, "listen", listen_later)
    client = make(is_leader=True)
    client.ready(timeout=10)
    assert client.is_leader and not failures


def test_a_real_client_that_fails_the_check_is_closed(make):
    client = make(lambda: Real(), delegates=[("missing",)])
    with pytest.raises(Exception) as caught:
        client.ready(timeout=10)
    assert "missing" in str(caught.value)
    client.close()
    assert Real.made and not any(real.is_open for real in Real.made)


def test_a_refused_publish_leaves_the_one_before_it_for_the_next_leader(make):
    leader = make(max_frame_size=2048)
    leader.ready()
    follower = make(max_frame_size=2048, publish_key=lambda registration: "one")
    follower.ready()
    follower.publish({"value": "small"})
    with pytest.raises(FrameTooLargeError) as caught:
        follower.publish({"value": "x" * 4096})
    assert outcome(caught.value) == "not_sent"
    leader.close()
    until(lambda: len(Real.made) == 2 and Real.made[1].published)
    assert Real.made[1].published == ["small"]


def test_events_are_the_same_on_the_leader_and_on_a_follower(make):
    clients = [make(), make()]
    told = []
    for client in clients:
        client.ready()
        client.on("told", lambda *args: told.append(args))
    clients[1].tell((1, 2), {"a": b"\xff"}, None)
    until(lambda: len(told) == 2)
    assert told[0] == told[1] == ([1, 2], {"a": b"\xff"}, None)


def test_everything_is_logged_where_the_option_says(make):
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    logger = logging.Logger("of the user", logging.DEBUG)
    logger.addHandler(Keep())
    client = make(logger=logger)
    client.ready()
    assert any("leader now" in text for text in records)


def test_any_call_takes_a_timeout_and_a_callback(make):
    client = make(is_leader=False, delegates=[("touch", "invoke_oneway")])
    for name, args in (("get", (1,)), ("touch", (1,))):
        with pytest.raises(LeaderUnavailableError):
            client.call(name, args, timeout=0.02)
    done = Event()
    outcomes = []

    def callback(error, value):
        outcomes.append((error, value))
        done.set()

    leader = make(delegates=[("touch", "invoke_oneway")])
    leader.ready()
    client.ready()
    assert client.call("touch", (1,), callback=callback) is None
    assert done.wait(10) and outcomes == [(None, None)]


FORKS = u"""
import os, sys
import gevent
from clusterclient_sync import cluster
from support.talk import tell

class Real(object):
    def close(self):
        pass

client = cluster(Real, port=int(sys.argv[1])).create()  # joins in the background
reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    gevent.sleep(0.3)
    os.write(writer, ("%s %s" % (client.is_leader, "closed" in repr(client))).encode("ascii"))
    os._exit(0)
os.waitpid(pid, 0)
client.ready(10)
tell("told", child=os.read(reader, 100).decode("ascii"), leads=client.is_leader)
client.close()
"""


def test_a_child_forked_while_joining_does_not_lead(processes, port):
    told = processes.start(FORKS, port).expect("told")
    assert told["child"] == "None True"
    assert told["leads"] is True
