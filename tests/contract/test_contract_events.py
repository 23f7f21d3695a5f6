"""Events: those of the real client on every process, and the client's own."""

from __future__ import absolute_import, division, print_function

import os

import gevent
import pytest

from clusterclient_sync import TranscodeError
from support import sample_errors
from support.listening import Listener, settle
from support.recording import TIMEOUT
from support.subjects import kinds

A = {"dataId": "a", "first": "one"}


def handle(client, name):
    """A handler of this event."""
    return client.on(name, Listener())


def test_events_of_the_real_client_arrive_in_order_with_their_arguments(subject):
    handler = handle(subject.client, "changed")
    for number in range(50):
        subject.upstream.emit_event("changed", number, u"text", {"a": [None, 1.5]})
    handler.wait_for(50)
    assert handler.calls == [(number, u"text", {"a": [None, 1.5]}) for number in range(50)]
    assert handler.never_in_hub()


def test_an_event_without_arguments(subject):
    handler = handle(subject.client, "changed")
    subject.upstream.emit_event("changed")
    handler.wait_until(lambda: handler.calls == [()])


def test_every_client_of_a_process_gets_the_events(subject):
    other = subject.another()
    other.ready(TIMEOUT)
    handlers = [handle(client, "changed") for client in (subject.client, other)]
    subject.upstream.emit_event("changed", 1)
    assert [handler.wait_for() for handler in handlers] == [[1], [1]]


def test_an_error_event_of_the_real_client(subject):
    handler = handle(subject.client, "error")
    subject.upstream.emit_sample_error("error", "quota")
    error, = handler.wait_for()
    assert isinstance(error, sample_errors.QuotaError)
    assert (error.user, error.limit) == ("ann", 7)


def test_the_clients_own_events_are_not_the_real_clients(subject):
    """It emits the same names for itself, which say nothing about this client."""
    client = subject.client
    wrong = [handle(client, "close"), handle(client, "leader_change")]
    last = handle(client, "last")
    subject.upstream.emit_event("close")
    subject.upstream.emit_event("leader_change", "leader", 1, 1)
    subject.upstream.emit_event("last")
    last.wait_until(lambda: last.calls == [()])
    assert wrong[0].calls == []
    assert ("leader", 1, 1) not in wrong[1].calls


def test_once_off_emit_and_the_decorator(subject):
    client = subject.client
    once, gone, plain = Listener(), Listener(), Listener()
    client.once("changed", once)
    client.on("changed", gone)
    client.off("changed", gone)
    last = handle(client, "last")

    @client.on("changed")
    def decorated(*args):
        plain(*args)

    client.emit("changed", 0)  # at home only
    subject.upstream.emit_event("changed", 1)
    subject.upstream.emit_event("last")
    last.wait_until(lambda: last.calls)
    assert (once.values, gone.values, plain.values) == ([0], [], [0, 1])


def test_leader_change_tells_role_epoch_and_pid(make):
    subject = make(ready=False)
    handler = handle(subject.client, "leader_change")
    if not subject.is_threaded:  # one in a thread of its own may lead already
        assert (subject.client.is_leader, subject.client.epoch) == (None, None)
    subject.get_ready()
    handler.wait_for()
    role = "leader" if subject.client.is_leader else "follower"
    assert handler.calls == [(role, subject.client.epoch, subject.pid)]
    assert (subject.client.epoch is None) is (subject.kind == "single")
    assert subject.kind == "follower" or subject.pid == os.getpid()


# -- user code that raises

def test_a_listener_that_raises_is_an_error_event_and_goes_on(subject):
    errors, seen, other = handle(subject.client, "error"), Listener(), Listener()

    def listener(value):
        seen(value)
        raise ValueError("bad listener")

    subject.client.subscribe(A, listener)
    subject.client.subscribe(A, other)
    other.wait_for()
    subject.upstream.tell("a", "two")
    assert (seen.wait_for(2), other.wait_for(2)) == (["one", "two"], ["one", "two"])
    assert [str(error) for error in errors.wait_for(2)] == ["bad listener"] * 2


def test_a_handler_that_raises_is_an_error_event_and_stops_no_other(subject):
    errors = handle(subject.client, "error")

    def handler(*args):
        raise ValueError("bad handler")

    subject.client.on("changed", handler)
    other = handle(subject.client, "changed")
    subject.upstream.emit_event("changed", 1)
    assert other.wait_for() == [1]
    assert [str(error) for error in errors.wait_for()] == ["bad handler"]


def test_an_error_handler_that_raises_is_only_logged(subject, caplog):
    def handler(error):
        raise ValueError("bad error handler")

    subject.client.on("error", handler)
    other = handle(subject.client, "error")
    subject.upstream.emit_sample_error("error", "value")
    other.wait_for()
    subject.upstream.emit_sample_error("error", "key")
    assert [type(error) for error in other.wait_for(2)] == [ValueError, KeyError]
    logged = [record for record in caplog.records
              if record.exc_info and "bad error handler" in str(record.exc_info[1])]
    assert len(logged) == 2


def test_an_error_that_nobody_handles_is_logged(subject, caplog):
    last = handle(subject.client, "last")
    subject.upstream.emit_sample_error("error", "value")
    subject.upstream.emit_event("last")
    last.wait_until(lambda: last.calls)
    assert "bad value" in caplog.text
    assert subject.client.same(1) == 1


# -- subscriptions that fail upstream

def test_a_subscription_that_fails_upstream_is_an_error_event(subject):
    other = subject.another()
    other.ready(TIMEOUT)
    registration = {"dataId": "a", "fails": "no such data"}
    errors = []
    for client in (subject.client, other):
        errors.append(handle(client, "error"))
        client.subscribe(registration, len)
        error = errors[-1].wait_for()[0]
        assert (type(error), str(error)) == (ValueError, "no such data")
    # It was tried for each, since the first did not succeed; all others live on.
    assert subject.upstream.count("subscribe") == 2
    listener = Listener()
    subject.client.subscribe(A, listener)
    assert listener.wait_for() == ["one"]


def test_a_subscription_that_fails_before_ready(make):
    subject = make(ready=False)
    errors = handle(subject.client, "error")
    subject.client.subscribe({"dataId": "a", "fails": "no such data"}, len)
    subject.get_ready()
    assert str(errors.wait_for()[0]) == "no such data"


def test_a_value_that_cannot_be_sent_is_an_error_event(subject):
    errors, listener = handle(subject.client, "error"), Listener()
    subject.client.subscribe(A, listener)
    listener.wait_for()
    subject.upstream.tell_unencodable("a")
    assert isinstance(errors.wait_for()[0], TranscodeError)
    subject.upstream.tell("a", "two")
    assert listener.wait_for(2) == ["one", "two"]


def test_handlers_may_block_and_call(subject):
    done = Listener()

    def handler(value):
        done(subject.client.same(value))

    subject.client.on("changed", handler)
    subject.upstream.emit_event("changed", 1)
    assert done.wait_for() == [1]


@kinds("leader", "second")
def test_an_event_from_a_native_thread_or_the_hub(subject):
    handler = handle(subject.client, "changed")
    hub = gevent.get_hub()
    hub.loop.run_callback(subject.upstream.real.emit, "changed", "hub")
    hub.threadpool.apply(subject.upstream.real.emit, ("changed", "thread"))
    assert sorted(handler.wait_for(2)) == ["hub", "thread"]
    assert handler.never_in_hub()


@pytest.mark.parametrize("where", ("listener", "handler"))
def test_user_code_that_ends_its_greenlet_does_no_harm(subject, where):
    listener = Listener()

    def bad(*args):
        raise gevent.GreenletExit()

    subject.client.subscribe(A, listener)
    listener.wait_for()
    if where == "listener":
        subject.client.subscribe(A, bad)
    else:
        subject.client.on("changed", bad)
        subject.upstream.emit_event("changed")
    settle(subject)
    handler = handle(subject.client, "later")
    subject.upstream.emit_event("later", 1)
    assert handler.wait_for() == [1]
    subject.upstream.tell("a", "two")
    assert listener.wait_for(2) == ["one", "two"]
