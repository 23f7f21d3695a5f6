"""Whether this is still the process that it was: cheap enough to ask for each call.

``os.getpid()`` is a system call.  Linux can empty a page of memory in every child that is forked,
whoever forks it, so that a mark there tells the same for the price of reading a byte.  Where that
cannot be had (other systems, Python before 3.8, a sandbox) the pid is asked for.

Who belongs to a process keeps ``mark()``, and is at home where ``here[0]`` equals it.
"""

from __future__ import absolute_import, division, print_function

import mmap
import os
import sys

# From the headers of Linux 4.14; Python names it from some version on.
_WIPE_ON_FORK = getattr(mmap, "MADV_WIPEONFORK", 18) \
    if sys.platform.startswith("linux") and os.uname()[4] in ("x86_64", "aarch64") else None
_LARGEST = 255
_marks = {}  # pid -> mark, of this process and of its ancestors


class _Pid(object):
    """Stands for the page where there is none."""

    def __getitem__(self, index):
        return os.getpid()


def _make_page():
    if _WIPE_ON_FORK is None or not hasattr(mmap.mmap, "madvise"):
        return _Pid()
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(_WIPE_ON_FORK)
    except (OSError, ValueError):
        return _Pid()
    return page


#: ``here[0]`` is this process's mark; where it has none yet, that of nobody.
here = _make_page()


def mark():
    """What ``here[0]`` is in this process, and in no child of it."""
    if not here[0]:
        # Two threads may come at once: they agree on one.
        newest = max(_marks.values()) if _marks else 0
        here[0] = _marks.setdefault(os.getpid(), newest % _LARGEST + 1)
    return here[0]
