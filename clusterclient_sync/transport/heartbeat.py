"""Finds peers that have gone silent, which the kernel does not tell.

Every interval one side sends a heartbeat, which the other answers: the follower to a Node leader,
the leader where both are Python.  So an idle follower wakes once for it and not twice: it answers,
and puts off its own look for silence, in one go.  Each side gives the other three intervals.

Where this process itself did not get to run (its loop was starved, or it was stopped), the silence
is its own: the time that it missed is not held against the peer, and what the socket already holds
is read before anybody is called silent.
"""

from __future__ import absolute_import, division, print_function

import logging

from .._compat import monotonic
from ..exceptions import ConnectionClosedError
from ..protocol import messages

_log = logging.getLogger(__name__)

_PATIENCE = 3


def _notify(connection):
    connection.notify(messages.HEARTBEAT_REQUEST)


class SilenceWatch(object):
    """Closes those of some connections from which nothing came in three intervals.

    :param connections: a function that gives the connections, each time anew.
    :param interval: seconds.
    :param on_tick: called before each look, in the hub.
    :param beat: sends a heartbeat to a connection.
    """

    #: from one look to the next, in intervals
    _EVERY = 0.5

    def __init__(self, loop, connections, interval, on_tick=None, beat=None):
        self._connections = connections
        self._beat = beat or _notify
        self._limit = interval * _PATIENCE
        self._period = interval * self._EVERY
        self._on_tick = on_tick
        self._expected = monotonic() + self._period
        self._excused = 0.0  # nobody is held silent for what lies before this
        self._timer = loop.timer(self._period, self._period, ref=False)
        self._timer.start(self._look)

    def stop(self):
        """Stop the timer."""
        self._timer.stop()
        self._timer.close()

    def _look(self):
        now = monotonic()
        if now - self._expected > self._period / 2:
            self._excused = now
        self._expected = now + self._period
        if self._on_tick is not None:
            self._on_tick()
        for connection in self._connections():
            if connection.is_paused:
                # This side does not read it: its silence says nothing, and it hears from us.
                self._beat(connection)
            elif self._silence(connection, now) > self._limit:
                connection.read_what_is_there()
                if not connection.is_closed and self._silence(connection, now) > self._limit:
                    self._drop(connection, now)

    def _silence(self, connection, now):
        return now - max(connection.last_read, self._excused)

    @staticmethod
    def _drop(connection, now):
        text = "nothing came from the peer for %.1f s" % (now - connection.last_read)
        _log.warning("%s: its connection is closed", text)
        connection.close(ConnectionClosedError(text))


class Heartbeat(SilenceWatch):
    """A follower's side, where it sends the heartbeats: also looks whether the leader still says
    anything.
    """

    _EVERY = 1

    def __init__(self, loop, connection, interval, check):
        self._connection = connection
        watched = [connection] if check else []
        super(Heartbeat, self).__init__(loop, lambda: watched, interval, self._tick)

    def _tick(self):
        if not self._connection.is_closed:
            self._beat(self._connection)


class Listening(SilenceWatch):
    """A follower's side, where the leader sends the heartbeats: looks whether they come."""

    _EVERY = 1.52  # no look is due while they do, and the second one is after three intervals

    def __init__(self, loop, connection, interval):
        super(Listening, self).__init__(loop, lambda: [connection], interval)

    def heard(self):
        """A heartbeat came."""
        self._expected = monotonic() + self._period
        self._timer.again(self._look)


class Beats(object):
    """A leader's heartbeats: one to each of some connections in every second tick of its watch.

    :param connections: a function that gives the connections, each time anew.
    :param beat: sends a heartbeat to a connection.
    """

    #: So many are sent in a turn of the loop: thousands would hold up everything else.
    _AT_ONCE = 100

    def __init__(self, loop, connections, beat):
        self._beat = beat
        self._loop = loop
        self._connections = connections
        self._ticks = 0
        self._waiting = []

    def tick(self):
        """Half an interval has passed."""
        self._ticks += 1
        if self._ticks % 2 == 0:
            is_under_way = bool(self._waiting)
            self._waiting = list(self._connections())
            if not is_under_way:
                self._send()

    def _send(self):
        batch, self._waiting = self._waiting[:self._AT_ONCE], self._waiting[self._AT_ONCE:]
        for connection in batch:
            if not connection.is_closed:
                self._beat(connection)
        if self._waiting:
            self._loop.run_callback(self._send)
