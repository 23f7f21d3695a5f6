"""A small registry: keys with values, kept in memory, watched over TCP.

    python examples/registry_server.py --port 4000

It stands for whatever remote service a program shares a client of: it takes one connection per
client and it counts them.  The protocol is one JSON object per line, in both directions.  A request
carries an ``id`` and an ``op``; its answer carries the same ``id``, ``ok``, and what was asked for.

==========  ================  ===================================================================
op          members           answer
==========  ================  ===================================================================
``hello``   ``name``          nothing; the name is shown by ``stats``
``get``     ``key``           ``value``, or ``ok: false`` with ``error`` and ``code: "unknown_key"``
``set``     ``key, value``    nothing; every watcher of the key is told
``watch``   ``key``           nothing; the value that is there, and every later one, is pushed
``unwatch`` ``key``           nothing
``stats``                     ``connections`` (open, without the asking one), ``clients`` (their
                              names), ``peak`` (most that were ever open at once, the asking one
                              and its like included), ``calls`` (how often each op was asked for)
``ping``                      nothing
==========  ================  ===================================================================

What is pushed has no ``id``: ``{"push": "changed", "key": KEY, "value": VALUE}``.
"""

from __future__ import absolute_import, division, print_function

import argparse
import collections
import json
import signal
import socket
import sys

import gevent
from gevent.queue import Empty, Full, Queue
from gevent.server import StreamServer

LONGEST_LINE = 1024 * 1024
MOST_WAITING = 10000


class BadRequest(Exception):
    """A request that cannot be answered; the text goes to the client."""

    def __init__(self, text, code="bad_request"):
        super(BadRequest, self).__init__(text)
        self.code = code


class Session(object):
    """One client's connection: reads requests, and writes answers and pushes in their order.

    What waits to be written is bounded: a client that does not read loses its connection, and
    nobody waits for it.
    """

    def __init__(self, registry, connection):
        self.name = None
        self._registry = registry
        self._connection = connection
        self._outgoing = Queue(MOST_WAITING)

    def run(self):
        """Serve the connection until it ends."""
        writer = gevent.spawn(self._write)
        lines = self._connection.makefile("rb")
        try:
            for line in iter(lambda: lines.readline(LONGEST_LINE), b""):
                if not line.endswith(b"\n"):
                    break  # too long, or cut off by the end of the connection
                self.send(self._answer(line))
        except (OSError, socket.error, ValueError):
            pass  # the client went away, or what it sends is not the protocol
        finally:
            writer.kill()
            lines.close()

    def send(self, message):
        """Have a message written soon; ends the connection of a client that does not read."""
        try:
            self._outgoing.put_nowait(message)
        except Full:
            self._end()

    def _end(self):
        try:
            self._connection.shutdown(socket.SHUT_RDWR)  # the reader wakes, and cleans up
        except (OSError, socket.error):
            pass  # it has ended already

    def _answer(self, line):
        request = json.loads(line.decode("utf-8"))
        if not isinstance(request, dict):
            raise ValueError("a request is an object")
        answer = {"id": request.get("id"), "ok": True}
        try:
            answer.update(self._registry.handle(self, request) or {})
        except BadRequest as error:
            answer.update(ok=False, error=str(error), code=error.code)
        return answer

    def _write(self):
        try:
            while True:
                waiting = [self._outgoing.get()]
                try:
                    while len(waiting) < 100:
                        waiting.append(self._outgoing.get_nowait())
                except Empty:
                    pass
                text = u"".join(json.dumps(message) + u"\n" for message in waiting)
                self._connection.sendall(text.encode("utf-8"))
        except (OSError, socket.error):
            pass  # the reader sees the same end


class Registry(object):
    """The values, who watches them, and who is connected."""

    def __init__(self):
        self._values = {}
        self._watchers = collections.defaultdict(set)
        self._sessions = set()
        self._peak = 0
        self._calls = collections.Counter()
        self._operations = {
            "hello": self._hello, "get": self._get, "set": self._set, "watch": self._watch,
            "unwatch": self._unwatch, "stats": self._stats, "ping": self._ping,
        }

    def serve(self, connection, _peer):
        """Serve one connection; a ``StreamServer`` calls this in a greenlet of its own."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, connection)
        self._sessions.add(session)
        self._peak = max(self._peak, len(self._sessions))
        try:
            session.run()
        finally:
            self._sessions.discard(session)
            for watchers in self._watchers.values():
                watchers.discard(session)

    def handle(self, session, request):
        """What a request asks for: the members of its answer, or ``BadRequest``."""
        name = request.get("op")
        operation = self._operations.get(name) if isinstance(name, type(u"")) else None
        if operation is None:
            raise BadRequest("there is no op %r" % (name,), "unknown_op")
        self._calls[name] += 1
        return operation(session, request)

    @staticmethod
    def _key_of(request):
        key = request.get("key")
        if not isinstance(key, type(u"")):
            raise BadRequest("a key is a string")
        return key

    def _hello(self, session, request):
        session.name = request.get("name")

    def _get(self, session, request):
        key = self._key_of(request)
        if key not in self._values:
            raise BadRequest("there is no key %s" % json.dumps(key), "unknown_key")
        return {"value": self._values[key]}

    def _set(self, session, request):
        key = self._key_of(request)
        value = self._values[key] = request.get("value")
        for watcher in list(self._watchers[key]):
            watcher.send({"push": "changed", "key": key, "value": value})

    def _watch(self, session, request):
        key = self._key_of(request)
        self._watchers[key].add(session)
        if key in self._values:
            session.send({"push": "changed", "key": key, "value": self._values[key]})

    def _unwatch(self, session, request):
        self._watchers[self._key_of(request)].discard(session)

    def _stats(self, session, request):
        others = [other for other in self._sessions if other is not session]
        return {"connections": len(others), "clients": [other.name for other in others],
                "peak": self._peak, "calls": dict(self._calls)}

    def _ping(self, session, request):
        return None


def main(arguments=None):
    """Serve until SIGTERM or Ctrl-C; prints the address, so that port 0 is of use."""
    parser = argparse.ArgumentParser(description="A small registry over TCP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4000, help="0 takes any that is free")
    options = parser.parse_args(arguments)
    server = StreamServer((options.host, options.port), Registry().serve)
    server.start()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(signal_number, server.close)
    sys.stdout.write("%s:%d\n" % (options.host, server.server_port))
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
