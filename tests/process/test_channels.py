"""Several channels on one port, and several clients of one name in one process."""

from __future__ import absolute_import, division, print_function

import pytest

from support.members import Failed, leader_of, until
from support.ports import free_port


def create(members, member, *clients, **how):
    """Make clients whose channel is the letter that their name begins with, and wait for them."""
    for client in clients:
        members.create(member, client=client, name=client[0], config={"name": client[0]}, **how)
    for client in clients:
        member.do("ready", client=client)


def stop_hammers(member, *clients):
    for client in clients:
        member.do("progress", client=client, calls=30)
        assert member.do("stop_hammer", client=client)["failures"] == []


def test_the_channels_of_a_process_share_its_port(members):
    owner, other = members.start_all(2)
    create(members, owner, "a", "b")
    create(members, other, "a", "b")
    for client in ("a", "b"):
        assert owner.do("is_leader", client=client) is True
        assert other.do("is_leader", client=client) is False
        assert other.call("whoami", client=client) == owner.pid


def test_several_clients_of_one_name_in_one_process(members, journal):
    member = members.start()
    clients = ["a1", "a2", "a3"]
    create(members, member, *clients)
    assert [member.do("is_leader", client=client) for client in clients] == [True, False, False]
    for client in clients:
        member.do("subscribe", client=client, registration={"dataId": "k"})
    for client in clients:
        assert member.value(client) == {"first": member.pid}
    assert len(journal.lines("subscribed")) == 1
    while len(clients) > 1:
        leading, = [client for client in clients if member.do("is_leader", client=client)]
        clients.remove(leading)
        for client in clients:
            member.do("hammer", client=client)
        member.do("close", client=leading)
        until(lambda: any(member.do("is_leader", client=client) for client in clients),
              "one of the others leads")
        for client in clients:
            assert member.value(client) == {"first": member.pid}
        stop_hammers(member, *clients)
    assert len(journal.assert_one_at_a_time()) == 3


def test_another_client_of_that_name_in_the_process_leads_the_channel(members, journal):
    owner, other = members.start_all(2)
    create(members, owner, "a1", "a2", "b")
    create(members, other, "a", "b")
    epoch = other.leadership("b")[1]
    for member, client in ((owner, "a2"), (owner, "b"), (other, "a"), (other, "b")):
        member.do("hammer", client=client)
    owner.do("close", client="a1")
    until(lambda: owner.do("is_leader", client="a2"), "the process's other client leads")
    stop_hammers(owner, "a2", "b")
    stop_hammers(other, "a", "b")
    assert other.call("whoami", client="a") == owner.pid
    # The other channel has not noticed.
    for member in (owner, other):
        assert member.do("epoch", client="b") == epoch
    assert len([line for line in journal.lines("made")]) == 3
    assert len(journal.lines("closed")) == 1


def test_an_owner_without_another_client_of_that_name_steps_down_from_the_port(members, journal):
    owner, other = members.start_all(2)
    create(members, owner, "a", "b")
    create(members, other, "a", "b")
    first_epoch = other.leadership("b")[1]
    owner.do("hammer", client="b")
    other.do("hammer", client="a")
    other.do("hammer", client="b")
    owner.do("close", client="a")
    until(lambda: other.do("is_leader", client="a"), "the follower's process leads the channel")
    stop_hammers(owner, "b")
    stop_hammers(other, "a", "b")
    assert other.call("whoami", client="a") == other.pid
    # Whoever has the port has both channels.
    assert other.do("is_leader", client="b") is True
    assert owner.call("whoami", client="b") == other.pid
    assert other.leadership("b")[1] > first_epoch
    assert len(journal.lines("closed")) == 2


def test_a_client_that_only_follows_does_not_lead_the_channel(members):
    owner, other = members.start_all(2)
    create(members, owner, "a", "b")
    create(members, owner, "a2", is_leader=False)
    create(members, other, "a")
    other.do("hammer", client="a")
    owner.do("close", client="a")
    until(lambda: other.do("is_leader", client="a"), "the follower's process leads the channel")
    stop_hammers(other, "a")
    assert owner.call("whoami", client="a2") == other.pid


def test_a_channel_that_nobody_elsewhere_follows_goes_without_a_stir(members):
    owner, other = members.start_all(2)
    create(members, owner, "a", "b")
    create(members, other, "b")
    epoch = other.leadership("b")[1]
    other.do("hammer", client="b")
    owner.do("close", client="a")
    stop_hammers(other, "b")
    assert owner.do("is_leader", client="b") is True
    assert other.do("epoch", client="b") == epoch


def test_a_channel_that_is_not_there_yet(members):
    owner, other = members.start_all(2)
    create(members, owner, "a")
    members.create(other, client="b", name="b", config={"name": "b"})
    with pytest.raises(Failed) as caught:
        other.do("ready", client="b", timeout=0.3)
    assert caught.value.type == "ChannelNotFoundError"
    assert caught.value.details["owner_pid"] == owner.pid
    assert caught.value.details["channels"] == ["a"]
    for named in (str(owner.pid), "a port of its own"):
        assert named in caught.value.text
    with pytest.raises(Failed) as caught:
        other.call("echo", 1, client="b", timeout=0.2)
    assert (caught.value.type, caught.value.outcome) == ("ChannelNotFoundError", "not_sent")
    waiting = other.begin("call", client="b", name="whoami", timeout=20)
    create(members, owner, "b")
    assert waiting.get() == owner.pid
    other.do("ready", client="b")
    assert other.leadership("b")[::2] == ("follower", owner.pid)


def test_a_client_whose_channel_is_not_there_leads_when_the_owner_goes(members):
    owner, other = members.start_all(2)
    create(members, owner, "a")
    members.create(other, client="b", name="b", config={"name": "b"})
    with pytest.raises(Failed):
        other.do("ready", client="b", timeout=0.2)
    owner.child.kill()
    other.do("ready", client="b")
    assert other.do("is_leader", client="b") is True


def test_a_channel_of_its_own_port_is_undisturbed(members):
    owner, other = members.join_all(2)
    members.create(other, client="b", name="b", port=free_port())
    other.do("ready", client="b")
    assert other.do("is_leader", client="b") is True
    other.do("hammer", client="b")
    owner.do("close", client="main")
    assert leader_of([other]) is other
    stop_hammers(other, "b")
