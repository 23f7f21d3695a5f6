"""The other end of a connection, as a script: sockets on loopback, bytes as the test wants them.

The bytes are put together and taken apart with ``struct`` here, not with the package's own code.
"""

from __future__ import absolute_import, division, print_function

import collections
import json
import struct

import gevent
import gevent.socket

from clusterclient_sync._compat import monotonic
from clusterclient_sync.transport import sockets

TIMEOUT = 10.0
REQUEST, RESPONSE = 0, 1

Message = collections.namedtuple("Message", "kind id timeout_ms head body")


def frame(kind, id, head, body=b"", timeout_ms=0):
    """The bytes of a frame; ``head`` a dict, or bytes as they are."""
    if not isinstance(head, bytes):
        head = json.dumps(head, separators=(",", ":")).encode("ascii")
    return struct.pack(">BBHqiii", 1, kind, 0, id, timeout_ms, len(head), len(body)) + head + body


def request(id, head, body=b"", timeout_ms=0):
    return frame(REQUEST, id, head, body, timeout_ms)


def response(id, head, body=b""):
    return frame(RESPONSE, id, head, body)


def until(condition, timeout=TIMEOUT):
    """Turn the loop until ``condition()`` holds, and return what it gave; fails after a while."""
    deadline = monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if monotonic() > deadline:
            raise AssertionError("this did not come true within %g s" % timeout)
        gevent.sleep(0.001)


class Peer(object):
    """A socket that a test reads and writes; waiting blocks its greenlet only."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self.received = bytearray()

    def send(self, *pieces):
        for piece in pieces:
            self.sock.sendall(piece)

    def read(self, size):
        """So many bytes; fails where the stream ends before."""
        while len(self.received) < size:
            assert self._receive(), "the stream ended after %d bytes" % len(self.received)
        data = bytes(self.received[:size])
        del self.received[:size]
        return data

    def _receive(self):
        data = self.sock.recv(2 ** 20)
        self.received += data
        return data

    def read_message(self):
        """The next frame, as a :class:`Message`."""
        header = struct.unpack(">BBHqiii", self.read(24))
        assert header[0] == 1 and header[2] == 0
        head = json.loads(self.read(header[5]).decode("utf-8"))
        return Message(header[1], header[3], header[4], head, self.read(header[6]))

    def read_to_end(self):
        """What is left until the other side closes; a reset counts as the end."""
        try:
            while self._receive():
                pass
        except gevent.socket.timeout:
            raise
        except gevent.socket.error:
            pass
        return self.read(len(self.received))

    def close(self):
        self.sock.close()


def connect(port):
    """A peer that is connected to a listening port of this process."""
    return Peer(gevent.socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT))


def pair():
    """A connected pair: a socket as ``transport.sockets`` makes it, and a :class:`Peer`."""
    listener = gevent.socket.socket()
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        sock = sockets.connect("127.0.0.1", listener.getsockname()[1], TIMEOUT)
        accepted, _ = listener.accept()
    finally:
        listener.close()
    return sock, Peer(accepted)


class Recorder(object):
    """A handler of connections that notes what it is told."""

    def __init__(self, on_request=None):
        self.requests = []
        self.errors = []
        self.drained = 0
        self._on_request = on_request

    def on_request(self, connection, frame):
        self.requests.append(frame)
        if self._on_request is not None:
            self._on_request(connection, frame)

    def on_closed(self, connection, error):
        self.errors.append(error)

    def on_drained(self, connection):
        self.drained += 1

    def on_register(self, connection, frame):
        self.on_request(connection, frame)

    def wait_for(self, count):
        """The requests, once there are so many."""
        until(lambda: len(self.requests) >= count)
        return self.requests
