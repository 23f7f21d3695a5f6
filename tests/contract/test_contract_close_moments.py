"""Closing at bad moments: while it joins, with work in hand, with user code that does not end."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync import ClientClosedError, ConfigurationError, cluster, outcome
from clusterclient_sync._compat import monotonic
from support.closed import check_closed, check_real_client
from support.gates import Event
from support.listening import Listener
from support.ports import free_port
from support.recording import TIMEOUT, build
from support.subjects import GREENLET_KINDS, kinds

A = {"dataId": "a", "first": "one"}


@kinds(*GREENLET_KINDS)
def test_close_while_joining(make):
    subject = make(ready=False)
    client, closed = subject.client, Listener()
    client.on("close", closed)
    waiting = gevent.spawn(client.ready, TIMEOUT), gevent.spawn(client.same, 1)
    listener = Listener()
    client.subscribe(A, listener)
    gevent.sleep(0)
    client.close()
    for greenlet in waiting:
        with pytest.raises(ClientClosedError):
            greenlet.get(timeout=TIMEOUT)
    check_closed(client)
    assert (closed.calls, listener.calls) == ([()], [])


def test_close_right_after_create(make):
    subject = make(ready=False)
    closed = Listener()
    subject.client.on("close", closed)
    subject.client.close()
    check_closed(subject.client)
    assert closed.calls == [()]


@kinds("leader", "single")
def test_close_while_the_real_client_starts(kind, port):
    started, events = Event(), []

    class SlowClient(object):
        def __init__(self):
            started.set()
            try:
                Event().wait()
            finally:
                events.append("ended")

        def close(self):
            events.append("close")

    client = cluster(SlowClient, port=port, single_mode=kind == "single").create()
    assert started.wait(TIMEOUT)
    waiting = gevent.spawn(client.ready)
    gevent.sleep(0)
    client.close()
    with pytest.raises(ClientClosedError):
        waiting.get(timeout=TIMEOUT)
    assert events == ["ended"]  # there was nothing to be closed


def test_close_with_calls_pending(make):
    subject = make(drain_timeout=0.2)
    client = subject.client
    results = Listener()
    callers = [gevent.spawn(client.wait, "gate") for _ in range(20)]
    client.wait("gate", callback=lambda error, value: results(error, value))
    subject.upstream.wait_for("waiting", 21)
    client.close()
    errors = [results.wait_for()[0]]
    for caller in callers:
        with pytest.raises(ClientClosedError) as caught:
            caller.get(timeout=TIMEOUT)
        errors.append(caught.value)
    assert [type(error) for error in errors] == [ClientClosedError] * 21
    assert [outcome(error) for error in errors] == ["unknown"] * 21
    assert results.calls[0][1] is None
    subject.upstream.open("gate")
    check_real_client(subject)


def test_what_was_published_before_the_close_arrives(subject):
    for number in range(200):
        subject.client.publish({"number": number, "blocks": number % 2})
    subject.client.touch("last")
    subject.client.close()
    published = subject.upstream.wait_for("publish", 200)
    assert [registration["number"] for registration in published] == list(range(200))
    subject.upstream.wait_for("touch")


def test_listeners_get_nothing_after_the_close(subject):
    listener = Listener()
    subject.client.subscribe(A, listener)
    listener.wait_for()
    subject.client.close()
    if subject.has_own_real_client:
        subject.upstream.tell("a", "two")
    else:
        subject.upstream.wait_for("unsubscribe")
    gevent.sleep(0)
    assert listener.values == ["one"]


@kinds("leader", "single")
def test_errors_of_a_closed_real_client_are_dropped(subject):
    errors = Listener()
    subject.client.on("error", errors)
    subject.upstream.emit_sample_error("error", "value")
    errors.wait_for()
    subject.client.close()
    subject.upstream.emit_sample_error("error", "value")
    subject.upstream.emit_event("changed", 1)
    gevent.sleep(0)
    assert len(errors.calls) == 1


@kinds(*GREENLET_KINDS)
def test_close_waits_for_a_listener_and_then_ends_it(make):
    subject = make(own={"drain_timeout": 0.1})
    ended, stuck = Event(), Listener()

    def listener(value):
        stuck(value)
        try:
            Event().wait()
        finally:
            ended.set()

    subject.client.subscribe(A, listener)
    stuck.wait_for()
    subject.client.close()
    assert ended.is_set()


def test_close_with_a_timeout_returns_and_goes_on(make):
    subject = make(own={"drain_timeout": 2})
    gate = Event()
    listener = Listener(gate)
    subject.client.subscribe(A, listener)
    listener.wait_until(lambda: listener.begun == 1)
    began = monotonic()
    subject.client.close(timeout=0.1)
    assert 0.1 <= monotonic() - began < 1
    check_closed(subject.client)
    gate.set()
    subject.client.close()
    assert listener.values == ["one"]


@kinds("leader", "single")
def test_a_real_client_whose_close_raises_or_hangs(kind, port):
    class BadClose(object):
        def __init__(self, how):
            self.how = how

        def close(self):
            closes.append(self.how)
            if self.how == "raises":
                raise ValueError("on purpose")
            Event().wait()

    for how in ("raises", "hangs"):
        closes = []
        client = cluster(BadClose, port=port, drain_timeout=0.1,
                         single_mode=kind == "single").create(how)
        client.ready(TIMEOUT)
        client.close()
        assert closes == [how]


def test_a_new_client_of_the_same_name_works_at_once(subject):
    """Also with other arguments: it shares nothing with the closed one."""
    subject.client.close()
    if subject.has_own_real_client:
        other = subject.another()
        other.ready(TIMEOUT)
        assert other.same(1) == 1
        assert subject.upstream.count("made") == 2
    else:
        other = subject.another()
        other.ready(TIMEOUT)
        assert other.is_leader is False
        assert other.same(1) == 1
        assert subject.upstream.count("made") == 1


@kinds("leader", "single")
def test_one_process_cannot_share_a_real_client_made_otherwise(subject):
    single = {"single_mode": True} if subject.kind == "single" else {}
    with pytest.raises(ConfigurationError):
        build(subject.port, "other", single)
    elsewhere = build(free_port(), subject.tag, dict(single, name="elsewhere"))
    elsewhere.close()


@kinds("single")
def test_the_last_close_closes_a_shared_real_client(subject):
    other = subject.another()
    other.ready(TIMEOUT)
    assert (subject.client.is_leader, other.is_leader) == (True, True)
    subject.client.close()
    assert subject.upstream.count("close") == 0
    assert other.same(1) == 1
    other.close()
    assert subject.upstream.count("close") == 1
    assert subject.upstream.count("made") == 1
