"""Loopback ports for tests whose processes have to agree on one.

They lie outside the range from which the kernel takes ports for outgoing connections: otherwise a
connection of some other test may hold the port in the moment in which a new leader claims it.
"""

from __future__ import absolute_import, division, print_function

import os
import random
import socket

LOWEST = 10000
HIGHEST = 65000
_untried = []


def ephemeral_range():
    """The kernel's own range, ``(first, last)``; that of macOS where the system does not tell."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as line:
            first, last = line.read().split()
    except (IOError, OSError, ValueError):
        return 49152, 65535
    return int(first), int(last)


def free_port(host="127.0.0.1"):
    """A port that nobody has now, and that this run has not been given before."""
    if not _untried:
        first, last = ephemeral_range()
        _untried.extend(port for port in range(LOWEST, HIGHEST) if not first <= port <= last)
        # Seeded apart, so that two runs at one time do not walk over the same ports.
        random.Random(os.urandom(8)).shuffle(_untried)
    while _untried:
        port = _untried.pop()
        if _can_bind(host, port):
            return port
    raise RuntimeError("no free port between %d and %d is left" % (LOWEST, HIGHEST))


def _can_bind(host, port):
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.bind((host, port))
        return True
    except (IOError, OSError):
        return False
    finally:
        probe.close()
