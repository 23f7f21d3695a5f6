"""What the library does for its speed, to be counted: system calls, encodes, greenlets, callbacks.

Everything here looks from outside: at the sockets that the package makes, at the loop that it asks
for timers, at the transcode that it is given, and at the greenlets that run.
"""

from __future__ import absolute_import, division, print_function

import collections
import fcntl
import gc
import struct
import termios

import gevent
import greenlet

from clusterclient_sync import cluster
from clusterclient_sync.protocol.transcodes import JSON
from clusterclient_sync.transport import sockets
from clusterclient_sync.transport.connection import Connection
from support.connections import Tapped
from support.gates import Event

#: No test ends because of it: their limit is shorter.
TIMEOUT = 100.0

SEND, READ, TURN = "send", "read", "turn"

#: One line of a :class:`Wire`'s log.  A turn: a connection, whichever, begins to hand on
#: frames.  Of a send or a read, ``sock``; ``data``: what was offered to the kernel (the very
#: object) or read; ``size``: bytes that the kernel took, or that were there to be read.
Entry = collections.namedtuple("Entry", "what sock data size")


class _Socket(Tapped):

    def __init__(self, sock, log):
        super(_Socket, self).__init__(sock)
        self._log = log
        self.recv = self._recv

    def send(self, data):
        taken = 0
        try:
            taken = super(_Socket, self).send(data)
        finally:
            self._log(Entry(SEND, self, data, taken))
        return taken

    def _recv(self, most):
        there, = struct.unpack("i", fcntl.ioctl(self.fileno(), termios.FIONREAD, b"\0" * 4))
        data = None
        try:
            data = self._sock.recv(most)
        finally:
            self._log(Entry(READ, self, data, there))
        return data


class Wire(object):
    """All that the package's sockets, made from now on, do: ``log`` has it in order.

    ``accepted``: the sockets that a leader accepted, oldest first; ``connected``: those that
    followers made.
    """

    def __init__(self, monkeypatch):
        self.log = []
        self.accepted = []
        self.connected = []
        self._news = Event()
        self._tap(monkeypatch, "accept", self.accepted)
        self._tap(monkeypatch, "connect", self.connected)
        dispatch = Connection._dispatch

        def dispatch_and_note(connection):
            self._note(Entry(TURN, None, None, 0))
            return dispatch(connection)

        monkeypatch.setattr(Connection, "_dispatch", dispatch_and_note)

    def _tap(self, monkeypatch, name, made):
        function = getattr(sockets, name)

        def tapped(*args):
            made.append(_Socket(function(*args), self._note))
            return made[-1]

        monkeypatch.setattr(sockets, name, tapped)

    def _note(self, entry):
        self.log.append(entry)
        self._news.set()

    def clear(self):
        """Forget what was."""
        del self.log[:]

    def of(self, what, sock=None):
        """The entries of this, of one socket or of all."""
        return [entry for entry in self.log
                if entry.what == what and (sock is None or entry.sock is sock)]

    def wait_until(self, condition):
        """Return once it holds; it is looked at whenever something was sent or read."""
        while not condition():
            self._news.clear()
            self._news.wait()


class Together(object):
    """A forced leader and followers of one channel, all in this process.

    :param real_client: its class; it takes no arguments.
    :param options: of all of them.
    """

    def __init__(self, port, real_client, **options):
        options = dict({"port": port, "name": "costs", "runtime": "greenlet", "drain_timeout": 1,
                        "response_timeout": TIMEOUT}, **options)
        self._real_client = real_client
        self._options = options
        self._clients = []

    def lead(self, **options):
        """The leader, ready."""
        client = self.create(is_leader=True, **options)
        client.ready(TIMEOUT)
        return client

    def follow(self, count=1, **options):
        """So many followers, ready."""
        clients = [self.create(is_leader=False, **options) for _ in range(count)]
        for client in clients:
            client.ready(TIMEOUT)
        return clients

    def create(self, **options):
        """A client with these options; it is not waited for."""
        builder = cluster(self._real_client, **dict(self._options, **options))
        self._clients.append(builder.delegate("hold", "invoke", idempotent=True).create())
        return self._clients[-1]

    def close(self):
        """End them all, the leader last."""
        for client in reversed(self._clients):
            client.close()


def at_once(count, function, *args):
    """Call it in so many greenlets that all begin in one turn of the loop; what each returned."""
    greenlets = [gevent.spawn(function, *args) for _ in range(count)]
    gevent.joinall(greenlets, raise_error=True)
    return [one.value for one in greenlets]


class Transcode(object):
    """A user's transcode, JSON by another name, that keeps what it encodes and decodes."""

    name = "counting"

    def __init__(self):
        self.encoded = []
        self.decoded = []

    def encode(self, value):
        self.encoded.append(value)
        return JSON.encode(value)

    def decode(self, data):
        self.decoded.append(data)
        return JSON.decode(data)


class Running(object):
    """Inside ``with``, the greenlets that run: ``greenlets``, hubs and the test's own left out."""

    def __init__(self):
        self._seen = {}
        self._previous = None
        self._own = greenlet.getcurrent()

    def __enter__(self):
        self._previous = greenlet.settrace(self._on_switch)
        return self

    def __exit__(self, *exc_info):
        greenlet.settrace(self._previous)

    def _on_switch(self, event, pair):
        self._seen[id(pair[1])] = pair[1]  # kept, so that no other gets its id

    @property
    def greenlets(self):
        return [one for one in self._seen.values()
                if one is not self._own and not isinstance(one, gevent.hub.Hub)]

    def named(self, name):
        """Those of them whose class has this name."""
        return [one for one in self.greenlets if type(one).__name__ == name]


class TappedLoop(object):
    """A hub's loop that counts: put it in place before what is looked at is made.

    ``timers``: how many were made.  ``calls``: ``"Class.method"`` -> how often the loop called it,
    of the package's callbacks.
    """

    def __init__(self, loop):
        self._loop = loop
        self.timers = 0
        self.calls = collections.Counter()

    @classmethod
    def put(cls, monkeypatch):
        """In place of the loop of the hub of this thread."""
        hub = gevent.get_hub()
        tapped = cls(hub.loop)
        monkeypatch.setattr(hub, "loop", tapped)
        return tapped

    def __getattr__(self, name):
        return getattr(self._loop, name)

    def timer(self, *args, **kwargs):
        self.timers += 1
        return _Watcher(self._loop.timer(*args, **kwargs), self.counted)

    def io(self, *args, **kwargs):
        return _Watcher(self._loop.io(*args, **kwargs), self.counted)

    def run_callback(self, function, *args):
        return self._loop.run_callback(self.counted(function), *args)

    def counted(self, function):
        """The same function, which counts its calls where it is the package's."""
        owner = type(getattr(function, "__self__", function))
        if not owner.__module__.startswith("clusterclient_sync"):
            return function
        name = "%s.%s" % (owner.__name__, function.__name__)

        def call(*args):
            self.calls[name] += 1
            return function(*args)

        return call


class _Watcher(object):

    def __init__(self, watcher, counted):
        self._watcher = watcher
        self._counted = counted

    def __getattr__(self, name):
        return getattr(self._watcher, name)

    def start(self, callback, *args, **kwargs):
        self._watcher.start(self._counted(callback), *args, **kwargs)

    def again(self, callback, *args, **kwargs):
        self._watcher.again(self._counted(callback), *args, **kwargs)


def census():
    """How many objects of each type there are, by ``(module, name)`` of the type."""
    gc.collect()
    return collections.Counter(
        (type(one).__module__, type(one).__name__) for one in gc.get_objects())
