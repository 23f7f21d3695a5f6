"""One listening socket and the connections that it accepted.

A :class:`Server` accepts in the hub and reads the registrations of new connections.  A registration
for a channel that it has goes to that channel's handler, together with the connection; from then on
the connection is the channel's.  One for a channel that it lacks is answered where the peer is
Python, and held where it is not (a Node follower takes a refusal for final): when the channel
comes, or when the connection goes, that ends.

Bad peers cost little: what is not our protocol, a connection that does not register within
``handshake_timeout``, a first frame of more than 64 KiB end that connection with a log line.

A channel's handler has ``on_register(connection, frame)``, ``cut_off()`` (see :meth:`Server.cut`),
and what ``connection`` asks of handlers.
"""

from __future__ import absolute_import, division, print_function

import collections
import logging

from gevent import get_hub

from .._compat import monotonic
from ..exceptions import ConnectionClosedError, FrameTooLargeError
from ..greenlets.deadlines import Deadlines
from ..protocol import messages
from . import fork_guard, sockets
from .acceptor import Acceptor
from .connection import Connection

_log = logging.getLogger(__name__)

_MAX_UNREGISTERED_FRAME = 64 * 1024
#: registrations of one connection for channels that are not there
_MAX_HELD = 64

#: ``max_frame_size`` (bytes), ``handshake_timeout`` (seconds), ``max_connections``
Limits = collections.namedtuple("Limits", "max_frame_size handshake_timeout max_connections")


class Server(object):
    """See the module.

    :param listener: a listening socket of ``sockets.listen``; becomes the server's own.
    :param limits: the :class:`Limits` of all its connections.
    :param refuse: called as ``refuse(connection, frame)`` for a registration for a channel that
        is not there; returns whether it is to be held.
    """

    def __init__(self, listener, limits, refuse):
        self.channels = {}
        self.deadlines = Deadlines(get_hub())
        self.is_closed = False
        self._loop = get_hub().loop
        self._limits = limits
        self._refuse = refuse
        self._connections = set()
        self._newcomers = {}  # connection -> its _Newcomer
        self._acceptor = Acceptor(
            self._loop, listener, limits.max_connections, self._on_socket, self.abandon)
        fork_guard.watch_over(self)

    @property
    def port(self):
        """The port that it listens on."""
        return self._acceptor.listener.getsockname()[1]

    def add_channel(self, name, handler):
        """Serve a channel; registrations that were held for it are handed on."""
        self.channels[name] = handler
        self._loop.run_callback(self._hand_on_held, name)

    def remove_channel(self, name):
        """Serve a channel no more; its connections stay as they are."""
        self.channels.pop(name, None)

    def _hand_on_held(self, name):
        for newcomer in list(self._newcomers.values()):
            held, newcomer.held = newcomer.held, []
            for frame in held:
                if frame.head.get("channelName") != name:
                    newcomer.held.append(frame)
                elif not newcomer.connection.is_closed:
                    # The first one gives the connection to the channel, which gets the others.
                    newcomer.connection.handler.on_request(newcomer.connection, frame)

    # Newcomers ----------------------------------------------------------------------------

    def _on_socket(self, sock):
        connection = Connection(sock, self, self.deadlines, _MAX_UNREGISTERED_FRAME)
        connection.on_released = self._on_released
        self._connections.add(connection)
        newcomer = self._newcomers[connection] = _Newcomer(self, connection)
        self._expect_registration(newcomer)

    def _on_released(self, connection):
        self._connections.discard(connection)
        self._acceptor.note_closed()

    def _expect_registration(self, newcomer):
        self.deadlines.discard(newcomer)
        self.deadlines.add(newcomer, monotonic() + self._limits.handshake_timeout)

    # A handler of connections that have not registered -------------------------------------

    def on_request(self, connection, frame):
        """A request of a connection that has no channel yet."""
        type = frame.head.get("type")
        newcomer = self._newcomers.get(connection)
        if type == messages.HEARTBEAT:
            connection.respond(frame, messages.HEARTBEAT_RESPONSE)
        if type != messages.REGISTER_CHANNEL or newcomer is None:
            return
        channel = frame.head.get("channelName")
        if not hasattr(channel, "encode"):
            return  # no channel at all: the handshake_timeout goes on
        newcomer.has_spoken = True
        handler = self.channels.get(channel)
        if handler is not None:
            self._forget(connection)
            connection.decoder.max_frame_size = self._limits.max_frame_size
            connection.handler = handler
            handler.on_register(connection, frame)
        elif self._refuse(connection, frame):
            # Beyond the bound the oldest go: their sender has long since asked again.
            newcomer.held = newcomer.held[1 - _MAX_HELD:] + [frame]
            self.deadlines.discard(newcomer)
        else:
            self._expect_registration(newcomer)

    def on_closed(self, connection, error):
        """A connection went before it had a channel."""
        newcomer = self._forget(connection)
        if isinstance(error, FrameTooLargeError):
            _log.warning("A connection did not begin with a registration (%s)", error)
        elif not isinstance(error, ConnectionClosedError):
            _log.warning("What came in is not a cluster client: %s", error)
        elif connection.decoder.is_inside_frame:
            _log.warning("A connection ended in the middle of its first frame")
        elif newcomer is not None and newcomer.has_spoken:
            _log.debug("A connection ended before its channel was there: %s", error)

    def on_drained(self, connection):
        """Nothing waits for that here."""

    def _forget(self, connection):
        newcomer = self._newcomers.pop(connection, None)
        if newcomer is not None:
            self.deadlines.discard(newcomer)
        return newcomer

    # Ending -------------------------------------------------------------------------------

    def close(self):
        """Free the port, then end the connections that have no channel."""
        if self.is_closed:
            return
        self._release()
        for connection in list(self._newcomers):
            connection.close()

    def cut(self):
        """Cut off the channels, then shut down the connections and the port without closing them;
        from any thread.

        On Linux that frees the port for the next process.  The loop finds out when it runs.
        """
        for handler in list(self.channels.values()):
            handler.cut_off()
        for connection in list(self._connections):
            connection.cut()
        sockets.shut_down(self._acceptor.listener)

    def abandon(self):
        """In a forked child: let go of the parent's port."""
        if not self.is_closed:
            self._release()
            self._newcomers.clear()
            self.channels.clear()

    def _release(self):
        self.is_closed = True
        fork_guard.forget(self)
        self._acceptor.close()
        # Deadlines that remain belong to connections which end right after this.
        self._loop.run_callback(self.deadlines.close)


class _Newcomer(object):
    """A connection that has not registered yet, and its deadline."""

    __slots__ = ("server", "connection", "held", "has_spoken", "slot")

    def __init__(self, server, connection):
        self.server = server
        self.connection = connection
        self.held = []
        self.has_spoken = False
        self.slot = None

    def expire(self):
        self.connection.read_what_is_there()
        is_new = self.server._newcomers.get(self.connection) is self
        if is_new and self.slot is None and not self.held:
            _log.warning("A connection did not register in time and is closed")
            self.connection.close(ConnectionClosedError("it did not register in time"))
