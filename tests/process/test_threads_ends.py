"""Clients of native threads at awkward moments: forks, interruptions, exits, failures."""

from __future__ import absolute_import, division, print_function

import pytest
import six

from clusterclient_sync import _compat
from support.members import leader_of
from support.threaded import PRELUDE

RUNTIMES = pytest.mark.parametrize("runtime", ["thread", "greenlet"])


@pytest.fixture
def run(processes, port):
    """Runs a program to its end and gives what it told with ``tell("told", ...)``."""
    def start(body, *how, **env):
        program = processes.start(
            PRELUDE + body, port, *how,
            env=dict({"CLUSTERCLIENT_RUNTIME": "thread"}, **env))
        told = program.expect("told", timeout=40)
        assert program.wait() == 0, program.describe()
        told["log"] = program.stderr_text()
        return told

    return start


IN_CHILD = """
client = cluster(Meeting, port=port, response_timeout=10).create()
client.ready(10)
pid = os.fork()
if pid == 0:
    try:
        %s
    finally:
        os._exit(0)
os.waitpid(pid, 0)
client.close()
"""


def test_the_first_use_in_a_child_may_come_from_several_threads(run):
    told = run(IN_CHILD % """
        answers = []
        in_threads(8, lambda number: answers.append(client.echo(number)))
        tell("told", answers=sorted(answers))
""")
    assert told["answers"] == list(range(8))


def test_a_first_use_that_fails_in_a_child_is_tried_again_at_the_next(run):
    told = run(IN_CHILD % """
        from clusterclient_sync.runtime import hub_thread
        start, failures = hub_thread.start_thread, ["no thread"]

        def start_thread(*args):
            if failures:
                raise RuntimeError(failures.pop())
            return start(*args)

        hub_thread.start_thread = start_thread
        try:
            client.echo(1)
        except RuntimeError as error:
            first = str(error)
        tell("told", first=first, second=client.echo(2))
""")
    assert (told["first"], told["second"]) == ("no thread", 2)


@RUNTIMES
def test_closed_in_a_child_it_stays_closed_there(run, runtime):
    told = run(IN_CHILD % """
        client.close()
        client.close()
        try:
            client.echo(1)
        except ClusterClientError as error:
            tell("told", error=type(error).__name__)
""", CLUSTERCLIENT_RUNTIME=runtime)
    assert told["error"] == "ClientClosedError"


def test_an_interrupted_create_leaves_nothing_on_the_port(run):
    told = run("""
from clusterclient_sync.runtime import crossing


class Interrupted(BaseException):
    pass


def interrupt(self, timeout):
    raise Interrupted


kinds = (crossing.waiters.LockWaiter, crossing.waiters.PipeWaiter)
waits = [kind.wait for kind in kinds]
for kind in kinds:
    kind.wait = interrupt
try:
    cluster(Meeting, port=port).create()
    outcome = "made"
except Interrupted:
    outcome = "interrupted"
for kind, wait in zip(kinds, waits):
    kind.wait = wait
client = cluster(Meeting, port=port).create()
client.ready(10)
tell("told", outcome=outcome, answer=client.echo(1))
client.close()
""")
    assert (told["outcome"], told["answer"]) == ("interrupted", 1)


@RUNTIMES
def test_a_real_client_that_exits_in_its_close_takes_nothing_with_it(run, runtime):
    told = run("""
class Exiting(Meeting):
    def close(self):
        raise SystemExit(3)


client = cluster(Exiting, port=port).create()
client.ready(10)
client.close()
client = cluster(Exiting, port=port).create()
client.ready(10)
tell("told", answer=client.echo(1))
client.close()
""", CLUSTERCLIENT_RUNTIME=runtime)
    assert told["answer"] == 1 and "could not be closed" in told["log"]


@RUNTIMES
def test_a_leader_without_a_watchdog_leads_all_the_same(run, runtime):
    told = run("""
from clusterclient_sync import watchdog


def start_thread(*args):
    raise RuntimeError("no thread is left")


watchdog.start_thread = start_thread
before = len(os.listdir("/proc/self/fd"))
client = cluster(Meeting, port=port, watchdog_timeout=5).create()
client.ready(10)
tell("told", answer=client.echo(1), is_leader=client.is_leader)
client.close()
""", CLUSTERCLIENT_RUNTIME=runtime)
    assert (told["answer"], told["is_leader"]) == (1, True)
    assert "there is no watchdog over this leader" in told["log"]


@pytest.mark.parametrize("how", ["plain", "patched"])
def test_who_only_prepares_may_close_as_well(run, how):
    told = run("""
from clusterclient_sync.forked import only_prepare
only_prepare()
with cluster(Meeting, port=port).create() as client:
    try:
        client.ready(10)
    except ClusterClientError as error:
        text = str(error)
tell("told", text=text)
""", how, CLUSTERCLIENT_RUNTIME=None)
    assert "wait for its children" in told["text"]


@RUNTIMES
def test_a_client_may_be_closed_when_the_interpreter_ends(run, runtime):
    run("""
import atexit
clients = []


def close():
    clients[0].close()
    tell("told")


atexit.register(close)  # before the library's own: it runs after that
clients.append(cluster(Meeting, port=port).create())
clients[0].ready(10)
""", CLUSTERCLIENT_RUNTIME=runtime)


def test_a_client_that_is_made_in_a_native_thread_of_a_patched_program(run, members):
    told = run("""
client = gevent.get_hub().threadpool.apply(lambda: cluster(Meeting, port=port).create())
client.ready(10)
tell("told", answer=client.echo(1), runtime=client._gate.core.options.runtime)
client.close()
""", "patched", CLUSTERCLIENT_RUNTIME=None)
    assert (told["answer"], told["runtime"]) == (1, "thread")
    member = members.join()
    assert leader_of([member]) is member


# A thread that still runs when the interpreter ends.
ENDS_UNDER_A_THREAD = """
import time
from clusterclient_sync import _compat, registry
from clusterclient_sync.greenlets import workers

def work():
    while True:
        workers._log.debug("It works")
        registry.live_clients()

_compat.start_thread(work, ())
time.sleep(0.05)  # both are at work, whoever is when the end comes
"""


def test_a_program_that_ends_under_a_thread_says_nothing(processes):
    for _ in range(12):  # Python 2 takes its modules apart under the thread, in any order
        program = processes.start(ENDS_UNDER_A_THREAD)
        assert program.wait(timeout=10) == 0, program.describe()
        assert program.stderr_text() == ""


# It ends when its thread has.
RAISES_IN_A_THREAD = """
import time
from six.moves import _thread
from clusterclient_sync import _compat

def work():
    begun.release()
    raise ValueError("told")

begun = _compat.native_lock()
begun.acquire()
_compat.start_thread(work, ())
begun.acquire()
while _thread._count():
    time.sleep(0.001)
"""


def test_what_a_thread_raises_before_that_is_told(processes):
    program = processes.start(RAISES_IN_A_THREAD)
    assert program.wait(timeout=10) == 0, program.describe()
    assert "ValueError" in program.stderr_text()


@pytest.mark.skipif(not six.PY2, reason="Python 3 ends its threads before it takes modules apart")
def test_threads_are_quiet_from_the_interpreters_end_on(monkeypatch):
    at_exit, started = [], []
    monkeypatch.setattr("atexit.register", lambda *call: at_exit.append(call))
    start = _compat._quiet_at_exit(lambda run, args: started.append((run, args)))
    start(int, ("x",))
    (run, args), = started
    with pytest.raises(ValueError):
        run(*args)
    for call in at_exit:
        call[0](*call[1:])
    run(*args)
