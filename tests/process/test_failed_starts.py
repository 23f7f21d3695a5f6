"""A real client that cannot be started: who is told, and how all recover."""

from __future__ import absolute_import, division, print_function

import pytest

from support.members import Failed, leader_of, until


@pytest.fixture
def trouble(tmpdir):
    """A file that keeps a real client from starting while it is there."""
    path = tmpdir.join("trouble")
    path.write(u"no server")
    return path


def broken(members, member, part, trouble, **options):
    members.create(member, config={part: str(trouble)}, **options)


def assert_start_error(member, do, **details):
    with pytest.raises(Failed) as caught:
        member.do(do, client="main", **details)
    # The same class, and made of the same arguments, on whatever process.
    assert caught.value.type == "StartError", caught.value
    assert caught.value.error_args == ["no server", 42]


@pytest.mark.parametrize("part", ["broken_constructor", "broken_init"])
def test_everybody_is_told_and_all_recover_by_themselves(members, journal, trouble, part):
    both = members.start_all(2)
    for member in both:
        broken(members, member, part, trouble)
    for member in both:
        assert_start_error(member, "ready")
        # While the last start failed, a call raises its error at once.
        assert_start_error(member, "call", name="echo", args=[1], timeout=15)
    for member in both:
        member.do("subscribe", client="main", registration={"dataId": "k"})
    trouble.remove()
    leader = leader_of(both)
    for member in both:
        # The error of a last failed try may not have been told yet: one more is allowed.
        until(lambda: not raises(member, "ready"), "it is ready")
        assert member.value() == {"first": leader.pid}
        assert member.call("whoami") == leader.pid
    # What a failed start left behind was closed, before the next one.
    assert [life[0] for life in journal.assert_one_at_a_time() if life[2] is None] == [leader.pid]


def raises(member, do):
    try:
        member.do(do, client="main")
    except Failed as error:
        assert error.type == "StartError", error
        return True
    return False


def test_a_follower_made_later_gets_the_error_of_the_leaders_start(members, trouble):
    leader, follower = members.start_all(2)
    broken(members, leader, "broken_init", trouble)
    assert_start_error(leader, "ready")
    broken(members, follower, "broken_init", trouble, is_leader=False)
    assert_start_error(follower, "ready")
    assert_start_error(follower, "call", name="echo", args=[1])
    trouble.remove()
    until(lambda: not raises(follower, "ready"), "the follower is ready")
    assert follower.call("whoami") == leader.pid


def test_after_three_failures_others_get_their_chance(members, journal, trouble):
    unable, able = members.start_all(2)
    broken(members, unable, "broken_constructor", trouble)
    assert_start_error(unable, "ready")
    members.create(able, config={"broken_constructor": str(trouble) + ".absent"})
    assert leader_of([unable, able]) is able
    failures = journal.lines("failed")
    assert {line["pid"] for line in failures} == {unable.pid}
    assert len(failures) % 3 == 0
    until(lambda: not raises(unable, "ready"), "the other follows")
    assert unable.call("whoami") == able.pid
    assert unable.leadership()[::2] == ("follower", able.pid)


def test_a_channel_that_cannot_start_leaves_the_others_of_its_process_alone(members, trouble):
    member, other = members.start_all(2)
    members.create(member, client="well", name="well")
    member.do("ready", client="well")
    members.create(other, client="well", name="well")
    other.do("ready", client="well")
    other.do("hammer", client="well")
    broken(members, member, "broken_init", trouble)
    for _ in range(4):
        assert_start_error(member, "ready")
    other.do("progress", client="well", calls=50)
    assert other.do("stop_hammer", client="well")["failures"] == []
    assert member.do("is_leader", client="well") is True
    trouble.remove()
    until(lambda: not raises(member, "ready"), "the broken one recovers")


def test_close_while_the_start_fails(members, journal, trouble):
    member = members.start()
    broken(members, member, "broken_init", trouble)
    assert_start_error(member, "ready")
    member.do("close", client="main")
    trouble.remove()
    able = members.join()
    assert able.do("is_leader", client="main") is True
    open_lives = [life for life in journal.assert_one_at_a_time() if life[2] is None]
    assert [life[0] for life in open_lives] == [able.pid]
