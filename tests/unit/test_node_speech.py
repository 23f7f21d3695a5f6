"""What is known and guessed of how Node peers speak."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.exceptions import NOT_SENT, UNKNOWN, ConnectionClosedError, TranscodeError
from clusterclient_sync.method_spec import MethodSpec
from clusterclient_sync.protocol import transcodes
from clusterclient_sync.protocol.decoder import FrameDecoder
from clusterclient_sync.protocol.transcodes import JSON, NODE_JSON, SERIALIZE_JSON
from clusterclient_sync.roles.call import Call, LeaderLost
from clusterclient_sync.roles.node_speech import Guess, NodeSpeech


class Clock(object):
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize("option, expected", [
    ("serialize-json", SERIALIZE_JSON), ("json", NODE_JSON)])
def test_the_option_is_the_first_guess(option, expected):
    speech = NodeSpeech(option)
    assert speech.guess() is expected
    assert not speech.is_certain


def test_what_a_peer_spoke_is_the_next_guess():
    speech = NodeSpeech("serialize-json")
    assert speech.heard(JSON) is NODE_JSON
    assert speech.guess() is NODE_JSON


def test_a_follower_that_drops_its_connection_is_guessed_otherwise_for_a_while(clock):
    speech = NodeSpeech("serialize-json", clock)
    speech.doubt(SERIALIZE_JSON, clock.now)
    assert speech.guess() is NODE_JSON
    clock.now += 1
    speech.doubt(NODE_JSON, clock.now)
    assert speech.guess() is SERIALIZE_JSON
    speech.doubt(SERIALIZE_JSON, clock.now)
    clock.now += 3
    assert speech.guess() is SERIALIZE_JSON


def test_one_that_goes_later_is_not_doubted(clock):
    speech = NodeSpeech("serialize-json", clock)
    speech.doubt(SERIALIZE_JSON, clock.now - 3)
    assert speech.guess() is SERIALIZE_JSON


def test_what_is_heard_ends_the_doubt(clock):
    speech = NodeSpeech("serialize-json", clock)
    speech.doubt(SERIALIZE_JSON, clock.now)
    speech.heard(SERIALIZE_JSON)
    assert speech.guess() is SERIALIZE_JSON


def test_a_transcode_of_the_users_is_certain():
    class Own(object):
        encode = staticmethod(JSON.encode)
        decode = staticmethod(JSON.decode)

    speech = NodeSpeech(Own())
    assert speech.is_certain
    own = speech.guess()
    assert speech.heard(SERIALIZE_JSON) is own is speech.guess()


def test_the_guard_goes_once_and_shows_a_wrong_guess():
    for option, other in (("serialize-json", JSON), ("json", SERIALIZE_JSON)):
        guess = Guess(NodeSpeech(option))
        decoder = FrameDecoder(1000)
        decoder.feed(guess.guard())
        frame = decoder.next_frame()
        assert guess.guard() == b""
        assert (frame.is_response, frame.id) == (True, 0)
        assert frame.head == {"type": "invoke_result", "success": True}
        assert guess.transcode.decode(frame.body) is None
        with pytest.raises(TranscodeError):
            other.decode(frame.body)


def test_a_guess_that_was_accepted_or_never_made_is_not_doubted():
    for step in (lambda guess: None, lambda guess: (guess.make(), guess.accept())):
        speech = NodeSpeech("serialize-json")
        guess = Guess(speech)
        step(guess)
        guess.peer_is_gone()
        assert speech.guess() is SERIALIZE_JSON
    guess = Guess(speech)
    guess.make()
    guess.peer_is_gone()
    assert speech.guess() is NODE_JSON


# -- JSON as Node takes it

def test_json_for_node_is_json():
    value = {u"a": [1, None, u"NaN", u"\u00e9", {u"Infinity": 1.5}]}
    assert NODE_JSON.encode(value) == JSON.encode(value)
    assert NODE_JSON.decode(NODE_JSON.encode(value)) == value
    assert transcodes.for_node(JSON) is NODE_JSON
    assert transcodes.for_node(SERIALIZE_JSON) is SERIALIZE_JSON


@pytest.mark.parametrize("value, path", [
    (float("nan"), "$"), ({u"a": [1, float("inf")]}, "$.a[1]"), ([u"NaN", -float("inf")], "$[1]")])
def test_numbers_that_would_end_node_are_refused(value, path):
    with pytest.raises(TranscodeError) as caught:
        NODE_JSON.encode(value)
    assert caught.value.path == path


# -- calls under which Node leaders end

def lost(outcome, was_node):
    return LeaderLost(ConnectionClosedError("gone", outcome=outcome), was_node)


def test_an_idempotent_call_is_sent_to_two_node_leaders_at_most():
    call = Call(MethodSpec("get", idempotent=True, remote_name="getIt"), (), {}, 3)
    for outcome, was_node in ((UNKNOWN, True), (UNKNOWN, False), (NOT_SENT, True)):
        call.check_repeat(lost(outcome, was_node))
    with pytest.raises(ConnectionClosedError) as caught:
        call.check_repeat(lost(UNKNOWN, True))
    assert caught.value.outcome == UNKNOWN
    assert "getIt" in str(caught.value)


def test_another_call_only_where_it_was_not_sent():
    call = Call(MethodSpec("get"), (), {}, 3)
    call.check_repeat(lost(NOT_SENT, True))
    with pytest.raises(ConnectionClosedError):
        call.check_repeat(lost(UNKNOWN, False))
