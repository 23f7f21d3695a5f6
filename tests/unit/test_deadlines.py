"""Many deadlines, one timer, never early."""

from __future__ import absolute_import, division, print_function

import random
import time

import gevent
import pytest

from clusterclient_sync.greenlets import deadlines as deadlines_module
from clusterclient_sync.greenlets.deadlines import Deadlines


class Item(object):
    slot = None

    def __init__(self, clock=None, log=None, action=None):
        self.expired_at = []
        self._clock, self._log, self._action = clock, log, action

    def expire(self):
        self.expired_at.append(self._clock() if self._clock else True)
        if self._log is not None:
            self._log.append(self)
        if self._action is not None:
            self._action()


class FakeTimer(object):
    """A timer of the fake loop; fires when the clock is moved past it."""

    def __init__(self, loop, delay):
        self.due = loop.now + delay
        self.is_closed = False
        self.callback = None

    def start(self, callback, update=False):
        self.callback = callback

    def stop(self):
        self.callback = None

    def close(self):
        assert self.callback is None, "closed without being stopped"
        self.is_closed = True


class FakeLoop(object):
    """A loop whose clock moves when the test says so."""

    def __init__(self):
        self.now = 1000.0
        self.timers = []
        self.loop = self  # it is its own hub

    def timer(self, delay):
        self.timers.append(FakeTimer(self, delay))
        return self.timers[-1]

    def running(self):
        return [timer for timer in self.timers if timer.callback is not None]

    def open(self):
        return [timer for timer in self.timers if not timer.is_closed]

    def advance(self, seconds, late=0.0):
        """Move the clock and fire what is due; ``late``: how much later than asked."""
        target = self.now + seconds
        while True:
            due = sorted((one for one in self.running() if one.due <= target),
                         key=lambda one: one.due)
            if not due:
                break
            self.now = max(self.now, due[0].due + late)
            callback, due[0].callback = due[0].callback, None
            callback()
        self.now = max(self.now, target)


@pytest.fixture
def loop(monkeypatch):
    fake = FakeLoop()
    monkeypatch.setattr(deadlines_module, "monotonic", lambda: fake.now)
    return fake


@pytest.fixture
def deadlines(loop):
    return Deadlines(loop)


def test_ten_thousand_items_one_timer_never_early(loop, deadlines):
    rng = random.Random(4)
    items = []
    for _ in range(10000):
        item = Item(clock=lambda: loop.now)
        item.when = loop.now + rng.uniform(-0.1, 5.0)
        deadlines.add(item, item.when)
        items.append(item)
        assert len(loop.open()) == 1
    for item in items[::3]:
        deadlines.discard(item)
    for _ in range(600):
        loop.advance(0.01)
        assert len(loop.open()) <= 1
    for number, item in enumerate(items):
        assert item.slot is None
        if number % 3 == 0:
            assert item.expired_at == []
        else:
            when, = item.expired_at
            assert max(item.when, 1000.0) <= when <= max(item.when, 1000.0) + 0.0101
    assert loop.running() == []


def test_deadlines_that_come_in_order_need_one_timer_in_all(loop, deadlines):
    for number in range(10000):
        deadlines.add(Item(), loop.now + 1 + number * 0.001)
    assert len(loop.timers) == 1


def test_an_earlier_deadline_arms_the_timer_anew(loop, deadlines):
    late, early = Item(), Item()
    deadlines.add(late, loop.now + 5)
    deadlines.add(early, loop.now + 1)
    loop.advance(1.02)
    assert (early.expired_at, late.expired_at) == ([True], [])
    loop.advance(4.02)
    assert late.expired_at == [True]


def test_a_timer_that_fires_early_expires_nothing_early(loop, deadlines):
    item = Item(clock=lambda: loop.now)
    deadlines.add(item, loop.now + 1)
    timer, = loop.running()
    loop.now += 0.5
    timer.callback()
    assert item.expired_at == []
    loop.advance(1)
    assert item.expired_at[0] >= 1001.0


def test_after_a_starved_loop_all_that_are_due_expire_at_once(loop, deadlines):
    items = [Item() for _ in range(100)]
    for number, item in enumerate(items):
        deadlines.add(item, loop.now + number)
    loop.now += 1000
    loop.advance(0)
    assert all(item.expired_at == [True] for item in items)


def test_an_item_that_another_ended_does_not_expire(loop, deadlines):
    first, second = Item(), Item()
    pairs = {first: second, second: first}
    log = []
    for one, other in pairs.items():
        one._log, one._action = log, lambda other=other: deadlines.discard(other)
        deadlines.add(one, loop.now + 1)
    loop.advance(2)
    assert len(log) == 1
    assert first.slot is None and second.slot is None


def test_an_item_may_be_added_again_when_it_expires(loop, deadlines):
    item = Item(clock=lambda: loop.now)
    item._action = lambda: len(item.expired_at) < 3 and deadlines.add(item, loop.now + 1)
    deadlines.add(item, loop.now + 1)
    loop.advance(10)
    assert len(item.expired_at) == 3


def test_an_item_that_raises_takes_no_other_down(loop, deadlines, caplog):
    def fail():
        raise ValueError("boom")

    items = [Item(action=fail) for _ in range(10)]
    for item in items:
        deadlines.add(item, loop.now + 1)
    later = Item()
    deadlines.add(later, loop.now + 2)
    loop.advance(3)
    assert all(item.expired_at == [True] for item in items)
    assert later.expired_at == [True]
    assert len([one for one in caplog.records if one.exc_info]) == 10


def test_discarding_is_safe_at_any_time(loop, deadlines):
    item = Item()
    deadlines.discard(item)
    deadlines.add(item, loop.now + 1)
    deadlines.discard(item)
    deadlines.discard(item)
    loop.advance(2)
    deadlines.discard(item)
    assert item.expired_at == []


def test_what_was_discarded_does_not_wake_the_loop_for_ever(loop, deadlines):
    for number in range(100):
        item = Item()
        deadlines.add(item, loop.now + 1 + number)
        deadlines.discard(item)
    loop.advance(2)
    assert loop.running() == []
    assert not deadlines._buckets and not deadlines._ticks


def test_close_forgets_all_and_may_come_twice(loop, deadlines):
    item = Item()
    deadlines.add(item, loop.now + 1)
    deadlines.close()
    deadlines.close()
    assert loop.open() == []
    loop.advance(2)
    assert item.expired_at == []


def test_in_a_forked_child_nothing_expires(loop, deadlines, monkeypatch):
    item = Item()
    deadlines.add(item, loop.now + 1)
    monkeypatch.setattr(deadlines_module.os, "getpid", lambda: -1)
    loop.advance(2)
    assert item.expired_at == []
    assert loop.open() == []


def test_on_the_real_loop_within_20_ms():
    hub = gevent.get_hub()
    deadlines = Deadlines(hub)
    clock = deadlines_module.monotonic
    items = []
    try:
        started = clock()
        for number in range(50):
            item = Item(clock=clock)
            item.when = started + 0.002 * number
            deadlines.add(item, item.when)
            items.append(item)
        last = items[-1]
        while not last.expired_at and clock() < started + 10:
            gevent.sleep(0.001)
    finally:
        deadlines.close()
    assert all(item.expired_at[0] >= item.when for item in items)
    # The machine may be busy; that one of fifty is in time shows what the timer does.
    assert min(item.expired_at[0] - item.when for item in items) < 0.02


def test_a_blocked_loop_delays_but_loses_nothing():
    deadlines = Deadlines(gevent.get_hub())
    item = Item()
    try:
        deadlines.add(item, deadlines_module.monotonic() + 0.005)
        time.sleep(0.03)
        for _ in range(10000):
            gevent.sleep(0.001)
            if item.expired_at:
                break
    finally:
        deadlines.close()
    assert item.expired_at == [True]
