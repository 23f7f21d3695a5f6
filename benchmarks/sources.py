"""The real clients of the programs that have leaders end."""

from __future__ import absolute_import, division, print_function

import itertools
import os
import socket as native_socket

import gevent
from gevent import socket

from benchmarks.journal import Pen
from clusterclient_sync import DataClientBase

_numbers = itertools.count(1)


class Source(DataClientBase):
    """Answers who it is, and tells a first value to who subscribes.

    :param settings: ``journal``: a path; ``start_seconds``: how long it takes to start;
        ``upstream``: the port of an ``upstream`` process, for :class:`FedSource`.
    """

    def __init__(self, settings):
        super(Source, self).__init__()
        self.name = "%d-%d" % (os.getpid(), next(_numbers))
        self._settings = settings
        self._pen = Pen(settings["journal"])
        self._counted = 0
        self._pen.note("made", leader=self.name)

    def init(self):
        """Take as long to start as was asked for."""
        if self._settings["start_seconds"]:
            gevent.sleep(self._settings["start_seconds"])

    def whoami(self):
        """The name of the real client that answers: harmless to repeat."""
        return self.name

    def count(self):
        """The same, and what repeating would spoil."""
        self._counted += 1
        return self.name

    def subscribe(self, registration, listener):
        """Tell the only value that there is."""
        listener({"leader": self.name, "number": 0})

    def close(self):
        self._pen.note("closed", leader=self.name)
        self._pen.close()


class FedSource(Source):
    """The same with the changing values of an upstream process."""

    def __init__(self, settings):
        super(FedSource, self).__init__(settings)
        self._listeners = {}
        self._sock = self._reader = None

    def init(self):
        super(FedSource, self).init()
        self._sock = socket.create_connection(("127.0.0.1", self._settings["upstream"]))
        self._sock.setsockopt(native_socket.IPPROTO_TCP, native_socket.TCP_NODELAY, 1)
        self._reader = gevent.spawn(self._read)

    def _read(self):
        with self._sock.makefile("rb") as lines:
            for line in lines:
                key, number = line.decode("ascii").split()
                self._listeners[key]({"leader": self.name, "number": int(number)})

    def subscribe(self, registration, listener):
        """Have the upstream tell the last value of a key, and all that follow."""
        self._listeners[registration["key"]] = listener
        self._sock.sendall(("%s\n" % registration["key"]).encode("ascii"))

    def close(self):
        if self._reader is not None:
            self._reader.kill()
            self._sock.close()
        super(FedSource, self).close()
