"""What is larger than the other side takes fails alone: the connection and all else live on."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync import FrameTooLargeError, outcome
from support.listening import Listener, settle
from support.recording import TIMEOUT
from support.subjects import kinds

LIMIT = 4000
LARGE = 5000
A = {"dataId": "a", "first": "one"}

pytestmark = kinds("follower", "second")


@pytest.fixture
def pending():
    """Calls that are under way meanwhile: a connection that breaks would end them."""
    return []


def under_way(subject, pending):
    pending.append(gevent.spawn(subject.client.call, "wait", ("gate",), timeout=TIMEOUT))
    subject.upstream.wait_for("waiting")
    return subject


@pytest.fixture
def small(make, pending):
    """A client that takes little."""
    subject = under_way(make(own={"max_frame_size": LIMIT}), pending)
    yield subject
    subject.upstream.open("gate")
    assert pending[0].get(timeout=TIMEOUT) == "gate"


@pytest.fixture
def small_leader(make, pending):
    """A client whose leader takes little."""
    subject = under_way(make(max_frame_size=LIMIT, own={"max_frame_size": 10 * LIMIT}), pending)
    yield subject
    subject.upstream.open("gate")
    assert pending[0].get(timeout=TIMEOUT) == "gate"


def test_a_result_that_is_larger_than_the_caller_takes(small):
    with pytest.raises(FrameTooLargeError) as caught:
        small.client.big(LARGE)
    error = caught.value
    assert (outcome(error), error.limit) == ("failed", LIMIT)
    assert LARGE < error.size < LARGE + 200
    assert small.client.big(10) == "x" * 10


def test_an_error_that_is_larger_than_the_caller_takes(small):
    with pytest.raises(FrameTooLargeError) as caught:
        small.client.fail("large")
    assert outcome(caught.value) == "failed"
    assert small.client.same(1) == 1


def test_arguments_that_are_larger_than_the_leader_takes(small_leader):
    client, upstream = small_leader.client, small_leader.upstream
    large = "x" * LARGE
    for call in (lambda: client.length(large), lambda: client.call("length", (large,)),
                 lambda: client.touch(large), lambda: client.publish({"dataId": large})):
        with pytest.raises(FrameTooLargeError) as caught:
            call()
        error = caught.value
        assert (outcome(error), error.limit) == ("not_sent", LIMIT)
        assert error.size > LARGE
    assert client.length("xx") == 2
    assert [upstream.count(what) for what in ("length", "touch", "publish")] == [1, 0, 0]


def test_a_registration_that_is_larger_than_the_leader_takes(small_leader):
    errors, listener = small_leader.client.on("error", Listener()), Listener()
    small_leader.client.subscribe({"dataId": "x" * LARGE}, len)
    error = errors.wait_for()[0]
    assert isinstance(error, FrameTooLargeError)
    assert error.limit == LIMIT
    small_leader.client.subscribe(A, listener)
    assert listener.wait_for() == ["one"]


def test_a_value_that_is_larger_than_the_follower_takes(small):
    listener = Listener()
    small.client.subscribe(A, listener)
    listener.wait_for()
    small.upstream.tell("a", "x" * LARGE)
    small.upstream.tell("a", "two")
    assert listener.wait_for(2) == ["one", "two"]
    small.upstream.wait_for_log("larger than the follower")


def test_an_event_that_is_larger_than_the_follower_takes(small):
    handler = small.client.on("changed", Listener())
    small.upstream.emit_event("changed", "x" * LARGE)
    small.upstream.emit_event("changed", "small")
    assert handler.wait_for() == ["small"]
    small.upstream.wait_for_log("larger than the follower")


def test_a_subscription_that_fails_with_an_error_that_is_too_large(small):
    small.client.subscribe({"dataId": "a", "fails": "x" * (LARGE // 2)}, len)
    settle(small)
    small.upstream.wait_for_log("larger than the follower")
    assert small.client.same(1) == 1
