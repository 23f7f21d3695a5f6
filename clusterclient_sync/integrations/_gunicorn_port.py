"""A port that a gunicorn master keeps for its workers.

It is bound and never listened on.  So programs that bind without ``SO_REUSEADDR``, or ask for any
free port, are kept off, while each worker may bind it beside the master, and exactly one of them
can listen.
"""

from __future__ import absolute_import, division, print_function

import _socket
import errno
import socket

from ..election import free_ports
from . import _descriptors


class Reservation(object):
    """A port that is kept as long as ``fileno`` is open, here or in another process."""

    def __init__(self, port, fileno):
        self.port = port
        self.fileno = fileno

    def close(self):
        """Keep it no more, as far as this process is concerned."""
        _descriptors.close(self.fileno)
        self.fileno = None


def reserve_free(host):
    """Choose a port that nobody has, and keep it.

    :raises socket.error: the host's address is not this machine's, and the like.
    """
    for port in free_ports.candidates():
        reservation = _reserve(host, port, shared=False)
        if reservation is not None:
            return reservation
    raise socket.error(errno.EADDRINUSE, "no free port is left at %s" % host)


def reserve(host, port):
    """Keep this port; ``None`` where somebody listens on it, a leader perhaps.

    :raises socket.error: as :func:`reserve_free`.
    """
    return _reserve(host, port, shared=True)


def _reserve(host, port, shared):
    # The C-level sockets: in a master that gevent has patched, others would start its hub.
    family, _, _, _, address = _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)[0]
    sock = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        if shared:
            _let_others_bind(sock)
        sock.bind(address)
        # Not before: two masters could both bind with it, and would take each other's workers.
        _let_others_bind(sock)
        fileno = _descriptors.duplicate(sock.fileno())
    except socket.error as error:
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    finally:
        sock.close()
    return Reservation(port, fileno)


def _let_others_bind(sock):
    sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
