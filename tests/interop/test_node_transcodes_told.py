"""How a Python leader finds out which transcode a Node follower has, and that no wrong guess ends
a Node process (every test's ``node`` has to outlive it)."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.protocol.transcodes import NODE_JSON
from node_values import UNDEFINED
from support.members import Failed

TIMEOUT = 10
KEY = {"dataId": "k", "value": "first"}


@pytest.fixture
def leader(python):
    client = python()
    client.ready(TIMEOUT)
    return client


def test_a_json_follower_is_told_by_its_first_arguments(node, leader, port):
    node.join(port, json=True)
    node.subscribe({"dataId": "k"})
    assert node.call("echo", u"first arguments") == u"first arguments"
    leader.push("k", u"a value")
    assert node.value() == u"a value"


def test_a_json_follower_that_only_subscribes_with_the_option(node, python, port):
    leader = python(node_transcode="json")
    leader.ready(TIMEOUT)
    node.join(port, json=True)
    node.subscribe(KEY)
    assert node.value() == u"first"
    leader.push("k", u"a^b^c^d^e^f")
    assert node.value() == u"a^b^c^d^e^f"


def test_a_json_follower_that_only_subscribes_survives_a_wrong_guess(node, leader, port):
    node.join(port, json=True)
    node.subscribe(KEY)
    # It drops the connection where it reads the guard, comes back, and is guessed right.
    assert node.value() == u"first"
    leader.push("k", u"next")
    assert node.value() == u"next"
    assert "JSON" in node.next_error()
    # What was learned holds for the next one.
    node.join(port, client="second", json=True)
    node.subscribe(KEY, client="second")
    assert node.value("second") == u"next"


def test_a_default_follower_that_only_subscribes_survives_a_wrong_guess(node, python, port):
    leader = python(node_transcode="json")
    leader.ready(TIMEOUT)
    node.join(port)
    node.subscribe(KEY)
    assert node.value() == u"first"
    leader.push("k", u"a^b^c^d^e^f")
    assert node.value() == u"a^b^c^d^e^f"


def test_a_json_follower_whose_first_call_has_no_arguments(node, leader, port):
    node.join(port, json=True)
    # The one answer that Node cannot read; the process goes on, and the next one is right.
    with pytest.raises(Failed) as caught:
        node.call("whoami")
    assert "JSON" in caught.value.text
    node.do("ready", client="main")
    assert node.call("whoami") == u"python"


@pytest.mark.parametrize("json", [False, True])
def test_a_first_call_without_arguments_and_without_a_result(node, leader, port, json):
    node.join(port, json=json)
    assert node.begin_call("getNothing").get() == UNDEFINED
    assert node.call("echo", 1) == 1
    assert node.begin_call("getNothing").get() is None


def test_the_first_call_without_arguments_of_a_default_follower(node, python, port):
    for option in ("serialize-json", "json"):
        client = python(node_transcode=option, name=option)
        client.ready(TIMEOUT)
        node.join(port, client=option, name=option)
        if option == "json":
            with pytest.raises(Failed):
                node.call("whoami", client=option)
            node.do("ready", client=option)
        assert node.call("whoami", client=option) == u"python"


class Marked(object):
    """What nobody could guess: JSON behind a mark."""

    def encode(self, value):
        return b"!" + NODE_JSON.encode(value)

    def decode(self, data):
        return NODE_JSON.decode(data[1:])


def test_a_transcode_of_the_users_own(node, python, port):
    leader = python(node_transcode=Marked())
    leader.ready(TIMEOUT)
    node.join(port, json="marked")
    assert node.call("whoami") == u"python"
    node.subscribe(KEY)
    assert node.value() == u"first"
