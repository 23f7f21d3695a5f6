"""A hard limit for each phase of each test.

When it is over, :class:`LimitExceeded` is raised in whatever runs in the main thread, the hub and
its greenlets included, and again every few seconds until the phase ends.  Where even that does not
help (a native call that never returns), ``faulthandler`` prints the stacks and ends the process.
"""

from __future__ import absolute_import, division, print_function

import contextlib
import os
import signal

import gevent.hub
import gevent.util
import pytest

try:
    import faulthandler
except ImportError:  # Python 2: the alarm has to do
    faulthandler = None

DEFAULT_LIMIT = 60.0
REPEAT_INTERVAL = 5.0
LAST_RESORT_DELAY = 30.0


class LimitExceeded(pytest.fail.Exception):
    """The test took longer than its limit; the text shows where everything stood."""


# A greenlet or hub callback in which it is raised passes it on to the test's own greenlet.
gevent.hub.Hub.SYSTEM_ERROR = gevent.hub.Hub.SYSTEM_ERROR + (LimitExceeded,)


class Limiter(object):
    """Arms and disarms the limit; there is one for the session."""

    def __init__(self):
        # pytest redirects descriptor 2 while a test runs; the last words go to the real one.
        self._stderr = os.dup(2)

    def close(self):
        os.close(self._stderr)

    @contextlib.contextmanager
    def limit(self, what, seconds):
        """Fail what runs inside after ``seconds``; ``what`` names it in the message."""
        def on_alarm(signum, frame):
            raise LimitExceeded("%s took longer than %g s.\n%s" % (
                what, seconds, "\n".join(gevent.util.format_run_info())))

        if faulthandler is not None:
            faulthandler.dump_traceback_later(
                seconds + LAST_RESORT_DELAY, exit=True, file=self._stderr)
        previous = signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_INTERVAL)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            if faulthandler is not None:
                faulthandler.cancel_dump_traceback_later()


def limit_of(item):
    """The limit of a test in seconds: its mark ``limit``, else the default."""
    mark = item.get_closest_marker("limit")
    if mark is None:
        return DEFAULT_LIMIT
    return float(mark.kwargs["seconds"] if "seconds" in mark.kwargs else mark.args[0])
