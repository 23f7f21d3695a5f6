"""The agent: a process beside a web server's workers that always leads.

It calls the application's function, which creates the clients, and then does nothing but keep them
open.  What goes wrong in a greenlet is logged, and the agent stays alive; where the function itself
fails, or a client of its cannot lead, the process ends, and its keeper starts it again.
"""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import importlib
import logging
import os
import signal
import sys

import gevent
from gevent import monkey
from gevent.event import Event

from .. import registry
from ..exceptions import PortOccupiedError
from . import _gunicorn_worker

IS_LEADER_VARIABLE = "CLUSTERCLIENT_IS_LEADER"

_log = logging.getLogger("clusterclient_sync.agent")

_FAILED = 1


def run(task, ready):
    """Be the agent; ends the process.

    :param task: see ``_agent_keeper``.
    :param ready: a descriptor to write to when it is ready to lead.
    """
    if task["patched"]:
        monkey.patch_all()
    os.environ[IS_LEADER_VARIABLE] = "1"
    sys.exit(_Agent(task, ready).run())


class _Agent(object):

    def __init__(self, task, ready):
        self._task = task
        self._ready = ready
        self._stopped = Event()

    def run(self):
        """Lead until it is told to stop; returns the exit status."""
        hub = gevent.get_hub()
        hub.handle_error = _logging_errors(hub)
        gevent.signal_handler(signal.SIGTERM, self._stopped.set)
        life = hub.loop.io(self._task["life"], 1)
        life.start(self._stopped.set)
        try:
            return self._lead()
        finally:
            _gunicorn_worker.close_all(self._task["grace"])
            life.stop()
            life.close()

    def _lead(self):
        path = self._task["function"]
        try:
            function = _find(path)
        except Exception:
            _log.exception("The agent's function %s cannot be imported", path)
            return _FAILED
        os.write(self._ready, b"r")
        self._wait_for_turn()
        job = gevent.spawn(_create, function, path)
        gevent.wait([job, self._stopped], count=1)
        if self._stopped.is_set():
            return 0
        if not job.successful() or not job.value:
            return _FAILED
        _log.info("The agent leads: %s", ", ".join(map(repr, registry.live_clients())))
        self._stopped.wait()
        return 0

    def _wait_for_turn(self):
        """Wait until the agent before this one, of this master or another one, is no more."""
        locking = gevent.get_hub().threadpool.spawn(_lock, self._task["lock"])
        gevent.wait([locking, self._stopped], count=1)
        if not locking.ready():
            # Nothing is to be ended yet, and the native thread would hold up a regular exit.
            os._exit(0)
        locking.get()


def _logging_errors(hub):
    plain = hub.handle_error

    def handle_error(context, type, value, tb):
        if value is None or isinstance(value, hub.NOT_ERROR + hub.SYSTEM_ERROR):
            plain(context, type, value, tb)
        else:
            _log.error("Nobody caught an error of %r; the agent goes on", context,
                       exc_info=(type, value, tb))

    return handle_error


def _find(path):
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _lock(fileno):
    # Held by this process alone, whoever else has the descriptor, and let go when it ends.
    while True:
        try:
            return fcntl.lockf(fileno, fcntl.LOCK_EX)
        except (IOError, OSError) as error:
            if error.errno != errno.EINTR:
                raise


def _create(function, path):
    """Have the clients created; whether all of them lead, or may yet."""
    try:
        function()
    except Exception:
        _log.exception("The agent's function %s failed", path)
        return False
    clients = registry.live_clients()
    if not clients:
        _log.error("The agent's function %s created no client", path)
        return False
    return all([_may_lead(client) for client in clients])


def _may_lead(client):
    try:
        client.ready()
    except PortOccupiedError as error:
        _log.error("The agent cannot lead: %s", error)
        return False
    except Exception as error:
        # Its server is down, say: the client itself goes on trying.
        _log.warning("%r is not ready yet: %s", client, error)
    return True
