"""Which process holds a port, where the system tells (Linux, by ``/proc``)."""

from __future__ import absolute_import, division, print_function

import collections
import os
import struct

Holder = collections.namedtuple("Holder", "pid command")

NOBODY_KNOWN = Holder(None, None)
_LISTEN = "0A"


def find(port):
    """The :class:`Holder` of a listening port; its members are ``None`` where nobody tells."""
    try:
        inodes = set(_listening_inodes(port))
        return _owner(inodes) if inodes else NOBODY_KNOWN
    except (OSError, IOError, ValueError, struct.error):
        return NOBODY_KNOWN


def describe(holder):
    """The holder as part of a sentence."""
    if holder.pid is None:
        return "a process that the system does not name"
    return "pid %d (%s)" % (holder.pid, holder.command)


def _listening_inodes(port):
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table) as lines:
            next(lines)
            for line in lines:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    yield "socket:[%s]" % fields[9]


def _owner(inodes):
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        folder = "/proc/%s/fd" % name
        try:
            is_owner = any(os.readlink(os.path.join(folder, fd)) in inodes
                           for fd in os.listdir(folder))
        except (OSError, IOError):  # gone meanwhile, or not ours to look at
            continue
        if is_owner:
            return Holder(int(name), _command(name))
    return NOBODY_KNOWN


def _command(pid):
    with open("/proc/%s/cmdline" % pid, "rb") as source:
        words = source.read().split(b"\0")
    return b" ".join(words).decode("utf-8", "replace").strip()[:200]
