"""The real client of the tests of processes.  It notes in a journal what is done to it."""

from __future__ import absolute_import, division, print_function

import collections
import itertools
import os

import gevent
from gevent import monkey
from six.moves import builtins

from clusterclient_sync.data_client import DataClientBase
from support import journal
from support.gates import Event

native_sleep = monkey.get_original("time", "sleep")

#: Gates that :meth:`RealClient.hold` waits at; the process of the real client opens them.
gates = collections.defaultdict(Event)
held = collections.Counter()
starts = itertools.count(1)


class StartError(Exception):
    """A start that fails, as a user would define it."""

    def __init__(self, reason, code):
        super(StartError, self).__init__(reason, code)
        self.reason = reason
        self.code = code


class RealClient(DataClientBase):
    """See the module.

    :param config: ``journal``: a path; ``broken_constructor`` and ``broken_init``: paths: while the
        file is there, that part of the start fails with its text; ``start_gate``: ``init`` waits at
        the gate of this name and the number of the start; ``close_gate``: a gate at which
        ``close`` waits.
    """

    def __init__(self, config):
        super(RealClient, self).__init__()
        self._config = config
        self._listeners = {}
        self._fail_while_there("broken_constructor")
        self._note("made")

    def init(self):
        """The second part of the start."""
        if "start_gate" in self._config:
            gates["%s %d" % (self._config["start_gate"], next(starts))].wait()
        self._fail_while_there("broken_init")

    def _fail_while_there(self, part):
        path = self._config.get(part)
        if path and os.path.exists(path):
            self._note("failed")
            with open(path) as reason:
                raise StartError(reason.read(), 42)

    def _note(self, what, **details):
        if "journal" in self._config:
            journal.note(self._config["journal"], what, **details)

    def subscribe(self, registration, listener):
        """The first value tells which process has the real client."""
        self._note("subscribed", key=registration["dataId"])
        self._listeners[registration["dataId"]] = listener
        listener({"first": os.getpid()})

    def unsubscribe(self, registration, listener=None):
        self._note("unsubscribed", key=registration["dataId"])
        self._listeners.pop(registration["dataId"], None)

    def publish(self, registration):
        self._note("published", registration=registration)

    def announce(self, registration):
        """Another method to publish with; what only makes it long is not noted."""
        self._note("announced", registration={
            name: value for name, value in registration.items() if name != "padding"})

    def push(self, key, value):
        """Have the subscribers of a key told a value."""
        self._listeners[key](value)

    def flood(self, key, numbers, size):
        """Push a value of so many characters for each number."""
        for number in numbers:
            self._listeners[key]("%08d" % number * (size // 8))
            gevent.sleep(0)

    def tell_all(self, name, value):
        """Emit an event."""
        self.emit(name, value)

    def echo(self, *args, **kwargs):
        """What came in."""
        if kwargs:
            return [list(args), kwargs]
        return args[0] if len(args) == 1 else list(args)

    def whoami(self):
        """The pid of the process that has the real client."""
        return os.getpid()

    def hold(self, gate):
        """Return when the gate is open."""
        held[gate] += 1
        gates[gate].wait()
        self._note("let go", gate=gate)
        return os.getpid()

    def block_the_loop(self, path, how):
        """Keep the whole thread busy while the file is there: by computing or by sleeping."""
        self._note("blocks the loop")
        while os.path.exists(path):
            if how == "sleeping":
                native_sleep(0.01)
        self._note("let the loop go")

    def fail(self, name, args):
        """Raise a built-in exception."""
        raise getattr(builtins, name)(*args)

    def close(self):
        self._note("closing")
        gate = self._config.get("close_gate")
        if gate:
            gates[gate].wait()
        self._note("closed")
