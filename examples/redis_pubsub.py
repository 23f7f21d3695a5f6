"""Processes that share one redis pub/sub connection: redis-py, unchanged, behind a small adapter.

    python examples/redis_pubsub.py --redis 127.0.0.1:6379 --workers 3

starts three workers that are subscribed to a channel; one publishes, all see it; the leader is
killed, another one takes over, and the subscriptions go on.  The server has one subscriber all the
time, and one connection for commands beside it (``redis-cli client list`` shows them, with the
leader's pid in their names).  Needs redis (3.5.3 on Python 2.7).  To start a server, on Debian:

    apt-get install redis-server
    redis-server --port 6379 --save ""

``--gevent`` patches the workers.  Without it they are plain processes with native threads.
"""

from __future__ import absolute_import, division, print_function

import worker_processes

worker_processes.patch_where_wanted()

import argparse  # noqa: E402 (after patching)
import logging  # noqa: E402
import os  # noqa: E402
import threading  # noqa: E402
import uuid  # noqa: E402

import redis  # noqa: E402

from clusterclient_sync import cluster  # noqa: E402

logger = logging.getLogger(__name__)

TIMEOUT = 2
# How long the reader waits for a message before it looks around, and rests after a failure.
LOOK_INTERVAL = 1.0
RETRY_INTERVAL = 0.2


def share(address, port):
    """A cluster client of a :class:`Redis` at ``"host:port"``."""
    return (cluster(Redis, name="redis", port=port)
            .delegate("get", idempotent=True)
            # The key keeps what was published: no need to publish it again under a new leader.
            .delegate("publish", "publish", replay=False)
            .create(address))


class Redis(object):
    """redis-py's client as a real client: channels are subscriptions.

    Registrations are ``{"channel": NAME}``, and ``{"channel": NAME, "value": TEXT}`` to publish.

    Pub/sub keeps nothing: who comes later, or was away while the connection was lost, has missed
    what was said.  So each channel has a key that holds its last value, and a message says no more
    than that this has changed.  A listener gets what the key holds (``None`` at first), when it is
    subscribed, after each reconnection, and with each message: always the newest, and never an
    older one after it.  Where values come faster than they are read, some are skipped.

    redis-py's pub/sub object must not be used by two threads.  Here one thread has it; others tell
    that thread what they want, and wake it by a message on a channel of its own.
    """

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        # One connection for the subscriptions, and one for the commands of all threads.
        self._pool = redis.BlockingConnectionPool(
            host=host, port=int(port), max_connections=2, timeout=TIMEOUT, socket_timeout=TIMEOUT,
            decode_responses=True, encoding_errors="replace",
            client_name="clusterclient-example-%d" % os.getpid())
        self._redis = redis.Redis(connection_pool=self._pool)
        self._pubsub = None  # the reader's
        self._subscribed = None  # what it is subscribed to
        self._bell = "clusterclient-example-%s" % uuid.uuid4().hex
        self._lock = threading.Lock()
        self._listeners = {}  # channel -> listeners, as they are wanted
        self._due = set()  # channels whose listeners are to be told
        self._is_over = threading.Event()
        try:
            self._open()  # fails where there is no server
        except redis.RedisError:
            self._pool.disconnect()
            raise
        self._reader = threading.Thread(target=self._read)
        self._reader.daemon = True
        self._reader.start()

    def get(self, channel):
        """The last value of a channel, or ``None``."""
        return self._redis.get(key_of(channel))

    def publish(self, registration):
        """Set the key and tell all subscribers, at once."""
        channel, value = registration["channel"], registration["value"]
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(key_of(channel), value).publish(channel, value).execute()

    def subscribe(self, registration, listener):
        """``listener(value)`` is called in the reader's thread."""
        channel = registration["channel"]
        with self._lock:
            self._listeners.setdefault(channel, []).append(listener)
            self._due.add(channel)
        self._wake()

    def unsubscribe(self, registration, listener=None):
        """Take back one listener, or all of a channel."""
        channel = registration["channel"]
        with self._lock:
            left = [other for other in self._listeners.get(channel, ())
                    if listener is not None and other != listener]
            if left:
                self._listeners[channel] = left
            else:
                self._listeners.pop(channel, None)
        self._wake()

    def close(self):
        """End the reader, and both connections."""
        self._is_over.set()
        self._wake()
        self._reader.join(TIMEOUT)
        self._pool.disconnect()

    def _wake(self):
        try:
            self._redis.publish(self._bell, "")
        except redis.RedisError:
            pass  # the reader sees it too, and looks around by itself

    # The reader's thread

    def _read(self):
        while not self._is_over.is_set():
            try:
                if self._pubsub is None:
                    self._open()
                self._bring_in_line()
                self._tell_what_is_due()
                message = self._pubsub.get_message(timeout=LOOK_INTERVAL)
            except redis.RedisError as error:
                logger.warning("redis: %s; trying again", error)
                self._drop()  # a new one is subscribed to all anew, and hears that it is
                self._is_over.wait(RETRY_INTERVAL)
                continue
            if message is not None and message["type"] in ("subscribe", "message"):
                with self._lock:
                    self._due.add(message["channel"])
        self._drop()

    def _open(self):
        self._pubsub = self._redis.pubsub()
        self._subscribed = set()
        self._pubsub.subscribe(self._bell)

    def _drop(self):
        if self._pubsub is not None:
            self._pubsub.close()
            self._pubsub = None

    def _bring_in_line(self):
        with self._lock:
            wanted = set(self._listeners)
        for channel in wanted - self._subscribed:
            self._pubsub.subscribe(channel)
            self._subscribed.add(channel)
            with self._lock:
                self._due.discard(channel)  # the server's answer says when it is
        for channel in self._subscribed - wanted:
            self._pubsub.unsubscribe(channel)
            self._subscribed.discard(channel)

    def _tell_what_is_due(self):
        with self._lock:
            due, self._due = self._due, set()
        try:
            for channel in list(due):
                self._tell(channel)
                due.discard(channel)
        finally:
            with self._lock:
                self._due |= due  # later, where the server did not answer

    def _tell(self, channel):
        with self._lock:
            listeners = list(self._listeners.get(channel, ()))
        if not listeners:
            return
        try:
            value = self.get(channel)
        except redis.ResponseError as error:  # the key is no text: it will not be next time either
            logger.warning("redis: %s cannot be read: %s", key_of(channel), error)
            return
        for listener in listeners:
            listener(value)


def key_of(channel):
    """Where the last value of a channel is."""
    return "last:%s" % channel


# -- the workers

def watch(client, options, tell):
    """A worker's subscription."""
    client.subscribe({"channel": options.channel}, tell)


def change(client, options, text):
    """Publish; what fails at the leader then is an "error" event."""
    client.publish({"channel": options.channel, "value": text})


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description="Processes that share one pub/sub connection.")
    parser.add_argument("--redis", default="127.0.0.1:6379", metavar="HOST:PORT",
                        help="the server (127.0.0.1:6379)")
    parser.add_argument("--channel", default="clusterclient-example",
                        help="(clusterclient-example)")
    worker_processes.main(
        parser, lambda options: share(options.redis, options.cluster_port), watch, change)


if __name__ == "__main__":
    main()
