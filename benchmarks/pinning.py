"""Keeps processes on chosen cores."""

from __future__ import absolute_import, division, print_function

import os
import subprocess

from benchmarks.progress import LeftOut


class Pins(object):
    """Cores of those that this process may use, for the processes that it starts.

    :param apart: whether those that call have another core than the one that serves.
    :raises LeftOut: the system cannot do that, or has too few cores.
    """

    def __init__(self, apart):
        cores = _cores()
        if apart and len(cores) < 2:
            raise LeftOut("there is one core only")
        self._cores = {"serve": cores[-1], "call": cores[-2] if apart else cores[-1]}

    def start(self, command, role):
        """``(command, function to call in the child before it becomes that program)``.

        What that program starts, Node.js too, inherits the core.
        """
        core = self._cores[role]
        if hasattr(os, "sched_setaffinity"):
            return command, lambda: os.sched_setaffinity(0, {core})
        return ["taskset", "-c", str(core)] + command, None  # Python 2


def _cores():
    """The numbers of the cores that there are for us, ascending."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    try:
        told = subprocess.check_output(["taskset", "-cp", str(os.getpid())]).decode("ascii")
    except (OSError, subprocess.CalledProcessError):
        raise LeftOut("this system cannot keep a process on one core")
    return sorted(_numbers(told.rpartition(":")[2]))


def _numbers(text):
    """Those of a list such as ``0-2,5``."""
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield number
