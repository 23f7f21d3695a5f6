"""What a process takes of the machine, read from outside: it may be busy, or stopped."""

from __future__ import absolute_import, division, print_function

import os
import resource

MEBIBYTE = 2.0 ** 20


def memory(pid):
    """The memory that a process has now (its resident set), in MiB."""
    with open("/proc/%d/statm" % pid) as line:
        return int(line.read().split()[1]) * resource.getpagesize() / MEBIBYTE


def descriptors(pid):
    """How many descriptors a process has open."""
    return len(os.listdir("/proc/%d/fd" % pid))


def connections(pid, port):
    """How many TCP connections to a port a process holds, as the kernel's table has them."""
    own = set()
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            own.add(os.readlink("/proc/%d/fd/%s" % (pid, name)))
        except OSError:  # closed meanwhile
            pass
    with open("/proc/net/tcp") as table:
        # Connections that are over stay in the table for long: only a few lines are looked into.
        rows = [line.split() for line in table if ":%04X " % port in line]
    return sum(1 for row in rows
               if int(row[2].split(":")[1], 16) == port and "socket:[%s]" % row[9] in own)
