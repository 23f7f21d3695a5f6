"""A real client that a test can look into and steer, in this process or another.

:class:`RecordingClient` notes what it is asked; its :class:`Recorder`, found by the tag that the
real client is made with, tells the notes and steers it.  What the recorder takes and gives is JSON,
so that a test may use it over a pipe (``leader_script.py``) as it does directly.
"""

from __future__ import absolute_import, division, print_function

import logging
import random
import threading

import gevent
from support.gates import Event

from clusterclient_sync import DataClientBase, cluster
from clusterclient_sync._compat import monotonic
from support import sample_errors
from support.named import resolved
from support.sample_values import SAMPLES, alike

TIMEOUT = 15.0

recorders = {}  # tag -> Recorder

DELEGATES = (
    ("touch", "invoke_oneway", {}),
    ("shout", "invoke_oneway", {}),
    ("data_callback", "invoke", {"style": "return"}),
    ("quick", "invoke", {"timeout": 0.2}),
    ("later_never", "invoke", {"timeout": 0.2}),
    ("renamed", "invoke", {"remote_name": "calledOtherwise"}),
)


def build(port, tag, options, delegates=DELEGATES):
    """A cluster client of the recording client, the same in every process.

    :param options: by name; those that are no JSON by their name in ``support.named``.
        ``factory=True`` has a factory in place of the class.
    """
    options = dict({"port": port, "name": "recording", "drain_timeout": 1}, **resolved(options))
    builder = cluster(_make if options.pop("factory", False) else RecordingClient, **options)
    for name, target, how in delegates:
        builder.delegate(name, target, **how)
    return builder.create(tag)


def _make(tag):
    return RecordingClient(tag)


class Recorder(logging.Handler):
    """The notes of one real client and of the log of its process, and the levers to steer it."""

    def __init__(self, tag):
        logging.Handler.__init__(self, logging.DEBUG)
        self.tag = tag
        self.real = None
        self._notes = []  # (what, detail)
        self._news = Event()
        self._gates = {}

    def attach(self):
        """Begin to record."""
        recorders[self.tag] = self
        logging.getLogger("clusterclient_sync").addHandler(self)
        return self

    def detach(self):
        """Forget everything; what waits at a gate goes on."""
        logging.getLogger("clusterclient_sync").removeHandler(self)
        recorders.pop(self.tag, None)
        for gate in self._gates.values():
            gate.set()

    # Notes ----------------------------------------------------------------------------------

    def emit(self, record):
        """A line of the log."""
        self.note("log", record.getMessage())

    def note(self, what, detail=None):
        self._notes.append((what, detail))
        self._news.set()

    def of(self, what):
        """All details that were noted of this, oldest first."""
        return [detail for noted, detail in self._notes if noted == what]

    def count(self, what):
        return len(self.of(what))

    def wait_for(self, what, count=1, timeout=TIMEOUT):
        """The details of this once there are so many."""
        return self._wait(lambda: self.of(what), lambda found: len(found) >= count,
                          "%d times %s" % (count, what), timeout)

    def wait_for_log(self, text, count=1, timeout=TIMEOUT):
        """The lines of the log that contain a text once there are so many."""
        return self._wait(lambda: [line for line in self.of("log") if text in line],
                          lambda found: len(found) >= count, "the log line %r" % text, timeout)

    def _wait(self, look, is_enough, what, timeout):
        deadline = monotonic() + timeout
        while True:
            self._news.clear()
            found = look()
            if is_enough(found):
                return found
            if not self._news.wait(max(0, deadline - monotonic())):
                raise AssertionError("no %s within %g s; noted: %r" % (what, timeout, self._notes))

    # Levers ---------------------------------------------------------------------------------

    def gate(self, name):
        return self._gates.setdefault(name, Event())

    def open(self, name):
        """Let go on what waits for this gate."""
        self.gate(name).set()

    def tell(self, data_id, *values):
        """Have the real client tell values of a subscription, from a greenlet."""
        for value in values:
            self._tell(data_id, value)

    def tell_sample(self, data_id, name):
        """The same with a value of ``sample_values``."""
        self._tell(data_id, SAMPLES[name].value)

    def tell_unencodable(self, data_id):
        self._tell(data_id, object())

    def tell_from(self, where, data_id, value):
        """The same from the hub or from a native thread."""
        if where == "hub":
            gevent.get_hub().loop.run_callback(self._tell, data_id, value)
        else:
            thread = threading.Thread(target=self._tell, args=(data_id, value))
            thread.start()
            gevent.get_hub().threadpool.apply(thread.join)

    def _tell(self, data_id, value):
        for listener in list(self.real.listeners.get(data_id, ())):
            listener(value)

    def emit_event(self, name, *args):
        """Have the real client emit an event."""
        self.real.emit(name, *args)

    def emit_sample_error(self, event, name):
        """Have it emit an event with one of ``sample_errors``."""
        self.real.emit(event, sample_errors.made(name))


class RecordingClient(DataClientBase):
    """See the module.

    :param tag: of its recorder.
    """

    def __init__(self, tag):
        self.record = recorders[tag]
        self.record.real = self
        self.listeners = {}  # dataId -> listeners
        self._state = {"count": 0, "items": [1, 2]}
        self._held = []
        self._callbacks = []
        self.record.note("made")

    def close(self):
        self.record.note("close")

    # Subscriptions --------------------------------------------------------------------------

    def subscribe(self, registration, listener):
        """Knows the members ``first`` (a value that is told at once) and ``fails`` (a text)."""
        listeners = self.listeners.setdefault(registration["dataId"], [])
        if "gate" not in registration and "fails" not in registration:
            listeners.append(listener)  # who hears of the note may tell values at once
        self.record.note("subscribe", registration)
        if "gate" in registration:
            self.record.gate(registration["gate"]).wait()
        if "fails" in registration:
            raise ValueError(registration["fails"])
        if "gate" in registration:
            listeners.append(listener)
        if "first" in registration:
            listener(registration["first"])

    def unsubscribe(self, registration, listener):
        self.record.note("unsubscribe", registration)
        self.listeners[registration["dataId"]].remove(listener)

    def publish(self, registration):
        """Knows the member ``blocks``: a number of turns of the loop that it takes."""
        for _ in range(registration.get("blocks", 0)):
            gevent.sleep(0)
        if "fails" in registration:
            raise ValueError(registration["fails"])
        self.record.note("publish", registration)

    # Values ---------------------------------------------------------------------------------

    def echo(self, *args, **kwargs):
        self.record.note("echo")
        return [list(args), kwargs]

    def same(self, value):
        self.record.note("same")
        return value

    def sample(self, name):
        return SAMPLES[name].value

    def is_sample(self, name, value):
        """Whether a sample arrived as it should."""
        self.record.note("is_sample", name)
        return alike(value, SAMPLES[name].expected)

    def nothing(self):
        """Returns nothing."""

    def unencodable(self):
        return {"deep": [object()]}

    def big(self, size):
        return u"x" * size

    def length(self, text):
        self.record.note("length")
        return len(text)

    def own_state(self):
        """What the client keeps and changes."""
        return self._state

    def change_state(self):
        self._state["items"].append(3)
        return self._state

    def change_argument(self, value):
        value["changed"] = True
        return value

    def data_callback(self, callback):
        return [u"data", callback]

    def renamed(self):
        return u"renamed"

    def fail(self, name):
        sample_errors.throw(name)

    # Time -----------------------------------------------------------------------------------

    def wait(self, gate):
        """Blocks until a gate is open."""
        self.record.note("waiting", gate)
        self.record.gate(gate).wait()
        self.record.note("waited", gate)
        return gate

    def quick(self, gate):
        return self.wait(gate)

    def shuffled(self, number, total):
        """Blocks until ``total`` calls are there, which then return in random order."""
        event = Event()
        self._held.append(event)
        if len(self._held) == total:
            held, self._held = self._held, []
            random.shuffle(held)
            for other in held:
                other.set()
        event.wait()
        return number

    def touch(self, value):
        self.record.note("touch", value)

    def shout(self, value):
        self.record.note("shout", value)
        raise ValueError(value)

    # Callback style -------------------------------------------------------------------------

    def later(self, value, callback):
        gevent.spawn(callback, None, value)

    def later_now(self, value, callback):
        callback(None, value)

    def later_in_hub(self, value, callback):
        gevent.get_hub().loop.run_callback(callback, None, value)

    def later_in_thread(self, value, callback):
        threading.Thread(target=callback, args=(None, value)).start()

    def later_error(self, name, callback):
        gevent.spawn(callback, sample_errors.made(name))

    def later_text_error(self, text, callback):
        gevent.spawn(callback, text)

    def later_raises(self, name, callback):
        sample_errors.throw(name)

    def later_twice(self, value, callback):
        callback(None, value)
        callback(None, u"again")

    def later_gate(self, gate, callback):
        """Calls back once a gate is open."""
        def run():
            self.wait(gate)
            callback(None, gate)

        gevent.spawn(run)

    def later_never(self, callback):
        self._callbacks.append(callback)  # kept, as one that is only late would be
