"""gunicorn: its workers share one real client, and nobody has to write a hook for it.

One line in ``gunicorn.conf.py``::

    from clusterclient_sync.integrations.gunicorn import *

Where the file has hooks of its own, or where an option is wanted, these are its last lines::

    from clusterclient_sync.integrations.gunicorn import install
    install(globals(), agent="myapp.registry:create_clients")

See ``docs/gunicorn.rst`` for what happens at a reload and at an upgrade.
"""

from __future__ import absolute_import, division, print_function

import functools
import importlib
import os

import six

from . import _gunicorn_master, _gunicorn_worker
from ._gunicorn_settings import checked

__all__ = ["child_exit", "install", "nworkers_changed", "on_exit", "on_reload", "post_fork",
           "post_worker_init", "pre_exec", "pre_fork", "when_ready", "worker_exit"]

#: gunicorn checks how many arguments a hook takes.
_ARITY = {
    "nworkers_changed": 3, "when_ready": 1, "on_reload": 1, "pre_fork": 2, "post_fork": 2,
    "post_worker_init": 1, "worker_exit": 2, "child_exit": 2, "pre_exec": 1, "on_exit": 1,
}
#: In these the user's hook runs first: it may need the clients, or the address.
_OURS_LAST = ("worker_exit", "on_exit")


def install(namespace, port=None, host="127.0.0.1", share_on_reload=None, share_on_upgrade=None,
            agent=None):
    """Put the hooks into a gunicorn configuration; hooks that are there already run as well.

    :param namespace: the configuration's ``globals()``; to be called when its own hooks are there.
    :param port: where the workers meet.  ``None``: what ``CLUSTERCLIENT_PORT`` says, else a port
        that the master chooses, which is this application's alone.
    :param host: the address on which it is kept; that of the option ``host`` of the clients.
    :param share_on_reload: whether workers from before and after a HUP share one real client.
        ``None``: they do.
    :param share_on_upgrade: whether the workers of the master that a USR2 starts share it, too.
        ``None``: only where the port is fixed.
    :param agent: ``"module:function"``, or a function of a module, which creates the clients in a
        process beside the workers: it always leads, and they follow.
    :raises ConfigurationError: for a value of a wrong type or range.
    """
    settings = checked(port, host, share_on_reload, share_on_upgrade, agent)
    ours = _Hooks(settings)
    for name, arity in _ARITY.items():
        theirs = namespace.get(name)
        theirs = getattr(theirs, "clusterclient_theirs", theirs)  # where it is an earlier one of us
        hook = _WITH_ARITY[arity](_in_turn(name, getattr(ours, name), theirs))
        hook.__name__ = name
        hook.clusterclient_theirs = theirs
        namespace[name] = hook


class _Hooks(object):
    """gunicorn's hooks, by their names."""

    def __init__(self, settings):
        self._settings = settings

    def nworkers_changed(self, server, new, old):
        # The first hook after the configuration was read, and before preload_app imports.
        self._master(server)

    def _master(self, server):
        """The master's state, by its present configuration."""
        master = _gunicorn_master.of(server)
        if master.configure(server, self._settings):
            _warn_of_lost_hooks(server)
        return master

    def when_ready(self, server):
        self._master(server).start_agent(server)

    def on_reload(self, server):
        self._master(server).start_agent(server)

    def pre_fork(self, server, worker):
        self._master(server).note_fork(worker)

    def post_fork(self, server, worker):
        _gunicorn_master.of(server).leave_in_worker()

    def post_worker_init(self, worker):
        # Not in post_fork: the gevent worker makes its hub anew after that.
        _gunicorn_worker.start(worker)

    def worker_exit(self, server, worker):
        if worker.pid == os.getpid():
            _gunicorn_worker.close_all(worker.cfg.graceful_timeout)
        else:  # the master found it gone
            _gunicorn_master.of(server).note_end(server)

    def child_exit(self, server, worker):
        _gunicorn_master.of(server).note_end(server)

    def pre_exec(self, server):
        _gunicorn_master.of(server).hand_over(server)

    def on_exit(self, server):
        _gunicorn_master.of(server).end(server)


def _warn_of_lost_hooks(server):
    lost = [name for name in sorted(_ARITY)
            if not hasattr(getattr(server.cfg, name), "clusterclient_theirs")]
    if lost:
        server.log.warning(
            "clusterclient_sync: gunicorn's configuration has hooks of its own in place of ours "
            "(%s): call clusterclient_sync.integrations.gunicorn.install(globals()) after them",
            ", ".join(lost))


def _in_turn(name, ours, theirs):
    if theirs is None:
        return ours
    if isinstance(theirs, six.string_types):  # as gunicorn lets a hook be named
        theirs = _imported(theirs)
    first, second = (theirs, ours) if name in _OURS_LAST else (ours, theirs)

    @functools.wraps(theirs, assigned=("__name__", "__doc__"), updated=())
    def both(*args):
        try:
            first(*args)
        finally:
            second(*args)

    return both


def _imported(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


_WITH_ARITY = {
    1: lambda call: lambda subject: call(subject),
    2: lambda call: lambda server, worker: call(server, worker),
    3: lambda call: lambda server, new, old: call(server, new, old),
}

_plain = {}
install(_plain)
nworkers_changed = _plain["nworkers_changed"]
when_ready = _plain["when_ready"]
on_reload = _plain["on_reload"]
pre_fork = _plain["pre_fork"]
post_fork = _plain["post_fork"]
post_worker_init = _plain["post_worker_init"]
worker_exit = _plain["worker_exit"]
child_exit = _plain["child_exit"]
pre_exec = _plain["pre_exec"]
on_exit = _plain["on_exit"]
