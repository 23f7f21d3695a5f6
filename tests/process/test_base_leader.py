"""A leader that knows the base protocol only, as a Node.js process does, played by a script."""

from __future__ import absolute_import, division, print_function

import json
import struct

import pytest

from support import raw_peer
from support.members import Failed

KEY = u'$$inner$$__{"dataId":"k"}'


@pytest.fixture
def follower(members):
    member = members.start()
    members.create(member, is_leader=False, heartbeat_interval=0.2)
    return member


def accept(server, success=b'{"success":true}'):
    """Take a follower in; returns its connection."""
    connection = server.accept()
    connection.respond(connection.expect("register_channel"),
                       {"type": "register_channel_res"}, success)
    return connection


def unpacked(frame):
    """The encoded arguments of a call."""
    found, rest = [], frame.body
    while rest:
        size, = struct.unpack(">I", rest[:4])
        found.append(rest[4:4 + size])
        rest = rest[4 + size:]
    return found


@pytest.fixture
def node(follower, raw_server):
    connection = accept(raw_server)
    follower.do("ready", client="main")
    return connection


def test_the_registration(follower, raw_server):
    connection = raw_server.accept()
    request = connection.read()
    assert not request.is_response
    assert request.raw_head.startswith(
        b'{"type":"register_channel","channelName":"RealClient","clusterclient_sync":{')
    assert sorted(request.head) == ["channelName", "clusterclient_sync", "type"]
    assert request.body == b""
    assert request.timeout_ms == 3000
    connection.respond(request, {"type": "register_channel_res"}, b'{"success":true}')
    follower.do("ready", client="main")
    assert follower.leadership() == ("follower", None, None)
    assert follower.do("epoch", client="main") is None


def test_a_leader_that_is_silent_is_asked_again_on_the_same_connection(follower, raw_server):
    connection = raw_server.accept()
    requests = [connection.expect("register_channel") for _ in range(3)]
    assert len({request.number for request in requests}) == 3
    # Whichever of them is answered.
    connection.respond(requests[1], {"type": "register_channel_res"}, b'{"success":true}')
    follower.do("ready", client="main")


def test_calls(node, follower):
    call = follower.begin("call", client="main", name="echo", args=[u"\u00e9", {"b": 1, "a": 2}])
    request = node.expect("invoke")
    assert request.raw_head == (
        b'{"type":"invoke","method":"echo","argLength":2,"oneway":false}')
    assert [json.loads(data.decode("utf-8")) for data in unpacked(request)] == [
        u"\u00e9", {"a": 2, "b": 1}]
    node.respond(request, {"type": "invoke_result", "success": True}, b'[1,"x"]')
    assert call.get() == [1, "x"]


def test_a_result_without_bytes_is_none(node, follower):
    call = follower.begin("call", client="main", name="echo")
    node.respond(node.expect("invoke"), {"type": "invoke_result", "success": True})
    assert call.get() is None


def test_an_error(node, follower):
    call = follower.begin("call", client="main", name="echo")
    error = {"name": "TypeError", "message": "x is undefined", "stack": "at y", "code": "EX"}
    node.respond(node.expect("invoke"), {"type": "invoke_result", "success": False},
                 raw_peer.json_bytes(error))
    with pytest.raises(Failed) as caught:
        call.get()
    assert (caught.value.type, caught.value.outcome) == ("RemoteError", "failed")
    assert caught.value.text == "TypeError: x is undefined"
    assert caught.value.details["code"] == "EX"


def test_keyword_arguments_are_not_sent(node, follower):
    with pytest.raises(Failed) as caught:
        follower.do("call", client="main", name="echo", kwargs={"a": 1})
    assert (caught.value.type, caught.value.outcome) == ("ConfigurationError", "not_sent")


def test_subscriptions_and_their_values(node, follower):
    follower.do("subscribe", client="main", registration={"dataId": "k"})
    request = node.expect("subscribe")
    assert request.raw_head.decode("utf-8") == (
        u'{"type":"subscribe","key":%s,"reg":{"dataId":"k"}}' % json.dumps(KEY))
    for value in (1, None, {"a": [1]}):
        number = node.request({"type": "subscribe_result", "key": KEY},
                              raw_peer.json_bytes(value))
        assert node.expect(response_to=number).head == {"type": "subscribe_result_res"}
        assert follower.value() == value
    follower.do("unsubscribe", client="main", registration={"dataId": "k"})
    assert node.expect("unSubscribe").head["key"] == KEY


def test_publishes_are_one_way_calls(node, follower):
    follower.do("publish", client="main", registration={"dataId": "x"})
    request = node.expect("invoke")
    assert request.raw_head == (
        b'{"type":"invoke","method":"publish","argLength":1,"oneway":true}')
    assert unpacked(request) == [b'{"dataId":"x"}']


def test_heartbeats(node, follower):
    for _ in range(3):
        beat = node.expect("heartbeat")
        assert beat.raw_head == b'{"type":"heartbeat"}'
        node.respond(beat, {"type": "heartbeat_res"})
    number = node.request({"type": "heartbeat"})
    assert node.expect(response_to=number).head == {"type": "heartbeat_res"}


def test_a_leader_that_speaks_serialize_json(follower, raw_server):
    node = accept(raw_server, b"success^^^^$0|-1]")
    follower.do("ready", client="main")
    call = follower.begin("call", client="main", name="echo", args=["a b"])
    request = node.expect("invoke")
    assert unpacked(request) == [b"a+b^^^^0"]
    node.respond(request, {"type": "invoke_result", "success": True}, b"c+d^^^^0")
    assert call.get() == "c d"


def test_a_refusal(follower, raw_server):
    error = {"name": "Error", "message": "no server", "stack": None, "code": None}
    accept(raw_server, raw_peer.json_bytes({"success": False, "error": error}))
    with pytest.raises(Failed) as caught:
        follower.do("ready", client="main")
    assert (caught.value.type, caught.value.text) == ("RemoteError", "Error: no server")


def test_a_request_of_an_unknown_type_is_answered(node, follower):
    number = node.request({"type": "dance"})
    answer = node.expect(response_to=number)
    assert answer.head == {"type": "error", "success": False}
    call = follower.begin("call", client="main", name="echo")
    node.respond(node.expect("invoke"), {"type": "invoke_result", "success": True}, b"1")
    assert call.get() == 1


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 24, raw_peer.frame(1, 1, b"{}", body_size=2 ** 31 - 1),
    raw_peer.frame(0, 1, b"[]"), raw_peer.frame(0, 1, b"{}", head_size=-3),
], ids=["http", "oversize", "array", "negative"])
def test_a_leader_that_goes_mad(node, follower, raw_server, data):
    call = follower.begin("call", client="main", name="echo", timeout=20)
    node.expect("invoke")
    node.send(data)
    with pytest.raises(Failed) as caught:
        call.get()
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")
    node.wait_for_end()
    assert "sent what cannot be read" in follower.log()
    accept(raw_server)
    follower.do("ready", client="main")


def test_closing_says_nothing_to_the_real_client(node, follower):
    follower.do("subscribe", client="main", registration={"dataId": "k"})
    follower.do("publish", client="main", registration={"dataId": "x"})
    follower.do("close", client="main")
    sent = [frame for frame in node.wait_for_end() if frame.head["type"] != "heartbeat"]
    assert [(frame.head["type"], frame.head.get("method")) for frame in sent] == [
        ("subscribe", None), ("invoke", "publish")]
