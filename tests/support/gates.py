"""An event that greenlets of several hubs, and native threads, may wait for and set.

gevent's own serves the greenlets of one hub: here, of the one whose greenlet waits first.  Waits
elsewhere look again and again.
"""

from __future__ import absolute_import, division, print_function

import gevent
import gevent.event

from clusterclient_sync._compat import existing_hub, monotonic, native_sleep

LOOK_INTERVAL = 0.001


class Event(object):
    """As ``gevent.event.Event``."""

    def __init__(self):
        self._is_set = False
        self._hub = None
        self._event = gevent.event.Event()

    def set(self):
        self._is_set = True
        if self._hub is None or self._hub is existing_hub():
            self._event.set()
        elif self._hub.loop is not None:  # else nobody waits there any more
            self._hub.loop.run_callback_threadsafe(self._event.set)

    def clear(self):
        self._is_set = False
        self._event.clear()

    def is_set(self):
        return self._is_set

    def wait(self, timeout=None):
        """Block until it is set; whether it is."""
        hub = existing_hub()
        if self._hub is None:
            self._hub = hub
        if hub is not None and hub is self._hub:
            return self._is_set or self._event.wait(timeout)
        look = native_sleep if hub is None else gevent.sleep
        until = None if timeout is None else monotonic() + timeout
        while not self._is_set:
            if until is not None and monotonic() > until:
                break
            look(LOOK_INTERVAL)
        return self._is_set
