"""Forks a member of a cluster; the forked child lives on until a file comes up."""

from __future__ import absolute_import, division, print_function

import multiprocessing
import os
import sys

import gevent
from six.moves import shlex_quote

from clusterclient_sync._compat import monotonic
from support.talk import tell

#: A child that nobody stops ends by itself.
LONGEST_LIFE = 60.0
_commands = os.fstat(0)


def start(how, stop_path, clients):
    """Start a child process.

    :param how: ``os.fork``, ``multiprocessing``, or ``exec``.
    :param stop_path: when this file is there, the child ends.
    :param clients: those of this process; a forked child closes them, as a careless one would.
    :return: its pid.
    """
    return _WAYS[how](stop_path, clients)


def _fork(stop_path, clients):
    pid = os.fork()
    if pid:
        return pid
    try:
        _live(stop_path, clients)
    finally:
        os._exit(0)


def _multiprocessing(stop_path, clients):
    # What a Python forks by default changes; here it is the fork that is tested.
    context = multiprocessing.get_context("fork") if hasattr(multiprocessing, "get_context") \
        else multiprocessing
    process = context.Process(target=_live, args=(stop_path, clients))
    process.start()
    return process.pid


_PROGRAM = """
import os, sys, time
with open(sys.argv[2], "w") as told:
    told.write(str(os.getpid()) + "\\n")
ends = time.time() + %r
while time.time() < ends and not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
""" % LONGEST_LIFE


def _exec(stop_path, clients):
    """A program with all descriptors that it may inherit.

    A shell starts it: it is forked below Python, where no fork hook runs.
    """
    pid_path = "%s.%d" % (stop_path, os.getpid())
    words = (sys.executable, "-c", _PROGRAM, stop_path, pid_path)
    os.system("%s </dev/null >/dev/null 2>&1 &" % " ".join(shlex_quote(word) for word in words))
    text = ""
    deadline = monotonic() + LONGEST_LIFE
    while not text.endswith("\n"):  # until then it may be the shell still
        assert monotonic() < deadline, "the program did not start"
        gevent.sleep(0.01)
        if os.path.exists(pid_path):
            with open(pid_path) as told:
                text = told.read()
    return int(text)


_WAYS = {"os.fork": _fork, "multiprocessing": _multiprocessing, "exec": _exec}


def _leave_commands_to_parent():
    """Greenlets survive a fork: the one that reads commands would take some of the parent's."""
    never, _ = os.pipe()
    for name in os.listdir("/proc/self/fd"):
        try:
            is_same = os.path.samestat(os.fstat(int(name)), _commands)
        except OSError:  # the listing's own
            continue
        if is_same:
            os.dup2(never, int(name))


def _live(stop_path, clients):
    """Turn the hub, say so, and wait for the file."""
    _leave_commands_to_parent()
    gevent.sleep(0.01)
    errors = []
    for client in clients.values():
        try:
            client.close(timeout=1)
        except Exception as error:
            errors.append(repr(error))
    gevent.sleep(0.01)
    tell("forked", pid=os.getpid(), errors=errors)
    ends = monotonic() + LONGEST_LIFE
    while monotonic() < ends and not os.path.exists(stop_path):
        gevent.sleep(0.02)
