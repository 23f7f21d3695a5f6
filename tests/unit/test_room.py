"""Who finds the outgoing buffer full waits in line for room."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import (
    NOT_SENT, ConnectionClosedError, ResponseTimeoutError)
from support.connections import Line

MIB = 2 ** 20


@pytest.fixture
def line():
    made = Line()
    yield made
    made.end()


class Queue(object):
    """Greenlets that wait for room, and send when they have it."""

    def __init__(self, line):
        self.line = line
        self.order = []
        self.errors = {}
        self.greenlets = {}
        self.on_room = lambda name: None

    def add(self, name, size=10, timeout=20.0):
        self.greenlets[name] = gevent.spawn(self._run, name, size, timeout)
        gevent.sleep(0)

    def _run(self, name, size, timeout):
        try:
            self.line.connection.wait_for_room(monotonic() + timeout)
        except (ResponseTimeoutError, ConnectionClosedError) as error:
            self.errors[name] = error
        else:
            self.order.append(name)
            self.on_room(name)
            self.line.connection.send(b"\0" * size)

    def join(self):
        gevent.joinall(list(self.greenlets.values()), timeout=20)
        assert all(one.dead for one in self.greenlets.values())


@pytest.fixture
def full(line):
    """A line whose peer does not read and whose buffer has no room."""
    line.filled = line.block()
    for _ in range(9):
        line.connection.send(b"\0" * MIB)
        line.filled += MIB
    assert line.connection.is_congested
    return line


def test_where_there_is_room_nobody_waits(line):
    line.connection.wait_for_room(None)
    line.connection.wait_for_room(monotonic() - 1)


def test_who_waits_for_room_is_let_in_in_the_order_of_coming(full):
    queue = Queue(full)
    for number in range(50):
        queue.add(number)
    assert queue.order == []
    full.peer.read(full.filled)
    queue.join()
    assert queue.order == list(range(50))


def test_a_newcomer_does_not_pass_those_who_wait(full):
    queue = Queue(full)
    for number in range(2):
        queue.add(number)

    def come(name):
        # In the very turn in which the first is let in, while the next has not run yet.
        if name == 0:
            gevent.get_hub().loop.run_callback(queue.greenlets[0].switch)
            newcomer = queue.greenlets["newcomer"] = gevent.Greenlet(
                queue._run, "newcomer", 10, 20.0)
            newcomer.switch()

    queue.on_room = come
    full.peer.read(full.filled)
    queue.join()
    assert queue.order == [0, 1, "newcomer"]


def test_the_buffer_stays_bounded_however_many_wait(full):
    queue = Queue(full)
    most = []
    for number in range(30):
        queue.add(number, size=MIB)
    watch = gevent.spawn(full.peer.read, full.filled + 30 * MIB)
    while not watch.ready():
        most.append(full.connection.outgoing_size)
        gevent.sleep(0)
    queue.join()
    assert queue.order == list(range(30))
    assert max(most) <= 10 * MIB


def test_who_waits_too_long_is_told_that_nothing_was_sent(full):
    queue = Queue(full)
    queue.add("impatient", timeout=0.02)
    queue.add("patient")
    queue.greenlets["impatient"].join(timeout=10)
    assert queue.errors["impatient"].outcome == NOT_SENT
    full.peer.read(full.filled)
    queue.join()
    assert queue.order == ["patient"]


@pytest.mark.parametrize("victim", [0, 1])
def test_one_who_is_killed_in_line_holds_nobody_up(full, victim):
    queue = Queue(full)
    for number in range(4):
        queue.add(number)
    queue.greenlets[victim].kill()
    full.peer.read(full.filled)
    queue.join()
    assert queue.order == [number for number in range(4) if number != victim]


def test_one_who_is_killed_in_the_turn_in_which_it_is_let_in_holds_nobody_up(full):
    queue = Queue(full)
    for number in range(4):
        queue.add(number)

    def kill_the_next(name):
        # It was let in, and learns of that at the next turn of the loop.
        if name == 0:
            gevent.get_hub().loop.run_callback(queue.greenlets[0].switch)
            queue.greenlets[1].throw(gevent.GreenletExit())

    queue.on_room = kill_the_next
    full.peer.read(full.filled)
    queue.join()
    assert queue.order == [0, 2, 3]


def test_when_the_connection_goes_all_in_line_are_told(full):
    queue = Queue(full)
    for number in range(3):
        queue.add(number)
    full.connection.close()
    queue.join()
    assert [queue.errors[number].outcome for number in range(3)] == [NOT_SENT] * 3
    assert len(set(map(id, queue.errors.values()))) == 3
