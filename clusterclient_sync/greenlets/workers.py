"""Worker greenlets that are used again.

User code and everything that may block runs in a worker, never in the hub.  A new greenlet costs
several microseconds, a parked one a fraction of one: a worker that has done its job parks, and the
next job is switched into it directly, from the hub.  When the job blocks or ends, the hub goes on
where it was.

:class:`WorkerPool` owns its workers: it names, starts, and on ``close`` ends them.
:class:`Lane` runs jobs one after another in the order in which they came.
"""

from __future__ import absolute_import, division, print_function

import logging
import os
import sys
from collections import deque

import gevent
import six
from gevent import GreenletExit
from gevent.event import Event
from greenlet import getcurrent, greenlet

from .._compat import monotonic
from .waits import Wait

_log = logging.getLogger(__name__)
_switch = greenlet.switch

#: So many wait for more work, however long it takes to come.
_KEPT = 64
#: So many may wait at once: those that worked in a burst, for the next one.
_MAX_IDLE = 1024
#: Beyond _KEPT, those go that did nothing in so many seconds.
_TRIM_INTERVAL = 10.0
#: Greenlets that call into this process's own real client give way to the rest of the loop after so
#: many calls: on a follower each of them would have.
_CALLS_PER_TURN = 64


class _Worker(gevent.Greenlet):
    """A greenlet that runs jobs of its pool, one after another."""

    def __init__(self, pool, job):
        super(_Worker, self).__init__()
        self.pool = pool
        self.job = job

    def _run(self):
        pool = self.pool
        pool.workers.add(self)
        hub = pool.hub
        idle = pool.idle
        job, self.job = self.job, None
        try:
            while True:
                try:
                    wait = job()
                except BaseException:
                    wait = pool.take_failure()
                job = None
                if pool.is_closed or len(idle) >= _MAX_IDLE:
                    if wait is not None:
                        wait.wake_soon()
                    return
                idle.append(self)
                if len(idle) > _KEPT and pool.trim_timer is None:
                    pool.trim_soon()
                # A caller in this process that waits for just this job goes on at once; this
                # worker then sleeps inside that switch.
                if wait is not None and wait.greenlet is not None:
                    job = wait.greenlet.switch()
                # Plain: a worker is no hub and has no hook, which hub.switch would look for.
                while job is None:
                    job = _switch(hub)
        except GreenletExit:
            pass
        finally:
            pool.workers.discard(self)
            if self in idle:
                idle.remove(self)
            pool.look_again()


class WorkerPool(object):
    """Workers of one owner in one hub.

    A job is a callable without arguments.  It may return a :class:`~.waits.Wait` that it has
    resolved: the greenlet that waits there then runs next, without a turn of the loop.
    """

    def __init__(self, hub, name):
        self.hub = hub
        self.loop = hub.loop
        self.name = name
        self.idle = []
        self.workers = set()
        self.is_closed = False
        self._pid = os.getpid()
        self._news = Event()  # for close(): a worker ended, or waits for the end of close() now
        self._calls_left = _CALLS_PER_TURN
        self._next_turn = None  # the timer that ends this turn, while greenlets wait for that
        self._giving_way = []
        self.trim_timer = None  # while there are more idle workers than are kept
        self._idle_before = []  # at the last trim

    def run(self, job):
        """Run a job: at once where the hub calls this, else at the next turn of the loop."""
        if getcurrent() is self.hub:
            self.run_in_hub(job)
        else:
            self.loop.run_callback(self.run_in_hub, job)

    def run_for_caller(self, job, wait):
        """Run a job now and return when it blocks or has ended; ``wait`` is what it resolves.

        For a greenlet that is going to wait for the job's result.
        """
        if self._calls_left:
            self._calls_left -= 1
        else:
            self._give_way()
            if wait.done:
                return
        wait.greenlet = getcurrent()
        try:
            self.run_in_hub(job)
        finally:
            wait.greenlet = None

    def _give_way(self):
        """Wait for the next turn of the loop: ``sleep(0)`` would keep sockets from theirs."""
        turn = Wait()
        self._giving_way.append(turn)
        if self._next_turn is None:
            self._next_turn = self.loop.timer(0)
            self._next_turn.start(self._begin_turn)
        turn.block(self.hub)

    def _begin_turn(self):
        self._drop_timer()
        self._calls_left = _CALLS_PER_TURN
        turns, self._giving_way = self._giving_way, []
        for turn in turns:
            turn.resolve()

    def _drop_timer(self):
        if self._next_turn is not None:
            self._next_turn.stop()
            self._next_turn.close()
            self._next_turn = None

    def run_in_hub(self, job):
        """Run a job now, for who knows that the hub calls, or that it is what the caller waits
        for: this returns when the job blocks or has ended.
        """
        idle = self.idle
        if idle:
            idle.pop().switch(job)
        elif self.is_closed:
            _log.debug("%s is closed; a job was dropped", self.name)
        else:
            worker = _Worker(self, job)
            worker.switch()

    def trim_soon(self):
        """Let idle workers go after a while, where there are many and there is no work for them."""
        self._idle_before = list(self.idle)
        self.trim_timer = self.loop.timer(_TRIM_INTERVAL, ref=False)
        self.trim_timer.start(self._trim)

    def _trim(self):
        self._drop_trim_timer()
        if os.getpid() != self._pid:  # a forked child: these workers are its parent's
            return
        # The last that became idle is the first that works again: those at the beginning which are
        # where they were have done nothing since.
        unused = 0
        for before, now in zip(self._idle_before, self.idle):
            if before is not now:
                break
            unused += 1
        gone = self.idle[_KEPT:unused]
        del self.idle[_KEPT:unused]  # first: nobody gives them a job meanwhile
        self._idle_before = []
        gevent.killall(gone, block=False)
        if len(self.idle) > _KEPT:
            self.trim_soon()

    def _drop_trim_timer(self):
        timer, self.trim_timer = self.trim_timer, None
        if timer is not None:
            timer.stop()
            timer.close()

    def perform(self, job):
        """Run one job in the current greenlet; what it raises ends here, see :meth:`take_failure`.
        """
        try:
            return job()
        except BaseException:
            self.take_failure()

    def take_failure(self):
        """What a job raised ends here (but not a kill, and a Ctrl-C is the main greenlet's)."""
        kind, error = sys.exc_info()[:2]
        if issubclass(kind, GreenletExit):
            six.reraise(*sys.exc_info())
        if issubclass(kind, KeyboardInterrupt):
            # Ctrl-C means the program, whichever greenlet it met: the main greenlet gets it.
            self.hub.handle_system_error(kind, error)
        else:  # jobs handle what users raise: this is a defect of ours
            _log.exception("A job of %s failed", self.name)

    def close(self, timeout, spared=()):
        """End all workers.  Jobs that still run have ``timeout`` seconds, and are then killed.

        :param spared: greenlets that wait for the end of this, maybe workers; they end after their
            jobs.  The caller may add to it meanwhile, and then calls :meth:`look_again`.
        """
        gevent.sleep(0)  # jobs that were submitted before this begin
        self.is_closed = True
        self._begin_turn()
        self._drop_trim_timer()
        self._idle_before = []
        gevent.killall(list(self.idle), block=False)
        until = monotonic() + timeout
        while self._unfinished(spared) and monotonic() < until:
            self._news.clear()
            self._news.wait(until - monotonic())
        gevent.killall(self._unfinished(spared), timeout=1)

    def wait_for_end(self):
        """After :meth:`close`: wait for those that were spared, however long they take."""
        while self._unfinished(()):
            self._news.clear()
            self._news.wait()

    def _unfinished(self, spared):
        current = getcurrent()
        return [worker for worker in self.workers
                if worker is not current and worker not in spared]

    def look_again(self):
        """Have :meth:`close` look again for whom it waits."""
        self._news.set()


class Lane(object):
    """Jobs that run one after another, in the order of their coming, in the workers of a pool."""

    __slots__ = ("is_busy", "_pool", "_jobs", "_on_idle")

    def __init__(self, pool, on_idle=None):
        self._pool = pool
        self._jobs = None  # a deque while there are any: an empty one is large
        self._on_idle = on_idle
        self.is_busy = False

    def __len__(self):
        return len(self._jobs or ()) + self.is_busy

    def submit(self, job):
        """Run ``job()`` after all that came before it."""
        if self._jobs is None:
            self._jobs = deque()
        self._jobs.append(job)
        if not self.is_busy:
            self._start()

    def _start(self):
        self.is_busy = True
        self._pool.run(self._drain)

    def _drain(self):
        jobs = self._jobs
        try:
            while jobs:
                self._pool.perform(jobs.popleft())
        finally:
            self.is_busy = False
            if not jobs:
                self._jobs = None
                if self._on_idle is not None:
                    self._on_idle()
            elif not self._pool.is_closed:  # a job ended its greenlet; those behind it go on
                self._start()
