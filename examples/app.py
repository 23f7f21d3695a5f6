"""A web application whose worker processes share one registry client.

    gunicorn --config examples/gunicorn_conf.py --chdir examples app:application

Two lines make the difference: ``cluster(RegistryClient, ...)`` instead of ``RegistryClient(...)``,
and ``create``.  The rest is written as if each worker had a client of its own.

=======================  ==========================================================================
``GET /config/<key>``    the key's value, asked from the registry
``POST /publish``        ``{"key": KEY, "value": VALUE}`` sets one
``GET /status``          this worker: its role, and what its subscription saw last
=======================  ==========================================================================

It is set up by the environment: ``REGISTRY_ADDRESS`` (``127.0.0.1:4000``), ``REGISTRY_WATCH`` (the
key that it subscribes to, ``greeting``), ``REGISTRY_CLUSTER_PORT`` (where the workers meet, 7777),
and ``REGISTRY_SHARING=0``, which gives every worker a client, and so a connection, of its own.
"""

from __future__ import absolute_import, division, print_function

import json
import logging
import os

from clusterclient_sync import ClusterClientError, cluster
from registry_client import RegistryClient, RegistryError, UnknownKeyError

try:
    from time import monotonic
except ImportError:  # Python 2.7
    from monotonic import monotonic

logger = logging.getLogger("gunicorn.error")

STATUS_LINES = {200: "200 OK", 400: "400 Bad Request", 404: "404 Not Found",
                405: "405 Method Not Allowed", 503: "503 Service Unavailable"}
LONGEST_BODY = 64 * 1024


def make_client(address, sharing, port):
    """The client of this worker: a shared one, or with ``sharing`` off the real one itself."""
    if not sharing:
        return RegistryClient(address)
    return (cluster(RegistryClient, port=port)
            .delegate("get", idempotent=True)  # may be asked again when the leader dies
            # A registry keeps what was set: no need to make it again under a new leader.
            .delegate("publish", "publish", replay=False)
            .create(address))


class Service(object):
    """The WSGI application.  ``start`` and ``stop`` are called in each worker, after its fork."""

    def __init__(self, environ):
        self._address = environ.get("REGISTRY_ADDRESS", "127.0.0.1:4000")
        self._watched = environ.get("REGISTRY_WATCH", "greeting")
        self._port = int(environ.get("REGISTRY_CLUSTER_PORT", "7777"))
        self._sharing = environ.get("REGISTRY_SHARING", "1") != "0"
        self._client = None
        self._seen = None     # the last value of the subscription, and when it came
        self._changes = []    # of the role, newest last
        self._counters = {"calls": 0, "failed": 0, "client_errors": 0}

    def start(self):
        """Make the client.  Where the registry is away, the worker starts all the same."""
        self._client = make_client(self._address, self._sharing, self._port)
        self._client.on("error", self._note_error)
        self._client.on("leader_change", self._note_leader)
        self._client.subscribe({"key": self._watched}, self._note_value)
        try:
            self._client.ready(timeout=5)
        except Exception as error:
            logger.warning("the registry client is not ready yet: %s", error)

    def stop(self):
        """Close the client: a leader hands over before its process ends."""
        if self._client is not None:
            self._client.close()

    # What the client tells

    def _note_value(self, value):
        self._seen = {"value": value, "at": monotonic()}

    def _note_leader(self, role, epoch, pid):
        self._changes = self._changes[-9:] + [
            {"role": role, "epoch": epoch, "leader_pid": pid, "at": monotonic()}]
        logger.info("this worker is now a %s", role)

    def _note_error(self, error):
        self._counters["client_errors"] += 1
        logger.warning("the registry client: %s", error)

    # What is asked over HTTP

    def __call__(self, environ, start_response):
        status, body = self._route(environ)
        data = json.dumps(body).encode("utf-8")
        start_response(STATUS_LINES[status], [("Content-Type", "application/json"),
                                              ("Content-Length", str(len(data)))])
        return [data]

    def _route(self, environ):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if not isinstance(path, bytes):
            path = path.encode("latin-1")  # WSGI on Python 3: bytes in a str
        path = path.decode("utf-8", "replace")
        if path == "/status":
            return 200, self._status()
        if path == "/publish":
            return self._publish(environ) if method == "POST" else (405, {"error": "POST it"})
        if path.startswith("/config/"):
            return self._answer(lambda: self._config(path[len("/config/"):]))
        return 404, {"error": "there is no such page"}

    def _answer(self, ask):
        self._counters["calls"] += 1
        try:
            return ask()
        except UnknownKeyError as error:
            return 404, {"error": str(error)}
        except (RegistryError, ClusterClientError) as error:
            if getattr(error, "code", None) == "unknown_key":  # told by a leader that is Node.js
                return 404, {"error": str(error)}
            self._counters["failed"] += 1
            return 503, {"error": "%s: %s" % (type(error).__name__, error)}

    def _config(self, key):
        return 200, {"key": key, "value": self._client.get(key), "pid": os.getpid()}

    def _publish(self, environ):
        try:
            length = min(int(environ.get("CONTENT_LENGTH") or 0), LONGEST_BODY)
            wanted = json.loads(environ["wsgi.input"].read(length).decode("utf-8"))
            registration = {"key": wanted["key"], "value": wanted["value"]}
        except (KeyError, TypeError, ValueError):
            return 400, {"error": "send {\"key\": ..., \"value\": ...}"}

        def publish():
            self._client.publish(registration)
            return 200, {"pid": os.getpid()}

        return self._answer(publish)

    def _status(self):
        return {
            "pid": os.getpid(),
            "sharing": self._sharing,
            "is_leader": self._client.is_leader if self._sharing else None,
            "epoch": self._client.epoch if self._sharing else None,
            "changes": self._changes,
            "seen": self._seen,
            "counters": self._counters,
        }


application = Service(os.environ)
