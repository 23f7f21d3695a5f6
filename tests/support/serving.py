"""A server with scripted peers, for the tests of ``transport.server``."""

from __future__ import absolute_import, division, print_function

import logging

import gevent

from clusterclient_sync.transport import sockets
from clusterclient_sync.transport.server import Limits, Server
from support.scripted import Recorder, connect, until

REGISTER = {"type": "register_channel", "channelName": "a"}
HANDSHAKE = 1000.0  # a test that is about it moves the clock
LARGE = 2 ** 20


class Served(object):
    """A server with its peers; ``holds`` says what becomes of unknown channels."""

    def __init__(self, max_connections=1000):
        self.holds = True
        self.refused = []
        self.answer = None
        self.server = Server(
            sockets.listen("127.0.0.1", 0), Limits(LARGE, HANDSHAKE, max_connections),
            self._refuse)
        self.peers = []

    def _refuse(self, connection, frame):
        self.refused.append((connection, frame))
        if self.answer is not None:
            connection.respond(frame, b'{"type":"register_channel_res"}', (self.answer,))
        return self.holds

    def peer(self, *pieces):
        """A connected peer that has sent this."""
        made = connect(self.server.port)
        self.peers.append(made)
        made.send(*pieces)
        return made

    def newcomer(self, *pieces):
        """A peer that has been accepted, and the connection at the server."""
        before = set(self.server._newcomers)
        peer = self.peer(*pieces)
        until(lambda: set(self.server._newcomers) - before)
        return peer, (set(self.server._newcomers) - before).pop()

    def end(self):
        self.server.close()
        for peer in self.peers:
            peer.close()
        gevent.sleep(0)  # the deadlines close at the next turn


class Channel(Recorder):
    """A channel's handler; notes its connections and ends them."""

    def __init__(self):
        super(Channel, self).__init__()
        self.connections = []

    def on_register(self, connection, frame):
        self.connections.append(connection)
        super(Channel, self).on_register(connection, frame)

    def end(self):
        for connection in self.connections:
            connection.close()


def warnings(caplog):
    return [record.getMessage() for record in caplog.records
            if record.levelno >= logging.WARNING]
