"""Plain descriptors: who may inherit them."""

from __future__ import absolute_import, division, print_function

import fcntl
import os

from .._compat import set_close_on_exec


def close(fileno):
    """Close a descriptor; ``None`` and one that is closed already are left alone."""
    if fileno is not None:
        try:
            os.close(fileno)
        except OSError:
            pass


def pipe():
    """``(reading end, writing end)``, both kept out of the programs that this process execs."""
    ends = os.pipe()
    for end in ends:
        set_close_on_exec(end)
    return ends


def keep_over_exec(fileno):
    """Let the program that this process execs next have the descriptor."""
    flags = fcntl.fcntl(fileno, fcntl.F_GETFD)
    fcntl.fcntl(fileno, fcntl.F_SETFD, flags & ~fcntl.FD_CLOEXEC)


def never_block(fileno):
    """Have reading and writing fail where it would have to wait."""
    flags = fcntl.fcntl(fileno, fcntl.F_GETFL)
    fcntl.fcntl(fileno, fcntl.F_SETFL, flags | os.O_NONBLOCK)


def duplicate(fileno):
    """Another descriptor of the same file, kept out of the programs that this process execs."""
    copy = os.dup(fileno)
    set_close_on_exec(copy)
    return copy


def drop_at_exec(fileno):
    """Keep a descriptor that was inherited out of the programs that this process execs."""
    flags = fcntl.fcntl(fileno, fcntl.F_GETFD)
    fcntl.fcntl(fileno, fcntl.F_SETFD, flags | fcntl.FD_CLOEXEC)
