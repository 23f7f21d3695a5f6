"""Which runtime a client gets where its user does not say.

A hub that is the user's own runs in a process that gevent has patched, and in a program that is
written for gevent; in any other process nobody would run it.  A program counts as written for
gevent where the client is made in a greenlet, or where the module of the real client's class, the
main one, or any that is at work when the client is made has something of gevent's among its names.
"""

from __future__ import absolute_import, division, print_function

import sys
import types

from gevent import monkey
from gevent.hub import Hub
from greenlet import getcurrent

from .._compat import native_thread_id
from ..greenlets.outside import GREENLET, THREAD

_OURS = __name__.split(".")[0]
#: The native thread that imported this: in most programs the main one.
_importer = native_thread_id()


def is_written_for_gevent(real_class):
    """Whether whoever makes a client, right now, or the real client's class, uses gevent.

    :param real_class: ``None`` for a factory.
    """
    modules = _at_work()
    modules.append(vars(sys.modules.get("__main__", sys)))
    if real_class is not None:
        modules.append(vars(sys.modules.get(real_class.__module__, sys)))
    return any(_is_of_gevent(value) for names in modules for value in list(names.values()))


def _at_work():
    """The names of each module that has a function on the stack, but for ours."""
    found = {}
    frame = sys._getframe(1)
    while frame is not None:
        if not _is_ours(frame.f_globals):
            found[id(frame.f_globals)] = frame.f_globals
        frame = frame.f_back
    return list(found.values())


def _is_ours(names):
    return str(names.get("__name__")).split(".")[0] == _OURS


def _is_of_gevent(value):
    # By its type, as it is: a lazy object of the user's must not be asked anything.
    kind = type(value)
    if issubclass(kind, types.ModuleType):
        name = value.__name__
    else:
        is_named = issubclass(
            kind, (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType))
        name = value.__module__ if is_named else kind.__module__
    # Whoever has only "monkey" may ask whether there is a patch.
    return isinstance(name, str) and name.split(".")[0] == "gevent" and name != "gevent.monkey"


def choose(options, written_for_gevent):
    """The options with a definite ``runtime`` and ``real_client_runtime``."""
    runtime = options.runtime
    if runtime is None:
        is_gevents = _is_in_greenlet() or (
            # In another native thread of such a program nobody runs a hub.
            (written_for_gevent or _is_patched()) and native_thread_id() == _importer)
        runtime = GREENLET if is_gevents else THREAD
    return options.replace(
        runtime=runtime, real_client_runtime=options.real_client_runtime or runtime)


def _is_patched():
    return monkey.is_module_patched("socket") or monkey.is_module_patched("threading")


def _is_in_greenlet():
    return isinstance(getcurrent().parent, Hub)
