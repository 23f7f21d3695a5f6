"""Publishes and one-way calls."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync import ConfigurationError, TranscodeError, outcome
from support.recording import TIMEOUT

MANY = 1000


def test_a_publish_reaches_the_real_client(subject):
    assert subject.client.publish({"dataId": "a", "publishData": "x"}) is None
    assert subject.upstream.wait_for("publish") == [{"dataId": "a", "publishData": "x"}]


def test_publishes_reach_a_blocking_real_client_in_order(subject):
    for number in range(MANY):
        subject.client.publish({"number": number, "blocks": number % 3})
    published = subject.upstream.wait_for("publish", MANY, TIMEOUT)
    assert [registration["number"] for registration in published] == list(range(MANY))


def test_publishes_of_two_clients_are_each_in_order(subject):
    other = subject.another()
    other.ready(TIMEOUT)
    clients = {"one": subject.client, "other": other}

    def publish(name):
        for number in range(100):
            clients[name].publish({"by": name, "number": number, "blocks": number % 2})
            if number % 7 == 0:
                gevent.sleep(0)

    gevent.joinall([gevent.spawn(publish, name) for name in clients], raise_error=True)
    published = subject.upstream.wait_for("publish", 200)
    for name in clients:
        assert [one["number"] for one in published if one["by"] == name] == list(range(100))


def test_a_publish_that_blocks_holds_up_no_call(subject):
    subject.client.publish({"dataId": "a", "blocks": 200})
    assert subject.client.same(1) == 1
    subject.upstream.wait_for("publish")


def test_a_publish_that_fails_does_not_stop_the_next(subject):
    subject.client.publish({"dataId": "a", "fails": "on purpose"})
    subject.client.publish({"dataId": "b"})
    assert subject.upstream.wait_for("publish") == [{"dataId": "b"}]
    line, = subject.upstream.wait_for_log("on purpose")
    assert "publish" in line


def test_what_is_published_is_that_of_the_time_of_the_call(subject):
    registration = {"items": [1]}
    subject.client.publish(registration)
    registration["items"].append(2)
    assert subject.upstream.wait_for("publish") == [{"items": [1]}]


def test_publishes_before_ready_are_made_after_it(make):
    subject = make(ready=False)
    for number in range(20):
        subject.client.publish({"number": number})
    subject.get_ready()
    subject.client.publish({"number": 20})
    published = subject.upstream.wait_for("publish", 21)
    assert [registration["number"] for registration in published] == list(range(21))


def test_a_publish_that_cannot_be_sent_is_refused(subject):
    with pytest.raises(TranscodeError) as caught:
        subject.client.publish({"dataId": object()})
    assert outcome(caught.value) == "not_sent"
    subject.client.publish({"dataId": "b"})
    assert subject.upstream.wait_for("publish") == [{"dataId": "b"}]


def test_publish_by_call(subject):
    assert subject.client.call("publish", ({"dataId": "a"},)) is None
    assert subject.upstream.wait_for("publish") == [{"dataId": "a"}]


def test_a_client_whose_real_client_cannot_publish_says_so(make):
    client = make(delegates=[("same", "invoke", {})], auto_generate=False).client
    for call in (lambda: client.publish({"dataId": "a"}),
                 lambda: client.subscribe({"dataId": "a"}, len)):
        with pytest.raises(ConfigurationError):
            call()


# -- one-way calls

def test_a_one_way_call_returns_at_once(subject):
    assert subject.client.touch("x") is None
    assert subject.upstream.wait_for("touch") == ["x"]
    assert subject.client.call("touch", ("y",)) is None
    assert subject.upstream.wait_for("touch", 2) == ["x", "y"]


def test_a_one_way_call_that_fails_is_logged_where_the_real_client_is(subject):
    assert subject.client.shout("loud failure") is None
    line, = subject.upstream.wait_for_log("loud failure")
    assert "shout" in line
    assert subject.client.same(1) == 1


def test_one_way_calls_before_ready_are_made_after_it(make):
    subject = make(ready=False)
    touching = gevent.spawn(subject.client.touch, "early")
    subject.get_ready()
    assert subject.upstream.wait_for("touch") == ["early"]
    assert touching.get(timeout=TIMEOUT) is None


def test_a_method_with_another_name_on_the_wire(client):
    assert client.renamed() == "renamed"
    assert client.call("renamed") == "renamed"
