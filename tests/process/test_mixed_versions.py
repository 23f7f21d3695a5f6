"""Python 2 and Python 3 in one cluster."""

from __future__ import absolute_import, division, print_function

import sys

import pytest

from support.members import Failed, leader_of, until

VALUES = [None, True, False, 0, -1, 2 ** 53, 2 ** 70, 1.5, -0.0, u"", u"text", u"\u00e9\u4e2d",
          u"\U0001f600", [], [1, [2, [3]]], {}, {u"\u00e9": {"b": [None]}}, {"$type": "user's own"}]


@pytest.fixture(params=["this leads", "the other leads"])
def pair(request, members, other_python):
    """A leader and a follower of different Pythons."""
    pythons = [sys.executable, other_python]
    if request.param != "this leads":
        pythons.reverse()
    return [members.join(python=python) for python in pythons]


def test_values_are_the_same_on_both(pair):
    leader, follower = pair
    for value in VALUES:
        assert follower.call("echo", value) == leader.call("echo", value) == value
    for member in pair:
        assert member.do("call", client="main", name="echo", args=[1],
                         kwargs={"named": u"\u00e9"}) == [[1], {"named": u"\u00e9"}]


def test_errors_are_the_same_on_both(pair):
    for name, args in (("KeyError", ["lost"]), ("ValueError", [u"\u00e9"]),
                       ("OSError", [2, "gone"]), ("ZeroDivisionError", []),
                       ("UnicodeError", ["text"])):
        for member in pair:
            with pytest.raises(Failed) as caught:
                member.call("fail", name, args)
            assert caught.value.type in (name, "FileNotFoundError")
            assert caught.value.outcome == "failed"
            assert caught.value.error_args == args


def test_values_and_events_reach_both(pair):
    leader, follower = pair
    for member in pair:
        member.do("subscribe", client="main", registration={"dataId": u"\u00e9"})
        assert member.value() == {"first": leader.pid}
    for value in VALUES:
        follower.call("push", u"\u00e9", value)
        for member in pair:
            assert member.value() == value
    leader.call("tell_all", "news", u"\u00e9")
    for member in pair:
        assert member.child.expect("main news")["value"] == u"\u00e9"


def test_one_registration_is_one_subscription(pair, journal):
    registration = {"dataId": "k", "n": 1.0, "a": u"\u00e9"}
    for member in pair:
        member.do("subscribe", client="main", registration=registration)
        member.value()
    assert len(journal.lines("subscribed")) == 1


def test_nobody_is_taken_for_a_stranger(pair):
    leader, follower = pair
    assert follower.call("echo", 1) == 1
    assert "is not made as here" not in leader.log() + follower.log()


@pytest.mark.parametrize("how", ["kill", "close", "resign"])
def test_the_other_python_takes_over(pair, journal, how):
    leader, follower = pair
    for member in pair:
        member.do("subscribe", client="main", registration={"dataId": "k"})
        member.do("publish", client="main", registration={"dataId": "by %d" % member.pid})
        member.value()
    until(lambda: len(journal.lines("published")) == 2, "both publishes")
    epoch = leader.do("epoch", client="main")
    if how == "kill":
        leader.child.kill()
    else:
        follower.do("hammer", client="main")
        leader.do(how, client="main")
    assert leader_of([follower]) is follower
    if how != "kill":
        assert follower.do("stop_hammer", client="main")["failures"] == []
    assert follower.value() == {"first": follower.pid}
    assert follower.do("epoch", client="main") > epoch
    until(lambda: {"dataId": "by %d" % follower.pid} in [
        line["registration"] for line in journal.lines("published", follower.pid)], "made again")
    if how == "resign":
        assert leader.call("whoami") == follower.pid
        until(lambda: leader.value() == {"first": follower.pid}, "the new real client's value")
    journal.assert_one_at_a_time(killed=[leader.pid] if how == "kill" else [])


@pytest.mark.parametrize("how", ["os.fork", "exec"])
def test_a_child_of_the_other_python_does_not_keep_the_port(members, other_python, tmpdir, how):
    leader = members.join(python=other_python)
    one = members.join()
    stop = tmpdir.join("stop")
    try:
        leader.do("fork", how=how, stop_path=str(stop))
        leader.child.kill()
        assert leader_of([one]) is one
    finally:
        stop.write(u"")
