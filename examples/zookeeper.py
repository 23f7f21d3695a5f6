"""Processes that share one ZooKeeper session: kazoo's client, unchanged, behind a small adapter.

    python examples/zookeeper.py --hosts 127.0.0.1:2181 --workers 3

starts three workers that watch a node and its children; one sets the node, all see it; the leader
is killed, another one takes over, and the watches go on.  The server sees one connection all the
time (``echo srvr | nc 127.0.0.1 2181`` says so).  Needs kazoo (2.8 on Python 2.7).  To start a
server, on Debian:

    apt-get install zookeeper
    /usr/share/zookeeper/bin/zkServer.sh start-foreground

There are two ways to share a ``KazooClient``:

- :func:`share_plain`: a factory, and the methods that are wanted.  Enough for calls that take and
  return values.
- :func:`share_watches`: an adapter, :class:`ZooKeeper`, that makes kazoo's watches subscriptions.
  The example's workers use this one.

``--gevent`` patches the workers.  Without it they are plain processes with native threads.
"""

from __future__ import absolute_import, division, print_function

import worker_processes

worker_processes.patch_where_wanted()

import argparse  # noqa: E402 (after patching)
import functools  # noqa: E402
import threading  # noqa: E402

import six  # noqa: E402
from kazoo.client import KazooClient  # noqa: E402
from kazoo.exceptions import NodeExistsError  # noqa: E402
from kazoo.handlers.gevent import SequentialGeventHandler  # noqa: E402
from kazoo.handlers.threading import SequentialThreadingHandler  # noqa: E402

from clusterclient_sync import cluster  # noqa: E402

START_TIMEOUT = 10


def start_kazoo(hosts):
    """A kazoo client that is connected.

    kazoo brings threads of its own.  Its handler has to be that of the process: greenlets where
    gevent has patched it, and native threads elsewhere, where nobody would run those greenlets.
    """
    kind = SequentialGeventHandler if worker_processes.is_patched() else SequentialThreadingHandler
    kazoo = KazooClient(hosts=hosts, handler=kind())
    kazoo.start(timeout=START_TIMEOUT)
    return kazoo


def share_plain(hosts, port):
    """Share kazoo's client as it is.

    ``stop`` is what ends a KazooClient; its ``close`` refuses before that.  Values come as they
    survive the transcode: a ``ZnodeStat`` as the list of its members.
    """
    return (cluster(lambda: start_kazoo(hosts), name="zk", port=port)
            .delegate("get", idempotent=True)
            .delegate("exists", idempotent=True)
            .delegate("get_children", idempotent=True)
            .delegate("set")
            .delegate("create")
            .delegate("ensure_path", idempotent=True)
            .delegate("stop", "close")
            .create())


def share_watches(hosts, port):
    """Share it with watches as subscriptions."""
    return (cluster(ZooKeeper, name="zk", port=port)
            .delegate("get", idempotent=True)
            .create(hosts))


class ZooKeeper(object):
    """kazoo's client as a real client: its watches are subscriptions.

    Registrations are ``{"path": PATH}`` for a node's data, and ``{"path": PATH, "children": True}``
    for the names of its children.  A listener gets ``{"data": DATA, "version": NUMBER}``, or the
    sorted names, and ``None`` while there is no such node.  DATA is ``bytes``; on Python 2, where
    ``str`` that is UTF-8 counts as text, mostly ``unicode``.
    """

    def __init__(self, hosts):
        self._kazoo = start_kazoo(hosts)
        self._lock = threading.Lock()
        self._watches = []  # (registration, listener, watch)

    def subscribe(self, registration, listener):
        """Begin a watch; blocks until the first value was told."""
        kind = ChildrenWatch if registration.get("children") else DataWatch
        watch = kind(self._kazoo, registration["path"], listener)
        watch.start()
        with self._lock:
            self._watches.append((registration, listener, watch))

    def unsubscribe(self, registration, listener=None):
        """End it."""
        with self._lock:
            ended = [entry for entry in self._watches
                     if entry[0] == registration and listener in (None, entry[1])]
            self._watches = [entry for entry in self._watches if entry not in ended]
        for _, _, watch in ended:
            watch.is_over = True

    def get(self, path):
        """A node's ``{"data": DATA, "version": NUMBER}``; raises kazoo's ``NoNodeError``."""
        return as_value(*self._kazoo.get(path))

    def set(self, path, data):
        """Set a node, which is made where there is none; returns its version."""
        self._kazoo.ensure_path(path)
        return self._kazoo.set(path, six.ensure_binary(data)).version

    def create(self, path, data):
        """Make a node; raises kazoo's ``NodeExistsError``.

        No ephemeral ones: they would belong to the session, which ends with the leader.
        """
        return self._kazoo.create(path, six.ensure_binary(data), makepath=True)

    def close(self):
        """End the session."""
        self._kazoo.stop()
        self._kazoo.close()


def as_value(data, stat):
    """What a node holds, as listeners get it; ``None`` for no node."""
    return None if stat is None else {"data": data, "version": stat.version}


class DataWatch(object):
    """Tells a listener the data of a node.

    kazoo cannot take a watch back: one that is over ends when it hears of the next change.
    """

    def __init__(self, kazoo, path, listener):
        self.is_over = False
        self._kazoo = kazoo
        self._path = path
        self._listener = listener

    def start(self):
        """Watch; returns when the first value was told."""
        self._kazoo.DataWatch(self._path, self._on_data)

    # With all three parameters: kazoo tries that first, and calls again for a TypeError.
    def _on_data(self, data, stat, event=None):
        if self.is_over:
            return False
        self._listener(as_value(data, stat))


class ChildrenWatch(object):
    """Tells a listener the names of a node's children.

    kazoo's own watch ends for good where there is no node, so a watch of the node itself starts one
    for each node that comes to be at that path (``czxid`` tells them apart).
    """

    def __init__(self, kazoo, path, listener):
        self.is_over = False
        self._kazoo = kazoo
        self._path = path
        self._listener = listener
        self._born = -1  # in which transaction the node was made, None where there is none

    def start(self):
        """Watch; returns when the first value was told."""
        self._kazoo.DataWatch(self._path, self._on_node)

    def _on_node(self, data, stat, event=None):
        if self.is_over:
            return False
        born = None if stat is None else stat.czxid
        if born == self._born:
            return
        self._born = born
        if born is None:
            self._listener(None)
        else:
            self._kazoo.ChildrenWatch(self._path, functools.partial(self._on_children, born))

    def _on_children(self, born, names):
        if self.is_over or born != self._born:
            return False
        self._listener(sorted(names))


# -- the workers

def watch(client, options, tell):
    """A worker's subscriptions: the data of the node, and the names of its children."""
    client.subscribe({"path": options.path}, lambda value: tell(
        None if value is None else six.ensure_text(value["data"], errors="replace")))
    client.subscribe({"path": options.path, "children": True}, lambda names: tell(
        None if names is None else "the children: %s" % (", ".join(names) or "none")))


def change(client, options, text):
    """Set the node, and have it a child that is called as the text begins."""
    client.set(options.path, text)
    try:
        client.create("%s/%s" % (options.path, text.partition("-")[0]), "")
    except NodeExistsError:  # raised at the leader, and the same class here
        pass


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description="Processes that share one ZooKeeper session.")
    parser.add_argument("--hosts", default="127.0.0.1:2181", help="of ZooKeeper (127.0.0.1:2181)")
    parser.add_argument("--path", default="/clusterclient-example",
                        help="the node (/clusterclient-example)")
    worker_processes.main(
        parser, lambda options: share_watches(options.hosts, options.cluster_port), watch, change)


if __name__ == "__main__":
    main()
