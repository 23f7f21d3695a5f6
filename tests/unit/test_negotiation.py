"""What peers find out about each other, and that a malformed hello harms nobody."""

from __future__ import absolute_import, division, print_function

import json
import os

import pytest

from clusterclient_sync.exceptions import ConfigurationError, ProtocolError
from clusterclient_sync.protocol import negotiation, transcodes
from clusterclient_sync.protocol.frames import Frame
from clusterclient_sync.protocol.negotiation import CAPABILITIES, Negotiator
from support.speed import needs_msgpack


class Reversed(object):
    name = "reversed"

    @staticmethod
    def encode(value):
        return json.dumps(value).encode("ascii")[::-1]

    @staticmethod
    def decode(data):
        return json.loads(data[::-1].decode("ascii"))


def wired(hello):
    """As it arrives at the peer."""
    return json.loads(json.dumps(hello))


def registration(hello):
    return {u"type": u"register_channel", u"clusterclient_sync": wired(hello)}


def answer(hello, body):
    head = {u"type": u"register_channel_res"}
    if hello is not None:
        head[u"clusterclient_sync"] = wired(hello)
    return Frame(True, 1, 0, head, body)


def meet(follower, leader, epoch=None):
    """What each side knows of the other."""
    at_leader = leader.meet_follower(registration(follower.follower_hello(epoch)))
    hello = leader.leader_hello(at_leader, 42)
    at_follower, told = follower.meet_leader(answer(hello, b'{"success":true}'))
    assert told == {"success": True}
    return at_leader, at_follower


def test_both_sides_learn_of_each_other():
    follower = Negotiator("json", 1000, 5, "f")
    leader = Negotiator("json", 2000, 7, "l")
    at_leader, at_follower = meet(follower, leader, epoch=12)
    assert at_leader.is_python and at_follower.is_python
    assert at_leader.can == at_follower.can == CAPABILITIES
    assert (at_leader.epoch, at_follower.epoch) == (12, 42)
    assert at_leader.pid == at_follower.pid == os.getpid()
    assert (at_leader.max_frame_size, at_follower.max_frame_size) == (1000, 2000)
    assert at_follower.heartbeat_interval == 7
    assert (at_leader.fingerprint, at_follower.fingerprint) == ("f", "l")
    assert at_leader.takes(1000) and not at_leader.takes(1001)


@pytest.mark.parametrize("follower, leader, expected", [
    ("plain-json", "plain-json", "json"),
    ("plain-json", "json", "json"),
    ("json", "plain-json", "json"),
    (transcodes.JSON, "json", "json"),
    ("serialize-json", "serialize-json", "serialize-json"),
    # What the follower has comes first: the leader serves several transcodes.
    ("serialize-json", "json", "serialize-json"),
    ("json", "serialize-json", "json"),
    (Reversed(), Reversed(), "reversed"),
    # One that only one side has cannot be.
    (Reversed(), "json", "json"),
    ("json", Reversed(), "json"),
])
def test_both_sides_choose_the_same_transcode(follower, leader, expected):
    at_leader, at_follower = meet(Negotiator(follower, 1, 1), Negotiator(leader, 1, 1))
    assert at_leader.transcode.name == at_follower.transcode.name == expected


def without_msgpack(monkeypatch):
    """What it is to be a process that lacks the library."""
    with monkeypatch.context() as changed:
        changed.setattr(transcodes, "_msgpack", ["not installed"])
        return Negotiator("json", 1, 1)


@needs_msgpack
@pytest.mark.parametrize("option", ["json", "msgpack"])
def test_msgpack_is_chosen_where_both_sides_have_it(monkeypatch, option):
    msgpack = transcodes.named("msgpack")
    with_it, without = Negotiator(option, 1, 1), without_msgpack(monkeypatch)
    assert with_it.own is msgpack and without.own is transcodes.JSON
    for follower, leader, expected in [
            (with_it, Negotiator("json", 1, 1), msgpack),
            (Negotiator("json", 1, 1), with_it, msgpack),
            (with_it, without, transcodes.JSON),
            (without, with_it, transcodes.JSON),
            (with_it, Negotiator("plain-json", 1, 1), transcodes.JSON),
            (Negotiator("plain-json", 1, 1), with_it, transcodes.JSON),
            (with_it, Negotiator("serialize-json", 1, 1), transcodes.JSON)]:
        at_leader, at_follower = meet(follower, leader)
        assert at_leader.transcode is at_follower.transcode is expected


def test_a_process_without_msgpack_says_nothing_of_it(monkeypatch):
    hello = without_msgpack(monkeypatch).follower_hello(None)
    assert hello["transcodes"] == ["json", "serialize-json"]


@needs_msgpack
def test_a_node_leader_is_never_spoken_to_in_msgpack():
    negotiator = Negotiator("msgpack", 1, 1)
    for transcode in (transcodes.JSON, transcodes.SERIALIZE_JSON):
        peer, _ = negotiator.meet_leader(answer(None, transcode.encode({u"success": True})))
        assert peer.transcode is transcode


def test_only_what_both_can_is_used():
    leader = Negotiator("json", 1, 1)
    hello = dict(leader.follower_hello(None), can=["events", "flying", 7, None])
    assert leader.meet_follower(registration(hello)).can == {"events"}


def test_the_follower_tells_which_failed_start_it_knows_of():
    leader = Negotiator("json", 1, 1)
    hello = leader.follower_hello(None, failed_attempt=3)
    assert leader.meet_follower(registration(hello)).failed_attempt == 3


def test_a_registration_without_a_proper_hello_is_nodes():
    for head in [{}] + [{"clusterclient_sync": hello}
                        for hello in (None, [], "x", {}, {"transcodes": "json"})]:
        peer = Negotiator("json", 1, 1).meet_follower(head)
        assert (peer.is_python, peer.transcode, peer.can) == (False, None, frozenset())
        assert peer.takes(2 ** 40)


@pytest.mark.parametrize("name", ["pid", "epoch", "max_frame_size", "heartbeat_interval"])
def test_numbers_that_are_none_are_not_known(name):
    for value in ("1", True, False, [], {}, -1, 2 ** 53, 1e300, float("inf"), float("nan"), None):
        hello = {"transcodes": [7, None, [], {}, "nobody's"], name: value}
        peer = Negotiator("json", 1, 1).meet_follower({"clusterclient_sync": hello})
        assert peer.is_python
        assert peer.transcode is transcodes.JSON
        assert getattr(peer, name) is None, value


def test_a_leader_that_tells_an_unknown_transcode_is_spoken_to_in_json():
    for name in ("nobody's", 7, None, []):
        peer, _ = Negotiator("json", 1, 1).meet_leader(answer({"transcode": name}, b"{}"))
        assert peer.transcode is transcodes.JSON


def test_an_answer_of_a_python_leader_that_is_no_object():
    for body in (b"", b"[]", b"nothing", b"\xff", b"[" * 200000):
        with pytest.raises(ProtocolError):
            Negotiator("json", 1, 1).meet_leader(answer({"transcode": "json"}, body))


def test_the_transcode_of_a_node_leader_is_read_off_its_answer():
    negotiator = Negotiator("json", 1, 1)
    for transcode in (transcodes.JSON, transcodes.SERIALIZE_JSON):
        peer, told = negotiator.meet_leader(answer(None, transcode.encode({u"success": True})))
        assert (peer.is_python, peer.transcode) == (False, transcode)
        assert told == {"success": True}
    for body in (b"", b"[]", b"nothing", b"\xff"):
        with pytest.raises(ProtocolError):
            negotiator.meet_leader(answer(None, body))


def test_the_ambiguous_answer_is_success_in_both():
    assert negotiation.AMBIGUOUS_SUCCESS == b'{"a":"|success^^^^$1|-1]","success":true}'
    assert transcodes.JSON.decode(negotiation.AMBIGUOUS_SUCCESS)["success"] is True
    # Node's decoder reads one value of the structure and no further; ours insists on the end.
    read = negotiation.AMBIGUOUS_SUCCESS.partition(b"]")
    assert transcodes.SERIALIZE_JSON.decode(read[0] + read[1]) == {"success": True}


def test_the_transcode_is_told_from_the_first_application_bytes():
    for value in (None, True, 1, -1.5, u"", u"a|b^c", [], [1, u"x"], {}, {u"a": [None]}):
        for transcode in (transcodes.JSON, transcodes.SERIALIZE_JSON):
            assert negotiation.tell_transcode(transcode.encode(value)) is transcode


def test_plain_answers_come_back():
    told = {"success": False, "error": {"name": u"\u00e9", "channels": ["a"]}}
    assert negotiation.plain_answer(negotiation.encode_plain(told)) == told


def test_a_stranger_is_described():
    error = negotiation.stranger("zk", 77, "theirs", "ours")
    assert isinstance(error, ConfigurationError)
    for word in ("zk", "77", "theirs", "ours"):
        assert word in str(error)
