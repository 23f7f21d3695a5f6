"""What a process uses: CPU, memory, descriptors, wakes; ``None`` where the system does not tell."""

from __future__ import absolute_import, division, print_function

import os
import resource
import sys

#: Of ``ru_maxrss``.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
#: For what a process has open beside its connections.
SPARE_DESCRIPTORS = 100


def cpu():
    """Seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory():
    """Bytes of memory: ``now``, and ``peak`` since the start or :func:`forget_peak`.

    Where there is no /proc, ``now`` is the peak, too.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
    lines = _status("/proc/self/status")
    if "VmHWM" not in lines:
        return {"now": peak, "peak": peak}
    return {"now": _kibibytes(lines["VmRSS"]), "peak": _kibibytes(lines["VmHWM"])}


def _kibibytes(text):
    return int(text.split()[0]) * 1024


def _status(path):
    """A file of /proc, as a dict; empty where there is none."""
    try:
        with open(path) as source:
            lines = source.read().splitlines()
    except (IOError, OSError):
        return {}
    return dict((part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)


def forget_peak():
    """Let the peak begin anew, where the kernel can."""
    try:
        with open("/proc/self/clear_refs", "w") as target:
            target.write("5\n")
    except (IOError, OSError):
        pass  # a fresh process has had no other peak that counts


def wakes(pid):
    """How often the threads of a process have gone to sleep so far, or ``None``."""
    folder = "/proc/%d/task" % pid
    if not os.path.isdir(folder):
        return None
    counts = [_status(os.path.join(folder, thread, "status")).get("voluntary_ctxt_switches", "0")
              for thread in os.listdir(folder)]
    return sum(int(count) for count in counts)


def connections_allowed():
    """Raise this process's limit of descriptors as far as it goes: so many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError):
            pass  # the kernel has a lower limit of its own
    return soft - SPARE_DESCRIPTORS
