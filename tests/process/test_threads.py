"""Clients in programs of native threads, and real clients that block theirs."""

from __future__ import absolute_import, division, print_function

import pytest

from support.threaded import PRELUDE

ENV = {"CLUSTERCLIENT_RUNTIME": "thread"}  # these programs import gevent, to be tested both ways


@pytest.fixture
def run(processes, port):
    """Runs a program to its end and gives what it told with ``tell("told", ...)``."""
    def start(body, *how):
        program = processes.start(
            PRELUDE + body, port, *how, env={} if "patched" in how else ENV)
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


def test_a_handler_that_comes_late_hears_of_the_change_that_nobody_heard_of(run):
    told = run("""
client = cluster(Meeting, port=port).create()
client.ready(10)
heard = []
while not client._gate.core.has_unheard:  # it is told, to nobody
    pause()
client.on("leader_change", lambda *change: heard.append(change[0]))
while not heard:
    pause()
client.close()
tell("told", heard=heard)
""")
    assert told["heard"] == ["leader"]


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


HELPER = """
import types
helper = types.ModuleType("helper")
exec("def call(function):\\n    return function()\\n", helper.__dict__)
helper.__dict__["sleep"] = __import__("gevent").sleep
"""
CHOICE = """
import sys
%s
from clusterclient_sync import cluster


class Real(object):
    def echo(self, value):
        return value

    def close(self):
        pass


def make():
    client = cluster(Real, port=int(sys.argv[1])).create()
    client.ready(10)
    assert client.echo(1) == 1
    client.close()
    return client._gate.core.options.runtime


%s
"""


@pytest.mark.parametrize("first, last, runtime", [
    ("", "print(make())", "thread"),
    ("from gevent import monkey; monkey.patch_all()", "print(make())", "greenlet"),
    ("import gevent", "print(make())", "greenlet"),
    ("from gevent.event import Event", "print(make())", "greenlet"),
    (HELPER, "print_it(helper.call(make))", "greenlet"),
    ("", "__import__('gevent').spawn(lambda: print_it(make())).join()", "greenlet"),
], ids=["plain", "patched", "written for gevent", "with a name of gevent's", "called by such",
        "in a greenlet"])
def test_the_runtime_is_chosen_by_the_program(processes, port, first, last, runtime):
    code = CHOICE % (first, "def print_it(text):\n    print(text)\n\n\n" + last)
    program = processes.start(code, port, env={"CLUSTERCLIENT_RUNTIME": None})
    assert program.wait() == 0, program.describe()
    assert "".join(program.noise).strip() == runtime
