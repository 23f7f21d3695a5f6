"""A leader is killed: who takes over, and what the survivors do by themselves."""

from __future__ import absolute_import, division, print_function

import json
import signal

import pytest

from support import raw_peer
from support.members import Failed, leader_of, until

KEY = {"dataId": "k"}


def published(journal, pid, what="published"):
    return [line["registration"] for line in journal.lines(what, pid)]


def item(name, value):
    return {"dataId": name, "value": value}


def test_a_killed_leader_is_replaced_and_every_survivor_subscribes_again(members, journal):
    leader, one, two = members.join_all(3)
    for survivor in (one, two):
        assert survivor.leadership()[2] == leader.pid
        survivor.do("subscribe", client="main", registration=KEY)
        assert survivor.value() == {"first": leader.pid}
    leader.child.kill()
    successor = leader_of([one, two])
    for survivor in (one, two):
        # The new real client's first value, with no action of the survivor's.
        assert survivor.value() == {"first": successor.pid}
    one.call("push", "k", "news")
    for survivor in (one, two):
        assert survivor.value() == "news"
    assert [line["key"] for line in journal.lines("subscribed", successor.pid)] == ["k"]
    assert [life[0] for life in journal.lives()] == [leader.pid, successor.pid]
    assert one.call("whoami") == two.call("whoami") == successor.pid


def test_the_first_value_of_a_new_leader_is_told_also_when_it_is_equal(members):
    leader, one, two = members.join_all(3)
    one.do("subscribe", client="main", registration=KEY)
    one.value_like({"first": leader.pid})
    leader.call("push", "k", {"first": "the same"})
    one.value_like({"first": "the same"})
    leader.child.kill()
    successor = leader_of([one, two])
    one.value_like({"first": successor.pid})


def test_the_last_publish_of_each_key_is_made_again_in_order(members, journal):
    leader, one, two = members.join_all(3, publish_key_member="dataId")
    for survivor in (one, two):
        for name, value in (("x", 1), ("y", 1), ("z", 1), ("x", 2), ("y", 2), ("x", 3)):
            survivor.do("publish", client="main",
                        registration=item("%s of %d" % (name, survivor.pid), value))
    until(lambda: len(published(journal, leader.pid)) == 12, "all publishes reach the leader")
    leader.child.kill()
    successor = leader_of([one, two])
    until(lambda: len(published(journal, successor.pid)) == 6, "the last ones are made again")
    for survivor in (one, two):
        # What would come too much comes before this one.
        survivor.do("publish", client="main", registration=item("end of %d" % survivor.pid, 0))
        mine = until(lambda: [
            registration for registration in published(journal, successor.pid)
            if registration["dataId"].endswith(" %d" % survivor.pid)][3:] and [
                (registration["dataId"].split()[0], registration["value"])
                for registration in published(journal, successor.pid)
                if registration["dataId"].endswith(" %d" % survivor.pid)], "its last publish")
        assert mine == [("z", 1), ("y", 2), ("x", 3), ("end", 0)]


def test_the_formatted_registration_is_the_key_of_a_publish(members, journal):
    leader, one = members.join_all(2)
    for value in (1, 2, 1):
        one.do("publish", client="main", registration=item("x", value))
    until(lambda: len(published(journal, leader.pid)) == 3, "all publishes reach the leader")
    leader.child.kill()
    until(lambda: published(journal, one.pid) == [item("x", 2), item("x", 1)], "made again")


def test_a_publish_without_replay_is_not_made_again(members, journal):
    delegates = [["announce", "publish", {"replay": False}]]
    leader, one = members.join_all(2, delegates=delegates)
    for value in range(3):
        one.do("publish", client="main", name="announce", registration=item("x", value))
    until(lambda: len(published(journal, leader.pid, "announced")) == 3, "they reach the leader")
    leader.child.kill()
    assert leader_of([one]) is one
    one.do("publish", client="main", name="announce", registration=item("x", 3))
    until(lambda: published(journal, one.pid, "announced"), "the one after the takeover")
    assert published(journal, one.pid, "announced") == [item("x", 3)]


def test_what_is_published_and_subscribed_before_there_is_a_leader(members, journal):
    early = members.start()
    members.create(early, is_leader=False)
    early.do("subscribe", client="main", registration=KEY)
    for value in range(3):
        early.do("publish", client="main", registration=item("x", value))
    leader = members.join()
    assert early.value() == {"first": leader.pid}
    until(lambda: published(journal, leader.pid) == [item("x", value) for value in range(3)],
          "the early publishes, in order")


def test_one_way_calls_that_never_left_are_made_by_the_next_leader(members, journal):
    leader, one = members.join_all(2, delegates=[["announce", "invoke_oneway", {}]])
    leader.child.kill(signal.SIGSTOP)
    for value in range(8):
        # A mebibyte each: the kernel takes but some, and none waits for room.
        one.call("announce", dict(item("x", value), padding="x" * 2 ** 20))
    leader.child.kill()
    assert leader_of([one]) is one
    made = until(lambda: [line["registration"]["value"] for line in journal.lines("announced")][-1:]
                 == [7] and journal.lines("announced", one.pid), "the last one-way call")
    values = [line["registration"]["value"] for line in made]
    assert values == list(range(values[0], 8))


def test_epochs_rise_and_everybody_is_told(members):
    alive = members.join_all(4)
    assert alive[0].leadership()[0] == "leader"
    first = [member.leadership() for member in alive[1:]]
    assert set(first) == {("follower", alive[0].do("epoch", client="main"), alive[0].pid)}
    epochs = [first[0][1]]
    for _ in range(2):
        victims = [member for member in alive if member.do("is_leader", client="main")]
        victims[0].child.kill()
        alive.remove(victims[0])
        successor = leader_of(alive)
        news = {member.pid: member.leadership() for member in alive}
        epochs.append(news[successor.pid][1])
        for member in alive:
            role = "leader" if member is successor else "follower"
            assert news[member.pid] == (role, epochs[-1], successor.pid)
            assert member.do("epoch", client="main") == epochs[-1]
    assert epochs == sorted(set(epochs))


def test_an_epoch_rises_when_a_follower_knows_a_higher_one(members, port, closing):
    leader, other = members.join_all(2)
    epoch = leader.do("epoch", client="main")
    connection = closing(raw_peer.connect(port))
    number = raw_peer.register(connection, hello=raw_peer.hello(
        epoch=epoch + 10 ** 9, can=["epoch"]))
    answer = connection.expect(response_to=number)
    assert answer.head["clusterclient_sync"]["epoch"] > epoch + 10 ** 9
    assert leader.do("epoch", client="main") == answer.head["clusterclient_sync"]["epoch"]
    # The next answer tells it to those that follow already, and none of theirs is dropped.
    assert other.call("echo", 1) == 1
    assert other.do("epoch", client="main") == answer.head["clusterclient_sync"]["epoch"]


@pytest.fixture
def scripted(members, raw_server):
    """A follower whose leader is the test: ``(member, connection)``, with epoch 100."""
    member = members.start()
    members.create(member, is_leader=False)
    connection = raw_server.accept()
    answer_registration(connection, 100)
    member.do("ready", client="main")
    return member, connection


def answer_registration(connection, epoch):
    request = connection.expect("register_channel")
    hello = {"revision": 1, "pid": 1, "epoch": epoch, "transcode": "json",
             "can": ["epoch", "quiet_push"]}
    connection.respond(request, {"type": "register_channel_res", "clusterclient_sync": hello},
                       b'{"success":true}')


def push(connection, key, epoch, value):
    connection.request({"type": "subscribe_result", "key": key, "epoch": epoch},
                       raw_peer.json_bytes(value))


def test_values_of_an_older_epoch_are_dropped(scripted):
    member, connection = scripted
    member.do("subscribe", client="main", registration=KEY)
    key = connection.expect("subscribe").head["key"]
    for epoch, value in ((100, "a"), (200, "b"), (100, "old"), (199, "old"), (200, "c"),
                         ("201", "odd"), (201, "d")):
        push(connection, key, epoch, value)
    assert [member.value() for _ in range(4)] == ["a", "b", "c", "d"]
    assert member.do("epoch", client="main") == 201


def test_an_answer_of_an_older_epoch_is_dropped(scripted):
    member, connection = scripted
    calls = []
    for epoch in (200, 100):
        calls.append(member.begin("call", client="main", name="echo", args=[epoch]))
        request = connection.expect("invoke")
        connection.respond(
            request, {"type": "invoke_result", "success": True, "epoch": epoch}, b'"answer"')
    assert calls[0].get() == "answer"
    with pytest.raises(Failed) as caught:
        calls[1].get()
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")


def test_values_of_an_older_leader_are_dropped_after_a_reconnection(scripted, raw_server):
    member, connection = scripted
    member.do("subscribe", client="main", registration=KEY)
    push(connection, connection.expect("subscribe").head["key"], 300, "a")
    assert member.value() == "a"
    connection.close()
    connection = raw_server.accept()
    request = connection.expect("register_channel")
    assert request.head["clusterclient_sync"]["epoch"] == 300
    hello = dict(json.loads(json.dumps(raw_peer.hello())), epoch=301, transcode="json",
                 can=["epoch", "quiet_push"])
    connection.respond(request, {"type": "register_channel_res", "clusterclient_sync": hello},
                       b'{"success":true}')
    key = connection.expect("subscribe").head["key"]
    push(connection, key, 299, "old")
    push(connection, key, 301, "b")
    assert member.value() == "b"


@pytest.fixture
def idempotent(members, raw_server):
    """As ``scripted``, with an idempotent method."""
    member = members.start()
    members.create(member, is_leader=False, delegates=[["whoami", "invoke", {"idempotent": True}]])
    connection = raw_server.accept()
    answer_registration(connection, 100)
    member.do("ready", client="main")
    return member, connection


@pytest.mark.parametrize("how", ["close", "timeout"])
def test_a_call_that_a_leader_had_is_never_told_not_to_be_sent(idempotent, raw_server, how):
    member, connection = idempotent
    call = member.begin("call", client="main", name="whoami",
                        timeout=1 if how == "timeout" else 20)
    connection.expect("invoke")
    raw_server.close()
    until(lambda: member.do("is_leader", client="main") is None, "the leader is lost")
    if how == "close":
        member.do("close", client="main")
    with pytest.raises(Failed) as caught:
        call.get()
    kind = "ClientClosedError" if how == "close" else "LeaderUnavailableError"
    assert (caught.value.type, caught.value.outcome) == (kind, "unknown")
