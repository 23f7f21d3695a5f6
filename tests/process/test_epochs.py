"""Leaders that wake late, and connections that died without a word."""

from __future__ import absolute_import, division, print_function

import re
import signal

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from support import raw_peer, usage
from support.members import Failed, until
from support.ports import free_port
from support.proxy import Proxy

INTERVAL = 0.2
KEY = {"dataId": "k"}
REPEATABLE = [["whoami", "invoke", {"idempotent": True}]]


@pytest.fixture
def proxy(port, closing):
    """A proxy to the test's port, for clients that follow through it."""
    return closing(Proxy(port))


def follower_through(members, proxy):
    """A member that follows through a proxy and has subscribed."""
    member = members.start()
    members.create(member, port=proxy.port, is_leader=False, delegates=REPEATABLE)
    member.do("ready", client="main")
    member.do("subscribe", client="main", registration=KEY)
    return member


def epoch_of(member):
    return member.do("epoch", client="main")


def test_a_leader_that_wakes_after_another_took_over(members, proxy, port):
    """A follower goes to the new leader, and comes back to the old one when that has woken."""
    late = members.join(heartbeat_interval=INTERVAL)
    beside = members.join(is_leader=False)  # follows the late one all the time
    follower = follower_through(members, proxy)
    assert follower.leadership() == ("follower", epoch_of(late), late.pid)
    assert follower.value() == {"first": late.pid}
    other_port = free_port()
    successor = members.join(port=other_port, heartbeat_interval=INTERVAL)
    late.child.kill(signal.SIGSTOP)
    proxy.target = other_port
    once = follower.begin("call", client="main", name="hold", args=["gate"], timeout=30)
    repeated = follower.begin("call", client="main", name="whoami", timeout=30)
    # Heartbeats find the silence, and what was under way ends as promised.
    with pytest.raises(Failed) as caught:
        once.get()
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")
    assert repeated.get() == successor.pid
    newer = epoch_of(successor)
    assert newer > epoch_of(beside)
    assert follower.leadership() == ("follower", newer, successor.pid)
    assert follower.value() == {"first": successor.pid}

    late.child.kill(signal.SIGCONT)
    # It goes on with what it was sent, and nobody hears of that.
    until(lambda: late.do("held", gate="gate") == 1, "the old leader has read the call")
    late.do("open_gate", gate="gate")
    assert beside.call("whoami", timeout=20) == late.pid
    assert follower.do("epoch", client="main") == newer
    successor.do("subscribe", client="main", registration=KEY)
    successor.call("push", "k", "of the new leader")
    assert follower.value() == "of the new leader"

    proxy.target = port
    proxy.cut()
    role, epoch, pid = follower.leadership()
    assert (role, pid) == ("follower", late.pid) and epoch > newer
    assert follower.value() == {"first": late.pid}
    assert follower.call("whoami") == beside.call("whoami") == late.pid
    assert epoch_of(follower) == epoch_of(late) == epoch_of(beside) == epoch
    beside.call("push", "k", "of the old leader")
    assert follower.value() == "of the old leader"


@pytest.mark.limit(120)
def test_a_stopped_leader_finds_everybody_again_and_a_higher_epoch(members, port, closing):
    leader = members.join(heartbeat_interval=INTERVAL)
    others = members.join_all(3)
    for member in others:
        member.do("subscribe", client="main", registration=KEY)
        assert member.value() == {"first": leader.pid}
    epoch = epoch_of(leader)
    leader.child.kill(signal.SIGSTOP)
    for member in others:
        until(lambda: member.do("is_leader", client="main") is None, "it has given its leader up")
    # One that has seen a later leadership waits among them.
    ahead = closing(raw_peer.connect(port))
    number = raw_peer.register(ahead, hello=raw_peer.hello(epoch=epoch + 10 ** 9, can=["epoch"]))
    assert_one_connection_each(others, port)
    calls = [member.begin("call", client="main", name="whoami", timeout=30) for member in others]
    leader.child.kill(signal.SIGCONT)
    assert [call.get(timeout=30) for call in calls] == [leader.pid] * 3
    answer = ahead.expect(response_to=number)
    higher = answer.head["clusterclient_sync"]["epoch"]
    assert higher > epoch + 10 ** 9
    leader.call("push", "k", "after it woke")
    for member in others:
        # The same leader in a new term: its values may begin anew, and end with the last.
        assert set(map(str, member.value_like("after it woke"))) <= {str({u"first": leader.pid})}
        assert member.call("whoami") == leader.pid
        assert epoch_of(member) == higher


def assert_one_connection_each(members, port):
    """While a leader is stopped each follower has one connection to it and no more, however often
    it asks again.
    """
    for _ in range(50):
        for member in members:
            assert usage.connections(member.pid, port) <= 1
        gevent.sleep(0.005)
    for member in members:
        until(lambda: usage.connections(member.pid, port) == 1, "it waits for its leader")


def test_both_sides_find_a_connection_that_died_without_a_word(members, proxy):
    leader = members.join(heartbeat_interval=INTERVAL)
    follower = follower_through(members, proxy)
    assert follower.value() == {"first": leader.pid}
    before = usage.descriptors(leader.pid)
    since = monotonic()
    proxy.swallow()
    call = follower.begin("call", client="main", name="echo", args=[1], timeout=30)
    for member in (leader, follower):
        until(lambda: silence_told_by(member), "it is noticed")
    assert 3 * INTERVAL - INTERVAL / 2 <= monotonic() - since < 2.5
    for member in (leader, follower):
        assert silence_told_by(member) >= 3 * INTERVAL - 0.05  # told in tenths
    with pytest.raises(Failed) as caught:
        call.get()
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")
    until(lambda: usage.descriptors(leader.pid) < before, "the leader has closed its end")
    proxy.swallow(False)
    for link in list(proxy.links):  # what was made meanwhile reaches nobody either
        link.end()
    assert follower.call("whoami", timeout=20) == leader.pid
    assert follower.value() == {"first": leader.pid}


def silence_told_by(member):
    """The silence (seconds) after which a member closed a connection; ``None`` if it did not."""
    found = re.search(r"nothing came from the peer for ([\d.]+) s", member.log())
    return float(found.group(1)) if found else None
