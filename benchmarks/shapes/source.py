"""The real client of the benchmarks of shapes: it has what they ask for ready, or waits as asked.
"""

from __future__ import absolute_import, division, print_function

import gevent
from gevent.event import Event

from benchmarks.shapes import fan_out_source

#: What small calls return: about 100 characters of JSON.
SMALL = {u"id": 12345, u"enabled": True, u"name": u"x" * 60}
TEXT, BYTES = "text", "bytes"


def payload(kind, size):
    """So many characters of text, or bytes (which are not text, on Python 2 either)."""
    if kind == TEXT:
        return (u"lorem ipsum dolor sit amet, " * (size // 28 + 1))[:size]
    return (b"\xff\x00\xfe\x80" * (size // 4 + 1))[:size]


class Source(fan_out_source.Teller):
    """See the module."""

    def __init__(self):
        super(Source, self).__init__()
        self._payloads = {}
        self._held = 0
        self._arrived = Event()
        self._gate = Event()

    def get(self):
        """A small dict, :data:`SMALL`."""
        return SMALL

    def doze(self, seconds):
        """The same after a while: a real client that asks its server."""
        gevent.sleep(seconds)
        return SMALL

    # Calls that wait --------------------------------------------------------------------------

    def hold(self):
        """Wait until :meth:`release`."""
        gate = self._gate
        self._held += 1
        self._arrived.set()
        try:
            gate.wait()
        finally:
            self._held -= 1

    def await_held(self, number):
        """Return when so many calls wait."""
        while self._held < number:
            self._arrived.clear()
            self._arrived.wait()

    def release(self):
        """Let all go that wait."""
        self._gate.set()
        self._gate = Event()

    # Payloads -----------------------------------------------------------------------------------

    def prepare(self, kind, size):
        """Have the payload that :meth:`give` returns."""
        self._payloads[kind, size] = payload(kind, size)

    def give(self, kind, size):
        """A payload, which is there already."""
        return self._payloads[kind, size]

    def take(self, value):
        """The size of a payload."""
        return len(value)

    def close(self):
        """There is no connection behind it."""
