"""One listening socket and the connections that it accepted.

A :class:`Server` accepts in the hub and reads the registrations of new connections.  A registration
for a channel that it has goes to that channel's handler, together with the connection; from then on
the connection is the channel's.  One for a channel that it lacks is answered where the peer is
Python, and held where it is not (a Node follower takes a refusal for final): when the channel
comes, or when the connection goes, that ends.

Bad peers cost little: what is not our protocol, a connection that does not register within
``handshake_timeout``, a first frame of more than 64 KiB end that connection with a log line.  When
descriptors run out, accepting pauses.

A channel's handler has ``on_register(connection, frame)`` and what ``connection`` asks of handlers.
"""

from __future__ import absolute_import, division, print_function

import errno
import logging
import os
import socket

from gevent import get_hub

from .._compat import monotonic
from ..exceptions import ConnectionClosedError, FrameTooLargeError
from ..greenlets.deadlines import Deadlines
from ..protocol import messages
from . import fork_guard, sockets
from .connection import Connection

_log = logging.getLogger(__name__)

_ACCEPTS_PER_TURN = 64
_MAX_UNREGISTERED_FRAME = 64 * 1024
#: registrations of one connection for channels that are not there
_MAX_HELD = 64
_PAUSE_WITHOUT_DESCRIPTORS = 0.2
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server(object):
    """See the module.

    :param listener: a listening socket of ``sockets.listen``; becomes the server's own.
    :param refuse: called as ``refuse(connection, frame)`` for a registration for a channel that
        is not there; returns whether it is to be held.
    """

    def __init__(self, listener, max_frame_size, handshake_timeout, refuse):
        self.channels = {}
        self.deadlines = Deadlines(get_hub())
        self.is_closed = False
        self._loop = get_hub().loop
        self._pid = os.getpid()
        self._listener = listener
        self._max_frame_size = max_frame_size
        self._handshake_timeout = handshake_timeout
        self._refuse = refuse
        self._newcomers = {}  # connection -> its _Newcomer
        self._pause = None
        self._watcher = self._loop.io(listener.fileno(), 1)
        self._watcher.start(self._on_acceptable)
        fork_guard.watch_over(self)

    @property
    def port(self):
        """The port that it listens on."""
        return self._listener.getsockname()[1]

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

    # Accepting ----------------------------------------------------------------------------

    def _on_acceptable(self):
        if os.getpid() != self._pid:
            self.abandon()
            return
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                sock = sockets.accept(self._listener)
            except socket.error as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._pause_accepting(error)
                elif error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED,
                                         errno.EINTR):
                    _log.warning("A connection could not be accepted: %s", error)
                return
            connection = Connection(sock, self, self.deadlines, _MAX_UNREGISTERED_FRAME)
            newcomer = self._newcomers[connection] = _Newcomer(self, connection)
            self._expect_registration(newcomer)

    def _expect_registration(self, newcomer):
        self.deadlines.discard(newcomer)
        self.deadlines.add(newcomer, monotonic() + self._handshake_timeout)

    def _pause_accepting(self, error):
        _log.warning("No descriptors are left (%s): connections wait to be accepted", error)
        self._watcher.stop()
        self._pause = self._loop.timer(_PAUSE_WITHOUT_DESCRIPTORS)
        self._pause.start(self._accept_again)

    def _accept_again(self):
        self._drop_pause()
        if not self.is_closed and os.getpid() == self._pid:
            self._watcher.start(self._on_acceptable)

    def _drop_pause(self):
        if self._pause is not None:
            self._pause.stop()
            self._pause.close()
            self._pause = None

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
            connection.decoder.max_frame_size = self._max_frame_size
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

    def abandon(self):
        """In a forked child: let go of the parent's port."""
        if not self.is_closed:
            self._release()
            self._newcomers.clear()
            self.channels.clear()

    def _release(self):
        self.is_closed = True
        fork_guard.forget(self)
        self._watcher.stop()
        self._watcher.close()
        self._listener.close()
        self._drop_pause()
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
