"""``multiprocessing.managers``: a source behind a proxy, which has a connection for each thread."""

from __future__ import absolute_import, division, print_function

import threading
from multiprocessing.managers import BaseManager

from benchmarks.subjects import answer

KEY = b"benchmarks"


class Source(object):
    """What the manager holds."""

    def __init__(self, payload):
        self._answer = answer(payload)

    def get(self, key):
        return self._answer


class Manager(BaseManager):
    """Its server and its clients."""


def serve(port, payload):
    source = Source(payload)
    Manager.register("source", callable=lambda: source)
    server = Manager(("127.0.0.1", port), KEY).get_server()
    thread = threading.Thread(target=server.serve_forever)
    thread.daemon = True  # it ends with its process
    thread.start()
    return lambda: None


def connect(port, payload):
    Manager.register("source")
    manager = Manager(("127.0.0.1", port), KEY)
    manager.connect()
    source = manager.source()
    return (lambda: source.get("key")), lambda: None
