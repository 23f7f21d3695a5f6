"""The extra ``speed``: msgpack between processes that have it, JSON with those that have not."""

from __future__ import absolute_import, division, print_function

import json

import pytest

from clusterclient_sync.protocol import transcodes
from clusterclient_sync.protocol.transcodes.json_text import JsonTranscode
from clusterclient_sync.protocol.transcodes.msgpack_bytes import MsgpackTranscode
from support import raw_peer
from support.listening import Listener
from support.members import leader_of, until
from support.recording import TIMEOUT, Recorder, build
from support.speed import WHY_NOT, needs_msgpack

OPTIONS = ("json", "plain-json")
KEY = u'$$inner$$__{"dataId":"k"}'
VALUES = [None, True, -1, 2 ** 53, 2 ** 64, 2 ** 70, 1.5, -0.0, u"", u"\u00e9\U0001f600", [],
          [1, [2, [3]]], {}, {u"\u00e9": {"b": [None]}}, {"$type": "user's own"}]


def invoke(connection, method, *encoded):
    """Call a method with these encoded arguments; returns the answer."""
    head = {"type": "invoke", "method": method, "argLength": len(encoded), "oneway": False}
    return connection.expect(response_to=connection.request(head, raw_peer.arguments(*encoded)))


@pytest.fixture
def following(port, closing):
    """``following(offers)``: a scripted follower, and the transcode that its leader chose."""
    def follow(offers):
        connection = closing(raw_peer.connect(port))
        number = raw_peer.register(connection, hello=raw_peer.hello(transcodes=offers))
        answer = connection.expect(response_to=number)
        assert json.loads(answer.body.decode("utf-8")) == {"success": True}
        return connection, answer.head["clusterclient_sync"]["transcode"]

    return follow


@needs_msgpack
def test_msgpack_on_the_wire(members, following):
    members.join()
    connection, chosen = following(["msgpack", "json"])
    assert chosen == "msgpack"
    assert invoke(connection, "echo", b"\x81\xa1a\x93\x01\xc0\xc4\x01b").body == (
        b"\x81\xa1a\x93\x01\xc0\xc4\x01b")
    assert invoke(connection, "echo", b'\xc1{"$type":"set","value":[1]}').body == (
        b'\xc1{"$type":"set","value":[1]}')
    assert invoke(connection, "echo").body == b"\x90"
    connection.request({"type": "subscribe", "key": KEY, "reg": {"dataId": "k"}})
    assert connection.expect("subscribe_result").body.startswith(b"\x81\xa5first")
    error = invoke(connection, "fail", b"\xa8KeyError", b"\x91\xa4lost")
    assert error.head["success"] is False
    assert transcodes.named("msgpack").decode(error.body)[u"name"] == u"KeyError"


@needs_msgpack
@pytest.mark.parametrize("data", [b"\xdd\x7f\xff\xff\xff", b"\xc1", b"\xc1{", b"\xd4\x01a",
                                  b"\x91" * 100000, b"\x81\x01\x01"])
def test_what_is_no_msgpack_fails_its_call_and_no_other(members, following, data):
    leader = members.join()
    connection, _ = following(["msgpack"])
    answer = invoke(connection, "echo", data)
    assert answer.head["success"] is False
    assert transcodes.named("msgpack").decode(answer.body)[u"name"] == u"TranscodeError"
    assert invoke(connection, "echo", b"\x07").body == b"\x07"
    assert leader.call("echo", 1) == 1


@pytest.mark.parametrize("option, offers, expected", [
    ("plain-json", ["msgpack", "json", "serialize-json"], "json"),
    ("json", ["json", "serialize-json"], "json"),
    ("serialize-json", ["msgpack", "json", "serialize-json"], "json"),
    ("json", ["of another world"], "json"),
])
def test_json_where_one_side_has_nothing_else(members, following, option, offers, expected):
    members.join(transcode=option)
    connection, chosen = following(offers)
    assert chosen == expected
    assert invoke(connection, "echo", b'{"a":[1,null]}').body == b'{"a":[1,null]}'


@pytest.mark.parametrize("option, offers", [
    ("json", ([] if WHY_NOT else ["msgpack"]) + ["json", "serialize-json"]),
    ("plain-json", ["json", "serialize-json"]),
])
def test_what_a_follower_offers_and_that_an_older_leader_is_spoken_to_in_json(
        members, raw_server, option, offers):
    follower = members.start()
    members.create(follower, is_leader=False, transcode=option)
    connection = raw_server.accept()
    request = connection.expect("register_channel")
    assert request.head["clusterclient_sync"]["transcodes"] == offers
    hello = {"revision": 1, "transcode": "json", "can": [], "pid": 1, "epoch": 1}
    connection.respond(request, {"type": "register_channel_res", "clusterclient_sync": hello},
                       b'{"success":true}')
    call = follower.begin("call", client="main", name="echo", args=[{"a": 1}])
    request = connection.expect("invoke")
    assert request.body == raw_peer.arguments(b'{"a":1}')
    connection.respond(request, {"type": "invoke_result", "success": True}, b"[2]")
    assert call.get() == [2]


@needs_msgpack
@pytest.mark.parametrize("leads", OPTIONS)
def test_those_with_it_and_those_without_are_one_cluster(members, journal, leads):
    leader = members.join(transcode=leads)
    followers = []
    for option in OPTIONS:
        follower = members.start()
        members.create(follower, transcode=option)
        follower.do("ready", client="main")
        followers.append(follower)
    everyone = [leader] + followers
    for member in everyone:
        member.do("subscribe", client="main", registration={"dataId": "k"})
        assert member.value() == {"first": leader.pid}
    for value in VALUES:
        assert [member.call("echo", value) for member in everyone] == [value] * 3
        leader.call("push", "k", value)
        assert [member.value() for member in everyone] == [value] * 3
    assert "is not made as here" not in "".join(member.log() for member in everyone)
    leader.child.kill()
    new = leader_of(followers)
    for member in followers:
        assert member.value() == {"first": new.pid}
        assert [member.call("echo", value) for value in VALUES] == VALUES
    journal.assert_one_at_a_time(killed=[leader.pid])


@needs_msgpack
def test_a_publish_that_was_encoded_for_one_leader_is_made_again_at_another(members, journal):
    leader = members.join(transcode="json")
    follower = members.start()
    members.create(follower, transcode="plain-json", is_leader=False)
    follower.do("ready", client="main")
    follower.do("publish", client="main", registration={"dataId": "p", "n": 2 ** 60})
    until(lambda: journal.lines("published"), "it is published")
    leader.child.kill()
    other = members.join(transcode="json", is_leader=True)
    told = until(lambda: journal.lines("published", other.pid), "it is published again")
    assert [line["registration"] for line in told] == [{"dataId": "p", "n": 2 ** 60}]


@needs_msgpack
@pytest.mark.parametrize("options, encodes", [
    # The leader's, then its followers'.
    (("json", "json", "json", "json"), {"msgpack": 1}),
    (("plain-json", "plain-json", "json"), {"json": 1}),
    (("json", "plain-json", "json", "plain-json"), {"msgpack": 1, "json": 1}),
])
def test_a_value_is_encoded_once_for_each_transcode(port, closing, monkeypatch, options, encodes):
    marker = u"to be counted"
    counted = {}
    for cls in (MsgpackTranscode, JsonTranscode):
        monkeypatch.setattr(cls, "encode", counting(cls, marker, counted))
    recorder = Recorder("counted").attach()
    try:
        listeners = []
        for number, option in enumerate(options):
            client = closing(build(port, "counted", {"transcode": option, "is_leader": not number}))
            client.ready(TIMEOUT)
            listeners.append(Listener())
            client.subscribe({"dataId": "k", "first": 0}, listeners[-1])
            listeners[-1].wait_for()
        recorder.tell("k", marker)
        for listener in listeners:
            assert listener.wait_for(2)[1] == marker
    finally:
        recorder.detach()
    assert counted == encodes


def counting(cls, marker, counted):
    """The ``encode`` of a transcode, which counts how often it gets the marker."""
    encode = cls.encode

    def counted_encode(self, value):
        if value == marker:
            counted[self.name] = counted.get(self.name, 0) + 1
        return encode(self, value)

    return counted_encode
