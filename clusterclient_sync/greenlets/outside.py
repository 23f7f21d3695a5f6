"""Where user code runs: in the greenlet that calls it, or in native threads.

Both kinds have ``call(function, *args, **kwargs)``, which blocks the calling greenlet and returns
or raises what the function does, and ``close()``.

The threads are plain ones, without a greenlet or a hub (gevent's own pool has both in each thread):
so one that still runs when the interpreter ends does not take the process down with it, and a call
costs no watcher.
"""

from __future__ import absolute_import, division, print_function

import sys
import weakref
from collections import deque

import six
from greenlet import getcurrent

from .._compat import existing_hub, native_lock, native_thread_id, start_thread
from .waits import Wait

GREENLET = "greenlet"
THREAD = "thread"

def make(kind, hub, max_threads):
    """A place of this kind for user code.

    :param kind: ``GREENLET`` or ``THREAD``.
    :param max_threads: so many of its functions run at once in threads; others wait.
    """
    return InThreads(hub, max_threads) if kind == THREAD else InPlace()


def has_work(hub):
    """Whether any thread is to give a result to this hub."""
    return any(place.has_work(hub) for place in list(_places_of(hub)))


def _places_of(hub):
    """Those of one hub, which alone touches them."""
    return hub.__dict__.setdefault("clusterclient_places", weakref.WeakSet())


class InPlace(object):
    """User code that knows of greenlets, or does not block."""

    is_native = False

    @staticmethod
    def caller_of(thread):
        """Nobody: it is in the caller's own thread."""

    @staticmethod
    def call(function, *args, **kwargs):
        """Call it."""
        return function(*args, **kwargs)

    def close(self):
        """Nothing is kept."""


class InThreads(object):
    """User code that may block its thread.

    Threads are made when they are needed, and kept until :meth:`close`.  Calls come from one hub.
    """

    is_native = True

    def __init__(self, hub, max_threads):
        self._hub = hub
        self._max_threads = max_threads
        self._lock = native_lock()  # of all below
        self._is_closed = False
        self._threads = 0
        self._idle = []  # locks that idle threads wait for
        self._tasks = deque()
        self._unanswered = 0  # tasks whose result the hub does not have yet
        self._callers = {}  # native thread -> the greenlet that waits for it
        _places_of(hub).add(self)

    def caller_of(self, thread):
        """The greenlet that waits for what this native thread does, or ``None``."""
        return self._callers.get(thread)

    def has_work(self, hub):
        """Whether a thread is to give a result to this hub; in that hub only."""
        return self._unanswered > 0 and self._hub is hub

    def call(self, function, *args, **kwargs):
        """Call it in a thread; a greenlet that is killed meanwhile leaves it running there."""
        task = _Task(self, function, args, kwargs)
        self._submit(task)
        self._unanswered += 1
        task.block(self._hub)
        if task.exc_info is None:
            return task.value
        try:
            six.reraise(*task.exc_info)
        finally:
            task.exc_info = None  # its traceback holds this frame

    def _submit(self, task):
        with self._lock:
            self._tasks.append(task)
            if self._idle:
                self._idle.pop().release()
            elif self._threads < self._max_threads:
                self._start_thread(task)

    def _start_thread(self, task):
        try:
            start_thread(self._work, ())
        except BaseException:
            if not self._threads:  # nobody else will come for it
                self._tasks.remove(task)
                raise
        else:
            self._threads += 1

    def close(self):
        """End the threads, each when its function returns and nothing more is to be done."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for lock in idle:
            lock.release()

    # In the threads -----------------------------------------------------------------------

    def _work(self):
        thread = native_thread_id()
        wake_up = native_lock()
        wake_up.acquire()
        while True:
            with self._lock:
                task = self._tasks.popleft() if self._tasks else None
                if task is not None:
                    self._callers[thread] = task.caller
                elif self._is_closed:
                    self._threads -= 1
                    return
                else:
                    self._idle.append(wake_up)
            if task is None:
                wake_up.acquire()
                continue
            task.run()
            _drop_hub()
            del self._callers[thread]
            try:
                self._hub.loop.run_callback_threadsafe(task.give_result)
            except (AttributeError, ValueError):  # its hub is gone, and with it who waited
                return
            del task


def _drop_hub():
    """What used gevent in this thread has left a hub that nobody runs."""
    hub = existing_hub()
    if hub is not None:
        hub.destroy(destroy_loop=True)


class _Task(Wait):
    """A function to be called in a thread, and its outcome."""

    __slots__ = ("caller", "exc_info", "_place", "_function", "_args", "_kwargs")

    def __init__(self, place, function, args, kwargs):
        super(_Task, self).__init__()
        self._place = place
        self.caller = getcurrent()
        self.exc_info = None
        self._function = function
        self._args = args
        self._kwargs = kwargs

    def run(self):
        """In the thread."""
        try:
            self.value = self._function(*self._args, **self._kwargs)
        except BaseException:  # a function that exits its thread must not take the thread with it
            self.exc_info = sys.exc_info()
        # The thread keeps nothing of the user's alive while it idles.
        self._function = self._args = self._kwargs = None

    def give_result(self):
        """In the hub: the caller goes on, where it still waits."""
        self._place._unanswered -= 1
        self.resolve(self.value)
