"""What a process does that calls: greenlets that call at once, and how long that took."""

from __future__ import absolute_import, division, print_function

import itertools

import gevent
from gevent.event import Event

from clusterclient_sync._compat import monotonic


def at_once(jobs):
    """Run each job in a greenlet of its own; all begin when all are there.

    :return: when they began, and when the last ended; monotonic seconds.
    """
    gate = Event()

    def begin(job):
        gate.wait()
        job()

    greenlets = [gevent.spawn(begin, job) for job in jobs]
    gevent.sleep(0)  # all of them reach the gate
    started = monotonic()
    gate.set()
    gevent.joinall(greenlets, raise_error=True)
    return started, monotonic()


def keep_calling(calls, greenlets, seconds):
    """Call from so many greenlets until ``seconds`` are over.

    Each goes round its share of ``calls``; where there are fewer calls than greenlets they share.

    :param calls: functions, one for each connection.
    :return: a dict: how many ``calls`` were answered, and the ``seconds`` until the last was.
    """
    counts = []

    def caller(share):
        count = 0
        deadline = monotonic() + seconds
        for call in itertools.cycle(share):
            call()
            count += 1
            if monotonic() >= deadline:
                break
        counts.append(count)

    shares = [calls[number::greenlets] or [calls[number % len(calls)]]
              for number in range(greenlets)]
    started, ended = at_once([lambda share=share: caller(share) for share in shares])
    return {"calls": sum(counts), "seconds": ended - started}


class Stopwatch(object):
    """Calls again and again from one greenlet, and notes when each call began and ended."""

    def __init__(self, call):
        self._call = call
        self._times = []
        self._is_stopped = False
        self._greenlet = gevent.spawn(self._run)

    def _run(self):
        while not self._is_stopped:
            before = monotonic()
            self._call()
            self._times.append((before, monotonic()))

    def stop(self, since, until):
        """End; the times (seconds, sorted) of those calls that were under way in that time."""
        self._is_stopped = True
        self._greenlet.join()
        self._greenlet.get()
        return sorted(after - before for before, after in self._times
                      if after > since and before < until)
