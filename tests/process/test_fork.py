"""Forked children of members: they leave their parent's connections and port alone."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from support.members import leader_of, until

PATCHED = pytest.mark.parametrize("patched", [False, True], ids=["unpatched", "patched"])
FORKED = pytest.mark.parametrize("how", ["os.fork", "multiprocessing"])
REGISTRATION = {"dataId": "k"}


@pytest.fixture
def fork(tmpdir):
    """``fork(member, how)`` has a member start a child, and returns its pid; all end with the test.
    """
    stop = tmpdir.join("stop")
    pids = []

    def start(member, how):
        pid = member.do("fork", how=how, stop_path=str(stop))
        pids.append(pid)
        if how != "exec":
            told = member.child.expect("forked")
            assert (told["pid"], told["errors"]) == (pid, [])
        return pid

    yield start
    stop.write(u"")
    until(lambda: all(is_over(pid) for pid in pids), "the forked children end")


def is_over(pid):
    try:
        with open("/proc/%d/stat" % pid) as line:
            return line.read().rpartition(")")[2].split()[0] == "Z"
    except (IOError, OSError):
        return True


def connections_of(pid, port):
    """The TCP sockets of a process that have to do with a port."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    inodes = {"socket:[%s]" % row[9] for row in rows
              if port in [int(row[column].split(":")[1], 16) for column in (1, 2)]}
    folder = "/proc/%d/fd" % pid
    return [name for name in os.listdir(folder) if target_of(folder, name) in inodes]


def target_of(folder, name):
    try:
        return os.readlink(os.path.join(folder, name))
    except OSError:  # closed meanwhile
        return None


def assert_undisturbed(leader, one, epoch, journal):
    for member in (leader, one):
        member.do("progress", client="main", calls=30)
        assert member.do("stop_hammer", client="main")["failures"] == []
        assert member.do("epoch", client="main") == epoch
    one.call("push", "k", "after the fork")
    one.value_like("after the fork")
    assert "is gone" not in one.log()
    assert len(journal.lines("made")) == 1 and journal.lines("closing") == []
    assert journal.lines("unsubscribed") == []


@PATCHED
@FORKED
@pytest.mark.parametrize("role", ["leader", "follower"])
def test_a_forked_child_does_not_disturb_its_parent(
        members, journal, port, fork, role, how, patched):
    leader, one = members.join_all(2, patched=patched)
    one.do("subscribe", client="main", registration=REGISTRATION)
    epoch = leader.do("epoch", client="main")
    for member in (leader, one):
        member.do("hammer", client="main")
    parent = leader if role == "leader" else one
    child = fork(parent, how)
    assert connections_of(child, port) == []
    assert connections_of(parent.pid, port) != []
    assert_undisturbed(leader, one, epoch, journal)


@FORKED
def test_the_child_of_a_leader_does_not_keep_its_port(members, port, fork, how):
    leader, one = members.join_all(2)
    child = fork(leader, how)
    leader.child.kill()
    # Its connections end and its port is free, though a child of it lives.
    assert leader_of([one]) is one
    assert one.call("whoami") == one.pid
    assert not is_over(child)


@pytest.mark.parametrize("how", ["os.fork", "exec"])
def test_the_child_of_a_follower_does_not_keep_its_connection(members, journal, fork, how):
    leader, one = members.join_all(2)
    one.do("subscribe", client="main", registration=REGISTRATION)
    one.value()
    child = fork(one, how)
    one.child.kill()
    until(lambda: journal.lines("unsubscribed"), "the leader sees its follower's end")
    assert not is_over(child)
    assert leader.call("whoami") == leader.pid


def test_a_program_that_a_leader_starts_does_not_inherit_its_port(members, port, fork):
    leader, one = members.join_all(2)
    program = fork(leader, "exec")
    assert connections_of(program, port) == []
    leader.child.kill()
    assert leader_of([one]) is one
    assert not is_over(program)


def test_two_channels_and_clients_survive_a_fork(members, journal, port, fork):
    leader, one = members.join_all(2)
    for member in (leader, one):
        members.create(member, client="second", name="second")
        member.do("ready", client="second")
        member.do("hammer", client="second")
    fork(leader, "os.fork")
    fork(one, "os.fork")
    for member in (leader, one):
        member.do("progress", client="second", calls=30)
        assert member.do("stop_hammer", client="second")["failures"] == []
    assert leader.do("is_leader", client="second") is True
    assert len(journal.lines("made")) == 2 and journal.lines("closing") == []
