"""Connections with a scripted peer, and sockets that count, for the tests of ``transport``."""

from __future__ import absolute_import, division, print_function

import socket

import gevent
from gevent.event import Event

from clusterclient_sync.greenlets.deadlines import Deadlines
from clusterclient_sync.transport.connection import Connection
from support import scripted

LIMIT = 2 ** 20


class Tapped(object):
    """A socket whose sends are counted, and may be cut short, refused or swallowed."""

    def __init__(self, sock):
        self._sock = sock
        self.fileno, self.close, self.recv = sock.fileno, sock.close, sock.recv
        self.sends = []  # the sizes that were taken
        self.most = None  # bytes that one send takes
        self.error = None  # an errno to fail with, once
        self.swallows = False  # take all without sending it

    def send(self, data):
        if self.error is not None:
            code, self.error = self.error, None
            raise socket.error(code, "scripted")
        if self.most is not None:
            data = data[:self.most]
        taken = len(data) if self.swallows else self._sock.send(data)
        self.sends.append(taken)
        return taken


class Line(object):
    """A connection, its peer, its handler and its deadlines."""

    def __init__(self, on_request=None, limit=LIMIT):
        sock, self.peer = scripted.pair()
        self.sock = Tapped(sock)
        self.deadlines = Deadlines(gevent.get_hub())
        self.handler = scripted.Recorder(on_request)
        self.connection = Connection(self.sock, self.handler, self.deadlines, limit)

    def end(self):
        self.connection.close()
        self.deadlines.close()
        self.peer.close()

    def block(self):
        """Send until the kernel takes no more; returns what was sent of this, in all."""
        data = b"\0" * 65536
        total = 0
        while not self.connection.outgoing_size:
            self.connection.send(data)
            in_hub(self.connection.flush)
            total += len(data)
            assert total < 64 * 2 ** 20
        return total

    def requests(self, count):
        """The next requests that the peer gets."""
        return [self.peer.read_message() for _ in range(count)]


def in_hub(function, *args):
    """Call it in the hub; returns what it gave when that is done."""
    done, results = Event(), []

    def call():
        try:
            results.append(function(*args))
        finally:
            done.set()

    gevent.get_hub().loop.run_callback(call)
    assert done.wait(scripted.TIMEOUT)
    return results[0]
