"""Options that change what a client does: transcode, keys, broadcast, timeouts, overrides."""

from __future__ import absolute_import, division, print_function

import collections

import pytest

from clusterclient_sync import (
    APIClientBase, Follower, Leader, SubscribeTimeoutError, TranscodeError, cluster, outcome)
from support.gates import Event
from support.listening import Listener, settle
from support.recording import TIMEOUT, RecordingClient
from support.subjects import kinds

A = {"dataId": "a", "first": "one"}
QUIET = {"dataId": "quiet"}


# -- transcode: that its code never runs in the hub is checked by the fixture ``make``

@pytest.mark.parametrize("transcode", ("@reversed", "serialize-json"))
def test_another_transcode(make, transcode):
    subject = make(transcode=transcode)
    client, listener = subject.client, Listener()
    assert client.echo([1, u"a"], x=None) == [[[1, u"a"]], {u"x": None}]
    with pytest.raises(KeyError):
        client.fail("key")
    assert client.later_in_hub(2) == 2
    client.subscribe(A, listener)
    listener.wait_for()
    subject.upstream.tell("a", "two")
    assert listener.wait_for(2) == ["one", "two"]
    subject.upstream.tell_from("hub", "a", "three")
    assert listener.wait_for(3)[2] == "three"
    client.publish({"dataId": "a"})
    assert subject.upstream.wait_for("publish") == [{"dataId": "a"}]
    with pytest.raises(TranscodeError):
        client.same(object())


@pytest.mark.parametrize("transcode", ("@reversed", "serialize-json"))
def test_events_with_another_transcode(make, transcode):
    subject = make(transcode=transcode)
    handler = Listener()
    subject.client.on("changed", handler)
    subject.upstream.emit_event("changed", 1, "a")
    handler.wait_for()
    assert handler.calls == [(1, "a")]


def test_a_transcode_that_fails_is_the_callers_error(make):
    subject = make(transcode="@faulty")
    client = subject.client
    with pytest.raises(TranscodeError) as caught:
        client.same("poison")
    assert outcome(caught.value) == "not_sent"
    with pytest.raises(TranscodeError) as caught:
        client.big(0)  # fine
        client.same("late poison")
    assert outcome(caught.value) in ("failed", "unknown")
    listener = Listener()
    client.subscribe(QUIET, listener)
    subject.upstream.wait_for("subscribe")
    subject.upstream.tell("quiet", "poison", "good", "late poison", "better")
    assert listener.wait_for(2) == ["good", "better"]
    assert client.same(1) == 1


# -- keys

def test_format_key_says_what_is_the_same_registration(make):
    subject = make(format_key="@key_without_case")
    first, second = Listener(), Listener()
    subject.client.subscribe({"dataId": "Data", "first": 1}, first)
    first.wait_for()
    subject.client.subscribe({"dataId": "DATA", "first": 2}, second)
    assert second.wait_for() == [1]
    assert subject.upstream.of("subscribe") == [{"dataId": "Data", "first": 1}]
    subject.client.unsubscribe({"dataId": "dAtA"})
    subject.upstream.wait_for("unsubscribe")


def test_publish_key_is_the_users_code_too(make):
    subject = make(own={"publish_key": "@key_of_publish"})
    subject.client.publish({"dataId": "a"})
    assert subject.upstream.wait_for("publish") == [{"dataId": "a"}]
    with pytest.raises(KeyError):
        subject.client.publish({})
    subject.client.publish({"dataId": "b"})
    assert subject.upstream.wait_for("publish", 2) == [{"dataId": "a"}, {"dataId": "b"}]


# -- each value to one listener

def test_not_broadcast_each_value_reaches_exactly_one_listener(make):
    subject = make(is_broadcast=False)
    other = subject.another()
    other.ready(TIMEOUT)
    got = collections.deque()
    arrived = Listener()
    listeners = []
    for number in range(4):
        def listener(value, number=number):
            got.append((number, value))
            arrived(value)
        listeners.append(listener)
        (subject.client if number % 2 else other).subscribe(QUIET, listener)
    subject.upstream.wait_for("subscribe")
    # All are registered once the one that came last is: they go the same way.
    for client in (subject.client, other):
        marker = Listener()
        client.subscribe({"dataId": "marker%s" % id(client), "first": 0}, marker)
        marker.wait_for()
    subject.upstream.tell("quiet", *range(200))
    arrived.wait_for(200)
    settle(subject)
    assert sorted(value for _, value in got) == list(range(200))
    assert set(number for number, _ in got) == set(range(4))


def test_not_broadcast_a_full_queue_passes_values_to_others(make):
    subject = make(is_broadcast=False, max_queued_values=5)
    gate = Event()
    slow, quick = Listener(gate), Listener()
    subject.client.subscribe(QUIET, slow)
    subject.client.subscribe(QUIET, quick)
    subject.upstream.wait_for("subscribe")
    subject.upstream.tell("quiet", *range(100))
    # One is in the slow listener's hands and five wait for it; nothing was skipped.
    quick.wait_for(94)
    assert slow.values == []
    gate.set()
    slow.wait_for(100 - len(quick.calls))
    settle(subject)
    assert sorted(slow.values + quick.values) == list(range(100))


def test_not_broadcast_there_is_no_replay(make):
    subject = make(is_broadcast=False)
    first, second = Listener(), Listener()
    subject.client.subscribe(A, first)
    first.wait_for()
    subject.client.subscribe(A, second)
    settle(subject)
    assert (first.values, second.values) == (["one"], [])


# -- subscribe_timeout

def test_subscribe_timeout_is_an_error_event_once(make):
    subject = make(own={"subscribe_timeout": 0.1})
    errors, listener, other = Listener(), Listener(), Listener()
    subject.client.on("error", errors)
    subject.client.subscribe(QUIET, listener)
    subject.client.subscribe(QUIET, other)
    error, = errors.wait_for()
    assert isinstance(error, SubscribeTimeoutError)
    assert (error.registration, error.timeout) == (QUIET, 0.1)
    # Another's comes later, by which time a second one of the first would have come.
    subject.client.subscribe({"dataId": "later"}, Listener())
    errors.wait_for(2)
    assert [error.registration for error in errors.values] == [QUIET, {"dataId": "later"}]
    subject.upstream.tell("quiet", "late")
    assert (listener.wait_for(), other.wait_for()) == (["late"], ["late"])


def test_no_subscribe_timeout_where_there_is_data_or_nobody_waits(make):
    subject = make(own={"subscribe_timeout": 0.1})
    errors, listener, second = Listener(), Listener(), Listener()
    subject.client.on("error", errors)
    subject.client.subscribe(A, listener)
    subject.client.subscribe({"dataId": "given up"}, len)
    subject.client.unsubscribe({"dataId": "given up"}, len)
    listener.wait_for()
    subject.client.subscribe(A, second)
    subject.client.subscribe({"dataId": "last"}, len)
    assert [error.registration for error in errors.wait_for()] == [{"dataId": "last"}]


# -- others

@kinds("leader", "follower")
def test_an_override_is_the_clients_own(make, port):
    subject = make(ready=False)
    subject.lead()
    builder = cluster(RecordingClient, port=port, name="recording", drain_timeout=1)
    builder.override("foo", "bar").override("same", lambda value: "overridden")
    with builder.create(subject.tag) as client:
        client.ready(TIMEOUT)
        assert (client.foo, client.same(1), client.big(2)) == ("bar", "overridden", "xx")


@kinds("leader")
def test_a_forced_role_is_the_same_client(make, port):
    subject = make(ready=False)
    options = {"port": port, "name": "forced", "drain_timeout": 1}
    leader = Leader(RecordingClient, subject.tag, cluster_options=options)
    follower = Follower(RecordingClient, subject.tag, cluster_options=options)
    try:
        leader.ready(TIMEOUT)
        follower.ready(TIMEOUT)
        assert (leader.is_leader, follower.is_leader) == (True, False)
        assert isinstance(leader, Leader) and isinstance(follower, Follower)
        assert (leader.same(1), follower.same(2)) == (1, 2)
    finally:
        follower.close()
        leader.close()


@kinds("leader")
def test_an_api_client_around_a_cluster_client(make, port):
    subject = make(ready=False)

    class Api(APIClientBase):
        data_client_class = RecordingClient
        delegates = {"touch": "invoke_oneway", "quick": {"to": "invoke", "timeout": 0.1}}
        cluster_options = {"port": port, "name": "api", "drain_timeout": 1}

        def twice(self, value):
            return [self._client.same(value)] * 2

    with Api(subject.tag) as api:
        api.ready(timeout=TIMEOUT)
        assert api.is_leader is True
        assert api.twice(1) == [1, 1]
        api._client.touch("x")
        assert subject.upstream.wait_for("touch") == ["x"]
    assert subject.upstream.count("close") == 1
