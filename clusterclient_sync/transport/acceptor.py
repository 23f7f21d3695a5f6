"""A listening socket: takes the connections that come in, as long as there is room for them.

An :class:`Acceptor` owns the listening socket and its watcher.  It pauses where descriptors run
out, and where ``max_connections`` are open: who comes then waits in the kernel's queue until
another connection ends.  Both are logged.
"""

from __future__ import absolute_import, division, print_function

import errno
import logging
import os
import socket

from . import sockets

_log = logging.getLogger(__name__)

_ACCEPTS_PER_TURN = 64
_PAUSE_WITHOUT_DESCRIPTORS = 0.2
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NOTHING_THERE = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR)


class Acceptor(object):
    """See the module.

    :param listener: a listening socket of ``sockets.listen``; becomes the acceptor's own.
    :param max_connections: so many are open at once.
    :param on_socket: called as ``on_socket(sock)`` in the hub for each connection; who has it calls
        :meth:`note_closed` when it has ended.
    :param on_foreign: called where the watcher runs in a forked child.
    """

    def __init__(self, loop, listener, max_connections, on_socket, on_foreign):
        self.listener = listener
        self.is_closed = False
        self._open = 0
        self._max_connections = max_connections
        self._on_socket = on_socket
        self._on_foreign = on_foreign
        self._loop = loop
        self._pid = os.getpid()
        self._is_full = False
        self._pause = None
        self._watcher = loop.io(listener.fileno(), 1)
        self._watcher.start(self._on_acceptable)

    def note_closed(self):
        """A connection of this acceptor has ended."""
        self._open -= 1
        if self._is_full and not self.is_closed:
            self._is_full = False
            self._watcher.start(self._on_acceptable)

    def _on_acceptable(self):
        if os.getpid() != self._pid:
            self._on_foreign()
            return
        for _ in range(_ACCEPTS_PER_TURN):
            if self._open >= self._max_connections:
                self._stop_at_limit()
                return
            try:
                sock = sockets.accept(self.listener)
            except socket.error as error:
                if error.errno in _NO_DESCRIPTORS:
                    self._pause_accepting(error)
                elif error.errno not in _NOTHING_THERE:
                    _log.warning("A connection could not be accepted: %s", error)
                return
            self._open += 1
            self._on_socket(sock)

    def _stop_at_limit(self):
        _log.warning("max_connections is met: %d connections are open, others wait until one ends",
                     self._open)
        self._is_full = True
        self._watcher.stop()

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

    def close(self):
        """Free the port."""
        self.is_closed = True
        self._watcher.stop()
        self._watcher.close()
        self.listener.close()
        self._drop_pause()
