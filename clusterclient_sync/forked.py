"""For programs that prepare in one process and work in its forked children.

A client that was made before a fork joins anew in the child at its first use there; nothing has to
be done for that.  These functions say more: that the preparing process itself takes no part, and
that a child joins before its first use.  The integrations call them.
"""

from __future__ import absolute_import, division, print_function

from .runtime import gate


def only_prepare():
    """From now on clients that this process makes join in its forked children only.

    Here their calls and ``ready`` raise :class:`LeaderUnavailableError`.
    """
    gate.hold()


def join_inherited():
    """In a forked child: have all clients that were made before the fork join now.

    Nothing happens in a process that was not forked, or a second time.
    """
    gate.join_inherited()
