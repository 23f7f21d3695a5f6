"""Starts the agent's keeper beside a gunicorn master, as no child of it.

gunicorn takes every child that ends for a worker: some versions report it as one, and some halt
when its exit status is 3 or 4.  So the keeper is forked twice.  What ties it to its master is a
pipe: the master has the writing end, and when that is closed, since the master closed it or is no
more, keeper and agent end.
"""

from __future__ import absolute_import, division, print_function

import errno
import json
import os
import sys
import traceback

from gevent import monkey

from . import _descriptors

VARIABLE = "CLUSTERCLIENT_AGENT"

_BOOT = """\
import json, os, sys
sys.path[:] = json.loads(os.environ[%r])["paths"]
from clusterclient_sync.integrations._agent_keeper import main
main()
""" % VARIABLE

# In a master that gevent has patched, its own would watch the child, and take it from gunicorn.
_fork = monkey.get_original("os", "fork")
_waitpid = monkey.get_original("os", "waitpid")


def launch(task, environ, descriptors):
    """Start a keeper.

    :param task: what it is to do, see :mod:`._agent_keeper`; ``life`` is added to it.
    :param environ: the environment of the keeper and the agent.
    :param descriptors: what they need besides; stays open here.
    :return: the writing end of the pipe that they live by.
    """
    reading, writing = _descriptors.pipe()
    task = dict(task, life=reading, paths=sys.path)
    environ = dict(environ, **{VARIABLE: json.dumps(task)})
    command = [sys.executable, "-c", _BOOT, "clusterclient_sync agent", task["function"]]
    try:
        _start_detached(command, environ, [reading] + list(descriptors))
    except BaseException:
        _descriptors.close(writing)
        raise
    finally:
        _descriptors.close(reading)
    return writing


def _start_detached(command, environ, descriptors):
    child = _fork()
    if child == 0:
        try:
            # Away from the terminal: what that sends is meant for the master.
            os.setsid()
            if _fork() == 0:
                _exec(command, environ, descriptors)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    _wait_for(child)


def _exec(command, environ, descriptors):
    for fileno in _open_descriptors():
        if fileno > 2 and fileno not in descriptors:
            _descriptors.close(fileno)
    for fileno in descriptors:
        _descriptors.keep_over_exec(fileno)
    os.execve(command[0], command, environ)


def _open_descriptors():
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return range(3, min(os.sysconf("SC_OPEN_MAX"), 65536))


def _wait_for(child):
    while True:
        try:
            _waitpid(child, 0)
            return
        except OSError as error:
            if error.errno == errno.ECHILD:  # gunicorn's handler of SIGCHLD was faster
                return
            if error.errno != errno.EINTR:
                raise
