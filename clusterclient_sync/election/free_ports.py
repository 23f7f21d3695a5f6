"""Ports to choose from where processes have to agree on one.

They lie outside the range from which the kernel takes ports for outgoing connections: otherwise,
while nobody listens, any connection of the host may be given the port that a new leader is about
to claim.
"""

from __future__ import absolute_import, division, print_function

import random

_LOWEST = 10000
_HIGHEST = 65000
_RANGE_FILE = "/proc/sys/net/ipv4/ip_local_port_range"


def ephemeral_range():
    """The kernel's own range, ``(first, last)``; that of macOS where the system does not tell."""
    try:
        with open(_RANGE_FILE) as line:
            first, last = line.read().split()
    except (IOError, OSError, ValueError):
        return 49152, 65535
    return int(first), int(last)


def candidates():
    """The ports to try, in an order of this call's own, so that two who choose do not meet.

    Where the kernel takes ports from everywhere, they are from everywhere too.
    """
    first, last = ephemeral_range()
    everything = range(_LOWEST, _HIGHEST)
    ports = [port for port in everything if not first <= port <= last] or list(everything)
    random.SystemRandom().shuffle(ports)
    return ports
