"""The processes that the demo starts, each with whatever it starts in a group of its own."""

from __future__ import absolute_import, division, print_function

import os
import signal

import gevent
from gevent import subprocess

from clusterclient_sync._compat import monotonic

KILL_TIMEOUT = 1.0
LEAST_GRACE = 0.3  # for the last ones too, when an earlier one took all the time
START_TIMEOUT = 2.0


def is_alive(pid):
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (OSError, IOError, IndexError):
        return not os.path.isdir("/proc/self")  # it went away, or the system has no /proc


class Processes(object):
    """Starts processes and ends them all, by their own and by their groups' ids."""

    def __init__(self):
        self._starting = []

    def start(self, arguments, **how):
        """Start one; ``how`` is ``Popen``'s.  Returns the ``Popen``."""
        # The greenlet that asks for it may be killed meanwhile.  Started in one that is not, no
        # process exists that ``stop`` does not know.
        greenlet = gevent.spawn(subprocess.Popen, arguments, start_new_session=True, **how)
        self._starting.append(greenlet)
        return greenlet.get()

    def stop(self, grace):
        """End all, the youngest first: SIGTERM, then after ``grace`` seconds SIGKILL to its group.

        Returns the pids of those that had to be killed or that failed before.
        """
        deadline = monotonic() + grace
        unclean = []
        while self._starting:
            greenlet = self._starting.pop()
            greenlet.join(START_TIMEOUT)
            if greenlet.successful() and not self._stop_one(greenlet.value, deadline):
                unclean.append(greenlet.value.pid)
        return unclean

    @staticmethod
    def _stop_one(process, deadline):
        if process.poll() is None:
            process.terminate()
            _wait(process, max(LEAST_GRACE, deadline - monotonic()))
        clean = process.poll() is not None
        _signal_group(process.pid, signal.SIGKILL)  # what it left behind, or it and all the rest
        _wait(process, KILL_TIMEOUT)
        return clean


def _wait(process, timeout):
    try:
        process.wait(timeout=timeout)
    except subprocess.TimeoutExpired:
        pass  # the caller looks again


def _signal_group(group, number):
    try:
        os.killpg(group, number)
    except OSError:
        pass  # nobody is left in it
