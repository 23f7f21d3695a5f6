"""Peers of the wire that are not the library: frames written and read by hand.

The encoder and decoder here are the test's own, so that a mistake of the library's cannot cancel
itself out.
"""

from __future__ import absolute_import, division, print_function

import itertools
import json
import struct

import gevent
from gevent import socket
from gevent.queue import Queue

HEADER = struct.Struct(">BBHqiii")
TIMEOUT = 20.0
AMBIGUOUS_SUCCESS = b'{"a":"|success^^^^$1|-1]","success":true}'


def frame(kind, number, head, body=b"", timeout_ms=3000, version=1, head_size=None, body_size=None):
    """The bytes of a frame; what it announces can be made to differ from what it has."""
    head = head if isinstance(head, bytes) else json.dumps(head).encode("utf-8")
    return HEADER.pack(version, kind, 0, number, timeout_ms,
                       len(head) if head_size is None else head_size,
                       len(body) if body_size is None else body_size) + head + body


def arguments(*encoded):
    """Encoded arguments, packed."""
    return b"".join(struct.pack(">I", len(data)) + data for data in encoded)


def json_bytes(value):
    """A value in the JSON transcode (plain values only)."""
    return json.dumps(value).encode("utf-8")


class RawFrame(object):
    """What came in; ``head`` is the parsed connection object, ``raw_head`` its bytes."""

    def __init__(self, kind, number, timeout_ms, raw_head, body):
        self.is_response = kind == 1
        self.number = number
        self.timeout_ms = timeout_ms
        self.raw_head = raw_head
        self.head = json.loads(raw_head.decode("utf-8"))
        self.body = body

    def __repr__(self):
        return "RawFrame(%s, %d, %s, %r)" % (
            "response" if self.is_response else "request", self.number, self.raw_head, self.body)


class RawConnection(object):
    """One socket.  Every wait has a deadline."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self._stream = sock.makefile("rb")
        self._numbers = itertools.count(1)
        self._kept = []

    def close(self):
        """Close the socket."""
        self._stream.close()
        self.sock.close()

    def send(self, data):
        """Send bytes as they are."""
        self.sock.sendall(data)

    def request(self, head, body=b"", **how):
        """Send a request; returns its number."""
        number = next(self._numbers)
        self.send(frame(0, number, head, body, **how))
        return number

    def respond(self, request, head, body=b""):
        """Answer a request."""
        self.send(frame(1, request.number, head, body))

    def read(self):
        """The next frame; ``None`` where the peer has closed."""
        try:
            header = self._stream.read(HEADER.size)
        except socket.error as error:
            if isinstance(error, socket.timeout):
                raise
            return None  # a reset: it closed with something of ours unread
        if len(header) < HEADER.size:
            return None
        version, kind, reserved, number, timeout_ms, head_size, body_size = HEADER.unpack(header)
        assert (version, reserved) == (1, 0) and kind in (0, 1)
        return RawFrame(kind, number, timeout_ms, self._stream.read(head_size),
                        self._stream.read(body_size))

    def expect(self, type=None, response_to=None):
        """The next frame of a type, or that answers a request; others are kept for later."""
        def matches(found):
            return (response_to == (found.number if found.is_response else None)
                    if response_to is not None else found.head.get("type") == type)

        for index, found in enumerate(self._kept):
            if matches(found):
                return self._kept.pop(index)
        while True:
            found = self.read()
            assert found is not None, "the peer closed; kept: %r" % (self._kept,)
            if matches(found):
                return found
            self._kept.append(found)

    def wait_for_end(self):
        """Return the frames that came until the peer closed."""
        frames = []
        while True:
            found = self.read()
            if found is None:
                return frames
            frames.append(found)


def connect(port):
    """A connection to a leader."""
    return RawConnection(socket.create_connection(("127.0.0.1", port), TIMEOUT))


def hello(**changes):
    """What a Python follower adds to its registration."""
    return dict({"revision": 1, "transcodes": ["json"], "pid": 1, "epoch": None, "can": [],
                 "max_frame_size": 2 ** 26}, **changes)


def leader_hello(**changes):
    """What a Python leader adds to its answer."""
    return dict({"revision": 1, "pid": 1, "epoch": None, "transcode": "json", "can": []}, **changes)


def register(connection, channel="RealClient", hello=None):
    """Register, as a Node follower where there is no hello; returns the request's number."""
    head = {"type": "register_channel", "channelName": channel}
    if hello is not None:
        head["clusterclient_sync"] = hello
    return connection.request(head)


def follow(port, channel="RealClient", **kwargs):
    """A connection that is registered."""
    connection = connect(port)
    try:
        answer = connection.expect(response_to=register(connection, channel, **kwargs))
        assert answer.head["type"] == "register_channel_res"
        assert json.loads(answer.body.decode("utf-8"))["success"] is True
    except BaseException:
        connection.close()
        raise
    return connection


def invoke(connection, method, *values, **how):
    """Call a method with JSON arguments; returns the request's number."""
    oneway = how.pop("oneway", False)
    head = {"type": "invoke", "method": method, "argLength": len(values), "oneway": oneway}
    return connection.request(head, arguments(*[json_bytes(value) for value in values]), **how)


class RawServer(object):
    """Listens like a leader; each connection that comes is handed out by :meth:`accept`."""

    def __init__(self, port):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(16)
        self._came = Queue()
        self._connections = []
        self._greenlet = gevent.spawn(self._accept_all)

    def _accept_all(self):
        while True:
            sock, _ = self._listener.accept()
            connection = RawConnection(sock)
            self._connections.append(connection)
            self._came.put(connection)

    def accept(self):
        """The next connection."""
        return self._came.get(timeout=TIMEOUT)

    def close(self):
        """End it all."""
        self._greenlet.kill()
        self._listener.close()
        for connection in self._connections:
            connection.close()
