"""Clients in programs of native threads, and real clients that block theirs."""

from __future__ import absolute_import, division, print_function

import pytest

PRELUDE = """
import sys
if "patched" in sys.argv:
    from gevent import monkey
    monkey.patch_all()
import os
import threading
import gevent
from clusterclient_sync import cluster, ClusterClientError
from clusterclient_sync._compat import native_lock, native_sleep, native_thread_id, start_thread
from support.gates import Event
from support.talk import commands, tell


class Meeting(object):
    # A real client for threads: it blocks them, and knows nothing of gevent.

    def __init__(self):
        self.present = 0
        self.most = 0
        self.lock = native_lock()
        self.listeners = {}

    def meet(self, count):
        # Return when so many are here at once.
        with self.lock:
            self.present += 1
            self.most = max(self.most, self.present)
        while self.most < count:
            native_sleep(0.001)
        with self.lock:
            self.present -= 1
        return native_thread_id()

    def let_go(self):
        self.most = 1000

    def echo(self, value):
        return value

    def fail(self):
        raise KeyError("told")

    def pid(self):
        return os.getpid()

    def subscribe(self, registration, listener):
        self.listeners[registration["k"]] = listener
        listener("first")

    def unsubscribe(self, registration, listener=None):
        self.listeners.pop(registration["k"], None)

    def push(self, key, value):
        self.listeners[key](value)

    def close(self):
        pass


def in_threads(count, function):
    # Run a function in native threads, and raise what one of them raised.
    errors, left = [], [count]

    def run(number):
        try:
            function(number)
        except BaseException as error:
            errors.append(error)
        finally:
            with lock:
                left[0] -= 1

    lock = native_lock()
    for number in range(count):
        start_thread(run, (number,))
    while left[0]:
        pause()
    if errors:
        raise errors[0]


def pause():
    gevent.sleep(0.001) if "patched" in sys.argv else native_sleep(0.001)


port = int(sys.argv[1])
"""
ENV = {"CLUSTERCLIENT_RUNTIME": None}


@pytest.fixture
def run(processes, port):
    """Runs a program to its end and gives what it told with ``tell("told", ...)``."""
    def start(body, *how):
        program = processes.start(PRELUDE + body, port, *how, env=ENV)
        told = program.expect("told", timeout=40)
        assert program.wait() == 0, program.describe()
        assert "Traceback" not in program.stderr_text(), program.describe()
        return told

    return start


@pytest.fixture(params=["leader", "follower"])
def elsewhere(request, processes, port):
    """Where the real client is: in the program under test, or in another one."""
    if request.param == "follower":
        leader = processes.start(PRELUDE + """
client = cluster(Meeting, port=port).create()
client.ready(10)
tell("ready")
list(commands())
client.close()
""", port, env=ENV)
        leader.expect("ready")
    return request.param


CALLS = """
client = cluster(Meeting, port=port, response_timeout=20).create()
client.ready(10)
values, told, back = [], Event(), []


def listen(value):
    values.append((native_thread_id(), value))
    told.set()


client.subscribe({"k": "a"}, listen)
assert told.wait(10)
told.clear()
client.push("a", {"b": [1]})
assert told.wait(10)
client.echo(3, callback=lambda error, value: back.append((native_thread_id(), error, value)))
try:
    client.fail()
except KeyError as error:
    failure = error.args
try:
    client.call("meet", (1000,), timeout=0.2)
except ClusterClientError as error:
    late = error.outcome
in_threads(8, lambda number: client.meet(8))  # all of them block a thread at once
client.let_go()
answers = {}
in_threads(8, lambda number: answers.__setitem__(
    number, [client.echo([number, index]) for index in range(100)]))
while not back:
    pause()
client.close()
tell("told", is_leader=client.is_leader, values=[value for _, value in values],
     is_right=answers == {number: [[number, index] for index in range(100)] for number in range(8)},
     back=back[0][1:], failure=failure, late=late,
     threads=len(set(thread for thread, _ in values) & {native_thread_id()}),
     main_hub=repr(gevent._hub_local.get_hub_if_exists()))
"""


def test_a_plain_program_of_threads(run, elsewhere):
    told = run(CALLS)
    assert told["values"] == ["first", {"b": [1]}]
    assert told["is_right"] and told["back"] == [None, 3] and told["failure"] == ["told"]
    assert told["late"] == "unknown"
    assert told["threads"] == 0  # no listener ran in the program's own thread
    assert told["main_hub"] == "None"  # nothing made that thread gevent's


def test_native_threads_beside_a_patched_program(run, elsewhere):
    told = run(CALLS.replace("cluster(Meeting,", 'cluster(Meeting, real_client_runtime="thread",'),
               "patched")
    assert told["values"] == ["first", {"b": [1]}]
    assert told["is_right"] and told["failure"] == ["told"] and told["late"] == "unknown"


def test_a_real_client_that_blocks_its_thread_does_not_stop_a_patched_program(run):
    told = run("""
client = cluster(Meeting, port=port, real_client_runtime="thread", response_timeout=20).create()
client.ready(10)
turns = []


def turn():
    while True:
        turns.append(1)
        gevent.sleep(0.001)


gevent.spawn(turn)
blocked = gevent.spawn(client.meet, 2)
while client._gate.core.role.host.real.present < 1:
    gevent.sleep(0.001)
before = len(turns)
while len(turns) < before + 50:  # the loop runs though a method blocks
    gevent.sleep(0.001)
second = client.meet(2)
tell("told", alike=blocked.get() == native_thread_id(), other=second == native_thread_id())
client.close()
""", "patched")
    assert (told["alike"], told["other"]) == (False, False)


def test_several_hubs_and_threads_call_at_once(run, elsewhere):
    told = run("""
client = cluster(Meeting, port=port, response_timeout=20).create()
client.ready(10)
wrong = []


def hub_of_greenlets(number):
    def call(index):
        for turn in range(20):
            value = [number, index, turn]
            if client.echo(value) != value:
                wrong.append(value)

    greenlets = [gevent.spawn(call, index) for index in range(20)]
    gevent.joinall(greenlets, raise_error=True)
    gevent.get_hub().destroy(destroy_loop=True)


def plain(number):
    for turn in range(200):
        if client.echo([number, turn]) != [number, turn]:
            wrong.append((number, turn))


in_threads(6, lambda number: (hub_of_greenlets if number % 2 else plain)(number))
client.close()
tell("told", wrong=wrong)
""")
    assert told["wrong"] == []


def test_a_listener_that_blocks_its_thread_delays_only_itself(run):
    told = run("""
client = cluster(Meeting, port=port).create()
client.ready(10)
gate, slow, quick = Event(), [], []
client.subscribe({"k": "a"}, lambda value: (gate.wait(), slow.append(value)))
client.subscribe({"k": "a"}, quick.append)
for number in range(5):
    client.push("a", number)
while quick[-1:] != [4]:
    pause()
before = list(slow)
gate.set()
while slow[-1:] != [4]:
    pause()
client.close()
tell("told", before=before, slow=slow)
""")
    assert told["before"] == []
    assert told["slow"] == ["first", 0, 1, 2, 3, 4]


def test_threads_and_descriptors_go_with_the_last_client(run):
    told = run("""
def things():
    return (len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")))


for number in range(20):
    if number == 1:  # what a thread keeps for its calls was made at the first
        before = things()
    clients = [cluster(Meeting, port=port, name=name).create() for name in "ab"]
    for client in clients:
        client.ready(10)
        assert client.echo(number) == number
    for client in clients:
        client.close()
    while number == 0 and len(os.listdir("/proc/self/task")) > 1:
        native_sleep(0.001)
while things() != before:  # what ends, ends beside
    native_sleep(0.001)
tell("told")
""")
    assert told is not None
