"""Heartbeats, and peers that are stopped by a signal."""

from __future__ import absolute_import, division, print_function

import signal

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from support import raw_peer
from support.members import Failed, until
from support.ports import free_port

INTERVAL = 0.2
MEBIBYTE = 2 ** 20


def seconds_until_dropped(port, closing, **kwargs):
    """Register, say nothing more, and wait until the leader closes the connection."""
    connection = closing(raw_peer.follow(port, **kwargs))
    since = monotonic()
    connection.wait_for_end()
    return monotonic() - since


@pytest.mark.parametrize("hello", [None, raw_peer.hello()], ids=["node", "python"])
def test_a_silent_follower_is_dropped_after_three_intervals(members, port, closing, hello):
    leader = members.join(heartbeat_interval=INTERVAL)
    assert 3 * INTERVAL <= seconds_until_dropped(port, closing, hello=hello) < 2.5
    until(lambda: "nothing came from the peer for 0." in leader.log(), "a line in the log")


def test_an_idle_follower_is_kept(members, port, closing):
    leader = members.join(heartbeat_interval=INTERVAL)
    # Its own interval is another one: the leader's is what counts.
    idle = members.join(heartbeat_interval=60)
    idle.leadership()
    for _ in range(2):
        seconds_until_dropped(port, closing)
    assert idle.do("is_leader", client="main") is False
    assert leader.log().count("nothing came from the peer") == 2
    assert "is gone" not in idle.log()
    assert idle.call("whoami") == leader.pid


def test_a_heartbeat_is_answered_and_keeps_the_connection(members, port, closing):
    members.join(heartbeat_interval=INTERVAL)
    lively = closing(raw_peer.follow(port))
    silent = closing(raw_peer.follow(port))
    since = monotonic()
    while monotonic() - since < 4 * INTERVAL:
        lively.expect(response_to=lively.request({"type": "heartbeat"}))
    silent.wait_for_end()
    number = raw_peer.invoke(lively, "echo", 1)
    assert lively.expect(response_to=number).head["success"] is True


def test_without_the_check_a_silent_follower_is_kept(members, port, closing):
    members.join(check_heartbeat=False, heartbeat_interval=INTERVAL)
    silent = closing(raw_peer.follow(port))
    # Another leader with the same interval shows when it would have been dropped.
    strict_port = free_port()
    members.join(port=strict_port, heartbeat_interval=INTERVAL)
    for _ in range(2):
        seconds_until_dropped(strict_port, closing)
    number = raw_peer.invoke(silent, "echo", "still here")
    answer = silent.expect(response_to=number)
    assert (answer.head["success"], answer.body) == (True, b'"still here"')


def test_a_follower_finds_out_that_its_leader_says_nothing(members, raw_server):
    member = members.start()
    members.create(member, is_leader=False, heartbeat_interval=INTERVAL)
    connection = raw_server.accept()
    connection.respond(connection.expect("register_channel"), {"type": "register_channel_res"},
                       b'{"success":true}')
    member.do("ready", client="main")
    since = monotonic()
    call = member.begin("call", client="main", name="echo", args=[1], timeout=30)
    with pytest.raises(Failed) as caught:
        call.get()
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")
    assert 2 * INTERVAL <= monotonic() - since < 2.5
    beats = [frame for frame in connection.wait_for_end() if frame.head["type"] == "heartbeat"]
    assert len(beats) >= 2
    # It tries again, with whoever is there.
    raw_server.accept().expect("register_channel")


def test_a_leader_that_sends_the_heartbeats_is_answered_and_missed(members, raw_server):
    member = members.start()
    members.create(member, is_leader=False)
    connection = raw_server.accept()
    connection.respond(
        connection.expect("register_channel"),
        {"type": "register_channel_res", "clusterclient_sync": raw_peer.leader_hello(
            can=["leader_beats"], heartbeat_interval=INTERVAL)},
        b'{"success":true}')
    member.do("ready", client="main")
    for _ in range(5):
        since = monotonic()
        answer = connection.expect(response_to=connection.request({"type": "heartbeat"}))
        assert answer.head == {"type": "heartbeat_res"}
        while monotonic() - since < INTERVAL:
            gevent.sleep(0.01)
    since = monotonic()
    assert connection.wait_for_end() == []  # none of its own
    assert INTERVAL < monotonic() - since < 2.5


def test_a_silent_follower_that_the_leader_beats_is_dropped(members, port, closing):
    members.join(heartbeat_interval=INTERVAL)
    connection = closing(raw_peer.follow(port, hello=raw_peer.hello(can=["leader_beats"])))
    since = monotonic()
    beats = [frame for frame in connection.wait_for_end() if frame.head["type"] == "heartbeat"]
    assert 3 * INTERVAL <= monotonic() - since < 2.5
    assert 2 <= len(beats) <= 4


def test_all_that_a_leader_asks_of_a_follower_is_told_apart(members, port, closing):
    leader = members.join(heartbeat_interval=INTERVAL)
    connection = closing(raw_peer.follow(port, hello=raw_peer.hello(
        can=["leader_beats", "goodbye", "quiet_push"])))
    key = {"type": "subscribe", "key": "k", "reg": {"dataId": "ids"}}
    connection.request(key)
    ids = []
    for _ in range(2):
        beat = connection.expect("heartbeat")
        ids.append(beat.number)
        connection.respond(beat, {"type": "heartbeat_res"})
    ids.append(connection.expect("subscribe_result").number)
    closed = leader.begin("close", client="main")
    goodbye = connection.expect("goodbye")
    ids.append(goodbye.number)
    connection.respond(goodbye, {"type": "goodbye_res"})
    closed.get()
    assert len(set(ids)) == len(ids)


def test_a_leader_that_does_not_check_does_not_beat(members, port, closing):
    members.join(check_heartbeat=False, heartbeat_interval=INTERVAL)
    connection = closing(raw_peer.connect(port))
    number = raw_peer.register(connection, hello=raw_peer.hello(can=["leader_beats", "epoch"]))
    answer = connection.expect(response_to=number)
    assert answer.head["clusterclient_sync"]["can"] == ["epoch"]


def test_a_stopped_leader_fails_calls_in_time_and_serves_again(members):
    leader, one = members.join_all(2)
    leader.child.kill(signal.SIGSTOP)
    since = monotonic()
    with pytest.raises(Failed) as caught:
        one.call("whoami", timeout=0.5)
    assert 0.45 <= monotonic() - since < 5
    assert (caught.value.type, caught.value.outcome) == ("ResponseTimeoutError", "unknown")
    assert caught.value.details["leader_pid"] == leader.pid
    leader.child.kill(signal.SIGCONT)
    assert one.call("whoami", timeout=20) == leader.pid


def named_holder(member):
    with pytest.raises(Failed) as caught:
        member.do("ready", client="main", timeout=0.5)
    return caught.value if caught.value.details["holder_pid"] is not None else None


def test_who_joins_while_the_leader_is_stopped(members):
    leader = members.join()
    leader.child.kill(signal.SIGSTOP)
    late = members.start()
    members.create(late)
    # Who holds the port is looked up when it has been silent for long.
    error = until(lambda: named_holder(late), "an error that names the holder")
    assert error.type == "LeaderUnavailableError"
    assert error.details["holder_pid"] == leader.pid
    assert "cluster_member.py" in error.details["holder_command"]
    leader.child.kill(signal.SIGCONT)
    late.do("ready", client="main")
    assert late.call("whoami") == leader.pid


@pytest.mark.limit(120)
def test_a_stopped_follower_costs_bounded_memory_and_nobody_else_notices(members):
    leader, stopped, healthy = members.join_all(3)
    for member in (stopped, healthy):
        member.do("subscribe", client="main", registration={"dataId": "k"})
        member.value_like({"first": leader.pid})
    stopped.child.kill(signal.SIGSTOP)
    healthy.do("hammer", client="main", greenlets=1)
    peak = None
    for first in range(0, 200, 4):
        # No more at a time than one who reads at its ease keeps up with.
        numbers = list(range(first, first + 4))
        healthy.call("flood", "k", numbers, MEBIBYTE, timeout=20)
        assert [healthy.value() for _ in numbers] == [
            {"starts": ("%08d" % number) * 2, "length": MEBIBYTE} for number in numbers]
        peak = peak or leader.do("peak_memory")  # after the first few
    assert healthy.do("stop_hammer", client="main")["failures"] == []
    assert leader.do("peak_memory") - peak < 64
    stopped.child.kill(signal.SIGCONT)
    healthy.call("push", "k", "newest")
    got = [int(value["starts"][:8]) for value in stopped.value_like("newest")]
    assert got == sorted(got) and got[-1] == 199 and len(got) < 100
    assert stopped.call("whoami") == leader.pid
