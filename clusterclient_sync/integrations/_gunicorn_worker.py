"""A gunicorn worker and the clients in it: they join, stand back when it is told to stop, close.

gunicorn tells nobody that a worker is to stop: signals, ``max_requests`` and the rest do no more
than set ``alive`` to false, and the worker's loop looks at it when it gets round to it.  So the
attribute is watched.
"""

from __future__ import absolute_import, division, print_function

import logging
import os
import threading

import gevent
from gevent import monkey

from .. import registry
from .._compat import uninterrupted
from ..builder import cluster
from ..forked import join_inherited
from . import _descriptors

_log = logging.getLogger("clusterclient_sync")


class _Watched(object):
    """What is laid over the class of a worker."""

    @property
    def alive(self):
        """Whether the worker goes on, as gunicorn has it."""
        return self.__dict__["alive"]

    @alive.setter
    def alive(self, value):
        self.__dict__["alive"] = value
        if not value:
            on_stop = self.__dict__.pop("_clusterclient_on_stop", None)
            if on_stop is not None:
                on_stop()


def start(worker):
    """The worker's application is there, and its hub is the one that it will keep."""
    join_inherited()
    worker.__dict__["_clusterclient_on_stop"] = _bell(stand_back_all)
    kind = type(worker)
    worker.__class__ = type(kind.__name__, (_Watched, kind), {"__module__": kind.__module__})
    if not worker.alive:  # it was told while it started
        worker.alive = False


def _bell(act):
    """A function that has ``act()`` run soon, and may be called, once, in a signal handler."""
    if not monkey.is_module_patched("socket"):
        return _native_bell(act)
    loop = gevent.get_hub().loop

    def ring():
        # It wakes the loop, too, where that sleeps in the kernel.
        loop.run_callback_threadsafe(gevent.spawn, act)

    return ring


def _native_bell(act):
    # A pipe, since starting a thread takes locks that the interrupted code may hold.
    reading, writing = _descriptors.pipe()
    failures = Exception

    def wait():
        try:
            uninterrupted(os.read, reading, 1)
            for end in (reading, writing):
                _descriptors.close(end)
            act()
        except failures:
            # What goes wrong is logged in there.  But a worker may end at once, and Python 2 takes
            # its modules apart under a running thread, the log's and that of Exception included.
            pass

    thread = threading.Thread(target=wait, name="clusterclient stand back")
    thread.daemon = True
    thread.start()
    return lambda: os.write(writing, b"!")


def stand_back_all():
    """Leave leading to other processes, as far as there are any."""
    for client in registry.live_clients():
        try:
            cluster.stand_back(client)
        except Exception:
            _log.warning("%r could not stand back", client, exc_info=True)


def close_all(timeout):
    """Close the clients of this process, at once; waits for them, but not longer than so many
    seconds."""
    closing = [gevent.spawn(client.close) for client in registry.live_clients()]
    gevent.joinall(closing, timeout=timeout)
