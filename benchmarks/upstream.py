"""The server behind the real clients of a chaos run: ``python -m benchmarks.upstream RATE KEY...``

It says ``{"port": n}``.  To a connection that sends a key and a newline it tells ``key number``,
the key's last value at once and every later one; each key's number rises ``RATE`` times a second,
whoever listens.  So the values go on where one leader's ended, and none is older than one that any
leader had before.  A line on standard input stops the numbers; the answer is the last of each key.
"""

from __future__ import absolute_import, division, print_function

import socket
import sys

import gevent
from gevent.server import StreamServer

from benchmarks.worker import lines, say
from clusterclient_sync._compat import monotonic


class Upstream(object):
    """See the module."""

    def __init__(self, keys, rate):
        self.numbers = {key: 0 for key in keys}
        self._rate = rate
        self._listeners = {key: set() for key in keys}

    def serve(self, sock, _):
        """Serve one real client until it goes."""
        mine = []
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with sock.makefile("rb") as asked:
                for line in asked:
                    mine.append(line.decode("ascii").strip())
                    self._listeners[mine[-1]].add(sock)
                    self._tell(sock, mine[-1])
        except (IOError, OSError):
            pass  # its process was killed
        finally:
            for key in mine:
                self._listeners[key].discard(sock)

    def _tell(self, sock, key):
        sock.sendall(("%s %d\n" % (key, self.numbers[key])).encode("ascii"))

    def run(self):
        """Let the numbers rise; what a starved process misses is made up for."""
        started = monotonic()
        ticks = 0
        while True:
            while ticks < (monotonic() - started) * self._rate:
                ticks += 1
                for key in self.numbers:
                    self.numbers[key] += 1
                    self._tell_all(key)
            gevent.sleep(1.0 / self._rate)

    def _tell_all(self, key):
        for sock in list(self._listeners[key]):
            try:
                self._tell(sock, key)
            except (IOError, OSError):
                self._listeners[key].discard(sock)


def main(rate, *keys):
    upstream = Upstream(keys, float(rate))
    server = StreamServer(("127.0.0.1", 0), upstream.serve)
    server.start()
    ticker = gevent.spawn(upstream.run)
    say({"port": server.server_port})
    for _ in lines():
        ticker.kill()
        say(upstream.numbers)
    server.stop(timeout=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
