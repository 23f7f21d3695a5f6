"""A cluster in one process whose every promise can be looked up: for the test of the model.

:class:`Upstream` is what all real clients talk to.  It outlives them, and notes what they do.  An
:class:`Actor` is one cluster client, and what it was promised.
"""

from __future__ import absolute_import, division, print_function

import collections
import itertools

import gevent
from gevent.event import Event

from clusterclient_sync import DataClientBase, cluster
from clusterclient_sync.exceptions import (
    NOT_SENT, UNKNOWN, ClientClosedError, ConnectionClosedError, outcome)

TIMEOUT = 20.0
_numbers = itertools.count(1)


class StartError(Exception):
    """The upstream is down."""


class Upstream(object):
    """See the module; ``fault`` is the part of a real client's start that fails, or ``None``."""

    def __init__(self):
        self.fault = None
        #: calls that run go on while it is set
        self.gate = Event()
        self.gate.set()
        self.failures = 0
        self.values = collections.Counter()  # key -> the version of its value
        self.runs = collections.Counter()  # token of a call -> how often it ran
        self.living = []
        self.broken_promises = []

    def enter(self, real):
        if self.living:
            self.broken_promises.append("%r is made while %r lives" % (real, self.living))
        self.living.append(real)

    def fail_at(self, part):
        if self.fault == part:
            self.failures += 1
            raise StartError(part)

    def change(self, key):
        """A new value for a key."""
        self.values[key] += 1
        for real in self.living:
            real.tell(key)


class ModelClient(DataClientBase):
    """The real client."""

    def __init__(self, upstream):
        super(ModelClient, self).__init__()
        self._upstream = upstream
        self._listeners = {}
        self.published = collections.defaultdict(list)  # name of an actor -> numbers
        upstream.fail_at("constructor")
        upstream.enter(self)

    def init(self):
        gevent.sleep(0)
        self._upstream.fail_at("init")

    def tell(self, key):
        if key in self._listeners:
            self._listeners[key](self._upstream.values[key])

    def subscribe(self, registration, listener):
        key = registration["dataId"]
        if key in self._listeners:
            self._upstream.broken_promises.append("%s is subscribed twice" % key)
        self._listeners[key] = listener
        gevent.sleep(0)
        self.tell(key)

    def unsubscribe(self, registration, listener=None):
        gevent.sleep(0)
        del self._listeners[registration["dataId"]]

    def publish(self, registration):
        gevent.sleep(registration["number"] % 2 and 0)
        self.published[registration["by"]].append(registration["number"])

    def work(self, token, turns):
        """Runs for some turns of the loop, and while the gate is not open."""
        self._upstream.runs[token] += 1
        self._upstream.gate.wait()
        for _ in range(turns):
            gevent.sleep(0)
        return "did %s" % token

    def repeatable(self, token, turns):
        """The same, idempotent."""
        return self.work(token, turns)

    def close(self):
        gevent.sleep(0)
        self._upstream.living.remove(self)


class Attempt(object):
    """One call, and what came of it."""

    def __init__(self, actor, method, turns):
        self.actor = actor
        self.method = method
        self.token = "%s-%d" % (method, next(_numbers))
        self.error = None
        self.value = None
        self.greenlet = gevent.spawn(self._run, turns)

    def _run(self, turns):
        try:
            self.value = self.actor.client.call(self.method, (self.token, turns), timeout=TIMEOUT)
        except Exception as error:
            self.error = error

    @property
    def has_begun(self):
        """Whether the real client has it."""
        return self.actor.upstream.runs[self.token] > 0

    def complaint(self):
        """How it broke a promise; ``None`` where it did not."""
        runs = self.actor.upstream.runs[self.token]
        told = "%s of %s ran %d times, and ended with %r (%s)" % (
            self.token, self.actor, runs, self.value if self.error is None else self.error,
            self.error and outcome(self.error))
        if self.method == "work" and runs > 1:
            return told
        if self.error is None:
            return None if self.value == "did %s" % self.token and runs else told
        if outcome(self.error) == NOT_SENT and runs:
            return told
        return None if self._may_fail() else told

    def _may_fail(self):
        if isinstance(self.error, ClientClosedError):
            return self.actor.is_closing
        if isinstance(self.error, StartError):
            return self.actor.upstream.failures > 0
        return (isinstance(self.error, ConnectionClosedError) and self.actor.proxy is not None
                and outcome(self.error) == UNKNOWN and self.method != "repeatable")


class Listening(object):
    """A listener of a key, and the values that it got."""

    def __init__(self, actor, key):
        self.key = key
        self.values = []
        self.is_over = False
        self._actor = actor

    def __call__(self, value):
        if self.is_over:
            self._complain("got %r after it was removed" % value)
        if self.values and value < self.values[-1]:
            self._complain("got %r after %r" % (value, self.values[-1]))
        self.values.append(value)

    def _complain(self, what):
        self._actor.upstream.broken_promises.append("the listener of %s %s" % (self._actor, what))

    @property
    def is_current(self):
        return self.values[-1:] == [self._actor.upstream.values[self.key]]


class Actor(object):
    """One cluster client; a ``proxy`` makes it a follower that connects through it."""

    def __init__(self, name, upstream, port, proxy=None, **options):
        self.name = "%s-%d" % (name, next(_numbers))
        self.upstream = upstream
        self.proxy = proxy
        self.attempts = []
        self.listenings = {}
        self.publishes = 0
        self.is_closing = False
        self._helpers = []
        options = dict({"port": port, "name": "model", "drain_timeout": 0.5,
                        "max_retry_interval": 0.02}, **options)
        if proxy is not None:
            options.update(port=proxy.port, is_leader=False)
        self.client = (cluster(ModelClient, **options)
                       .delegate("repeatable", idempotent=True)
                       .create(upstream))

    def __str__(self):
        return self.name

    def call(self, method, turns):
        """Returns at once, with the :class:`Attempt`."""
        self.attempts.append(Attempt(self, method, turns))
        return self.attempts[-1]

    def publish(self):
        self.client.publish({"by": self.name, "number": self.publishes})
        self.publishes += 1

    def subscribe(self, key):
        if key not in self.listenings:
            listening = self.listenings[key] = Listening(self, key)
            self.client.subscribe({"dataId": key}, listening)

    def unsubscribe(self, key):
        listening = self.listenings.pop(key, None)
        if listening is not None:
            self.client.unsubscribe({"dataId": key}, listening)
            listening.is_over = True

    def resign(self):
        """Returns at once."""
        self._helpers.append(gevent.spawn(self._resign))

    def _resign(self):
        try:
            self.client.resign()
        except ClientClosedError:
            if not self.is_closing:
                raise

    def close(self):
        """Returns at once; see :meth:`finish`."""
        if not self.is_closing:
            self.is_closing = True
            self._helpers.append(gevent.spawn(self.client.close))

    def finish(self):
        """Wait until what it began has ended; after a close, all has."""
        gevent.joinall(self._helpers, timeout=TIMEOUT, raise_error=True)
        assert all(helper.ready() for helper in self._helpers), "%s does not end" % self
        if self.is_closing:
            for listening in self.listenings.values():
                listening.is_over = True
            gevent.joinall([attempt.greenlet for attempt in self.attempts], timeout=TIMEOUT)

    def unfinished(self):
        """What has not come true yet that must, once nothing goes wrong any more."""
        found = []
        if self.client.is_leader is None:
            found.append("%s has no role" % self)
        found += ["%s has not got the value of %s" % (self, key)
                  for key, listening in self.listenings.items() if not listening.is_current]
        found += ["%s of %s is not over" % (attempt.token, self)
                  for attempt in self.attempts if not attempt.greenlet.ready()]
        if self.proxy is None and self.published_now() != list(range(self.publishes)):
            found.append("%s has published %d times, and there is %r"
                         % (self, self.publishes, self.published_now()))
        return found

    def published_now(self):
        """The numbers of its publishes that reached the real client that there is."""
        return [number for real in self.upstream.living for number in real.published[self.name]]

    def complaints(self):
        """Which promises were broken so far."""
        return [complaint for complaint in (
            attempt.complaint() for attempt in self.attempts if attempt.greenlet.ready())
            if complaint]
