"""A client of the registry: an ordinary one, which knows nothing of sharing.

It opens a TCP connection of its own, and that is what makes it worth sharing: ``app.py`` wraps it,
and then all processes of a host use one.  Deriving from ``DataClientBase`` gives it ``ready``,
events, and ``init``, which runs in a greenlet as soon as the client is made.
"""

from __future__ import absolute_import, division, print_function

import itertools
import json
import os
import socket

import gevent
import gevent.socket
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore
from gevent.queue import Queue

from clusterclient_sync import DataClientBase


class RegistryError(Exception):
    """The registry answered with an error, or did not answer."""

    def __init__(self, message, code=None):
        super(RegistryError, self).__init__(message, code)
        self.message = message
        self.code = code

    def __str__(self):
        return str(self.message)


class RegistryUnavailableError(RegistryError):
    """There is no connection to the registry, or it was lost while waiting for an answer."""


class UnknownKeyError(RegistryError):
    """The registry has no such key."""


class RegistryClient(DataClientBase):
    """Talks to one registry over one connection, which it makes again when it is lost.

    :param address: ``"host:port"``.
    :param timeout: seconds that a connect or an answer may take.

    Registrations are ``{"key": KEY}``, and ``{"key": KEY, "value": VALUE}`` to publish.  Emits
    ``error(exception)`` when the connection is lost and when a listener raises.
    """

    def __init__(self, address, timeout=5):
        super(RegistryClient, self).__init__()
        host, port = address.rsplit(":", 1)
        self._address = (host, int(port))
        self._timeout = timeout
        self._connection = None
        self._closed = False
        self._ids = itertools.count(1)
        self._answers = {}    # request id -> AsyncResult
        self._listeners = {}  # key -> listeners
        self._values = {}     # key -> the last value that was pushed
        self._sending = BoundedSemaphore()
        self._changes = Queue()
        self._greenlets = []

    def init(self):
        """Connect; the client is ready when this returns, and failed when it raises."""
        self._connect()
        self._greenlets = [gevent.spawn(self._read), gevent.spawn(self._tell_listeners)]
        try:
            self._introduce()
        except BaseException:
            self.close()
            raise

    # What users call

    def get(self, key):
        """The value of a key; raises ``UnknownKeyError`` or ``RegistryError``."""
        return self._request("get", key=key)["value"]

    def publish(self, registration):
        """Set a key: ``{"key": KEY, "value": VALUE}``."""
        self._request("set", key=registration["key"], value=registration["value"])

    def subscribe(self, registration, listener):
        """``listener(value)`` is called with the value that is there and with every later one."""
        key = registration["key"]
        listeners = self._listeners.setdefault(key, [])
        listeners.append(listener)
        if len(listeners) > 1:
            if key in self._values:
                self._changes.put(([listener], self._values[key]))
        else:
            self._request_or_later("watch", key)

    def unsubscribe(self, registration, listener=None):
        """Take back one listener of the key, or all of them."""
        key = registration["key"]
        left = [other for other in self._listeners.get(key, ())
                if listener is not None and other != listener]
        if left:
            self._listeners[key] = left
        elif self._listeners.pop(key, None):
            self._values.pop(key, None)
            self._request_or_later("unwatch", key)

    def close(self):
        """End the connection and everything that waits for it."""
        self._closed = True
        gevent.killall([each for each in self._greenlets if each is not gevent.getcurrent()])
        self._disconnect(RegistryUnavailableError("the client was closed"))

    # The connection

    def _connect(self):
        connection = gevent.socket.create_connection(self._address, self._timeout)
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection

    def _introduce(self):
        self._request("hello", name="pid %d" % os.getpid())
        for key in list(self._listeners):
            self._request("watch", key=key)

    def _disconnect(self, error):
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        for answer in list(self._answers.values()):
            answer.set_exception(error)

    def _request_or_later(self, op, key):
        try:
            self._request(op, key=key)
        except RegistryUnavailableError:
            pass  # the next connection starts with watching what has listeners then

    def _request(self, op, **members):
        request_id = next(self._ids)
        answer = self._answers[request_id] = AsyncResult()
        try:
            self._send(dict(members, id=request_id, op=op))
            answer.wait(self._timeout)
            if not answer.ready():
                raise RegistryError("no answer to %r in %s s" % (op, self._timeout))
            return answer.get()
        finally:
            del self._answers[request_id]

    def _send(self, message):
        data = (json.dumps(message) + "\n").encode("utf-8")
        with self._sending:  # a long message of one greenlet must not be cut by another's
            connection = self._connection
            if connection is None:
                raise RegistryUnavailableError("there is no connection to %s:%d" % self._address)
            try:
                connection.sendall(data)
            except (OSError, socket.error) as error:
                raise RegistryUnavailableError("the connection was lost: %s" % error)

    def _read(self):
        while True:
            reason = self._read_to_the_end(self._connection)
            lost = RegistryUnavailableError("the connection was lost: %s" % (reason,))
            self._disconnect(lost)
            self.emit("error", lost)
            if self._closed:  # by a handler of that event
                return
            self._reconnect()

    def _read_to_the_end(self, connection):
        """Take what arrives; returns why it ended."""
        lines = connection.makefile("rb")
        try:
            for line in iter(lines.readline, b""):
                self._take(json.loads(line.decode("utf-8")))
            return "the registry ended it"
        except (OSError, socket.error, ValueError) as error:
            return error
        finally:
            lines.close()

    def _take(self, message):
        if "push" in message:
            key, value = message["key"], message["value"]
            if key in self._listeners:
                self._values[key] = value
                self._changes.put((list(self._listeners[key]), value))
            return
        answer = self._answers.get(message["id"])
        if answer is None:
            return  # it came too late
        if message["ok"]:
            answer.set(message)
        else:
            kind = UnknownKeyError if message["code"] == "unknown_key" else RegistryError
            answer.set_exception(kind(message["error"], message["code"]))

    def _reconnect(self):
        pause = 0.1
        while True:
            try:
                self._connect()
                break
            except (OSError, socket.error):
                gevent.sleep(pause)
                pause = min(pause * 2, 2)
        # What is asked for here is answered to the reader, so the reader cannot wait for it.
        self._greenlets = [each for each in self._greenlets if each]
        self._greenlets.append(gevent.spawn(self._introduce_again))

    def _introduce_again(self):
        try:
            self._introduce()
        except RegistryError as error:  # lost again; the reader sees it too and makes another
            self.emit("error", error)

    # The listeners

    def _tell_listeners(self):
        # Not in the reader: a listener may ask the registry, and the reader brings the answer.
        while True:
            listeners, value = self._changes.get()
            for listener in listeners:
                try:
                    listener(value)
                except Exception as error:
                    self.emit("error", error)
