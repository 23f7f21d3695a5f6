"""What a test leaves behind: greenlets, descriptors, threads and child processes.

:class:`Snapshot` notes what is there; :func:`wait_until_clean` says what came since and did not go.
What belongs to gevent's own hub (the hub itself, the idle workers of its thread pool) is no leak.
"""

from __future__ import absolute_import, division, print_function

import gc
import os
import resource
import stat
import subprocess
import sys
import threading
import traceback
import weakref

import gevent
import gevent.hub
from greenlet import greenlet

from clusterclient_sync._compat import monotonic

SETTLE_TIMEOUT = 2.0
LARGEST_DESCRIPTOR = 4096


class Snapshot(object):
    """The greenlets, descriptors, threads and children of this process at one moment."""

    def __init__(self):
        self._greenlets = {id(one): weakref.ref(one) for one in living_greenlets()}
        self._descriptors = open_descriptors()
        self._threads = set(busy_threads())
        self._children = set(child_processes())

    def new_since(self):
        """One text for each thing that is here now and was not then."""
        found = []
        for one in living_greenlets():
            known = self._greenlets.get(id(one))
            if known is None or known() is not one:
                found.append(describe_greenlet(one))
        for number, identity in sorted(open_descriptors().items()):
            if self._descriptors.get(number) != identity:
                found.append(describe_descriptor(number, identity))
        for ident, frame in busy_threads().items():
            if ident not in self._threads:
                found.append(describe_thread(ident, frame))
        for pid in child_processes():
            if pid not in self._children:
                found.append(describe_child(pid))
        return found


def wait_until_clean(before, timeout=SETTLE_TIMEOUT):
    """Give what is ending its turns of the loop; returns what is left after ``timeout`` seconds."""
    deadline = monotonic() + timeout
    while True:
        left = before.new_since()
        if not left or monotonic() > deadline:
            return left
        gevent.sleep(0.01)
        gc.collect()


def warm_up():
    """Have the hub make what it makes once and keeps, so that no test is blamed for it."""
    hub = gevent.get_hub()
    hub.threadpool.apply(os.getpid)
    os.urandom(1)  # Python 2 keeps the device open
    if hasattr(gc, "freeze"):
        # What was imported so far need not be looked through before and after every test.
        gc.collect()
        gc.freeze()


# -- greenlets

def living_greenlets():
    """Every greenlet that has work to do or waits for some, save the hubs and what is theirs."""
    return [one for one in gc.get_objects()
            if _is_greenlet[type(one)] and _is_alive(one) and not _is_gevents(one)]


class _GreenletTypes(dict):
    """type -> whether its instances are greenlets: asked for each object of the process."""

    def __missing__(self, kind):
        self[kind] = answer = issubclass(kind, greenlet)
        return answer


_is_greenlet = _GreenletTypes()


def _is_alive(one):
    return not one.dead and (bool(one) or getattr(one, "started", False))


def _is_gevents(one):
    return (one.parent is None  # a thread's own
            or isinstance(one, gevent.hub.Hub)
            or type(one).__module__ == "gevent.threadpool")


def describe_greenlet(one):
    frame = one.gr_frame
    stack = "".join(traceback.format_stack(frame)) if frame is not None else "  not started\n"
    return "greenlet %r\n%s" % (one, stack)


# -- descriptors

def open_descriptors():
    """Descriptor number to what it is open on, as ``(device, inode, type)``."""
    found = {}
    for number in _descriptor_numbers():
        try:
            status = os.fstat(number)
        except OSError:  # closed, or the listing's own
            continue
        found[number] = (status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode))
    return found


def _descriptor_numbers():
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return range(min(soft, LARGEST_DESCRIPTOR) if soft > 0 else LARGEST_DESCRIPTOR)


def describe_descriptor(number, identity):
    try:
        target = os.readlink("/proc/self/fd/%d" % number)
    except OSError:
        is_socket = identity[2] == stat.S_IFSOCK
        target = "a socket" if is_socket else "device %d, inode %d" % identity[:2]
    return "descriptor %d, open on %s%s" % (number, target, _addresses(target))


def _addresses(target):
    """Where a TCP socket of this process leads, as the kernel's table has it."""
    if not target.startswith("socket:["):
        return ""
    inode = target[len("socket:["):-1]
    try:
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table]
    except IOError:
        return ""
    for row in rows[1:]:
        if row[9] == inode:
            ports = [int(row[column].split(":")[1], 16) for column in (1, 2)]
            return " (TCP, port %d to port %d)" % tuple(ports)
    return ""


# -- threads

def busy_threads():
    """Thread ident to its innermost frame, without the idle workers of gevent's thread pools."""
    # pylint: disable=protected-access
    return {ident: frame for ident, frame in sys._current_frames().items()
            if not _is_idle_worker(frame)}


def _is_idle_worker(frame):
    return "%sgevent%s" % (os.sep, os.sep) in frame.f_code.co_filename and any(
        "threadpool" in entry[0] for entry in traceback.extract_stack(frame))


def describe_thread(ident, frame):
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "thread %s\n%s" % (
        names.get(ident, ident), "".join(traceback.format_stack(frame)))


# -- child processes

def child_processes():
    """The pids of this process's children, those included that ended and were not waited for."""
    if not os.path.isdir("/proc/self"):
        return _children_from_ps()
    try:
        return _children_from_tasks()
    except (IOError, OSError):  # a kernel that does not tell them so
        own = os.getpid()
        return [int(name) for name in os.listdir("/proc")
                if name.isdigit() and parent_of(name) == own]


def _children_from_tasks():
    found = []
    for task in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/children" % task) as line:
            found.extend(int(pid) for pid in line.read().split())
    return found


def parent_of(pid):
    """The pid of a process's parent; ``None`` of one that has gone."""
    try:
        with open("/proc/%s/stat" % pid) as line:
            # The command stands in parentheses and may hold any character.
            return int(line.read().rpartition(")")[2].split()[1])
    except (IOError, OSError, IndexError):  # it went meanwhile
        return None


def _children_from_ps():
    listing = subprocess.Popen(["ps", "-axo", "pid=,ppid="], stdout=subprocess.PIPE)
    rows = [line.split() for line in listing.communicate()[0].splitlines()]
    own = os.getpid()
    return [int(row[0]) for row in rows if int(row[1]) == own and int(row[0]) != listing.pid]


def describe_child(pid):
    try:
        with open("/proc/%d/cmdline" % pid) as line:
            command = line.read().replace("\0", " ").strip()
    except (IOError, OSError):
        command = ""
    return "child process %d: %s" % (pid, command or "(ended, not waited for)")
