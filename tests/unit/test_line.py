"""Greenlets wait in line: first come, first served, whoever leaves it meanwhile."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.greenlets.deadlines import Deadlines
from clusterclient_sync.greenlets.line import WaitingLine


class Waiting(object):
    """A line, and who went on in which order."""

    def __init__(self):
        hub = gevent.get_hub()
        self.deadlines = Deadlines(hub)
        self.line = WaitingLine(hub, self.deadlines)
        self.order = []
        self.greenlets = []

    def add(self, count, timeout=None):
        for _ in range(count):
            number = len(self.greenlets)
            self.greenlets.append(gevent.spawn(self._run, number, timeout))
        gevent.sleep(0)

    def _run(self, number, timeout):
        try:
            in_time = self.line.wait(monotonic() + timeout if timeout else None)
            self.order.append(number if in_time else (number, "late"))
        except ValueError as error:
            self.order.append((number, error))


@pytest.fixture
def waiting():
    made = Waiting()
    yield made
    gevent.killall(made.greenlets)
    made.deadlines.close()


def test_one_after_the_other_in_the_order_of_coming(waiting):
    waiting.add(3)
    for number in range(3):
        assert len(waiting.line) == 3 - number
        waiting.line.release_first()
        gevent.sleep(0)
        assert waiting.order == list(range(number + 1))
    waiting.line.release_first()
    assert not waiting.line


def test_who_was_let_go_stays_the_first_until_it_runs(waiting):
    waiting.add(2)
    waiting.line.release_first()  # it runs at the next turn of the loop
    waiting.line.release_first()
    assert len(waiting.line) == 2
    gevent.sleep(0)
    assert waiting.order == [0]


def test_one_that_is_killed_or_late_leaves_the_line(waiting):
    waiting.add(1)
    waiting.add(1, timeout=0.01)
    waiting.add(1)
    waiting.greenlets[0].kill()
    waiting.greenlets[1].join(timeout=10)
    assert waiting.order == [(1, "late")] and len(waiting.line) == 1
    waiting.line.release_first()
    gevent.sleep(0)
    assert waiting.order[1:] == [2]


def test_all_go_with_an_error_of_their_own_or_without(waiting):
    waiting.add(3)
    waiting.line.release_all(lambda: ValueError("gone"))
    assert not waiting.line
    waiting.add(2)
    waiting.line.release_all()
    gevent.joinall(waiting.greenlets, timeout=10)
    errors = [error for _, error in waiting.order[:3]]
    assert len(set(map(id, errors))) == 3 and waiting.order[3:] == [3, 4]
