"""The base of real clients: events, and a start that takes its time.

A real client need not derive from it, any class serves.  What it brings works where a subclass
forgets ``super().__init__()``, with a cluster client above it or without.
"""

from __future__ import absolute_import, division, print_function

import abc
import logging
import sys

import gevent
import six
from gevent.event import Event

from clusterclient_sync.events import EventEmitter
from clusterclient_sync.exceptions import (
    ClientClosedError,
    ClusterClientError,
    ResponseTimeoutError,
)

logger = logging.getLogger(__name__)

_START = "_clusterclient_start"  # in the instance's dictionary, see events.py for why


class _Start(object):
    """The start of one real client: pending, then done or failed, once.

    The greenlet that runs ``init`` is made, and stopped, here.
    """

    def __init__(self):
        self.owner = None  # the greenlet whose user code must not wait for itself
        self.greenlet = None
        self._ended = Event()
        self._waiting = 0
        self._failure = None

    def begin(self, client):
        """Run ``client.init()`` in a greenlet of its own, unless it does or was stopped."""
        if self.greenlet is not None or self._ended.is_set():
            return
        self.greenlet = self.owner = gevent.Greenlet(self._run, client)
        self.greenlet.name = "%s.init" % type(client).__name__
        self.greenlet.start()

    def _run(self, client):
        try:
            client.init()
        except KeyboardInterrupt:
            self.end(sys.exc_info())
            raise  # the user at the terminal means the process
        except gevent.GreenletExit:
            self.end(_closed(client))
        except BaseException:
            failure = sys.exc_info()
            if not self._waiting and not self._ended.is_set():
                logger.warning("init() of %s failed; ready() raises it",
                               type(client).__name__, exc_info=failure)
            self.end(failure)
        else:
            self.end()

    def end(self, failure=None):
        """Let all waiters go, with the ``sys.exc_info()`` of a failure or without; once."""
        if not self._ended.is_set():
            self._failure = failure
            self.owner = None
            self._ended.set()

    def is_ended(self):
        return self._ended.is_set()

    def wait(self, timeout):
        """Block until the end; raises what :meth:`DataClientBase.ready` says."""
        if self.owner is gevent.getcurrent():
            raise ClusterClientError(
                "ready() inside the constructor or init() would wait for itself; "
                "the client is ready when init() returns")
        self._waiting += 1
        try:
            ended = self._ended.wait(timeout)
        finally:
            self._waiting -= 1
        if not ended:
            raise ResponseTimeoutError(
                "the client was not ready within %s seconds: its init() has not returned; "
                "look at what it waits for, or wait longer" % timeout,
                timeout=timeout, method="ready")
        if self._failure is not None:
            six.reraise(*self._failure)

    def stop(self, client, timeout):
        """End it as closed and kill what runs; returns whether nothing runs any more."""
        greenlet = self.greenlet
        if greenlet is not None and not greenlet.dead and greenlet.parent is not gevent.get_hub():
            # It runs in another thread, whose hub ends it when that comes to run.
            greenlet.parent.loop.run_callback_threadsafe(self._end_here, client)
            return False
        self.end(_closed(client))
        if greenlet is None or greenlet is gevent.getcurrent():
            return greenlet is None
        greenlet.kill(timeout=timeout)
        return greenlet.dead


    def _end_here(self, client):
        self.end(_closed(client))
        self.greenlet.kill(block=False)


def _closed(client):
    error = ClientClosedError(
        "%s was closed before its init() returned" % type(client).__name__)
    return type(error), error, None


class _StartsAfterConstruction(abc.ABCMeta):
    """Calls ``init`` when the whole constructor is through, whichever class it belongs to.

    An ABCMeta, so that a subclass may have abstract methods and mix in abstract classes.
    """

    def __call__(cls, *args, **kwargs):
        client = cls.__new__(cls, *args, **kwargs)
        if not isinstance(client, cls):
            return client  # as Python does: the constructor is not for another class's instance
        start = _start_of(client, again=True)
        if start is not None and start.greenlet is None:
            start.owner = gevent.getcurrent()
        try:
            type(client).__init__(client, *args, **kwargs)
        except BaseException:
            if start is not None:
                start.end(sys.exc_info())
            raise
        if start is not None:
            start.begin(client)
        return client


def _start_of(client, again=False):
    """The start of this client, or None where its class has no ``init``.

    A class may give the same instance twice (``__new__``); where Python runs its constructor
    ``again``, it starts anew, unless the last start is still under way.
    """
    if not callable(getattr(type(client), "init", None)):
        return None
    start = client.__dict__.get(_START)
    if start is None or (again and start.is_ended()):
        start = client.__dict__[_START] = _Start()
    return start


class DataClientBase(six.with_metaclass(_StartsAfterConstruction, EventEmitter)):
    """Derive a real client from this for ``ready`` and for events (``on/once/off/emit``).

    Where a subclass defines ``init(self)``, it runs in a greenlet of its own after the
    constructor: the client is ready when it returns, and failed when it raises.
    """

    def ready(self, timeout=None):
        """Block until ``init`` has returned; at once where there is none.

        :param timeout: seconds, or ``None`` to wait as long as it takes.
        :raises ResponseTimeoutError: it did not return in time; it goes on, and ``ready`` may be
            called again.
        :raises ClientClosedError: the client was closed meanwhile.
        :raises Exception: what ``init`` raised, to every caller, any number of times.
        """
        start = _start_of(self)
        if start is not None:
            start.wait(timeout)

    def _stop_init(self, timeout=None):
        """End an ``init`` that still runs: for the owner that closes this client.

        From now on ``ready`` raises ClientClosedError, unless ``init`` was through before.

        :param timeout: how long to wait for an ``init`` that cleans up after itself.
        :return: whether ``init`` does not run any more.
        """
        start = _start_of(self)
        return start is None or start.stop(self, timeout)
