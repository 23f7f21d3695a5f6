"""Which runtime a client gets where its user does not say."""

from __future__ import absolute_import, division, print_function

from gevent import monkey
from gevent.hub import Hub
from greenlet import getcurrent

from ..greenlets.outside import GREENLET, THREAD


def choose(options):
    """The options with a definite ``runtime`` and ``real_client_runtime``.

    A process that gevent has patched, and code that runs in a greenlet of a hub, are gevent's: the
    hub that is there runs.  In any other process nobody would run it.
    """
    runtime = options.runtime
    if runtime is None:
        runtime = GREENLET if _is_patched() or _is_in_greenlet() else THREAD
    return options.replace(
        runtime=runtime, real_client_runtime=options.real_client_runtime or runtime)


def _is_patched():
    return monkey.is_module_patched("socket") or monkey.is_module_patched("threading")


def _is_in_greenlet():
    return isinstance(getcurrent().parent, Hub)
