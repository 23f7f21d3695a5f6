"""The cluster, by its public interface alone: a forced leader, and forced followers."""

from __future__ import absolute_import, division, print_function

from benchmarks.subjects import answer
from clusterclient_sync import cluster

READY_TIMEOUT = 20.0


class Source(object):
    """The real client: it has its answer ready, so what is measured is the way there and back."""

    def __init__(self, payload):
        self._answer = answer(payload)

    def get(self, key):
        return self._answer

    def close(self):
        """There is no connection behind it."""


def _client(port, payload, is_leader, runtime="greenlet"):
    client = (cluster(Source, port=port, is_leader=is_leader, runtime=runtime)
              .delegate("get").create(payload))
    client.ready(timeout=READY_TIMEOUT)
    return client


def serve(port, payload):
    client = _client(port, payload, True)
    return port, client.close


def connect(port, payload, runtime="greenlet"):
    client = _client(port, payload, False, runtime)
    return (lambda: client.get("key")), client.close
