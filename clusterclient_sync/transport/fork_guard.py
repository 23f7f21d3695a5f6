"""A forked child never touches its parent's sockets.

Everything that owns a descriptor registers here.  In a child, owners are told to ``abandon`` their
descriptor: it is closed in the child alone, without a shutdown, so that the parent's connection
lives on.  The hub's loop is made anew before that: until then its poll set is shared with the
parent, and stopping a watcher would change it there too.

Where no fork hook runs, the pid that each owner noted tells the same the next time that one of its
callbacks runs.
"""

from __future__ import absolute_import, division, print_function

import logging
import os
import weakref

from .._compat import call_after_fork_in_child, existing_hub

_log = logging.getLogger(__name__)

_owners = weakref.WeakSet()
_is_hooked = False
_pid = os.getpid()


def watch_over(owner):
    """Have ``owner.abandon()`` called in every child that is forked while ``owner`` lives."""
    global _is_hooked
    if not _is_hooked:
        _is_hooked = True
        call_after_fork_in_child(_in_child)
    _owners.add(owner)


def forget(owner):
    """The owner has closed its descriptor."""
    _owners.discard(owner)


def check():
    """In a forked child where no hook ran: do now what it would have done."""
    if os.getpid() != _pid:
        _in_child()


def _in_child():
    global _pid
    _pid = os.getpid()
    owners = list(_owners)
    _owners.clear()
    if not owners:
        return
    hub = existing_hub()
    if hub is not None:
        hub.loop.reinit()
    for owner in owners:
        try:
            owner.abandon()
        except Exception:  # its loop may be gone: the others let go all the same
            _log.debug("%r could not let go in the child", owner, exc_info=True)
