"""Leadership by a port: who listens on it leads all the channels that it has.

The clients of a process share one server per address.  Each channel that the process leads has a
:class:`Seat` there.  States of a server: it is *open*; *leaving* once its process steps down from
the port (every seat is asked to leave, and the listener closes when the last one has); *closed*.

After stepping down, this process does not claim the port again for a while, so that others can.
"""

from __future__ import absolute_import, division, print_function

import errno
import logging
import os
import socket

from gevent import get_hub
from gevent.event import Event

from .._compat import monotonic
from ..exceptions import LeaderUnavailableError
from ..transport import sockets
from ..transport.server import Server
from . import port_holder

_log = logging.getLogger(__name__)

_servers = {}  # (pid, hub id, host, port) -> _SharedServer
_not_before = {}  # (pid, host, port) -> monotonic time


def _leave_to_others(host, port, seconds):
    _not_before[os.getpid(), host, port] = monotonic() + seconds


class NotNow(Exception):
    """This process leaves the port to others for the moment."""


class PortElection(object):
    """Leadership by one address.

    :param limits: of the server, see ``transport.server``; those of the client that makes it hold
        for all channels.
    :param refuse: called as ``refuse(channels, connection, frame)`` for a registration for none of
        these channels; returns whether it is to be held until the channel is there.
    """

    def __init__(self, host, port, limits, refuse):
        self.host = host
        self.port = port
        self._limits = limits
        self._refuse = refuse
        self._holder = port_holder.NOBODY_KNOWN

    @property
    def address(self):
        """``host:port``."""
        return "%s:%d" % (self.host, self.port)

    def claim(self, channel, handler, on_leave):
        """Try to lead a channel.

        :param handler: serves the channel's connections, see ``transport.server``.
        :param on_leave: called, at most once and in any greenlet, when the process is to step down.
        :return: a :class:`Seat`, or ``None`` where another leads.
        :raises NotNow: this process is stepping down, or has just done so.
        :raises socket.error: the address cannot be listened on, not because another does.
        """
        shared = _servers.get(self._key())
        if shared is None:
            if self.seconds_until_claim() > 0:
                raise NotNow()
            # Another client of this process may have won while this one looked the address up.
            shared = self._listen() or _servers.get(self._key())
        if shared is not None and shared.is_leaving:
            raise NotNow()
        if shared is None or channel in shared.seats:
            return None
        return Seat(shared, channel, handler, on_leave)

    def _key(self):
        return os.getpid(), id(get_hub()), self.host, self.port

    def _listen(self):
        try:
            listener = sockets.listen(self.host, self.port)
        except socket.error as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise
        shared = _servers[self._key()] = _SharedServer(self._key(), self._refuse)
        shared.server = Server(listener, self._limits, shared.refuse)
        return shared

    def locate(self, timeout):
        """A connected socket to whoever leads.

        :param timeout: seconds.
        :raises LeaderUnavailableError: nobody listens, or nobody accepts.
        """
        try:
            sock = sockets.connect(self.host, self.port, timeout)
        except socket.error as error:
            self._holder = port_holder.NOBODY_KNOWN
            raise LeaderUnavailableError(
                "nobody can be reached at %s (%s)" % (self.address, error), address=self.address)
        return sock

    def note_another_leads(self):
        """A leader has answered: the port was taken by another, nothing is left to others now.

        A connection alone says nothing: the kernel makes it for a leader that is just dying, too.
        """
        _not_before.pop((os.getpid(), self.host, self.port), None)

    def leave_to_others(self, seconds):
        """From now on this process does not claim the port for so long, unless another has."""
        _leave_to_others(self.host, self.port, seconds)

    def seconds_until_claim(self):
        """How long this process must leave the port to others; 0 where it may claim it."""
        return max(0.0, _not_before.get((os.getpid(), self.host, self.port), 0.0) - monotonic())

    @property
    def holder(self):
        """Who held the port when that was last looked up, as ``port_holder.Holder``."""
        return self._holder

    def look_up_holder(self):
        """Find out who holds the port; blocks the greenlet that asks.

        In a native thread: on a busy host the system's tables are long, and the loop, or a caller
        whose deadline passed, would have to wait for them.
        """
        self._holder = get_hub().threadpool.apply(port_holder.find, (self.port,))


class _SharedServer(object):
    """A server and the seats of the channels that this process leads there."""

    def __init__(self, key, refuse):
        self.key = key
        self.server = None
        self.listening_since = monotonic()
        self.seats = {}
        self.is_leaving = False
        self.freed = Event()
        self._cooldown = 0.0
        self._refuse = refuse
        self._left = []  # what to close after the listener

    def refuse(self, connection, frame):
        """A registration for a channel that is not here; whether it is held."""
        # While the process leaves, the closed connection will be the answer.
        return self.is_leaving or self._refuse(sorted(self.seats), connection, frame)

    def leave(self, cooldown):
        """Ask every seat to leave; the port is freed when the last one has."""
        if self.is_leaving:
            return
        self.is_leaving = True
        self._cooldown = cooldown
        for seat in list(self.seats.values()):
            seat.ask_to_leave()

    def vacate(self, seat, close_connections):
        """A seat is given up.  Its connections are closed when the port is free, if it becomes so.
        """
        if self.seats.get(seat.channel) is not seat:
            return
        del self.seats[seat.channel]
        self.server.remove_channel(seat.channel)
        if not self.seats:
            _servers.pop(self.key, None)
            self.server.close()
            if self.is_leaving:
                # From now on, when they can have it: finishing what was in hand may have taken
                # long.
                _leave_to_others(self.key[2], self.key[3], self._cooldown)
            left, self._left = self._left, []
            for close in left + [close_connections]:
                close()
            self.freed.set()
        elif self.is_leaving:
            self._left.append(close_connections)
        else:
            close_connections()


class Seat(object):
    """A channel's leadership at this process's server."""

    def __init__(self, shared, channel, handler, on_leave):
        self.channel = channel
        self._shared = shared
        self._on_leave = on_leave
        shared.seats[channel] = self
        shared.server.add_channel(channel, handler)

    @property
    def listening_since(self):
        """When the port was won: monotonic seconds."""
        return self._shared.listening_since

    @property
    def is_only_one(self):
        """Whether no other channel is led at this server."""
        return len(self._shared.seats) == 1

    @property
    def is_leaving(self):
        """Whether the process is stepping down from the port."""
        return self._shared.is_leaving

    def step_down(self, cooldown):
        """Have all the channels of this server leave it, this one included.

        :param cooldown: seconds for which this process then leaves the port to others, unless
            another claims it sooner.
        """
        self._shared.leave(cooldown)

    def cut(self):
        """End all that this server does, all its channels' included; from any thread, while the
        loop is blocked.  :meth:`step_down` is due when it runs again.
        """
        self._shared.server.cut()

    def ask_to_leave(self):
        """Tell the seat's owner, once."""
        on_leave, self._on_leave = self._on_leave, None
        if on_leave is not None:
            on_leave()

    def vacate(self, close_connections):
        """Give the seat up.

        :param close_connections: called once the others may know: right away where the port stays
            with this process, after the listener was closed where it does not.
        """
        self._shared.vacate(self, close_connections)

    def wait_until_free(self, timeout):
        """After ``vacate``: wait until the port is free, where this process steps down from it."""
        if self._shared.is_leaving:
            self._shared.freed.wait(timeout)
