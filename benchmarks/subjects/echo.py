"""The yardstick: what frames of our size cost over gevent sockets with the standard json and
nothing else.  No roles, no timeouts, no errors, no other message.

``PLAIN``      a read and a write for each request, on both sides
``COALESCED``  a read takes what is there, and the writes of one turn of the loop leave together
"""

from __future__ import absolute_import, division, print_function

import json
import struct

import gevent
from gevent import socket
from gevent.hub import get_hub
from gevent.server import StreamServer
from greenlet import getcurrent

from benchmarks.subjects import answer

HEADER = struct.Struct(">BBHqiii")
REQUEST = {"method": "get", "arguments": ["key"]}
READ_SIZE = 65536


def frame(response, number, value):
    """A frame as the protocol has it, with a body of JSON."""
    body = json.dumps(value, separators=(",", ":")).encode("ascii")
    return HEADER.pack(1, response, 0, number, 3000, 0, len(body)) + body


def split(data):
    """``(frames as (number, value), what is left)`` of received bytes."""
    frames, at = [], 0
    while len(data) - at >= HEADER.size:
        number, length = HEADER.unpack_from(data, at)[3::3]
        end = at + HEADER.size + length
        if len(data) < end:
            break
        frames.append((number, json.loads(data[at + HEADER.size:end].decode("ascii"))))
        at = end
    return frames, data[at:]


def read_frames(sock, size):
    """Yield lists of frames until the peer closes.

    :param size: how much to ask of each ``recv``: one frame's size, so that a read takes one.
    """
    data = b""
    while True:
        received = sock.recv(size - len(data) if size < READ_SIZE else size)
        if not received:
            return
        frames, data = split(data + received)
        if frames:
            yield frames


class Connection(object):
    """A client's connection: any number of greenlets call over it, one reads the answers."""

    def __init__(self, port, answer_size):
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting = {}
        self._number = 0
        self._reader = gevent.spawn(self._read, answer_size)

    def _read(self, size):
        run_callback = get_hub().loop.run_callback
        for frames in read_frames(self._sock, size):
            for number, value in frames:
                run_callback(self._waiting.pop(number).switch, value)

    def call(self):
        self._number += 1
        self._waiting[self._number] = getcurrent()
        self.send(frame(0, self._number, REQUEST))
        return get_hub().switch()

    def send(self, data):
        self._sock.sendall(data)

    def close(self):
        self._reader.kill()
        self._sock.close()


class CoalescingConnection(Connection):
    """The same, where requests made in one turn of the loop leave in one write."""

    def __init__(self, port, answer_size):
        self._waiting_data = []
        self._writer = gevent.spawn(self._write)
        self._idle = False
        super(CoalescingConnection, self).__init__(port, answer_size)

    def _write(self):
        while True:
            while self._waiting_data:
                data, self._waiting_data = b"".join(self._waiting_data), []
                self._sock.sendall(data)
            self._idle = True
            get_hub().switch()

    def send(self, data):
        self._waiting_data.append(data)
        if self._idle:
            self._idle = False
            get_hub().loop.run_callback(self._writer.switch)

    def close(self):
        self._writer.kill()
        super(CoalescingConnection, self).close()


class Echo(object):
    """A subject (see ``subjects``)."""

    def __init__(self, connection_class, coalesced):
        self._connection_class = connection_class
        self._coalesced = coalesced

    def _size(self, one_frame):
        return READ_SIZE if self._coalesced else len(one_frame)

    def serve(self, port, payload):
        value = answer(payload)
        size = self._size(frame(0, 1, REQUEST))

        def handle(sock, _):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for frames in read_frames(sock, size):
                sock.sendall(b"".join(frame(1, number, value) for number, _ in frames))

        server = StreamServer(("127.0.0.1", port), handle)
        server.start()
        return server.stop

    def connect(self, port, payload):
        connection = self._connection_class(port, self._size(frame(1, 1, answer(payload))))
        return connection.call, connection.close


PLAIN = Echo(Connection, coalesced=False)
COALESCED = Echo(CoalescingConnection, coalesced=True)
