"""Closing, in all its forms, also inside user code."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync import ClientClosedError, ConfigurationError, cluster, outcome
from support.closed import check_closed, check_real_client
from support.gates import Event
from support.listening import Listener
from support.recording import TIMEOUT

A = {"dataId": "a", "first": "one"}


def test_close_ends_the_client(subject):
    subject.client.subscribe(A, Listener())
    subject.client.close()
    check_closed(subject.client)
    check_real_client(subject)


def test_a_later_call_was_not_sent(subject):
    subject.client.close()
    with pytest.raises(ClientClosedError) as caught:
        subject.client.same(1)
    assert outcome(caught.value) == "not_sent"


def test_close_again_and_again(subject):
    closed = Listener()
    subject.client.on("close", closed)
    subject.client.close()
    subject.client.close()
    cluster.close(subject.client)
    check_closed(subject.client)
    check_real_client(subject)
    assert closed.calls == [()]


def test_close_from_many_greenlets_at_once(subject):
    closers = [gevent.spawn(subject.client.close) for _ in range(10)]
    gevent.joinall(closers, timeout=TIMEOUT, raise_error=True)
    assert all(closer.successful() for closer in closers)
    check_closed(subject.client)
    check_real_client(subject)


def test_cluster_close(subject):
    cluster.close(subject.client)
    check_closed(subject.client)
    with pytest.raises(ConfigurationError):
        cluster.close(object())


def test_a_client_is_a_context_manager(subject):
    with subject.client as client:
        assert client.same(1) == 1
    check_closed(client)
    check_real_client(subject)


def test_the_context_manager_passes_exceptions(subject):
    with pytest.raises(KeyError):
        with subject.client:
            raise KeyError("mine")
    check_closed(subject.client)


# -- inside user code

def closing(subject, closed):
    """A function that closes the client and tells so."""
    def close(*args):
        subject.client.close()
        closed.set()

    return close


@pytest.mark.parametrize("where", ("listener", "callback", "handler", "error handler",
                                   "callback of an error"))
def test_close_inside_user_code(subject, where):
    closed, client = Event(), subject.client
    close = closing(subject, closed)
    if where == "listener":
        client.subscribe(A, close)
    elif where == "callback":
        client.same(1, callback=close)
    elif where == "callback of an error":
        client.fail("value", callback=close)
    elif where == "handler":
        client.on("changed", close)
        subject.upstream.emit_event("changed", 1)
    else:
        client.on("error", close)
        subject.upstream.emit_sample_error("error", "value")
    assert closed.wait(TIMEOUT)
    check_closed(client)
    check_real_client(subject)


def test_close_inside_the_close_event(subject):
    closed = Listener()

    def close():
        subject.client.close()
        closed("returned")

    subject.client.on("close", close)
    subject.client.close()
    assert closed.wait_for() == ["returned"]
    check_real_client(subject)


def test_close_inside_many_listeners_at_once(subject):
    seen, are_all_there = Listener(), Event()

    def listener(value):
        are_all_there.wait()
        subject.client.close()
        seen(value)

    for _ in range(5):
        subject.client.subscribe(A, lambda value: listener(value))
    are_all_there.set()
    seen.wait_for()
    check_closed(subject.client)
    check_real_client(subject)


def test_close_inside_a_listener_while_another_waits_for_it(make):
    """The listener comes to its own close only when the client is being closed already."""
    subject = make(own={"drain_timeout": 30})
    gate, ends = Event(), Listener()

    def listener(value):
        gate.wait()
        subject.client.close()
        ends("closed inside")

    subject.client.subscribe(A, lambda value: listener(value))
    begun = Listener()
    subject.client.subscribe(A, begun)
    begun.wait_for()
    subject.client.on("close", gate.set)
    subject.client.close()
    ends.wait_for()
    check_closed(subject.client)
