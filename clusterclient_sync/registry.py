"""Which cluster clients live in this process, so that those of one name agree.

Clients of one address and name share one real client.  If they were made from different classes or
arguments, one of them would silently talk to the other's server; so that is an error where the
second one is made.  Clients are held weakly: one that is dropped without ``close`` is forgotten.
"""

from __future__ import absolute_import, division, print_function

import functools
import os
import types
import weakref

from clusterclient_sync._compat import call_after_fork_in_child, native_lock
from clusterclient_sync.exceptions import ConfigurationError

_lock = native_lock()  # nothing that could switch greenlets happens while it is held
_live = {}  # (pid,) + key -> list of (weak reference to the client, its plan)


def _in_child():
    global _lock
    _lock = native_lock()


call_after_fork_in_child(_in_child)


def key_of(name, options):
    """What two clients of a process have in common when they share a real client."""
    if options.single_mode:
        return ("single", name)
    return (options.host, options.port, name)


def claim(client, key, plan):
    """Note a client that is being made; :func:`release` ends it.

    :param key: what :func:`key_of` gave.
    :raises ConfigurationError: another live client of this key was made from another class or
        with other arguments; nothing is noted then.
    """
    with _lock:
        _forget_dead()
        entries = list(_live.get((os.getpid(),) + key, ()))
    for reference, other in entries:  # outside of the lock: what is compared is the user's
        if reference() is not None and not _agree(plan, other):
            raise ConfigurationError(
                u"this process has a client %s already, made from %s, and this one from %s: they "
                u"would share one real client. Use the same class and equal arguments, or give "
                u"one of them a name or a port of its own"
                % (_told_key(key), other.fingerprint, plan.fingerprint))
    with _lock:
        _live.setdefault((os.getpid(),) + key, []).append((weakref.ref(client), plan))


def release(client):
    """Forget a client; nothing happens where it is not (or no longer) known."""
    with _lock:
        for entries in list(_live.values()):
            entries[:] = [entry for entry in entries if entry[0]() is not client]
        _forget_dead()


def live_clients():
    """The clients of this process that are not closed, as a new list."""
    pid = os.getpid()
    with _lock:
        found = [reference() for key, entries in list(_live.items()) if key[0] == pid
                 for reference, _ in entries]
    return [client for client in found if client is not None]


def _forget_dead():
    """Drop what was collected, and what a parent process left behind in a forked child."""
    pid = os.getpid()
    for key, entries in list(_live.items()):
        entries[:] = [entry for entry in entries if entry[0]() is not None]
        if not entries or key[0] != pid:
            _live.pop(key, None)


def _told_key(key):
    if key[0] == "single":
        return u"named %s (single mode)" % key[1]
    return u"named %s at %s:%s" % (key[2], key[0], key[1])


def _agree(plan, other):
    if plan.real_class is not other.real_class:
        return False
    if plan.real_class is None and not _same_function(plan.make_real, other.make_real):
        return False
    return _equal(plan.arguments, other.arguments)


def _equal(one, two):
    try:
        return bool(one == two)
    except Exception:  # arrays and the like, whose == is no answer
        return False


def _same_function(one, two):
    """Whether two factories do the same: a lambda that is evaluated twice gives two objects."""
    if _equal(one, two):
        return True
    if isinstance(one, functools.partial) and isinstance(two, functools.partial):
        return (_same_function(one.func, two.func) and _equal(one.args, two.args)
                and _equal(one.keywords or {}, two.keywords or {}))
    if isinstance(one, types.FunctionType) and isinstance(two, types.FunctionType):
        return one.__code__ is two.__code__ and _equal(_bound(one), _bound(two))
    return False


def _bound(function):
    """What a function carries along besides its code."""
    cells = [_content(cell) for cell in function.__closure__ or ()]
    return cells, function.__defaults__, getattr(function, "__kwdefaults__", None)


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None
