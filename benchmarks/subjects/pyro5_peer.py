"""Pyro5: an exposed object in a daemon; each thread has a proxy of its own, as a proxy belongs to
one thread."""

from __future__ import absolute_import, division, print_function

import threading

import Pyro5.api

from benchmarks.subjects import answer

MOST_CONNECTIONS = 10000  # each has a thread at the server; there are 80 by default


@Pyro5.api.expose
class Source(object):
    """What the daemon holds."""

    def __init__(self, payload):
        self._answer = answer(payload)

    def get(self, key):
        return self._answer


def serve(port, payload):
    Pyro5.config.THREADPOOL_SIZE = MOST_CONNECTIONS
    daemon = Pyro5.api.Daemon(host="127.0.0.1", port=port)
    daemon.register(Source(payload), "source")
    thread = threading.Thread(target=daemon.requestLoop)
    thread.daemon = True
    thread.start()
    return daemon.shutdown


def connect(port, payload):
    own = threading.local()

    def call():
        if not hasattr(own, "proxy"):
            own.proxy = Pyro5.api.Proxy("PYRO:source@127.0.0.1:%d" % port)
        return own.proxy.get("key")

    return call, lambda: None  # a thread's proxy goes with it
