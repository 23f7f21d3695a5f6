"""An event that greenlets of several threads may wait for and set.

gevent's own serves the greenlets of one thread.  A wait here looks again and again: that is dear
for a program, and good enough for a test.
"""

from __future__ import absolute_import, division, print_function

import gevent

from clusterclient_sync._compat import existing_hub, monotonic, native_sleep

LOOK_INTERVAL = 0.001


class Event(object):
    """As ``gevent.event.Event``."""

    def __init__(self):
        self._is_set = False

    def set(self):
        self._is_set = True

    def clear(self):
        self._is_set = False

    def is_set(self):
        return self._is_set

    def wait(self, timeout=None):
        """Block until it is set; whether it is."""
        until = None if timeout is None else monotonic() + timeout
        while not self._is_set:
            if until is not None and monotonic() > until:
                break
            if existing_hub() is None:
                native_sleep(LOOK_INTERVAL)  # a plain thread
            else:
                gevent.sleep(LOOK_INTERVAL)
        return self._is_set
