"""What a Node leader does to its callers, and what becomes of a Python caller then."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.exceptions import (
    ConfigurationError, ConnectionClosedError, ResponseTimeoutError, outcome)
from support.members import until

TIMEOUT = 10


@pytest.fixture
def leader(nodes, port, journal):
    """A Node process of the test's own, which may end."""
    started = nodes.start_node()
    started.join(port, config={"journal": journal.path})
    return started


@pytest.mark.parametrize("name, lacks", [("throw_at_once", False), ("get_set", True)])
def test_a_method_that_ends_the_leader_is_called_once(leader, python, journal, name, lacks):
    client = python()
    client.ready(TIMEOUT)
    with pytest.raises(ConnectionClosedError) as caught:
        client.call(name)
    assert outcome(caught.value) == "unknown"
    assert leader.child.wait() != 0
    assert len(journal.lines("throws")) == (0 if lacks else 1)
    until(lambda: client.is_leader, "Python takes over")


def test_an_idempotent_call_ends_two_node_leaders_at_most(nodes, leader, python, port, journal):
    others = [nodes.start_node() for _ in range(2)]
    for other in others:
        other.join(port, config={"journal": journal.path})
    client = python(is_leader=False, delegates=[("throw_at_once", {"idempotent": True})])
    client.ready(TIMEOUT)
    with pytest.raises(ConnectionClosedError) as caught:
        client.call("throw_at_once", timeout=15)
    assert outcome(caught.value) == "unknown"
    assert "throwAtOnce" in str(caught.value) and "2 Node.js leaders" in str(caught.value)
    assert len(journal.lines("throws")) == 2
    # Sockets close before a process has ended.
    until(lambda: sum(not node.is_alive for node in [leader] + others) == 2, "two have ended")
    client.ready(TIMEOUT)
    assert client.whoami() == [node.pid for node in [leader] + others if node.is_alive][0]


def test_an_idempotent_call_goes_from_node_to_a_python_leader(leader, python):
    client = python(is_leader=False, delegates=[("throw_at_once", {"idempotent": True})])
    client.ready(TIMEOUT)
    other = python()
    other.ready(TIMEOUT)
    with pytest.raises(KeyError):
        client.call("throw_at_once", timeout=15)
    assert other.is_leader


def test_a_plain_value_is_never_answered(leader, python, journal):
    client = python(delegates=[("get_set", {"remote_name": "getPlain"})])
    client.ready(TIMEOUT)
    with pytest.raises(ResponseTimeoutError) as caught:
        client.call("get_set", timeout=0.3)
    assert outcome(caught.value) == "unknown"
    assert len(journal.lines("plain")) == 1
    assert client.whoami() == leader.pid


def test_close_never_travels(leader, python, journal):
    for names in (lambda name: "close", lambda name: u"", lambda name: None):
        with pytest.raises(ConfigurationError):
            python(remote_names=names)
    client = python()
    client.ready(TIMEOUT)
    client.close()
    assert leader.is_alive
    assert journal.lines("closed") == []


def test_every_push_is_acknowledged(nodes, python, port):
    leader = nodes.start_node()
    leader.join(port, responseTimeout=200)
    client = python()
    client.ready(TIMEOUT)
    values = []
    client.subscribe({"dataId": "k"}, values.append)
    until(lambda: values, "the first value")
    for number in range(20):
        client.push("k", number)
    until(lambda: values[-1] == 19, "all of them")
    # The leader has an "error" event when a push has no answer in its 200 ms.
    with pytest.raises(AssertionError):
        leader.child.expect("main error", timeout=0.6)
    assert client.whoami() == leader.pid
