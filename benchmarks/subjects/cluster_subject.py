"""The cluster, by its public interface alone: a forced leader, and forced followers.

``DEFAULT``      as it comes from the package index, whatever else is installed here
``SPEED``        with the extra "speed"
``IN_THREADS``   the default, where native threads call the followers' client
"""

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


class Cluster(object):
    """A subject (see ``subjects``)."""

    def __init__(self, transcode, runtime="greenlet"):
        self._transcode = transcode
        self._runtime = runtime

    def _client(self, port, payload, is_leader, runtime):
        client = (cluster(Source, port=port, is_leader=is_leader, runtime=runtime,
                          transcode=self._transcode)
                  .delegate("get").create(payload))
        client.ready(timeout=READY_TIMEOUT)
        return client

    def serve(self, port, payload):
        return self._client(port, payload, True, "greenlet").close

    def connect(self, port, payload):
        client = self._client(port, payload, False, self._runtime)
        return (lambda: client.get("key")), client.close

    def check(self):
        """
        :raises ConfigurationError: its transcode is not installed.
        """
        cluster(Source, transcode=self._transcode)


DEFAULT = Cluster("plain-json")  # "json" is the extra where that is installed
SPEED = Cluster("msgpack")
IN_THREADS = Cluster("plain-json", "thread")
