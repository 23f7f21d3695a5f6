"""Listeners and event handlers that a test can wait for."""

from __future__ import absolute_import, division, print_function

import gevent
from support.gates import Event
from greenlet import getcurrent

from clusterclient_sync._compat import monotonic
from support.recording import TIMEOUT


class Listener(object):
    """Keeps what it is called with; ``values`` are the first arguments.

    :param gate: an event for which each call waits.
    """

    def __init__(self, gate=None):
        self.calls = []
        self.greenlets = set()
        self.begun = 0
        self._gate = gate
        self._news = Event()

    def __call__(self, *args):
        self.greenlets.add(getcurrent())
        self.begun += 1
        self._news.set()
        if self._gate is not None:
            self._gate.wait()
        self.calls.append(args)
        self._news.set()

    @property
    def values(self):
        return [args[0] for args in self.calls]

    def wait_for(self, count=1, timeout=TIMEOUT):
        """The values once there are so many."""
        self.wait_until(lambda: len(self.calls) >= count, timeout)
        return self.values

    def wait_until(self, condition, timeout=TIMEOUT):
        deadline = monotonic() + timeout
        while True:
            self._news.clear()
            if condition():
                return
            if not self._news.wait(max(0, deadline - monotonic())):
                raise AssertionError("it was called with %.2000r only" % (self.calls,))

    def never_in_hub(self):
        return self.greenlets and gevent.get_hub() not in self.greenlets


def settle(subject):
    """Return when all that was told before this has arrived, if it was to arrive at all.

    One more value of a subscription of its own goes the same way, and comes after it.
    """
    marker = Listener()
    registration = {"dataId": "settle", "first": "settled"}
    subject.client.subscribe(registration, marker)
    marker.wait_for()
    subject.client.unsubscribe(registration, marker)
