"""RPyC: a service with a thread for each connection; the threads of a caller share one."""

from __future__ import absolute_import, division, print_function

import threading

import rpyc
from rpyc.utils.server import ThreadedServer

from benchmarks.subjects import answer


class Source(rpyc.Service):
    """A dict would go by reference, and each look into it would be a call more; the tuple of its
    items goes by value."""

    def __init__(self, payload):
        self._items = tuple(answer(payload).items())

    def exposed_get(self, key):
        return self._items


def serve(port, payload):
    server = ThreadedServer(Source(payload), hostname="127.0.0.1", port=port)
    thread = threading.Thread(target=server.start)
    thread.daemon = True
    thread.start()
    return server.close


def connect(port, payload):
    connection = rpyc.connect("127.0.0.1", port)
    get = connection.root.get
    return (lambda: dict(get("key"))), connection.close
