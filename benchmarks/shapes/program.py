"""The program of every process here that leads or follows: ``python -m benchmarks.shapes.program``

It says ``{"up": most}``: how many connections it may have.  Then each line that it gets, ``{"do":
NAME, ...}``, is a command, a public method of :class:`Member` with its arguments, which it answers
with ``{"value": ...}``.  It ends when its standard input does.
"""

from __future__ import absolute_import, division, print_function

import functools
import gc
import logging

import gevent
from gevent.event import Event

from benchmarks.load import percentile
from benchmarks.shapes import calling, fan_out_source, source, usage
from benchmarks.worker import lines, say
from clusterclient_sync import cluster
from clusterclient_sync._compat import monotonic

READY_TIMEOUT = 60.0
#: Of calls that are long on purpose, seconds.
LONG = 300.0
#: So many clients of a process register at once.
_AT_ONCE = 50
_CHANNEL = "shapes"
#: As the library is without extras.
DEFAULT = "plain-json"


class Member(object):
    """A process with clients on one port or on several, all leading or following as told."""

    def __init__(self):
        self._clients = {}  # port -> clients
        self._held = []  # greenlets whose calls wait
        self._carry = None
        self._watch = None

    def join(self, port, number=1, is_leader=False, transcode=DEFAULT, **options):
        """Make so many more clients."""
        made = self._clients.setdefault(port, [])

        def make():
            client = (cluster(source.Source, name=_CHANNEL, port=port, is_leader=is_leader,
                              runtime="greenlet", transcode=transcode, **options)
                      .delegate("seen", "invoke_oneway").create())
            client.ready(timeout=READY_TIMEOUT)
            made.append(client)

        for begun in range(0, number, _AT_ONCE):
            gevent.joinall([gevent.spawn(make) for _ in range(min(_AT_ONCE, number - begun))],
                           raise_error=True)

    def cpu(self):
        """The CPU that this process has used so far, seconds."""
        return usage.cpu()

    def memory(self):
        """Its memory without garbage, see ``usage``."""
        gc.collect()
        return usage.memory()

    # Values -----------------------------------------------------------------------------------

    def listen(self, port, key):
        """Subscribe with each client; returns when each has the first value."""
        ears = [_Ear(client, key) for client in self._clients[port]]
        for ear in ears:
            ear.ready.wait(READY_TIMEOUT)

    def tell(self, port, **how):
        """At the leader: see ``fan_out_source``."""
        return self._call_long(port, "tell", **how)

    # Calls --------------------------------------------------------------------------------------

    def _call_long(self, port, method, *args, **kwargs):
        return self._clients[port][0].call(method, args, kwargs, timeout=LONG)

    def keep_calling(self, port, greenlets, seconds):
        """Call ``get`` over all connections, see ``calling``."""
        return calling.keep_calling(
            [client.get for client in self._clients[port]], greenlets, seconds)

    def doze_at_once(self, port, number, seconds):
        """So many calls that take so long each: how long until all have their answer."""
        call = functools.partial(self._clients[port][0].doze, seconds)
        started, ended = calling.at_once([call] * number)
        return ended - started

    def hold(self, port, number):
        """Make so many calls that wait; returns when they do."""
        self._held = [gevent.spawn(self._call_long, port, "hold") for _ in range(number)]
        self._call_long(port, "await_held", number)

    def release(self, port):
        """Let them go; returns when they have their answers."""
        self._clients[port][0].release()
        gevent.joinall(self._held, raise_error=True)
        self._held = []

    # Payloads -----------------------------------------------------------------------------------

    def prepare(self, port, kind, size, is_answer):
        """Have a payload ready, which :meth:`carry` carries: at the leader, or here."""
        if is_answer:
            self._call_long(port, "prepare", kind, size)
            self._carry = functools.partial(self._call_long, port, "give", kind, size)
        else:
            self._carry = functools.partial(
                self._call_long, port, "take", source.payload(kind, size))

    def carry(self, times):
        """Have it carried so many times, one after the other.

        :return: a dict: ``started`` and ``ended``, monotonic seconds.
        """
        started = monotonic()
        for _ in range(times):
            self._carry()
        return {"started": started, "ended": monotonic()}

    def forget_peak(self):
        """Let the peak of the memory begin anew; returns the memory now (bytes)."""
        gc.collect()
        usage.forget_peak()
        return usage.memory()["now"]

    def watch(self, port):
        """Make small calls, one after the other, until :meth:`watched`; returns with the first."""
        client = self._clients[port][0]
        client.get()
        self._watch = calling.Stopwatch(client.get)

    def watched(self, since, until):
        """End; of the small calls that were under way in that time: p50, p99, the longest."""
        times = self._watch.stop(since, until)
        return {"p50": percentile(times, 50), "p99": percentile(times, 99),
                "longest": times[-1] if times else 0.0, "calls": len(times)}


class _Ear(object):
    """Hears the values of a key, and says from time to time that none was missing."""

    def __init__(self, client, key):
        self.ready = Event()
        self._client = client
        self._key = key
        self._number = None
        client.subscribe({"key": key}, self._hear)

    def _hear(self, value):
        number = value["number"]
        if self._number is None:
            self._number = number
            self.ready.set()
        elif number == self._number + 1:
            self._number = number
            if number % fan_out_source.STEP == 0:
                self._client.seen(self._key, number)


def main():
    logging.basicConfig(level=logging.WARNING)
    member = Member()
    say({"up": usage.connections_allowed()})
    for message in lines():
        command = message.pop("do")
        say({"value": getattr(member, command)(**message)})


if __name__ == "__main__":
    main()
