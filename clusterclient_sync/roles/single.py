"""Single mode: no port; the clients of one name in a process share one real client.

The first client makes it, the last one that leaves closes it.  It has its own workers, since it may
outlive the client that made it.
"""

from __future__ import absolute_import, division, print_function

import os

import gevent
from gevent.event import Event

from .._compat import monotonic
from ..exceptions import ClusterClientError, TranscodeError
from ..greenlets.deadlines import Deadlines
from ..greenlets.waits import Wait, wait_until
from ..greenlets.workers import WorkerPool
from . import event_arguments
from .host import Host
from .upstream import UpstreamTable

_shared = {}  # (pid, hub id, name) -> SharedHost


def join(plan, options, transcode, user):
    """The shared host of this name; ``user`` is a core, which must :meth:`SharedHost.leave`.

    Blocks while an earlier one is being closed: there is one real client at a time.
    """
    key = os.getpid(), id(gevent.get_hub()), plan.name
    shared = _shared.get(key)
    while shared is not None and shared.is_closing:
        shared.has_closed.wait()
        shared = _shared.get(key)
    if shared is None:
        shared = _shared[key] = SharedHost(key, plan, options, transcode)
    shared.users.append(user)
    return shared


class StartFailed(Exception):
    """The real client could not be started: ``error`` says why."""

    def __init__(self, error):
        super(StartFailed, self).__init__(error)
        self.error = error


class SharedHost(object):
    """A real client and those who share it."""

    def __init__(self, key, plan, options, transcode):
        hub = gevent.get_hub()
        self.users = []
        self.is_closing = False
        self.has_closed = Event()
        self._key = key
        self._transcode = transcode
        self._hub = hub
        self._pool = WorkerPool(hub, plan.name)
        self._deadlines = Deadlines(hub)
        self._drain_timeout = options.drain_timeout
        self._starter = None
        self._failure = None
        # A hub that waits only for calls from other threads would call itself deadlocked.
        self._holder = hub.loop.async_()
        self._holder.start(lambda: None)
        self.host = Host(plan, options, self._pool, self._deadlines, self._on_event)
        self.upstreams = UpstreamTable(self.host, transcode, lambda: None, self._on_error)

    def start(self, wait):
        """Make the real client, or wait until it is made.

        :param wait: see :meth:`~.host.Host.start`; may return before the end where the user goes.
        :raises StartFailed: with what the real client's start raised; to all who wait for it.
        """
        if self._starter is None:
            self._starter = gevent.Greenlet(self._start)
            self._starter.name = "start of %s" % self.host.plan.name
            self._starter.start()
        wait(self._starter)
        if self._failure is not None:
            raise StartFailed(self._failure)
        if not self._starter.dead:
            raise StartFailed(
                ClusterClientError("the client is closed before its real client has started"))

    def _start(self):
        try:
            self.host.start(lambda greenlet: greenlet.join())
        except Exception as error:
            self._failure = error
            self._forget()  # who tries again makes a new one

    def _forget(self):
        if _shared.get(self._key) is self:
            del _shared[self._key]

    def leave(self, user):
        """A user is gone; the last one closes the real client, once what is in hand is finished."""
        self.users.remove(user)
        if not self.users and self._failure is None:
            self._drain()
        if not self.users and not self.is_closing:
            self._close()

    def _drain(self):
        """Let the real client finish its work, at most for the ``drain_timeout``."""
        drained = Wait()

        def check():
            if not self.host.local_in_work:
                drained.resolve()

        self.host.on_work_done = check
        check()
        wait_until(drained, self._deadlines, monotonic() + self._drain_timeout, self._hub)

    def _close(self):
        self.is_closing = True
        if self._starter is not None:
            self._starter.kill(timeout=1)
        self.host.close()
        self._forget()
        self.has_closed.set()
        self._pool.close(self._drain_timeout)
        self._deadlines.close()
        self._holder.stop()
        self._holder.close()

    def _on_event(self, name, args):
        try:
            own = event_arguments.own_copy(args, self._transcode)
        except TranscodeError as error:
            self.host.options.logger.warning("The event %r cannot be passed on: %s", name, error)
            return
        for user in list(self.users):
            user.on_event(name, own)

    def _on_error(self, error):
        for user in list(self.users):
            user.emit_error(error)
