"""Plain non-blocking sockets for the hub's watchers.

These are the C-level sockets below gevent's (and below the standard library's): their ``close``
closes at once, where gevent's may wait for a turn of the loop.  That matters, since a closed
listener is what lets the next leader in.  The only function here that waits is :func:`connect`; it
waits on gevent's hub.
"""

from __future__ import absolute_import, division, print_function

import _socket
import errno
import os
import socket

import gevent
from gevent.socket import getaddrinfo

from .._compat import set_close_on_exec

#: The kernel caps this at its own limit.
BACKLOG = 4096

_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)


def _stream_socket(family):
    sock = _socket.socket(family, _socket.SOCK_STREAM)
    return _prepared(sock)


def _prepared(sock):
    set_close_on_exec(sock.fileno())
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def resolve(host, port):
    """The family and the address of a host that is a number or a name."""
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, str(host))
        except (_socket.error, ValueError):
            continue
        return family, (str(host), port)
    # A name: gevent asks in a native thread, which a number does not need.
    family, _, _, _, address = getaddrinfo(host, port, 0, _socket.SOCK_STREAM)[0]
    return family, address


def listen(host, port):
    """A listening socket: whoever gets one has won the port.

    With ``SO_REUSEADDR`` two processes can both bind an address that nobody listens on yet; only
    ``listen`` tells who won.

    :raises socket.error: with ``errno.EADDRINUSE`` where another holds the port.
    """
    family, address = resolve(host, port)
    sock = _stream_socket(family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def accept(listener):
    """The next connection of a listening socket.

    :raises socket.error: with ``errno.EAGAIN`` where there is none, ``errno.EMFILE`` and so on
        where there are no descriptors left.
    """
    if hasattr(listener, "_accept"):
        fileno, _ = listener._accept()
        return _prepared(_socket.socket(fileno=fileno))
    sock, _ = listener.accept()
    return _prepared(sock)


def shut_down(sock):
    """End what a socket does without closing it; one that is closed or unconnected is left alone.

    Safe in any thread: the descriptor stays its owner's, and cannot become another's meanwhile.
    """
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except socket.error:
        pass


def connect(host, port, timeout):
    """A connected socket.

    :param timeout: seconds.
    :raises socket.error: refused, or ``errno.ETIMEDOUT``.
    """
    family, address = resolve(host, port)
    sock = _stream_socket(family)
    try:
        code = sock.connect_ex(address)
        if code in _IN_PROGRESS:
            _wait_writable(sock, timeout)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise socket.error(code, os.strerror(code))
        if sock.getsockname() == sock.getpeername():
            # A connect to a free port of the ephemeral range can meet itself.  It would keep the
            # port from everybody.
            raise socket.error(errno.ECONNREFUSED, "connected to itself: nobody listens there")
    except BaseException:
        sock.close()
        raise
    return sock


def _wait_writable(sock, timeout):
    hub = gevent.get_hub()
    watcher = hub.loop.io(sock.fileno(), 2)
    timer = gevent.Timeout(timeout)
    timer.start()
    try:
        hub.wait(watcher)
    except gevent.Timeout as error:
        if error is not timer:
            raise
        raise socket.error(errno.ETIMEDOUT, "no connection in %s s" % timeout)
    finally:
        timer.close()
        watcher.stop()
        watcher.close()
