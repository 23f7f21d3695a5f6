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

from ._compat import call_after_fork_in_child

# From the headers of Linux 4.14; Python names it from some version on.
_WIPE_ON_FORK = getattr(mmap, "MADV_WIPEONFORK", 18) \
    if sys.platform.startswith("linux") and os.uname()[4] in ("x86_64", "aarch64") else None
_is_hooked = False
_last = (0, 0)  # the pid and the mark of this process, or of the nearest ancestor that has one


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
    return memoryview(page).cast("Q")


#: ``here[0]`` is this process's mark; where it has none yet, that of nobody.
here = _make_page()


def _wipe():
    here[0] = 0


def mark():
    """What ``here[0]`` is in this process, and in no child of it."""
    global _last, _is_hooked
    if not _is_hooked and not isinstance(here, _Pid):
        # There are sandboxes whose kernel only says that it empties the page.
        _is_hooked = True
        call_after_fork_in_child(_wipe)
    if not here[0]:
        pid, newest = _last
        # Two threads may come at once: they agree on one.
        if pid != os.getpid():
            newest += 1
            _last = os.getpid(), newest
        here[0] = newest
    return here[0]
