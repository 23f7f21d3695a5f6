"""One call: its arguments, encoded once per transcode, and its deadline."""

from __future__ import absolute_import, division, print_function

import struct

import pytest

from clusterclient_sync.exceptions import (
    NOT_SENT, ConfigurationError, ConnectionClosedError, TranscodeError)
from clusterclient_sync.method_spec import (
    CLOSE, INVOKE, PUBLISH, SUBSCRIBE, TARGETS, MethodSpec, Plan)
from clusterclient_sync.protocol import transcodes
from clusterclient_sync.protocol.negotiation import CAPABILITIES, Peer
from clusterclient_sync.roles import call as call_module
from clusterclient_sync.roles.call import Call, LeaderLost

GET = MethodSpec("get", remote_name="getConfig")
PYTHON = Peer(True, transcodes.JSON, CAPABILITIES)
NODE = Peer(False, transcodes.SERIALIZE_JSON)


class Counting(object):
    """A transcode that counts."""

    name = "counting"

    def __init__(self):
        self.encoded = 0

    def encode(self, value):
        self.encoded += 1
        return transcodes.JSON.encode(value)

    decode = staticmethod(transcodes.JSON.decode)


def test_a_message_names_the_method_as_the_wire_does():
    head, parts = Call(GET, ("a", 1), {}, 3).message(PYTHON, oneway=False)
    assert head == b'{"type":"invoke","method":"getConfig","argLength":2,"oneway":false}'
    assert b"".join(parts) == struct.pack(">I", 3) + b'"a"' + struct.pack(">I", 1) + b"1"


def test_calls_that_repeat_share_their_heads_and_the_table_of_a_method_is_bounded():
    spec = MethodSpec("many")
    first, _ = Call(spec, (1,), {}, 3).message(PYTHON, oneway=False)
    again, _ = Call(spec, (2,), {}, 3).message(PYTHON, oneway=False)
    assert again is first
    assert Call(spec, (1,), {}, 3).message(PYTHON, oneway=True)[0] != first
    for count in range(call_module._MAX_HEADS + 10):
        Call(spec, (None,) * count, {}, 3).message(PYTHON, oneway=False)
        assert len(spec.heads) <= call_module._MAX_HEADS


def test_keyword_arguments_are_one_argument_more():
    head, parts = Call(GET, ("a",), {"b": 1}, 3).message(PYTHON, oneway=True)
    assert head == (b'{"type":"invoke","method":"getConfig","argLength":2,"oneway":true,'
                    b'"kwargs":true}')
    assert parts[-1] == b'{"b":1}'


def test_a_peer_that_takes_no_keyword_arguments_is_not_sent_any():
    with pytest.raises(ConfigurationError) as caught:
        Call(GET, (), {"b": 1}, 3).message(NODE, oneway=False)
    assert caught.value.outcome == NOT_SENT
    Call(GET, ("a",), {}, 3).message(NODE, oneway=False)


def test_arguments_are_encoded_once_per_transcode():
    one, other = Counting(), Counting()
    call = Call(GET, ([1], [2]), {"c": 3}, 3)
    for transcode in (one, one, other, other):
        assert call.encoded(transcode) == [b"[1]", b"[2]", b'{"c":3}']
    assert (one.encoded, other.encoded) == (3, 3)


def test_what_cannot_be_encoded_raises_each_time():
    call = Call(GET, (object(),), {}, 3)
    for _ in range(2):
        with pytest.raises(TranscodeError):
            call.encoded(transcodes.JSON)


@pytest.mark.parametrize("is_frozen", [True, False])
def test_after_freeze_later_changes_are_not_seen_whatever_the_transcode(is_frozen):
    value, keywords = [1], {"b": [1]}
    call = Call(GET, (value,), keywords, 3)
    if is_frozen:
        assert call.freeze(transcodes.JSON) is call
    value.append(2)
    keywords["b"].append(2)
    expected = [1] if is_frozen else [1, 2]
    for transcode in (transcodes.SERIALIZE_JSON, transcodes.JSON, transcodes.SERIALIZE_JSON):
        decoded = [transcode.decode(data) for data in call.encoded(transcode)]
        assert decoded == [expected, {"b": expected}]


def test_the_deadline_counts_from_the_call_on(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(call_module, "monotonic", lambda: now[0])
    call = Call(GET, (), {}, 3)
    assert call.deadline == 103.0
    now[0] = 101.0
    assert call.remaining == pytest.approx(2.0)
    now[0] = 110.0
    assert call.remaining == 0.001


def test_a_lost_leader_carries_what_its_caller_is_told():
    error = ConnectionClosedError("gone")
    assert LeaderLost(error).error is error


# -- what methods and plans are

def test_a_spec_has_these_defaults():
    spec = MethodSpec("get")
    assert (spec.name, spec.target, spec.remote_name) == ("get", INVOKE, "get")
    assert (spec.timeout, spec.idempotent, spec.style, spec.replay) == (None, False, None, True)
    assert repr(MethodSpec("shut", CLOSE)) == "MethodSpec('shut', 'close')"
    assert GET.remote_name == "getConfig"


def test_the_targets_are_these():
    assert sorted(TARGETS) == [
        "close", "invoke", "invoke_oneway", "publish", "subscribe", "unsubscribe"]


def test_specs_take_no_other_attributes():
    with pytest.raises(AttributeError):
        MethodSpec("get").tiemout = 3


def test_a_plan_finds_what_is_delegated_to_a_target():
    specs = {"get": MethodSpec("get"), "watch": MethodSpec("watch", SUBSCRIBE)}
    plan = Plan("name", dict, specs)
    assert plan.named(SUBSCRIBE) is specs["watch"]
    assert plan.named(PUBLISH) is None
    assert (plan.arguments, plan.close_name, plan.fingerprint) == (((), {}), "close", None)
