# -*- coding: utf-8 -*-
"""Followers that are made with npm's cluster-client, as it comes, of a Python leader."""

from __future__ import absolute_import, division, print_function

import datetime
import logging

import pytest
from gevent.event import Event
from gevent.queue import Queue

from clusterclient_sync.election import ports
from node_values import comparable, describe
from python_client import DATE, CodedError
from support.members import Failed, until

TIMEOUT = 10
KEY = {"dataId": "k", "value": "first"}


@pytest.fixture(params=["default", "json"])
def json(request):
    return request.param == "json"


@pytest.fixture
def made():
    """The real clients."""
    return []


@pytest.fixture
def leader(python, made):
    client = python({"made": made})
    client.ready(TIMEOUT)
    assert client.is_leader
    return client


@pytest.fixture
def real(leader, made):
    return made[0]


@pytest.fixture
def follower(node, leader, port, json):
    """A Node process that follows."""
    node.join(port, json=json)
    assert node.do("is_leader", client="main") is False
    return node


@pytest.mark.parametrize("value", [
    None, True, 1, -1.5, u"a+b |^%\u00e9\U0001f600", [], [[1], {}], {u"b": [None, {u"c": u""}]}])
def test_values_pass_through_a_call(follower, value):
    assert follower.call("echo", value) == value
    assert follower.call("echo", value, 1) == [value, 1]


def test_callbacks_and_generators_of_node(follower):
    assert follower.call("getLater", u"x", do="call_back") == u"x"
    assert follower.call("getLater", u"x") == u"x"
    assert follower.call("getGenerated", [1]) == [1]
    assert follower.call("getConfig", u"a") == [u"a", u"g", 10]


def test_none_is_null(follower):
    follower.call("echo", 1)
    assert follower.begin_call("getNothing").get() is None
    follower.subscribe({"dataId": "k", "value": None})
    assert follower.raw_value() is None


def test_dates_bytes_and_numbers_in_serialize_json(node, leader, port):
    node.join(port)
    value = [DATE, b"\xff\x00", float("inf"), 2 ** 53 - 1, 1e300]
    told = leader_tells(node, leader, value)
    assert comparable(told) == comparable(describe(value))


def leader_tells(node, leader, value):
    values = Queue()
    leader.subscribe({"dataId": "k"}, values.put)
    node.subscribe({"dataId": "k"})
    leader.push("k", value)
    assert values.get(timeout=TIMEOUT) == value
    return node.raw_value()


@pytest.mark.parametrize("code", [u"EX", 7])
def test_an_error_has_what_python_raised(follower, code):
    with pytest.raises(Failed) as caught:
        follower.call("fail", u"na\u00efve", code)
    details = caught.value.details
    assert (caught.value.type, caught.value.text) == ("CodedError", u"na\u00efve")
    assert details["code"] == describe(code)
    assert "python_client.py" in details["stack"]


def test_an_error_has_no_members_that_are_null(follower):
    follower.call("echo", 1)
    for name, args in (("throwAtOnce", []), ("fail", [u"m"]), ("failLater", [u"m"])):
        with pytest.raises(Failed) as caught:
            follower.call(name, *args)
        assert sorted(caught.value.details) == ["message", "name", "stack"]


def test_what_the_transcode_cannot_hold_is_an_error_of_that_call_alone(node, leader, port, json):
    node.join(port, json=json)
    node.call("echo", 1)
    with pytest.raises(Failed) as caught:
        node.do("invoke_raw", client="main", method="getUnreal" if json else "getSet", args=[])
    assert caught.value.type == "TranscodeError"
    assert node.call("echo", 2) == 2


def test_a_value_that_the_transcode_cannot_hold_is_not_pushed(follower, leader, json):
    follower.call("echo", 1)
    follower.subscribe(KEY)
    assert follower.value() == u"first"
    leader.push("k", float("nan") if json else datetime.date(2024, 1, 1))
    leader.push("k", u"next")
    assert follower.value() == u"next"


def test_one_way_calls_and_publishes_come_in_order(follower, real):
    for number in range(50):
        follower.do("publish", client="main", registration=describe({u"n": number}))
        follower.call("touch", number)
    until(lambda: len(real.touched) == 50, "all of them")
    assert real.published == [{u"n": number} for number in range(50)]
    assert sorted(real.touched) == list(range(50))


def test_subscriptions(follower, leader, real):
    follower.call("echo", 1)
    follower.subscribe(KEY)
    assert follower.value() == u"first"
    leader.push("k", [u"second"])
    assert follower.value() == [u"second"]
    follower.subscribe(KEY, name="later")
    assert follower.value(name="later") == [u"second"]
    values = Queue()
    leader.subscribe(KEY, values.put)
    assert values.get(timeout=TIMEOUT) == [u"second"]
    leader.push("k", None)
    assert (follower.raw_value(), follower.raw_value(name="later")) == (None, None)
    assert real.subscribed == [KEY]


def test_unsubscribe(follower, leader, real):
    follower.call("echo", 1)
    follower.subscribe(KEY)
    follower.subscribe(KEY, name="other")
    assert follower.value() == follower.value(name="other") == u"first"
    follower.do("unsubscribe", client="main", registration=describe(KEY), name="value")
    leader.push("k", 1)
    assert follower.value(name="other") == 1
    assert real.unsubscribed == []
    follower.do("unsubscribe", client="main", registration=describe(KEY))
    until(lambda: real.unsubscribed == [KEY], "the last one ends the subscription")
    follower.subscribe(KEY, name="again")
    assert follower.value(name="again") == u"first"


@pytest.mark.parametrize("registration", [
    {"dataId": "x", "n": 1.0}, {"dataId": "x", "n": [1e21, 1e-7, 0.1, 100000000000000000000.0]},
    {u"dataId": u"\u4e2d\u6587 \U0001f600 \"\\\n\x7f\u2028"},
    {"dataId": "x", "10": "a", "9": {"b": None, "a": [True, {}]}}])
def test_a_registration_is_pythons_very_own(follower, leader, real, registration):
    follower.call("echo", 1)
    values = Queue()
    leader.subscribe(registration, values.put)
    # Whatever order its members have in JavaScript.
    pairs = sorted(registration.items(), reverse=True)
    follower.do("subscribe", client="main",
                registration={"object": [[name, describe(value)] for name, value in pairs]})
    until(lambda: real.subscribed, "the subscription")
    follower.call("echo", 1)
    leader.push(registration["dataId"], u"news")
    assert values.get(timeout=TIMEOUT) == follower.value() == u"news"
    assert len(real.subscribed) == 1


def test_many_calls_at_once_each_get_their_own_answer(follower):
    assert follower.do("call_many", client="main", count=500) == 0


def test_large_values(follower):
    value = u"x" * (3 * 1024 * 1024)
    assert follower.call("echo", value) == value


def test_python_and_node_followers_of_every_transcode_at_once(node, leader, port, members):
    third = members.start()
    third.do("create", client="main", options={"port": port, "is_leader": False}, config={})
    third.do("ready", client="main")
    third.do("subscribe", client="main", registration=KEY)
    assert third.value() == u"first"
    node.join(port)
    node.join(port, client="second", json=True)
    assert node.call("echo", 1) == node.call("echo", 1, client="second") == 1
    for client in ("main", "second"):
        node.subscribe(KEY, client=client)
        assert node.value(client) == u"first"
    values = Queue()
    leader.subscribe(KEY, values.put)
    for value in (u"a^b|c", {u"a": [1, None]}):
        leader.push("k", value)
        assert [node.value("main"), node.value("second"), third.value()] == [value] * 3


def test_closing_leaves_the_leader_as_it_is(follower, leader, real):
    follower.call("echo", 1)
    follower.subscribe(KEY)
    follower.value()
    follower.do("close", client="main")
    until(lambda: real.unsubscribed == [KEY], "what it had subscribed")
    assert leader.whoami() == "python"
    assert real.closes == 0


def test_heartbeats_keep_an_idle_follower(node, python, port, json):
    leader = python(heartbeat_interval=0.2)
    leader.ready(TIMEOUT)
    node.join(port, json=json, heartbeatInterval=100)
    server_side, = sessions_of(leader)
    begun = server_side.last_read
    until(lambda: server_side.last_read > begun + 1.5, "as many as seven intervals")
    assert sessions_of(leader) == [server_side]
    assert node.call("echo", 1) == 1


def test_a_follower_without_heartbeats_is_dropped_and_comes_back(node, python, port, caplog):
    leader = python(heartbeat_interval=0.1)
    leader.ready(TIMEOUT)
    node.join(port, heartbeatInterval=60000)
    before, = sessions_of(leader)
    until(lambda: before.is_closed, "it is dropped")
    until(lambda: sessions_of(leader), "it is back")
    assert node.call("whoami") == u"python"


def sessions_of(leader):
    """The connections of the followers."""
    return list(leader_of(leader)._sessions)


# -- npm's ways

def test_a_registration_is_held_until_the_channel_is_there(node, python, port, caplog):
    other = python(name="Other")
    other.ready(TIMEOUT)
    # A short responseTimeout has it register again on the same connection while it is held.
    node.create(port, responseTimeout=200)
    ready = node.begin("ready", client="main")
    server = newcomers_of(other)
    until(lambda: [one for one in server.values() if len(one.held) >= 2], "it has asked twice")
    assert len(server) == 1
    leader = python()
    leader.ready(TIMEOUT)
    ready.get()
    assert node.call("whoami") == u"python"
    assert node.call("echo", 1) == 1


def newcomers_of(client):
    """Connections that have no channel yet."""
    return server_of(client)._newcomers


def test_a_registration_is_held_until_the_real_client_has_started(node, python, port):
    gate = Event()
    leader = python({"gate": gate})
    until(lambda: leader._gate.core.state == "starting", "it starts")
    node.create(port)
    ready = node.begin("ready", client="main")
    held = leader_of(leader)
    until(lambda: held._unanswered, "it is held")
    gate.set()
    ready.get()
    assert node.call("whoami") == u"python"


def leader_of(client):
    return server_of(client).channels[client._gate.core.plan.name]


def server_of(client):
    return ports._servers[client._gate.core._supervisor.election._key()].server


def test_a_failed_start_is_not_told_to_node_which_would_give_up(node, python, port):
    config = {"fails": True, "gate": Event()}
    leader = python(config)
    until(lambda: leader._gate.core.state == "starting", "it starts")
    node.create(port)
    ready = node.begin("ready", client="main")
    until(lambda: leader_of(leader)._unanswered, "it is held")
    config["gate"].set()
    with pytest.raises(CodedError):
        leader.ready(TIMEOUT)
    config["fails"] = False
    ready.get()
    assert node.call("whoami") == u"python"
    assert node.errors_so_far() == []


def test_the_probe_of_a_forced_follower_is_no_bad_peer(node, leader, port, caplog):
    caplog.set_level(logging.INFO)
    node.join(port, isLeader=False)
    assert node.call("whoami") == u"python"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_ids_wrap_at_two_to_the_thirtieth(node, leader, port):
    node.join(port)
    node.do("set_last_id", id=2 ** 30 - 100)
    assert node.do("call_many", client="main", count=250) == 0
    assert node.call("echo", u"x") == u"x"
    node.do("set_last_id", id=0)


def test_ids_of_pushes_beyond_thirty_two_bits(follower, leader):
    follower.call("echo", 1)
    leader_of(leader)._last_id = 2 ** 52
    follower.subscribe(KEY)
    assert follower.value() == u"first"
    leader.push("k", 1)
    assert follower.value() == 1


def test_close_over_the_wire_is_refused(follower, real):
    for method in ("close", "init", "_fail", "nothing"):
        with pytest.raises(Failed) as caught:
            follower.do("invoke_raw", client="main", method=method, args=[describe(1)])
        assert caught.value.type == "MethodNotDelegatedError"
    assert real.closes == 0


def test_each_value_goes_to_one_where_it_is_not_broadcast(node, python, port):
    leader = python(is_broadcast=False)
    leader.ready(TIMEOUT)
    node.join(port, isBroadcast=False)
    node.call("echo", 1)
    node.subscribe({"dataId": "k"})
    node.call("echo", 1)
    until(lambda: "k" in leader_of(leader).host.real.subscribers, "the subscription")
    for number in range(5):
        leader.push("k", number)
    assert [node.value() for _ in range(5)] == list(range(5))
