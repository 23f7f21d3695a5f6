"""A port for the workers to meet at."""

from __future__ import absolute_import, division, print_function

import random
import socket

LOWEST = 20000
RANGE_FILE = "/proc/sys/net/ipv4/ip_local_port_range"
FALLBACK_HIGHEST = 32767  # below what Linux and macOS give to outgoing connections by default


def free_port(host="127.0.0.1"):
    """A port that nobody listens at now, and that no outgoing connection is given by the system.

    Port 0 would give one of the latter, and then, while no worker listens, one of the demo's own
    HTTP connections could take it.
    """
    candidates = list(range(LOWEST, _highest() + 1))
    random.shuffle(candidates)
    for port in candidates:
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            probe.bind((host, port))
            return port
        except (OSError, socket.error):
            continue
        finally:
            probe.close()
    raise RuntimeError("no free port on %s between %d and %d" % (host, LOWEST, _highest()))


def _highest():
    try:
        with open(RANGE_FILE) as range_file:
            highest = int(range_file.read().split()[0]) - 1
    except (OSError, IOError, ValueError, IndexError):
        return FALLBACK_HIGHEST
    return highest if highest > LOWEST else FALLBACK_HIGHEST
