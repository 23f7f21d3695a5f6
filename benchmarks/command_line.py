"""What the command lines of the benchmarks share."""

from __future__ import absolute_import, division, print_function

import multiprocessing
import platform

import gevent

import clusterclient_sync


def positive(text):
    """The type of an argument that is a whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def machine():
    """What the figures depend on."""
    return {"processor": processor(), "python": platform.python_version(),
            "gevent": gevent.__version__, "clusterclient_sync": clusterclient_sync.__version__,
            "cores": multiprocessing.cpu_count(), "system": platform.platform()}


def processor():
    """The model of the processor, where the system tells."""
    try:
        with open("/proc/cpuinfo") as lines:
            models = [line.partition(":")[2].strip() for line in lines
                      if line.startswith("model name")]
    except (IOError, OSError):
        models = []
    return models[0] if models else platform.processor() or "unknown"


def describe_machine():
    """The same as a line of text."""
    return "Python %(python)s, gevent %(gevent)s, %(cores)d cores, %(system)s" % machine()
