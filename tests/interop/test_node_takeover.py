"""Leaders of either language are killed, and processes of the other take over."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync._compat import monotonic
from node_values import describe
from support.members import Failed, leader_of, until

KEY = {"dataId": "k"}
PYTHON_SOON = 2.0  # seconds; Node's own waits take 3


def item(value):
    return {"dataId": "x", "value": value}


def published(journal, pid):
    return [line["registration"] for line in journal.lines("published", pid)]


@pytest.fixture(params=["default", "json"])
def json(request):
    return request.param == "json"


@pytest.fixture
def config(journal):
    return {"journal": journal.path}


def test_python_takes_over_from_node(nodes, members, journal, port, config, json):
    first, remaining = nodes.start_node(), nodes.start_node()
    first.join(port, config=config, json=json)
    # Forced to follow, so that it cannot win; it waits its 3 s where it comes too early.
    remaining.join(port, config=config, json=json, isLeader=False)
    one, two = members.start_all(2)
    for member in (one, two):
        members.create(member)
        member.do("ready", client="main")
        assert member.leadership() == ("follower", None, None)
        member.do("subscribe", client="main", registration=KEY)
        assert member.value() == {"first": first.pid}
        member.do("publish", client="main", registration=item(member.pid))
    remaining.subscribe(KEY)
    assert remaining.value() == {u"first": first.pid}
    until(lambda: len(published(journal, first.pid)) == 2, "the publishes reach Node")

    first.child.kill()
    killed = monotonic()
    successor = leader_of([one, two])
    for member in (one, two):
        assert member.value() == {"first": successor.pid}
    assert monotonic() - killed < PYTHON_SOON
    until(lambda: sorted(one["value"] for one in published(journal, successor.pid))
          == sorted([one.pid, two.pid]), "the publishes are made again")
    # This leader has seen how Node speaks: a follower that only subscribes gets it right.
    assert remaining.value() == {u"first": successor.pid}
    one.call("push", "k", "a^b^c^d^e")
    for member in (one, two, remaining):
        assert member.value() == "a^b^c^d^e"
    assert remaining.call("whoami") == successor.pid
    assert remaining.is_alive
    assert [text for text in remaining.errors_so_far() if "JSON" in text] == []
    assert [line["key"] for line in journal.lines("subscribed", successor.pid)] == ["k"]


def test_node_takes_over_from_python(nodes, members, journal, port, config, json):
    node = nodes.start_node()
    leader = members.join()
    one, two = members.join_all(2, is_leader=False)
    node.join(port, config=config, json=json)
    assert node.call("echo", 1) == 1
    for member in (one, two):
        member.do("subscribe", client="main", registration=KEY)
        assert member.value() == {"first": leader.pid}
    node.subscribe(KEY)
    assert node.value() == {u"first": leader.pid}
    node.do("publish", client="main", registration=describe(item(u"node")))
    one.do("publish", client="main", registration=item("one"))
    until(lambda: len(published(journal, leader.pid)) == 2, "the publishes reach Python")

    leader.child.kill()
    killed = monotonic()
    for member in (one, two):
        assert member.value() == {"first": node.pid}
        assert member.call("whoami") == node.pid
    assert monotonic() - killed < PYTHON_SOON
    assert node.value() == {u"first": node.pid}
    until(lambda: len(published(journal, node.pid)) == 2, "the publishes are made again")
    one.call("push", "k", "news")
    for member in (one, two, node):
        assert member.value() == "news"
    assert node.do("is_leader", client="main") is True


def test_whoever_wins_the_others_follow(nodes, members, port, config):
    """Three rounds with everybody free to lead, until one is left."""
    alive = [nodes.start_node(), nodes.start_node()]
    leader = members.join()
    for node in alive:
        node.join(port, config=config)
        assert node.call("echo", 1) == 1
    alive.append(members.join())
    while alive:
        leader.child.kill()

        def found():
            return [member for member in alive
                    if member.do("is_leader", client="main")]

        leader = until(found, "one of them leads")[0]
        for member in alive:
            assert until(lambda: asked(member, leader.pid), "it follows")
        alive.remove(leader)


def asked(member, pid):
    """Whether a member has this leader; Node fails what was under way when the old one died."""
    try:
        return member.call("whoami") == pid
    except Failed:
        return False


def test_a_python_leader_that_closes_leaves_no_call_of_node_hanging(nodes, members, port, config):
    node = nodes.start_node()
    leader = members.join()
    node.join(port, config=config)
    assert node.call("echo", 1) == 1
    leader.do("close", client="main")
    until(lambda: node.do("is_leader", client="main"), "Node leads")
    assert node.call("whoami") == node.pid
