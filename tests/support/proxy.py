"""A proxy in this process between a client and its leader, which a test makes misbehave.

Each connection has a :class:`Link`; what the proxy is told holds for its links and those to come.
"""

from __future__ import absolute_import, division, print_function

import struct

import gevent
from gevent import socket
from gevent.event import Event

from support.raw_peer import TIMEOUT

_PIECE = 2 ** 16


class Proxy(object):
    """Listens at a port of its own.

    :param target: the port to connect to; may be changed, for the links to come.
    """

    def __init__(self, target):
        self.target = target
        self.links = []
        self._is_open = Event()
        self._is_open.set()
        self._is_swallowing = False
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(16)
        self.port = self._listener.getsockname()[1]
        self._greenlet = gevent.spawn(self._accept_all)

    def _accept_all(self):
        while True:
            near, _ = self._listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target), TIMEOUT)
            except socket.error:
                _reset(near)
            except BaseException:  # this greenlet is killed
                _reset(near)
                raise
            else:
                self._link(near, far)

    def _link(self, near, far):
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.links = [link for link in self.links if not link.is_over]
        self.links.append(Link(near, far, self._is_open, self._is_swallowing))

    def hold(self):
        """Pass nothing on, and read no more than a piece, until :meth:`let_go`."""
        self._is_open.clear()

    def let_go(self):
        """Pass on what was held, and all that comes."""
        self._is_open.set()

    def swallow(self, swallows=True):
        """Lose what comes from now on, in both directions, as a network that broke does: no end
        of a connection is told either.  Links that have swallowed stay broken.
        """
        self._is_swallowing = swallows
        if swallows:
            for link in self.links:
                link.is_swallowing = True

    def cut(self, after=0):
        """Break each link: both sides get their end once ``after`` more bytes have gone through."""
        for link in self.links:
            link.cut(after)

    def close(self):
        """End it all."""
        self._greenlet.kill()
        self._listener.close()
        for link in self.links:
            link.end()


class Link(object):
    """One connection through the proxy."""

    def __init__(self, near, far, is_open, is_swallowing):
        self.is_swallowing = is_swallowing
        self.is_over = False
        self._sockets = (near, far)
        self._is_open = is_open
        self._left = None  # bytes until the cut
        self._pumps = [gevent.spawn(self._pump, near, far), gevent.spawn(self._pump, far, near)]

    def cut(self, after):
        """See :meth:`Proxy.cut`."""
        if after:
            self._left = after
        else:
            self.end()

    def end(self):
        """Break both sides."""
        self.is_over = True
        gevent.killall([pump for pump in self._pumps if pump is not gevent.getcurrent()])
        for sock in self._sockets:
            _reset(sock)

    def _pump(self, source, sink):
        try:
            while True:
                data = source.recv(_PIECE)
                self._is_open.wait()
                if self.is_swallowing:
                    if not data:
                        return  # and the other side never learns of it
                    continue
                if not data:
                    break
                sink.sendall(self._until_cut(data))
                if self._left == 0:
                    sink.shutdown(socket.SHUT_WR)  # a reset could overtake the half frame
                    break
        except socket.error:
            if self.is_swallowing:
                return
        self.end()

    def _until_cut(self, data):
        if self._left is not None:
            data = data[:self._left]
            self._left -= len(data)
        return data


def _reset(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except socket.error:
        pass
    sock.close()
