"""A leader whose loop is blocked, and one that is stopped by a signal."""

from __future__ import absolute_import, division, print_function

import signal

import pytest

from support.members import Failed, leader_of, until

KEY = {"dataId": "k"}
IDEMPOTENT = [["echo", "invoke", {"idempotent": True}], ["whoami", "invoke", {"idempotent": True}]]
LIMIT = 0.4


@pytest.fixture
def blocker(tmpdir):
    """A file; while it is there the loop is blocked."""
    path = tmpdir.join("blocker")
    path.write(u"")
    return path


@pytest.fixture
def block(blocker, journal):
    """Blocks a member's loop from inside a method of its real client."""
    def begin(member, how="sleeping", client="main"):
        call = member.begin("call", client=client, name="block_the_loop",
                            args=[str(blocker), how], timeout=60)
        until(lambda: journal.lines("blocks the loop", member.pid), "it blocks")
        return call

    return begin


@pytest.mark.parametrize("how, patched", [
    ("sleeping", False), ("computing", False), ("sleeping", True)])
def test_a_blocked_leader_gives_up_and_a_healthy_process_takes_over(
        members, journal, block, blocker, how, patched):
    leader, one, two = members.join_all(
        3, patched=patched, delegates=IDEMPOTENT, watchdog_timeout=LIMIT)
    one.do("subscribe", client="main", registration=KEY)
    one.value_like({"first": leader.pid})
    assert leader.leadership()[0] == "leader"
    blocked = block(leader, how)
    call = one.begin("call", client="main", name="whoami", timeout=30)  # under way meanwhile
    successor = leader_of([one, two])
    assert call.get() == successor.pid
    one.value_like({"first": successor.pid})
    assert [life[0] for life in journal.lives() if life[2] is None] == [leader.pid, successor.pid]
    log = until(lambda: "leadership is given up" in leader.log() and leader.log(), "the log")
    assert "in block_the_loop" in log

    blocker.remove()
    # The old real client is closed before anything else is done with it; then its process follows.
    assert leader.leadership()[::2] == ("follower", successor.pid)
    notes = [line["what"] for line in journal.lines(pid=leader.pid)]
    assert notes[notes.index("let the loop go"):] == ["let the loop go", "closing", "closed"]
    assert leader.call("whoami") == successor.pid
    with pytest.raises(Failed) as caught:
        blocked.get()  # its caller was in the process that led no more
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")


def test_all_channels_of_a_blocked_process_move(members, journal, block, blocker):
    leader, other = members.start_all(2)
    for member in (leader, other):
        members.create(member, client="a", name="a", watchdog_timeout=LIMIT)
        members.create(member, client="b", name="b")
        for client in "ab":
            member.do("ready", client=client)
    block(leader, client="b")
    for client in "ab":
        until(lambda: other.do("is_leader", client=client), "the other leads " + client)
    blocker.remove()
    for client in "ab":
        assert leader.call("whoami", client=client) == other.pid
    for what, pids in (("made", [leader.pid] * 2 + [other.pid] * 2), ("closed", [leader.pid] * 2)):
        assert sorted(line["pid"] for line in journal.lines(what)) == sorted(pids)


def test_a_forced_leader_that_was_blocked_follows_too(members, block, blocker):
    leader = members.join(is_leader=True, watchdog_timeout=LIMIT)
    other = members.join()
    block(leader)
    assert leader_of([other]) is other
    blocker.remove()
    assert leader.call("whoami") == other.pid


def test_a_leader_alone_leads_again(members, journal, block, blocker):
    leader = members.join(watchdog_timeout=LIMIT)
    assert leader.leadership()[0] == "leader"
    block(leader)
    until(lambda: "leadership is given up" in leader.log(), "it gave up")
    blocker.remove()
    assert leader.leadership()[0] == "leader"
    assert leader.call("whoami") == leader.pid
    assert [life[2] is None for life in journal.assert_one_at_a_time()] == [False, True]


def test_being_stopped_is_not_held_against_the_loop(members, journal):
    leader, one = members.join_all(2, watchdog_timeout=LIMIT)
    leader.child.kill(signal.SIGSTOP)
    with pytest.raises(Failed) as caught:
        one.call("whoami", timeout=3 * LIMIT)
    assert caught.value.type == "ResponseTimeoutError"
    # It names the leader, and says since when it is silent.
    assert "the leader (pid %d) has not said anything for" % leader.pid in caught.value.text
    assert caught.value.details["leader_pid"] == leader.pid
    leader.child.kill(signal.SIGCONT)
    assert one.call("whoami") == leader.pid
    assert "given up" not in leader.log()
    assert [life[0] for life in journal.lives()] == [leader.pid]


def test_without_a_watchdog_a_blocked_leader_keeps_its_followers(members, block, blocker):
    leader, one = members.join_all(2)
    blocked = block(leader)
    with pytest.raises(Failed) as caught:
        one.call("whoami", timeout=0.5)
    assert (caught.value.type, caught.value.outcome) == ("ResponseTimeoutError", "unknown")
    blocker.remove()
    assert blocked.get() is None
    assert one.call("whoami") == leader.pid


def connections_to(port):
    """How many connections to this port there are at the ends that connected."""
    wanted = "%04X" % port
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[2].endswith(":" + wanted) and row[3] == "01" for row in rows)


def named_holder(member):
    with pytest.raises(Failed) as caught:
        member.call("whoami", timeout=0.3)
    return caught.value if caught.value.details["holder_pid"] is not None else None


def test_a_stopped_leader_costs_each_follower_one_connection_and_all_come_back(members, port):
    followers = 4
    leader = members.join(heartbeat_interval=0.2)
    others = members.join_all(followers, heartbeat_interval=0.2)
    leader.child.kill(signal.SIGSTOP)
    for member in others:
        # Heartbeats find that it is silent: then there is no leader, and its port is taken.
        until(lambda: member.do("is_leader", client="main") is None, "it is without a leader")
    for member in others:
        # Who holds the port is looked up beside: an early error may not know it yet.
        error = until(lambda: named_holder(member), "an error that names the holder")
        assert (error.type, error.outcome) == ("LeaderUnavailableError", "not_sent")
        assert error.details["holder_pid"] == leader.pid
        assert "has not answered the registration for" in error.text
    assert connections_to(port) <= followers
    leader.child.kill(signal.SIGCONT)
    for member in others:
        assert member.call("whoami") == leader.pid
    until(lambda: connections_to(port) == followers, "one connection each")
