"""What a calling process does in one round."""

from __future__ import absolute_import, division, print_function

import gevent

from clusterclient_sync._compat import monotonic


def run(call, greenlets, seconds):
    """Call from so many greenlets until ``seconds`` are over.

    :return: a dict: ``calls``, ``started`` and ``ended`` (monotonic, which the processes of one
        host share), ``p50`` and ``p99`` of the time that a call took, in seconds.
    """
    times = []
    started = monotonic()
    deadline = started + seconds

    def caller():
        before = monotonic()
        while before < deadline:
            call()
            after = monotonic()
            times.append(after - before)
            before = after

    callers = [gevent.spawn(caller) for _ in range(greenlets)]
    gevent.joinall(callers, raise_error=True)
    ended = monotonic()
    times.sort()
    return {"calls": len(times), "started": started, "ended": ended,
            "p50": percentile(times, 50), "p99": percentile(times, 99)}


def percentile(ordered, percent):
    """The value at this percentile of a sorted list (nearest rank); 0 of an empty one."""
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]
