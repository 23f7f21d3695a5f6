"""One HTTP request over a connection of its own, so that any worker may take it."""

from __future__ import absolute_import, division, print_function

import json
import socket

import gevent
import gevent.socket

LONGEST_RESPONSE = 1024 * 1024


class ConnectionLost(Exception):
    """There was no whole response: the connection was refused, reset, ended or silent."""


class Response(object):
    """``status``: a number; ``body``: what the JSON text says, or ``None`` where it is not JSON."""

    __slots__ = ("status", "body")

    def __init__(self, status, body):
        self.status = status
        self.body = body


def request(address, path, body=None, timeout=5.0):
    """GET a path, or POST ``body`` as JSON to it.  Raises ``ConnectionLost``.

    :param address: ``(host, port)``.
    :param timeout: seconds, for all of it.
    """
    timer = gevent.Timeout.start_new(timeout)
    try:
        return _parse(_exchange(address, _format(path, body)))
    except gevent.Timeout as expired:
        if expired is not timer:
            raise
        raise ConnectionLost("no answer to %s in %s s" % (path, timeout))
    except (OSError, socket.error) as error:
        raise ConnectionLost(str(error))
    finally:
        timer.close()


def _format(path, body):
    data = b"" if body is None else json.dumps(body).encode("utf-8")
    head = ["%s %s HTTP/1.0" % ("GET" if body is None else "POST", path),
            "Host: localhost", "Connection: close", "Content-Length: %d" % len(data), "", ""]
    return "\r\n".join(head).encode("ascii") + data


def _exchange(address, data):
    connection = gevent.socket.create_connection(address)
    try:
        connection.sendall(data)
        received = []
        for chunk in iter(lambda: connection.recv(65536), b""):
            received.append(chunk)
            if sum(map(len, received)) > LONGEST_RESPONSE:
                raise ConnectionLost("the response is too long")
        return b"".join(received)
    finally:
        connection.close()


def _parse(data):
    head, separator, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    try:
        status = int(lines[0].split(" ")[1])
        length = [int(line.split(":")[1]) for line in lines
                  if line.lower().startswith("content-length:")][0]
    except (IndexError, ValueError):
        raise ConnectionLost("the connection ended before the response")
    if len(body) != length:
        raise ConnectionLost("the connection ended within the response")
    try:
        return Response(status, json.loads(body.decode("utf-8")))
    except ValueError:
        return Response(status, None)
