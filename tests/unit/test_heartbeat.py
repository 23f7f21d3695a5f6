"""Who is silent for three intervals goes, unless it was this process that did not listen."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.exceptions import ConnectionClosedError
from clusterclient_sync.transport import heartbeat as heartbeat_module
from clusterclient_sync.transport.heartbeat import Beats, Heartbeat, Listening, SilenceWatch

INTERVAL = 10.0


class FakeLoop(object):
    """A loop with one repeating timer and a clock that the test moves."""

    def __init__(self):
        self.now = 500.0
        self.callback = None
        self.is_closed = False

    def timer(self, after, repeat, ref):
        assert after == repeat and ref is False
        self.period, self.next = after, self.now + after
        return self

    def start(self, callback):
        self.callback = callback

    def stop(self):
        self.callback = None

    def close(self):
        assert self.callback is None
        self.is_closed = True

    def again(self, callback):
        self.start(callback)
        self.next = self.now + self.period

    def run(self, seconds):
        """Let so much time pass, each timer in its time."""
        end = self.now + seconds
        while self.callback is not None and self.next <= end:
            self.now = self.next
            self.next += self.period
            self.callback()
        self.now = end

    def starve(self, seconds):
        """Let time pass without the loop turning; the timer fires once when it does."""
        self.now += seconds
        self.next = self.now


class FakeConnection(object):
    def __init__(self, loop):
        self._loop = loop
        self.last_read = loop.now
        self.is_closed = False
        self.is_paused = False
        self.error = None
        self.sent = []
        self.unread = False

    def read_what_is_there(self):
        if self.unread:
            self.unread = False
            self.last_read = self._loop.now

    def notify(self, head):
        self.sent.append((self._loop.now, head))

    def close(self, error):
        self.is_closed = True
        self.error = error


@pytest.fixture
def loop(monkeypatch):
    fake = FakeLoop()
    monkeypatch.setattr(heartbeat_module, "monotonic", lambda: fake.now)
    return fake


@pytest.fixture
def connection(loop):
    return FakeConnection(loop)


def watch(loop, *connections):
    return SilenceWatch(
        loop, lambda: [one for one in connections if not one.is_closed], INTERVAL)


def test_a_silent_peer_is_dropped_after_three_intervals_and_not_before(loop, connection, caplog):
    watch(loop, connection)
    loop.run(30)
    assert not connection.is_closed
    loop.run(10)
    assert connection.is_closed
    assert isinstance(connection.error, ConnectionClosedError)
    record, = caplog.records
    assert record.levelname == "WARNING" and "nothing came" in record.getMessage()


def test_a_peer_that_says_something_in_every_interval_stays(loop, connection):
    watch(loop, connection)
    for _ in range(100):
        loop.run(INTERVAL)
        connection.last_read = loop.now
    assert not connection.is_closed


def test_one_silent_peer_does_not_take_others_with_it(loop, connection):
    other = FakeConnection(loop)
    watch(loop, connection, other)
    for _ in range(5):
        loop.run(INTERVAL)
        other.last_read = loop.now
    assert connection.is_closed and not other.is_closed


def test_what_the_socket_holds_is_read_first(loop, connection):
    watch(loop, connection)
    connection.unread = True
    loop.run(40)
    assert not connection.is_closed
    loop.run(40)
    assert connection.is_closed


def test_time_that_this_process_missed_is_not_held_against_the_peer(loop, connection):
    watch(loop, connection)
    loop.run(5)
    loop.starve(1000)
    loop.run(29)
    assert not connection.is_closed
    loop.run(10)
    assert connection.is_closed


def test_a_loop_that_is_late_each_time_a_little_excuses_nobody(loop, connection):
    watch(loop, connection)
    for _ in range(20):
        loop.next += 0.5
        loop.run(5)
    assert connection.is_closed


def test_stopped_it_closes_nobody(loop, connection):
    made = watch(loop, connection)
    made.stop()
    loop.run(1000)
    assert loop.is_closed and not connection.is_closed


def test_a_follower_sends_one_heartbeat_per_interval(loop, connection):
    beat = Heartbeat(loop, connection, INTERVAL, check=True)
    for _ in range(5):
        loop.run(INTERVAL)
        connection.last_read = loop.now
    assert connection.sent == [
        (500.0 + INTERVAL * number, b'{"type":"heartbeat"}') for number in range(1, 6)]
    beat.stop()


def test_a_follower_drops_a_silent_leader_only_where_it_checks(loop):
    checked, unchecked = FakeConnection(loop), FakeConnection(loop)
    Heartbeat(loop, checked, INTERVAL, check=True)
    loop.run(50)
    assert checked.is_closed
    sent = len(checked.sent)
    loop.run(50)
    assert len(checked.sent) == sent
    Heartbeat(loop, unchecked, INTERVAL, check=False)
    loop.run(500)
    assert not unchecked.is_closed and len(unchecked.sent) == 50


def test_a_peer_that_this_side_does_not_read_is_not_silent_and_hears_from_us(loop, connection):
    watch(loop, connection)
    connection.is_paused = True
    loop.run(100)
    assert not connection.is_closed
    assert connection.sent


def test_a_follower_that_hears_its_leader_wakes_for_nothing_else(loop, connection):
    listening = Listening(loop, connection, INTERVAL)
    looks = []
    usual = listening._look
    listening._look = lambda: (looks.append(loop.now), usual())
    listening.heard()
    for _ in range(20):
        loop.run(INTERVAL)
        connection.last_read = loop.now
        listening.heard()
    assert not looks and not connection.sent and not connection.is_closed
    listening.stop()
    assert loop.is_closed


def test_a_follower_drops_a_leader_that_it_hears_no_more_after_three_intervals(loop, connection):
    listening = Listening(loop, connection, INTERVAL)
    loop.run(INTERVAL)
    connection.last_read = loop.now
    listening.heard()
    loop.run(29)
    assert not connection.is_closed
    loop.run(2)
    assert connection.is_closed


def test_other_words_of_the_leader_count_as_well(loop, connection):
    Listening(loop, connection, INTERVAL)
    for _ in range(20):
        loop.run(INTERVAL)
        connection.last_read = loop.now
    assert not connection.is_closed


def test_a_follower_that_was_starved_does_not_blame_its_leader(loop, connection):
    listening = Listening(loop, connection, INTERVAL)
    loop.starve(1000)
    loop.run(29)
    assert not connection.is_closed
    listening.heard()
    loop.run(INTERVAL)
    assert not connection.is_closed


class Turns(object):
    """A loop whose callbacks the test runs."""

    def __init__(self):
        self.due = []

    def run_callback(self, callback):
        self.due.append(callback)

    def turn(self):
        due, self.due = self.due, []
        for callback in due:
            callback()


@pytest.fixture
def many(loop):
    return [FakeConnection(loop) for _ in range(250)]


def sent(connections):
    return sum(len(one.sent) for one in connections)


def test_a_leader_sends_one_heartbeat_to_each_in_two_ticks_and_not_to_all_at_once(many):
    turns = Turns()
    beats = Beats(turns, lambda: many, heartbeat_module._notify)
    beats.tick()
    assert sent(many) == 0
    beats.tick()
    assert sent(many) == 100
    many[-1].is_closed = True
    turns.turn()
    turns.turn()
    assert [len(one.sent) for one in many] == 249 * [1] + [0]
    assert not turns.due


def test_a_leader_that_is_behind_with_its_heartbeats_begins_anew_but_once(many):
    turns = Turns()
    beats = Beats(turns, lambda: many, heartbeat_module._notify)
    for _ in range(4):
        beats.tick()
    assert len(turns.due) == 1
    for _ in range(3):
        turns.turn()
    assert not turns.due
    assert all(one.sent for one in many)
