"""The requests that go on all the time, and what became of each."""

from __future__ import absolute_import, division, print_function

import collections

import gevent

from clusterclient_sync._compat import monotonic
from clusterclient_sync.demo.http_request import ConnectionLost, request

OK = "ok"
ERROR = "error"                  # a worker answered with anything but the value
LOST = "lost"                    # no answer: the connection went away
LOST_BY_KILL = "lost_by_kill"    # the same, of a request that was under way at the kill

AT_ONCE = 8
# Each request leaves a port in TIME_WAIT, and a host has about 16,000 to 28,000 of them.
MOST_PER_SECOND = 1000
RATE_WINDOW = 1.0
KILL_MARGIN = 0.05  # seconds that a killed process may take to be gone


class Result(object):
    """One request: when it started and ended, ``kind``, and the pid of the worker, if it told."""

    __slots__ = ("started", "ended", "kind", "pid")

    def __init__(self, started, ended, kind, pid):
        self.started = started
        self.ended = ended
        self.kind = kind
        self.pid = pid


class Load(object):
    """GETs one key through all workers from ``AT_ONCE`` greenlets.

    :param values: the values that are right; whoever publishes another adds it first.
    """

    def __init__(self, address, key, values):
        self._address = address
        self._path = "/config/" + key
        self._values = values
        self._greenlets = []
        self._recent = collections.deque()
        self._results = []
        self._killed_at = None
        self.counts = collections.Counter()
        self.by_pid = collections.Counter()
        self.examples = []  # of what went wrong, as text

    def start(self):
        """Send requests from now on."""
        self._greenlets = [gevent.spawn(self._run) for _ in range(AT_ONCE)]

    def stop(self):
        """Send no more; what is under way is not counted."""
        gevent.killall(self._greenlets)

    def kill_now(self, kill):
        """Call ``kill()`` and note when: what was under way then may be lost.  Returns the time."""
        started = self._killed_at = monotonic()
        kill()
        self._killed_at = monotonic()
        return started

    def rate(self):
        """Requests per second that were answered, over the last second."""
        now = monotonic()
        while self._recent and self._recent[0] < now - RATE_WINDOW:
            self._recent.popleft()
        return len(self._recent) / RATE_WINDOW

    def since(self, moment):
        """The results of requests that ended after ``moment``."""
        return [result for result in self._results if result.ended >= moment]

    def _run(self):
        pause = AT_ONCE / MOST_PER_SECOND
        while True:
            started = monotonic()
            kind, pid = self._one(started)
            ended = monotonic()
            self._results.append(Result(started, ended, kind, pid))
            self.counts[kind] += 1
            if kind == OK:
                self.by_pid[pid] += 1
                self._recent.append(ended)
            gevent.sleep(max(0, pause - (ended - started)))

    def _one(self, started):
        try:
            response = request(self._address, self._path)
        except ConnectionLost as error:
            if self._killed_at is not None and started <= self._killed_at + KILL_MARGIN:
                return LOST_BY_KILL, None
            self._example("a connection was lost: %s" % error)
            return LOST, None
        body = response.body if isinstance(response.body, dict) else {}
        if response.status == 200 and body.get("value") in self._values:
            return OK, body["pid"]
        self._example("a worker answered %d: %s" % (response.status, response.body))
        return ERROR, body.get("pid")

    def _example(self, text):
        if len(self.examples) < 5:
            self.examples.append(text)
