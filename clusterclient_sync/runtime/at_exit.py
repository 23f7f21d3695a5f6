"""The interpreter ends: a leader whose close was forgotten hands over, as far as that is quick.

Only leaving is done here, and what was sent is seen off.  Nobody in this process is told: a caller
that still waits would print an error that helps nobody.
"""

from __future__ import absolute_import, division, print_function

import atexit
import os

from .. import registry
from .._compat import monotonic
from ..exceptions import ClusterClientError
from . import hub_thread

#: For all that is forgotten together (seconds); the process ends then, as if it had died.
_PATIENCE = 1.0

_watching = None  # the pid that watches


def watch():
    """Watch over this process's end."""
    global _watching
    if _watching is None:
        atexit.register(_leave)
    _watching = os.getpid()


def _leave():
    # A forked child that made no client has none to leave.
    if _watching != os.getpid():
        return
    until = monotonic() + _PATIENCE
    clients = registry.live_clients()
    for is_last_look in (False, True):  # they leave side by side
        for client in clients:
            try:
                client._gate.leave_at_exit(max(0.0, until - monotonic()) if is_last_look else 0.0)
            except ClusterClientError:
                pass  # its loop does not run any more
    hub_thread.end_at_exit(_PATIENCE)
