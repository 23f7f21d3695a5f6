"""A follower that does not read, and a gibibyte of values: the leader keeps the newest for it."""

from __future__ import absolute_import, division, print_function

import signal

import gevent
import pytest

from support import usage

KEY = {"dataId": "k"}
COUNT = 1024
SIZE = 2 ** 20
FIRST = 8
MOST = 64  # MiB


def numbers_until(member, last):
    """The numbers of the values that a listener got, up to this one."""
    numbers = []
    while numbers[-1:] != [last]:
        value = member.value()
        assert value["length"] == SIZE
        numbers.append(int(value["starts"][:8]))
    return numbers


def flood(member, numbers):
    """Push a mebibyte for each number, as fast as the leader's loop lets."""
    return member.begin("call", client="main", name="flood", args=["k", numbers, SIZE], timeout=120)


@pytest.mark.limit(180)
def test_a_gibibyte_past_a_stopped_follower(members):
    leader, stopped, healthy = members.join_all(3)
    for member in (stopped, healthy):
        member.do("subscribe", client="main", registration=KEY)
        assert member.value_like({"first": leader.pid}) == []
    # What pushing such values takes at all is no matter here.
    flood(leader, list(range(FIRST))).get()
    for member in (stopped, healthy):
        assert numbers_until(member, FIRST - 1)[-1] == FIRST - 1
    stopped.child.kill(signal.SIGSTOP)
    healthy.do("hammer", client="main", greenlets=1)
    base = usage.memory(leader.pid)
    watch = Watch(leader)
    try:
        flood(leader, list(range(FIRST, COUNT))).get(timeout=120)
        got = numbers_until(healthy, COUNT - 1)
    finally:
        watch.stop()
    assert got == sorted(set(got))
    assert watch.looks > 20 and watch.highest - base < MOST
    assert healthy.do("stop_hammer", client="main")["failures"] == []
    stopped.child.kill(signal.SIGCONT)
    got = numbers_until(stopped, COUNT - 1)
    # What the kernel and the leader's buffer held, and then the newest.
    assert got == sorted(set(got)) and len(got) < MOST
    assert stopped.call("whoami") == leader.pid
    healthy.call("push", "k", "small")
    assert stopped.value() == healthy.value() == "small"


class Watch(object):
    """Looks at a member's memory all the time."""

    def __init__(self, member):
        self.highest = 0
        self.looks = 0
        self._member = member
        self._greenlet = gevent.spawn(self._look)

    def _look(self):
        while True:
            self.highest = max(self.highest, usage.memory(self._member.pid))
            self.looks += 1
            gevent.sleep(0.005)

    def stop(self):
        self._greenlet.kill()
        if self._greenlet.exception is not None:
            raise self._greenlet.exception
