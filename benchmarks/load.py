"""What a calling process does in one round.

Every caller makes one call before the round begins: those libraries that give each thread a
connection of its own make it then.
"""

from __future__ import absolute_import, division, print_function

import threading

from benchmarks.clock import monotonic


class Round(object):
    """Calls without a pause until ``seconds`` are over; ``times`` has what each took."""

    def __init__(self, seconds):
        self._seconds = seconds
        self.started = None
        self.times = []

    def begin(self):
        """Every caller is there."""
        self.started = monotonic()

    def call_on(self, call):
        """One caller's part, after :meth:`begin`."""
        deadline = self.started + self._seconds
        note = self.times.append
        before = monotonic()
        while before < deadline:
            call()
            after = monotonic()
            note(after - before)
            before = after

    def told(self):
        """A dict: ``calls``, ``started`` and ``ended`` (monotonic, which the processes of one host
        share), ``p50`` and ``p99`` of the time that a call took, in seconds."""
        ended = monotonic()
        self.times.sort()
        return {"calls": len(self.times), "started": self.started, "ended": ended,
                "p50": percentile(self.times, 50), "p99": percentile(self.times, 99)}


def in_greenlets(one_round, calls):
    """Each of these has a greenlet of its own."""
    import gevent  # not on top: where threads call there may be none

    gevent.joinall([gevent.spawn(call) for call in calls], raise_error=True)
    one_round.begin()
    gevent.joinall([gevent.spawn(one_round.call_on, call) for call in calls], raise_error=True)


def in_threads(one_round, calls):
    """Each has a native thread.  They make their first calls one after the other: so many
    connections at once are more than some servers' queues take."""
    failures = []
    ready, go = threading.Semaphore(0), threading.Event()

    def run_one(call):
        try:
            try:
                call()
            finally:
                ready.release()
            go.wait()
            one_round.call_on(call)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run_one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
        ready.acquire()
    one_round.begin()
    go.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def alone(one_round, calls):
    """There is but one, and it runs here."""
    call, = calls
    call()
    one_round.begin()
    one_round.call_on(call)


#: By the name that a subject has for its callers.
WAYS = {"greenlets": in_greenlets, "threads": in_threads, "alone": alone}


def run(calls, seconds, at_once=in_greenlets):
    """Call from as many callers as there are functions, until ``seconds`` are over.

    :param calls: for each caller the function that it calls.
    :param at_once: how they run: one of ``WAYS``.
    :return: what :meth:`Round.told` has.
    """
    one_round = Round(seconds)
    at_once(one_round, calls)
    return one_round.told()


class AtOnce(object):
    """A call that is several: they leave in the same turn of the loop, and it waits for all.

    The greenlets of the others are there before, so that making them is not what is measured.
    """

    def __init__(self, call, number):
        import gevent
        from gevent.lock import Semaphore

        self._call = call
        self._failures = []
        self._go, self._over = Semaphore(0), Semaphore(0)
        self._others = [gevent.spawn(self._run) for _ in range(number - 1)]

    def _run(self):
        while True:
            self._go.acquire()
            try:
                self._call()
            except Exception as failure:
                self._failures.append(failure)
            self._over.release()

    def __call__(self):
        for _ in self._others:
            self._go.release()
        self._call()
        for _ in self._others:
            self._over.acquire()
        if self._failures:
            raise self._failures[0]

    def end(self):
        """End the greenlets."""
        for other in self._others:
            other.kill()


def percentile(ordered, percent):
    """The value at this percentile of a sorted list (nearest rank); 0 of an empty one."""
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]
