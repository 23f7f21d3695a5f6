"""Forced leaders and forced followers, and who holds the port."""

from __future__ import absolute_import, division, print_function

import pytest

from support.members import Failed, leader_of, until

#: A program that is no cluster client: listens at argv[1] and does argv[2] with each connection.
FOREIGN = """
import sys
import gevent
from gevent import socket
from support.talk import tell

kept = []
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(16)
tell("listening")
while True:
    sock, _ = listener.accept()
    if sys.argv[2] == "closes":
        sock.close()
    else:
        kept.append(sock)
        if sys.argv[2] == "answers":
            sock.recv(10)
            sock.sendall(b"HTTP/1.0 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n")
    tell("came")
"""


@pytest.fixture
def foreign(processes, port):
    """Starts a program that holds the port and is none of ours."""
    def start(manner):
        child = processes.start(FOREIGN, port, manner)
        child.expect("listening")
        return child

    return start


def named_holder(member):
    error = failure_of(member, "ready", timeout=0.5)
    return error if error.details["holder_pid"] is not None else None


def failure_of(member, do, **details):
    with pytest.raises(Failed) as caught:
        member.do(do, client="main", **details)
    return caught.value


def test_a_follower_that_is_there_before_its_leader(members):
    follower = members.start()
    members.create(follower, is_leader=False)
    error = failure_of(follower, "ready", timeout=0.2)
    assert error.type == "LeaderUnavailableError"
    assert error.details.get("holder_pid") is None
    ready = follower.begin("ready", client="main")
    call = follower.begin("call", client="main", name="whoami", timeout=20)
    leader = members.join()
    ready.get()
    assert call.get() == leader.pid
    assert follower.do("is_leader", client="main") is False


def test_a_forced_follower_never_leads(members):
    leader = members.join()
    follower = members.join(is_leader=False)
    leader.child.kill()
    until(lambda: follower.do("is_leader", client="main") is None, "its leader is gone")
    error = failure_of(follower, "call", name="whoami", timeout=0.5)
    assert (error.type, error.outcome) == ("LeaderUnavailableError", "not_sent")
    assert follower.do("is_leader", client="main") is None
    successor = members.join()
    assert follower.call("whoami", timeout=20) == successor.pid


def test_a_forced_leader_leads(members):
    leader = members.join(is_leader=True)
    assert leader.do("is_leader", client="main") is True
    assert members.join().call("whoami") == leader.pid


def test_a_forced_leader_on_the_port_of_another_leader(members):
    leader = members.join()
    forced = members.start()
    members.create(forced, is_leader=True)
    for error in (failure_of(forced, "ready"), failure_of(forced, "call", name="whoami")):
        assert (error.type, error.outcome) == ("PortOccupiedError", "not_sent")
        assert error.details["holder_pid"] == leader.pid
        assert "cluster_member.py" in error.details["holder_command"]
        assert str(leader.pid) in error.text
    assert leader.call("whoami") == leader.pid
    forced.do("close", client="main")


def test_a_second_forced_leader_in_the_same_process(members):
    leader = members.join(is_leader=True)
    members.create(leader, client="second", is_leader=True)
    with pytest.raises(Failed) as caught:
        leader.do("ready", client="second")
    assert caught.value.type == "PortOccupiedError"
    assert caught.value.details["holder_pid"] == leader.pid


def test_forced_leaders_of_two_channels_share_their_process_s_port(members):
    leader = members.join(is_leader=True)
    members.create(leader, client="second", is_leader=True, name="second")
    leader.do("ready", client="second")
    assert leader.do("is_leader", client="second") is True


def test_a_forced_leader_on_the_port_of_a_foreign_program(members, foreign):
    program = foreign("is silent")
    forced = members.start()
    members.create(forced, is_leader=True)
    error = failure_of(forced, "ready")
    assert error.type == "PortOccupiedError"
    assert error.details["holder_pid"] == program.pid
    assert "gevent" in error.details["holder_command"]


def test_a_forced_leader_that_resigns_follows(members):
    leader = members.join(is_leader=True)
    other = members.join()
    leader.do("resign", client="main")
    assert leader_of([leader, other]) is other
    assert leader.call("whoami", timeout=20) == other.pid


@pytest.mark.parametrize("manner", ["closes", "answers"])
def test_a_foreign_program_holds_the_port(members, foreign, manner):
    program = foreign(manner)
    member = members.start()
    members.create(member)
    error = failure_of(member, "ready", timeout=1)
    assert error.type == "PortOccupiedError"
    assert error.details["holder_pid"] == program.pid
    assert str(program.pid) in error.text
    error = failure_of(member, "call", name="whoami", timeout=0.2)
    assert (error.type, error.outcome) == ("PortOccupiedError", "not_sent")
    if manner == "answers":
        assert "this is not a cluster client" in member.log()
    program.kill()
    member.do("ready", client="main")
    assert member.call("whoami") == member.pid


def test_a_silent_program_holds_the_port(members, foreign):
    program = foreign("is silent")
    member = members.start()
    members.create(member)
    # It might be a leader that is slow: who it is is looked up when it has been silent for long.
    error = until(lambda: named_holder(member), "an error that names the holder")
    assert error.type == "LeaderUnavailableError"
    assert error.details["holder_pid"] == program.pid
    assert "gevent" in error.details["holder_command"]
    assert str(program.pid) in error.text and error.details["holder_command"] in error.text
    program.kill()
    until(lambda: member.do("is_leader", client="main"), "it leads when the port is free")
