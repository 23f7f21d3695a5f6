"""The part of the real client that tells values to many followers, as fast as all take them.

The values of a key are numbered.  A follower that has heard every value up to a multiple of
``STEP`` says so (``seen``), and only a window of values is ahead of the slowest: so nothing is
skipped (as would be beyond 1,000 values), and what was told was delivered.  ``node/fan_out.js``
does the same.
"""

from __future__ import absolute_import, division, print_function

import gevent
from gevent.event import Event

from benchmarks.shapes import usage
from clusterclient_sync._compat import monotonic

STEP = 50


class Topic(object):
    """The values of one key."""

    def __init__(self, listener):
        self.listener = listener
        self.told = 0
        self.seen_by_all = 0
        self.news = Event()
        self._seen = {}  # number -> by how many followers

    def tell(self, text):
        """Tell the next value."""
        self.told += 1
        self.listener({"number": self.told, "text": text})

    def is_seen(self, number, followers):
        """One more follower has seen all values up to this one."""
        count = self._seen[number] = self._seen.get(number, 0) + 1
        if count == followers:
            del self._seen[number]
            self.seen_by_all = number
            self.news.set()


class Teller(object):
    """See the module."""

    def __init__(self):
        self._topics = {}
        self._followers = {}  # key -> how many

    def subscribe(self, registration, listener):
        """Tell a first value at once, by which a follower knows that it has subscribed."""
        topic = self._topics[registration["key"]] = Topic(listener)
        listener({"number": topic.told, "text": u""})

    def unsubscribe(self, registration, listener=None):
        """Nobody listens any more."""
        self._topics.pop(registration["key"], None)

    def seen(self, key, number):
        """A follower has heard all values up to this number."""
        self._topics[key].is_seen(number, self._followers[key])

    def tell(self, key, followers, seconds, burst, window, size):
        """Tell values until ``seconds`` are over, and wait until all followers have heard them.

        :param burst: how many are told before others get their turn.
        :param window: so many values may be ahead of the slowest follower.
        :param size: of a value, in characters.
        :return: a dict: ``delivered`` values, ``seconds``, ``cpu`` (seconds of this process).
        """
        topic, text = self._topics[key], u"x" * size
        self._followers[key] = followers
        before, cpu, started = topic.told, usage.cpu(), monotonic()
        while monotonic() < started + seconds or topic.told % STEP:
            room = window - (topic.told - topic.seen_by_all)
            for _ in range(min(burst, room, STEP - topic.told % STEP)):
                topic.tell(text)
            if topic.told - topic.seen_by_all >= window:
                self._await(topic, topic.told - window + 1)
            else:
                gevent.sleep(0)
        self._await(topic, topic.told)
        return {"delivered": (topic.told - before) * followers,
                "seconds": monotonic() - started, "cpu": usage.cpu() - cpu}

    @staticmethod
    def _await(topic, number):
        """Wait until all have heard this one."""
        while topic.seen_by_all < number:
            topic.news.clear()
            topic.news.wait()
