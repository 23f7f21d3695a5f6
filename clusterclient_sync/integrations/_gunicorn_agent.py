"""The agent of a gunicorn master: what the master tells its keeper, and how it lets it go."""

from __future__ import absolute_import, division, print_function

import select
import tempfile

from gevent import monkey

from . import _agent_launch, _descriptors
from ._agent_process import IS_LEADER_VARIABLE

_select = monkey.get_original("select", "select")


class Turns(object):
    """The agents of one master, and of those that it hands this on to, lead one after the other.

    :param lock: a descriptor of the file that they lock; a new one where omitted.
    """

    def __init__(self, lock=None):
        if lock is None:
            with tempfile.TemporaryFile() as nameless:
                lock = _descriptors.duplicate(nameless.fileno())
        self.lock = lock
        self._done, self._not_done = _descriptors.pipe()

    def start(self, server, path, environ, predecessor=None):
        """Start an agent; returns the descriptor by which it lives.

        :param predecessor: the one of the agent that is to lead until this one is ready; handed
            over.
        """
        cfg = server.cfg
        task = {
            "function": path, "patched": _is_patched(cfg.worker_class),
            "uid": cfg.uid, "gid": cfg.gid, "initgroups": cfg.initgroups,
            "log": None if cfg.errorlog in (None, "-") else cfg.errorlog,
            "grace": cfg.graceful_timeout, "lock": self.lock, "predecessor": predecessor,
            "done": self._not_done,
        }
        environ = dict(environ, **{IS_LEADER_VARIABLE: "1"})
        kept = [self.lock, self._not_done] + ([] if predecessor is None else [predecessor])
        try:
            return _agent_launch.launch(task, environ, kept)
        finally:
            _descriptors.close(predecessor)

    def close(self):
        """Let go of the descriptors; ends no agent."""
        for fileno in (self.lock, self._done, self._not_done):
            _descriptors.close(fileno)

    def wait_for_end(self, timeout):
        """Wait until every agent that was started has ended, at most so many seconds."""
        _descriptors.close(self._not_done)
        try:
            _select([self._done], [], [], timeout)
        except (OSError, select.error):
            pass  # a signal: whoever sends one to a master that ends is in a hurry


def _is_patched(worker_class):
    """Whether gunicorn's gevent worker is this class or under it: then the application expects it.
    """
    return any(kind.__module__ == "gunicorn.workers.ggevent" for kind in worker_class.__mro__)
