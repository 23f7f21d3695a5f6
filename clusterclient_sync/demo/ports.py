"""A port for the workers to meet at."""

from __future__ import absolute_import, division, print_function

import socket

from clusterclient_sync.election.free_ports import candidates


def free_port(host="127.0.0.1"):
    """A port that nobody listens at now, and that no outgoing connection is given by the system.

    Port 0 would give one of the latter, and then, while no worker listens, one of the demo's own
    HTTP connections could take it.
    """
    for port in candidates():
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            probe.bind((host, port))
            return port
        except (OSError, socket.error):
            continue
        finally:
            probe.close()
    raise RuntimeError("no port on %s is free" % host)
