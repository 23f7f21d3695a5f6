"""One greenlet waits for one result.

A :class:`Wait` costs no queue, no event and no timer: the greenlet that waits switches to the hub,
and whoever has the result switches back.  It is resolved at most once; what comes later is dropped.
The waiting greenlet may be killed or timed out at any moment, also in the turn in which its result
arrives: its exception passes unchanged, and no later wait of that greenlet gets the result, because
a wait that has ended knows no greenlet any more.
"""

from __future__ import absolute_import, division, print_function

from gevent import get_hub
from greenlet import getcurrent


class Wait(object):
    """A result that one greenlet waits for.

    ``value`` and ``error`` are valid once ``done`` is true.
    """

    __slots__ = ("greenlet", "done", "value", "error", "slot")

    def __init__(self):
        self.greenlet = None
        self.done = False
        self.value = None
        self.error = None
        self.slot = None  # where Deadlines keeps it

    def block(self, hub):
        """Wait until it is resolved; the caller looks at ``value`` or ``error`` then."""
        self.greenlet = getcurrent()
        try:
            # Others may switch to this greenlet too; only ``done`` ends the wait.
            while not self.done:
                hub.switch()
        finally:
            self.greenlet = None

    def result(self):
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value

    def resolve(self, value=None, error=None):
        """End the wait.  In the hub the waiter runs at once, else at the next turn of the loop."""
        if self.done:
            return
        self.done = True
        self.value = value
        self.error = error
        if self.greenlet is None:
            return
        hub = get_hub()
        if getcurrent() is hub:
            self.greenlet.switch()
        else:
            hub.loop.run_callback(self._wake)

    def resolve_in_hub(self, value):
        """End the wait with a value, in the hub: the waiter runs at once."""
        if not self.done:
            self.done = True
            self.value = value
            if self.greenlet is not None:
                self.greenlet.switch()

    def settle(self, value=None, error=None):
        """Note the result without waking anybody: a worker hands the wait on (see ``workers``)."""
        if not self.done:
            self.done = True
            self.value = value
            self.error = error

    def wake_soon(self):
        """Let the waiter of a settled wait go on, at the next turn of the loop."""
        get_hub().loop.run_callback(self._wake)

    def _wake(self):
        greenlet = self.greenlet
        if greenlet is not None:
            greenlet.switch()

    def expire(self):
        """Its deadline passed (called in the hub); subclasses know a better error."""
        self.resolve(error=DeadlinePassed())


class DeadlinePassed(Exception):
    """A wait ended because its deadline passed; turned into an error of ours at one boundary."""


def wait_until(wait, deadlines, when, hub):
    """Block on ``wait`` until ``when`` (monotonic seconds, ``None``: for ever).

    :return: whether it was resolved in time; where not, ``wait`` is dead and is not resolved later.
    """
    if when is not None:
        deadlines.add(wait, when)
    try:
        wait.block(hub)
    finally:
        wait.done = True
        deadlines.discard(wait)
    return not isinstance(wait.error, DeadlinePassed)
