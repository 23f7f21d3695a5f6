"""The agent's keeper: a small process that starts the agent again when it dies.

Its task is a dict:

=================  =============================================================================
``function``       ``module:function``, which creates the agent's clients
``patched``        whether gevent patches the agent's process
``uid``, ``gid``,  of gunicorn's workers
``initgroups``
``log``            the path of gunicorn's error log, or ``None`` for the standard error
``grace``          how long (seconds) the agent may take to end
``life``           a descriptor whose end of file means: end
``lock``           a file that is locked by who may lead
``predecessor``    a descriptor to close when the agent is ready to lead, or ``None``: the agent
                   that leads until then lives by it
``done``           a descriptor that stays open until both have ended
``paths``          ``sys.path``
=================  =============================================================================
"""

from __future__ import absolute_import, division, print_function

import errno
import json
import logging
import logging.handlers
import os
import select
import signal
import sys

from .._compat import monotonic
from ..greenlets.backoff import Backoff
from . import _agent_process, _descriptors
from ._agent_launch import VARIABLE

_log = logging.getLogger("clusterclient_sync.agent")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
#: An agent that lived so long (seconds) is started again at once.
_LONG_LIFE = 60.0
_FORMAT = "[%(asctime)s] [%(process)d] [%(levelname)s] %(name)s: %(message)s"


def main():
    """The keeper's program."""
    task = json.loads(os.environ.pop(VARIABLE))
    # As gunicorn's workers do it; a package that is not there is not asked for.
    from gunicorn.util import set_owner_process

    set_owner_process(task["uid"], task["gid"], initgroups=task["initgroups"])
    _log_to(task["log"])
    Keeper(task).run()


def _log_to(path):
    if path is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        handler = logging.handlers.WatchedFileHandler(path)
    handler.setFormatter(logging.Formatter(_FORMAT))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)


class Keeper(object):
    """See the module."""

    def __init__(self, task):
        self._task = task
        self._life = task["life"]
        self._backoff = Backoff(first=_FIRST_PAUSE, cap=_LONGEST_PAUSE)
        for name in ("life", "lock", "predecessor", "done"):
            if task[name] is not None:
                _descriptors.drop_at_exec(task[name])
        self._bell, self._ringer = _descriptors.pipe()
        _descriptors.never_block(self._ringer)

    def run(self):
        """Keep an agent until the master wants none."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._ringer)
        while True:
            started = monotonic()
            pid, ready = self._start()
            status = self._watch(pid, ready)
            if status is None:
                self._end(pid)
                return
            if monotonic() - started > _LONG_LIFE:
                self._backoff.reset()
            pause = self._backoff.pause()
            _log.warning("The agent (pid %d) ended %s; it is started again in %.1f s",
                         pid, _told(status), pause)
            if self._wait([self._life], pause):
                return

    def _start(self):
        """A new agent: its pid, and the reading end on which it tells that it is ready to lead."""
        reading, writing = _descriptors.pipe()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fileno in (reading, self._bell, self._ringer, self._task["predecessor"]):
                _descriptors.close(fileno)
            _agent_process.run(self._task, writing)
        _descriptors.close(writing)
        return pid, reading

    def _watch(self, pid, ready):
        """The status with which the agent ended; ``None`` when it is to end."""
        watched = [self._life, self._bell, ready]
        try:
            while True:
                readable = self._wait(watched)
                if self._life in readable:
                    return None
                if ready in readable:
                    watched.remove(ready)
                    if os.read(ready, 1):
                        self._relieve_predecessor()
                if self._bell in readable:
                    os.read(self._bell, 4096)
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if ended:
                        return status
        finally:
            _descriptors.close(ready)

    def _relieve_predecessor(self):
        _descriptors.close(self._task["predecessor"])
        self._task["predecessor"] = None

    def _end(self, pid):
        """The agent lives by the same pipe, and is about to end; see that it does."""
        until = monotonic() + self._task["grace"]
        while True:
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                return
            if monotonic() > until:
                _log.warning("The agent (pid %d) did not end within %s s and is killed",
                             pid, self._task["grace"])
                os.kill(pid, signal.SIGKILL)
                until = float("inf")
            if self._wait([self._bell], max(0.0, min(until - monotonic(), 60.0))):
                os.read(self._bell, 4096)

    @staticmethod
    def _wait(descriptors, timeout=None):
        """Those of the descriptors that can be read; none when the time is over."""
        until = None if timeout is None else monotonic() + timeout
        while True:
            left = None if until is None else max(0.0, until - monotonic())
            try:
                return select.select(descriptors, [], [], left)[0]
            except (OSError, select.error) as error:
                if error.args[0] != errno.EINTR:
                    raise


def _told(status):
    if os.WIFSIGNALED(status):
        return "by signal %d" % os.WTERMSIG(status)
    return "with status %d" % os.WEXITSTATUS(status)
