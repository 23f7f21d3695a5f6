"""A follower that knows the base protocol only, as a Node.js process does, played by a script."""

from __future__ import absolute_import, division, print_function

import json

import pytest

from support import raw_peer
from support.members import leader_of, until

REGISTERED = {"type": "register_channel_res"}


@pytest.fixture
def leader(members):
    return members.join()


@pytest.fixture
def node(leader, port, closing):
    return closing(raw_peer.follow(port))


def test_the_registration_is_answered_so_that_either_transcode_reads_success(leader, port, closing):
    connection = closing(raw_peer.connect(port))
    number = raw_peer.register(connection)
    answer = connection.read()
    assert (answer.is_response, answer.number) == (True, number)
    assert answer.raw_head == b'{"type":"register_channel_res"}'
    assert answer.body == raw_peer.AMBIGUOUS_SUCCESS


def test_a_registration_is_held_until_the_channel_is_there(members, leader, port, closing):
    connection = closing(raw_peer.connect(port))
    outstanding = [raw_peer.register(connection, "later")]
    for _ in range(2):
        # It asks again, and its heartbeats are answered meanwhile.
        beat = connection.request({"type": "heartbeat"})
        answer = connection.read()
        assert (answer.number, answer.head) == (beat, {"type": "heartbeat_res"})
        outstanding.append(raw_peer.register(connection, "later"))
    members.create(leader, client="later", name="later")
    answers = [connection.read() for _ in outstanding]
    assert [answer.number for answer in answers] == outstanding
    assert {(answer.head["type"], answer.body) for answer in answers} == {
        ("register_channel_res", raw_peer.AMBIGUOUS_SUCCESS)}
    number = raw_peer.invoke(connection, "whoami")
    assert connection.expect(response_to=number).body != b""


def test_a_flood_of_registrations_for_a_channel_that_never_comes_is_bounded(
        members, leader, port, closing):
    connection = closing(raw_peer.connect(port))
    numbers = [raw_peer.register(connection, "later") for _ in range(5000)]
    connection.expect(response_to=connection.request({"type": "heartbeat"}))
    members.create(leader, client="later", name="later")
    answered = [connection.read().number]
    while answered[-1] != numbers[-1]:
        answered.append(connection.read().number)
    # The newest are those that somebody may still wait for.
    assert len(answered) <= 1000 and answered == numbers[-len(answered):]


def test_a_held_registration_outlives_the_handshake_timeout(members, port, closing):
    leader = members.join(handshake_timeout=0.2)
    held = closing(raw_peer.connect(port))
    number = raw_peer.register(held, "later")
    for _ in range(2):
        assert closing(raw_peer.connect(port)).wait_for_end() == []
    members.create(leader, client="later", name="later", handshake_timeout=0.2)
    assert held.expect(response_to=number).head == REGISTERED


def test_a_registration_waits_until_a_start_succeeds(members, port, closing, tmpdir):
    trouble = tmpdir.join("trouble")
    trouble.write(u"no server")
    leader = members.start()
    members.create(leader, config={"broken_init": str(trouble), "start_gate": "start"})
    connection = closing(until(lambda: connection_to(port), "it listens"))
    number = raw_peer.register(connection)
    leader.do("open_gate", gate="start 1")
    until(lambda: "could not be started" in leader.log(), "the first failure")
    # A refusal, which is final for Node, would come before this.
    beat = connection.request({"type": "heartbeat"})
    answer = connection.read()
    assert (answer.number, answer.head) == (beat, {"type": "heartbeat_res"})
    trouble.remove()
    leader.do("open_gate", gate="start 2")
    answer = connection.read()
    assert (answer.number, answer.body) == (number, raw_peer.AMBIGUOUS_SUCCESS)


def connection_to(port):
    try:
        return raw_peer.connect(port)
    except raw_peer.socket.error:
        return None


def test_calls_in_json(node, leader):
    # The first one with an argument tells the transcode.
    for values, result in (((1,), 1), ((), []), (({"a": [None, u"\u00e9"]}, "x"),
                                                 [{"a": [None, u"\u00e9"]}, "x"])):
        answer = node.expect(response_to=raw_peer.invoke(node, "echo", *values))
        assert answer.head == {"type": "invoke_result", "success": True}
        assert json.loads(answer.body.decode("utf-8")) == result
    answer = node.expect(response_to=raw_peer.invoke(node, "fail", "ValueError", ["lost"]))
    assert answer.head == {"type": "invoke_result", "success": False}
    error = json.loads(answer.body.decode("utf-8"))
    assert {"message", "name", "stack"} <= set(error) <= {"message", "name", "stack", "code"}
    assert (error["name"], error["message"]) == ("ValueError", "lost")


def test_calls_in_serialize_json(node):
    body = raw_peer.arguments(b"a+b^^^^0")
    number = node.request(
        {"type": "invoke", "method": "echo", "argLength": 1, "oneway": False}, body)
    answer = node.expect(response_to=number)
    assert (answer.head["success"], answer.body) == (True, b"a+b^^^^0")


def test_values_carry_nothing_but_their_key(node, leader):
    node.request({"type": "subscribe", "key": "a key of its own", "reg": {"dataId": "k"}})
    first = node.read()
    assert not first.is_response
    assert first.head == {"type": "subscribe_result", "key": "a key of its own"}
    node.respond(first, {"type": "subscribe_result_res"})
    node.expect(response_to=raw_peer.invoke(node, "echo", "tells JSON"))
    for value in (1, "x", None, {"a": 1}):
        leader.call("push", "k", value)
        pushed = node.expect("subscribe_result")
        assert pushed.head == {"type": "subscribe_result", "key": "a key of its own"}
        assert json.loads(pushed.body.decode("utf-8")) == value


def test_values_before_any_call_are_in_the_transcode_that_the_option_names(members, port, closing):
    members.join(node_transcode="json")
    node = closing(raw_peer.follow(port))
    node.request({"type": "subscribe", "key": "k", "reg": {"dataId": "k"}})
    assert "first" in json.loads(node.expect("subscribe_result").body.decode("utf-8"))


def test_values_are_in_serialize_json_by_default(node, leader):
    node.request({"type": "subscribe", "key": "k", "reg": {"dataId": "k"}})
    body = node.expect("subscribe_result").body
    assert body.startswith(b"first^") and body.count(b"^") == 4


def test_a_wrong_guess_of_the_transcode_shows_before_it_does_harm(leader, port, closing):
    subscription = {"type": "subscribe", "key": u'$$inner$$__{"dataId":"k"}',
                    "reg": {"dataId": "k"}}
    for guess in (b"^^^^-3", b"null"):
        connection = closing(raw_peer.follow(port))
        connection.request(subscription)
        # An answer to no call: Node's follower survives it when it cannot read it.
        guard = connection.read()
        assert (guard.is_response, guard.number) == (True, 0)
        assert guard.head == {"type": "invoke_result", "success": True}
        assert guard.body == guess
        pushed = connection.read()
        assert pushed.head["type"] == "subscribe_result"
        assert (b"^" in pushed.body) == (b"^" in guess)
        # It drops the connection at once, and comes back.
        connection.close()


def test_the_last_unsubscribe_ends_the_subscription(node, leader, journal):
    subscription = {"key": "k", "reg": {"dataId": "k"}}
    node.request(dict(subscription, type="subscribe"))
    node.expect("subscribe_result")
    node.request(dict(subscription, type="unSubscribe"))
    until(lambda: journal.lines("unsubscribed"), "it is unsubscribed")


def test_a_subscription_ends_with_its_connection(node, leader, journal):
    node.request({"type": "subscribe", "key": "k", "reg": {"dataId": "k"}})
    node.expect("subscribe_result")
    node.close()
    until(lambda: journal.lines("unsubscribed"), "it is unsubscribed")


def test_publishes_arrive_in_order_and_are_not_answered(node, journal):
    for value in range(50):
        raw_peer.invoke(node, "publish", {"dataId": "x", "value": value}, oneway=True)
    number = raw_peer.invoke(node, "echo", "end")
    assert node.read().number == number
    published = until(lambda: journal.lines("published")[49:] and journal.lines("published"),
                      "all of them")
    assert [line["registration"]["value"] for line in published] == list(range(50))


def test_a_registration_may_come_again(node):
    for _ in range(2):
        answer = node.expect(response_to=raw_peer.register(node))
        assert (answer.head, answer.body) == (REGISTERED, raw_peer.AMBIGUOUS_SUCCESS)


@pytest.mark.parametrize("how", ["close", "resign"])
def test_there_is_no_goodbye_and_calls_are_served_until_the_end(members, leader, node, how):
    other = members.join()
    number = raw_peer.invoke(node, "hold", "gate", timeout_ms=20000)
    until(lambda: leader.do("held", gate="gate") == 1, "the call is in work")
    leaving = leader.begin(how, client="main")
    until(lambda: other.do("is_leader", client="main") is None, "the goodbye came")
    late = raw_peer.invoke(node, "echo", "late")
    assert node.expect(response_to=late).body == b'"late"'
    leader.do("open_gate", gate="gate")
    assert node.expect(response_to=number).head["success"] is True
    leaving.get()
    assert [frame.head["type"] for frame in node.wait_for_end()] == []
    assert leader_of([other]) is other


def test_events_of_the_real_client_are_for_python_peers_only(node, leader, members):
    other = members.join()
    leader.call("tell_all", "news", 7)
    for member in (leader, other):
        assert member.child.expect("main news")["value"] == 7
    number = raw_peer.invoke(node, "echo", 1)
    assert node.read().number == number
