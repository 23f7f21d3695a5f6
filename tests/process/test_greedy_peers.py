"""Peers that take more than their share: the leader's memory is bounded, and the others go on."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from support import raw_peer
from support.members import until

MEBIBYTE = 2 ** 20


@pytest.fixture
def pair(members):
    """A leader, and a healthy follower that calls all the time and must not notice."""
    leader, healthy = members.join_all(2)
    healthy.do("hammer", client="main", greenlets=2)
    yield leader, healthy
    healthy.do("progress", client="main", calls=20)
    assert healthy.do("stop_hammer", client="main")["failures"] == []


def send_all(connection, frames):
    """Send in the background what the peer may take its time to read."""
    connection.sock.settimeout(None)
    return gevent.spawn(lambda: [connection.send(frame) for frame in frames])


def calls_of(method, value, count):
    head = {"type": "invoke", "method": method, "argLength": 1, "oneway": False}
    body = raw_peer.arguments(raw_peer.json_bytes(value))
    return [raw_peer.frame(0, number, head, body, timeout_ms=60000)
            for number in range(1, count + 1)]


@pytest.mark.limit(120)
def test_thousands_of_calls_without_reading_the_answers(pair, port, closing):
    leader, healthy = pair
    connection = closing(raw_peer.follow(port))
    before = leader.do("peak_memory")
    count = 5000
    sending = send_all(connection, calls_of("echo", "x" * 16 * 1024, count))  # 80 MiB
    # The leader stops reading: it takes some, and then the kernel's buffers are full.
    sent = [-1]

    def is_stuck():
        healthy.do("progress", client="main", calls=50)
        queued, sent[0] = sent[0], queued_bytes(connection)
        return queued == sent[0] > 0

    until(is_stuck, "the peer is not read any more")
    assert not sending.ready()
    assert leader.do("peak_memory") - before < 40
    # When it reads at last, it gets every answer.
    answers = [connection.read() for _ in range(count)]
    assert all(answer.head["success"] is True for answer in answers)
    assert {answer.number for answer in answers} == set(range(1, count + 1))
    assert all(len(answer.body) == 16 * 1024 + 2 for answer in answers)
    sending.get(timeout=20)
    connection.sock.settimeout(raw_peer.TIMEOUT)
    assert leader.do("peak_memory") - before < 40


def queued_bytes(connection):
    """What the kernel holds of what was sent and not read by the leader, and the reverse."""
    numbers = set(connection.sock.getsockname()[1:2] + connection.sock.getpeername()[1:2])
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(number, 16) for row in rows
               if {int(row[1].split(":")[1], 16), int(row[2].split(":")[1], 16)} == numbers
               for number in row[4].split(":"))


@pytest.mark.limit(120)
def test_a_connection_with_10000_calls_in_work_is_not_read_further(pair, port, closing):
    leader, healthy = pair
    connection = closing(raw_peer.follow(port))
    sending = send_all(connection, calls_of("hold", "gate", 12000))
    until(lambda: leader.do("held", gate="gate") >= 10000, "10,000 calls are in work")
    healthy.do("progress", client="main", calls=50)
    assert leader.do("held", gate="gate") == 10000
    leader.do("open_gate", gate="gate")
    answers = [connection.read().number for _ in range(12000)]
    assert sorted(answers) == list(range(1, 12001))
    sending.get(timeout=20)


def test_descriptors_run_out(pair, port, closing):
    leader, healthy = pair
    leader.do("limit_descriptors", more=10)
    idle = [raw_peer.connect(port) for _ in range(40)]
    try:
        until(lambda: "No descriptors are left" in leader.log(), "a line in the log")
        healthy.do("progress", client="main", calls=100)
        # It does not spin either: it says so some times a second, not thousands of times.
        assert leader.log().count("No descriptors are left") < 100
    finally:
        for connection in idle:
            connection.close()
    connection = closing(raw_peer.follow(port))
    answer = connection.expect(response_to=raw_peer.invoke(connection, "echo", 1))
    assert answer.body == b"1"


def test_a_follower_that_cannot_open_a_descriptor_tries_again(members):
    leader = members.join()
    poor = members.start()
    members.create(poor, is_leader=False)
    poor.do("ready", client="main")
    poor.do("limit_descriptors", more=0)
    leader.child.kill()
    until(lambda: poor.do("is_leader", client="main") is None, "its leader is gone")
    successor = members.join()
    assert poor.call("whoami", timeout=20) == successor.pid


def test_many_connections_that_do_nothing(pair, port):
    leader, healthy = pair
    idle = [raw_peer.connect(port) for _ in range(300)]
    try:
        healthy.do("progress", client="main", calls=100)
    finally:
        for connection in idle:
            connection.close()
    until(lambda: leader.do("count_descriptors") < 100, "their descriptors are closed")
