"""The physical limit: a message of fixed size there, and one back, over plain blocking sockets.

Both have as many bytes as a request of the cluster and its answer; nothing is encoded or decoded.
"""

from __future__ import absolute_import, division, print_function

import socket
import threading

from benchmarks.subjects import answer

#: Of the cluster's default transcode, with the key of ``cluster_subject``.
REQUEST_SIZE = 94
#: What an answer has beside its payload, where the leader's epoch has so many digits.
ANSWER_OVERHEAD, EPOCH_DIGITS = 83, 11


def _tune(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def receive(sock, size):
    """Read so many bytes; whether the peer sent them and did not end."""
    while size:
        data = sock.recv(size)
        if not data:
            return False
        size -= len(data)
    return True


def serve(port, payload):
    reply = b"a" * (ANSWER_OVERHEAD + payload)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1)

    def answer_one():
        sock = _tune(listener.accept()[0])
        while receive(sock, REQUEST_SIZE):
            sock.sendall(reply)

    thread = threading.Thread(target=answer_one)
    thread.daemon = True
    thread.start()
    return listener.close


def connect(port, payload):
    value = answer(payload)
    request, size = b"q" * REQUEST_SIZE, ANSWER_OVERHEAD + payload
    sock = _tune(socket.create_connection(("127.0.0.1", port)))

    def call():
        sock.sendall(request)
        if not receive(sock, size):
            raise AssertionError("the server has gone")
        return value

    return call, sock.close
