"""What a calling process does in one round."""

from __future__ import absolute_import, division, print_function

import threading

import gevent

from clusterclient_sync._compat import monotonic


def in_greenlets(caller, number):
    """Run so many of ``caller`` at once, and wait for all."""
    gevent.joinall([gevent.spawn(caller) for _ in range(number)], raise_error=True)


def in_threads(caller, number):
    """The same in native threads."""
    failures = []

    def run_one():
        try:
            caller()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run_one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def run(call, callers, seconds, at_once=in_greenlets):
    """Call from so many greenlets until ``seconds`` are over.

    :param at_once: how the callers run; or :func:`in_threads`.
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

    at_once(caller, callers)
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
