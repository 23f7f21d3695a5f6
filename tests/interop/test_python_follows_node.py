# -*- coding: utf-8 -*-
"""A Python follower of a leader that is made with npm's cluster-client, as it comes."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest
from gevent.queue import Queue

from clusterclient_sync.exceptions import (
    ConfigurationError, RemoteError, ResponseTimeoutError, TranscodeError, outcome)
from node_values import describe
from python_client import DATE
from support.members import until

TIMEOUT = 10


@pytest.fixture(params=["default", "json"])
def speech(request):
    return request.param


@pytest.fixture
def leader(node, port, journal, speech):
    """A Node process that leads."""
    node.join(port, json=speech == "json", config={"journal": journal.path})
    assert node.do("is_leader", client="main") is True
    return node


@pytest.fixture
def client(leader, python):
    client = python()
    client.ready(TIMEOUT)
    return client


def values_of(client, registration):
    """A queue of what a new listener gets."""
    values = Queue()
    client.subscribe(registration, values.put)
    return values


def test_it_follows_with_no_setting_but_the_port(client):
    assert client.is_leader is False
    assert client.epoch is None


@pytest.mark.parametrize("value", [
    None, True, 1, -1.5, u"a+b |^%\u00e9\U0001f600", [], [[1], {}], {u"b": [None, {u"c": u""}]}])
def test_values_pass_through_a_promise(client, value):
    assert client.echo(value) == value
    assert client.echo(value, 1) == [value, 1]


def test_dates_and_bytes(client):
    # In JSON they are tagged, which Node passes on as it came.
    assert client.echo([DATE, b"\xff\x00"]) == [DATE, b"\xff\x00"]


def test_numbers_without_a_place_in_json_do_not_reach_node(client, leader, speech):
    if speech == "json":
        with pytest.raises(TranscodeError) as caught:
            client.echo({u"a": [1, float("nan")]})
        assert (outcome(caught.value), caught.value.path) == ("not_sent", "$.a[1]")
        assert client.echo(u"NaN, Infinity") == u"NaN, Infinity"
    else:
        assert client.echo(float("inf")) == float("inf")


def test_callbacks_and_generators_of_node(client):
    assert client.get_later(u"x") == u"x"
    assert client.get_generated([1]) == [1]
    answers = Queue()
    client.get_later(u"y", callback=lambda error, value: answers.put((error, value)))
    assert answers.get(timeout=TIMEOUT) == (None, u"y")


def test_undefined_is_none(client, speech):
    if speech == "json":
        # The package cannot encode it with JSON.stringify, and does not answer.
        with pytest.raises(ResponseTimeoutError):
            client.call("get_nothing", timeout=0.2)
    else:
        assert client.get_nothing() is None


def test_an_error_has_what_node_told(client):
    for call in (lambda: client.fail(u"na\u00efve", u"EX"), lambda: client.fail(u"na\u00efve", 7)):
        with pytest.raises(RemoteError) as caught:
            call()
        error = caught.value
        assert (error.name, error.message) == (u"TypeError", u"na\u00efve")
        assert error.code in (u"EX", 7)
        assert u"real_client.js" in error.stack
        assert outcome(error) == "failed"
    with pytest.raises(RemoteError) as caught:
        client.fail_later(u"m")
    assert (caught.value.name, caught.value.message, caught.value.code) == ("RangeError", "m", None)


def test_one_way_calls_and_publishes_come_in_order(client, leader, journal):
    for number in range(50):
        client.publish({u"dataId": u"x", u"n": number})
        client.touch(number)
    until(lambda: len(journal.lines("touched")) == 50, "all of them")
    assert [line["value"] for line in journal.lines("touched")] == list(range(50))
    assert [line["registration"]["n"] for line in journal.lines("published")] == list(range(50))


def test_subscriptions(client, leader, journal):
    values = values_of(client, {"dataId": "k"})
    assert values.get(timeout=TIMEOUT) == {u"first": leader.pid}
    client.push("k", [u"second"])
    assert values.get(timeout=TIMEOUT) == [u"second"]
    later = values_of(client, {"dataId": "k"})
    assert later.get(timeout=TIMEOUT) == [u"second"]
    client.push("k", None)
    assert values.get(timeout=TIMEOUT) is None
    assert later.get(timeout=TIMEOUT) is None
    assert len(journal.lines("subscribed")) == 1


def test_a_pushed_undefined_is_none(node, port, python):
    node.join(port)
    client = python()
    client.ready(TIMEOUT)
    values = values_of(client, {"dataId": "k"})
    values.get(timeout=TIMEOUT)
    node.call("pushUndefined", "k")
    assert values.get(timeout=TIMEOUT) is None


def test_after_unsubscribe_nothing_comes_and_again_the_last_value(client, leader):
    values = values_of(client, {"dataId": "k"})
    others = values_of(client, {"dataId": "other"})
    assert values.get(timeout=TIMEOUT) and others.get(timeout=TIMEOUT)
    client.unsubscribe({"dataId": "k"})
    client.push("k", 1)
    client.push("other", 2)
    assert others.get(timeout=TIMEOUT) == 2  # what was before it would have come before it
    assert values.empty()
    assert values_of(client, {"dataId": "k"}).get(timeout=TIMEOUT) == 1


@pytest.mark.parametrize("python_registration, node_registration", [
    ({"dataId": "x", "n": 1.0}, {"dataId": "x", "n": 1}),
    ({"n": 1e21, "dataId": "x"}, {"dataId": "x", "n": 1e21}),
    ({"dataId": "x", "n": [1e-7, -0.0, 100000000000000000000.0, 0.1]},
     {"dataId": "x", "n": [1e-7, 0, 1e20, 0.1]}),
    ({u"dataId": u"\u4e2d\u6587 \U0001f600 \"\\\n\x7f\u2028"},) * 2,
    ({"b": {"z": None, "a": [True, {}]}, "dataId": "x"},
     {"b": {"a": [True, {}], "z": None}, "dataId": "x"}),
    ({"10": "a", "9": "b", "dataId": "x"}, {"9": "b", "10": "a", "dataId": "x"}),
])
def test_a_registration_is_nodes_very_own(client, leader, journal, python_registration,
                                          node_registration):
    # Members in the order in which Python sends them, which is JavaScript's own or sorted.
    pairs = sorted(node_registration.items())
    leader.do("subscribe", client="main", registration=described_in_order(pairs))
    assert leader.value() == {u"first": leader.pid}
    values = values_of(client, python_registration)
    assert values.get(timeout=TIMEOUT) == {u"first": leader.pid}
    client.push(python_registration["dataId"], u"news")
    assert values.get(timeout=TIMEOUT) == leader.value() == u"news"
    assert len(journal.lines("subscribed")) == 1


def described_in_order(pairs):
    def described(value):
        if isinstance(value, dict):
            return described_in_order(sorted(value.items()))
        if isinstance(value, list):
            return [described(item) for item in value]
        return describe(value)

    return {"object": [[name, described(value)] for name, value in pairs]}


def test_keyword_arguments_find_their_places(client, journal):
    assert client.get_config(data_id=u"a") == [u"a", None, None]
    assert client.get_config(u"a", limit=3) == [u"a", u"g", 3]
    assert client.get_config(limit=3, data_id=u"a", group=u"h") == [u"a", u"h", 3]
    client.touch(value=u"by name")
    until(lambda: journal.lines("touched"), "the one-way call")
    assert journal.lines("touched")[0]["value"] == u"by name"


def test_keyword_arguments_without_a_place_are_refused(client):
    for call in (lambda: client.get_config(u"a", unknown=1), lambda: client.get_config(limit=1),
                 lambda: client.get_config(u"a", data_id=u"b"), lambda: client.echo(a=1)):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert outcome(caught.value) == "not_sent"
        assert "Node.js" in str(caught.value)


def test_many_calls_at_once_each_get_their_own_answer(client):
    calls = [gevent.spawn(client.echo, number) for number in range(300)]
    gevent.joinall(calls)
    assert [call.get() for call in calls] == list(range(300))


def test_large_values(client):
    value = u"x" * (3 * 1024 * 1024)
    assert client.echo(value) == value


def test_a_real_client_that_fails_to_start(node, port, python):
    node.create(port, config={"fails": "no registry"})
    client = python()
    with pytest.raises(RemoteError) as caught:
        client.ready(TIMEOUT)
    assert (caught.value.message, caught.value.code) == (u"no registry", u"ESTART")
    with pytest.raises(RemoteError):
        client.echo(1)


def test_a_channel_that_comes_later(node, port, python):
    node.join(port, client="other", name="Another")
    client = python(is_leader=False)
    waiting = gevent.spawn(client.ready, TIMEOUT)
    # It has asked, and Node said nothing.
    until(lambda: client._gate.core.admission.join_error is not None, "it was not answered")
    node.join(port)
    waiting.get()
    assert client.whoami() == node.pid


def test_closing_leaves_the_leader_as_it_is(client, leader, python):
    values_of(client, {"dataId": "k"}).get(timeout=TIMEOUT)
    client.close()
    leader.call("push", "k", 1)
    other = python()
    other.ready(TIMEOUT)
    assert other.whoami() == leader.pid


def test_a_leader_that_closes_is_replaced(client, leader):
    leader.do("close", client="main")
    until(lambda: client.is_leader, "Python leads")
    assert client.whoami() == "python"


def test_heartbeats_keep_an_idle_follower(node, python, port, speech):
    node.join(port, json=speech == "json", heartbeatInterval=200)
    client = python(heartbeat_interval=0.1)
    client.ready(TIMEOUT)
    changes = []
    client.on("leader_change", lambda *news: changes.append(news))
    connection = client._gate.core.role.connection
    beats = connection._last_id + 15
    until(lambda: connection._last_id >= beats, "as many as seven of the leader's intervals")
    assert client.whoami() == node.pid
    assert client._gate.core.role.connection is connection
    assert changes in ([], [("follower", None, None)])
