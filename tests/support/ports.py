"""Loopback ports for tests whose processes have to agree on one."""

from __future__ import absolute_import, division, print_function

import socket

from clusterclient_sync.election.free_ports import candidates

_untried = []


def free_port(host="127.0.0.1"):
    """A port that nobody has now, and that this run has not been given before."""
    if not _untried:
        _untried.extend(candidates())
    while _untried:
        port = _untried.pop()
        if _can_bind(host, port):
            return port
    raise RuntimeError("no free port is left")


def _can_bind(host, port):
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.bind((host, port))
        return True
    except (IOError, OSError):
        return False
    finally:
        probe.close()
