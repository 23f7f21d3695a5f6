"""The watchdog's judgement, with scripted clocks; and its thread."""

from __future__ import absolute_import, division, print_function

import os

import gevent
import pytest

from clusterclient_sync import watchdog
from clusterclient_sync._compat import native_poll
from clusterclient_sync.watchdog import Watchdog
from support.scripted import until

LIMIT = 1.0
PERIOD = 0.25


class Script(object):
    """A clock, the process's computing time, and what happens in each period."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        self.spent = 5.0
        self.steps = []
        monkeypatch.setattr(watchdog, "monotonic", lambda: self.now)
        monkeypatch.setattr(watchdog, "_computing_time", lambda: self.spent)

    def judge(self, dog, steps):
        """``steps``: ``(seconds, of which computing, whether the loop ran)`` of each look."""
        left = list(steps)

        def wait():
            if not left:
                return True
            seconds, spent, has_run = left.pop(0)
            self.now += seconds
            self.spent += spent
            if has_run:
                dog._beat()
            return False

        return dog._wait_until_blocked(wait)


@pytest.fixture
def make():
    made = []

    def begin(limit=LIMIT, give_up=lambda seconds, stack: None):
        made.append(Watchdog(gevent.get_hub().loop, limit, give_up))
        return made[-1]

    yield begin
    for dog in made:
        dog.stop()
        dog.stop()


@pytest.fixture
def judge(monkeypatch, make):
    dog = make(limit=100)
    gevent.sleep(0.001)  # its first beat was
    dog._timer.stop()
    dog._limit, dog._period = LIMIT, PERIOD
    script = Script(monkeypatch)
    return lambda *steps: script.judge(dog, steps)


def test_a_loop_that_runs_is_left_alone(judge):
    assert judge(*[(PERIOD, 0, True)] * 100) is None


def test_a_loop_that_does_not_run_is_blocked_after_the_limit(judge):
    assert judge(*[(PERIOD, 0, False)] * 3) is None
    assert judge(*[(PERIOD, 0, False)] * 4) == pytest.approx(LIMIT)


def test_a_beat_forgives_all_before_it(judge):
    blocked = [(PERIOD, 0, False)] * 3
    assert judge(*(blocked + [(PERIOD, 0, True)]) * 10) is None
    assert judge(*blocked + [(PERIOD, 0, True)] + blocked + [(PERIOD, 0, False)]) is not None


def test_time_in_which_the_process_was_stopped_does_not_count(judge):
    assert judge(*[(3600, 0, False)] * 3) is None
    assert judge(*[(3600, 0, False)] * 4) == pytest.approx(LIMIT)


def test_code_that_computes_and_seldom_lets_go_of_the_gil_counts(judge):
    assert judge((0.8, 0.8, False)) is None
    assert judge((1.0, 0.8, False)) == pytest.approx(1.0)
    assert judge((9.0, 0.8, False)) == pytest.approx(0.8 + PERIOD)


def test_the_thread_gives_up_once_and_shows_where(make):
    told = []
    dog = make(limit=0.05, give_up=lambda seconds, stack: told.append((seconds, stack)))
    poll = native_poll()
    alarm, other = os.pipe()
    try:
        poll.register(alarm)
        while not told:
            poll.poll(10)  # blocks the loop, and lets go of the GIL
        seconds, stack = told[0]
        assert seconds >= 0.05 and "poll.poll(10)" in stack
        dog.stop()
        assert len(told) == 1
    finally:
        os.close(alarm)
        os.close(other)


def test_stopping_ends_the_thread_and_closes_its_descriptors(make):
    before = set(os.listdir("/proc/self/fd"))
    dog = make(limit=1000)
    dog.stop()
    until(lambda: set(os.listdir("/proc/self/fd")) == before)


def test_in_a_child_its_descriptors_go(make, monkeypatch):
    dog = make(limit=1000)
    closed = []
    with monkeypatch.context() as patch:
        patch.setattr(watchdog.os, "close", closed.append)
        dog.abandon()
    assert sorted(closed) == sorted([dog._alarm, dog._stop])
    os.close(dog._stop)
