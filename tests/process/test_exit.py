"""How the interpreter ends where clients were closed, and where that was forgotten."""

from __future__ import absolute_import, division, print_function

import signal

import pytest

from support.members import leader_of, until

PROGRAM = """
import sys
if sys.argv[3:] == ["patched"]:
    from gevent import monkey
    monkey.patch_all()
import logging
import gevent
from clusterclient_sync import cluster
from support.real_client import RealClient
from support.talk import commands, tell
logging.basicConfig(level=logging.WARNING)
client = cluster(RealClient, port=int(sys.argv[1])).create({"journal": sys.argv[2]})
%s
tell("over", is_leader=client.is_leader)
"""
READY = """
client.ready()
client.subscribe({"dataId": "k"}, lambda value: tell("value"))
client.publish({"dataId": "k"})
client.echo(1)
tell("ready")
"""
WAYS = {
    "closed": READY + "client.close()",
    "in a with statement": "with client:" + READY.rstrip().replace("\n", "\n    "),
    "forgotten": READY,
    "never ready": "",
    "with calls under way": READY + (
        "gevent.spawn(client.call, 'hold', ('gate',))\n"
        "client.hold('gate', callback=lambda error, value: None)\n"
        "gevent.sleep(0)\n"),
    "in a greenlet": "gevent.spawn(lambda: (client.ready(), client.echo(1))).join()\n",
    "exit in a greenlet": READY + "gevent.spawn(sys.exit, 0).join()\n",
}


CASES = [(way, role, "unpatched") for way in sorted(WAYS) for role in ("leader", "follower")]
CASES += [(way, "leader", "patched") for way in sorted(WAYS)]
CASES += [(way, role, "threads") for way in sorted(WAYS) for role in ("leader", "follower")]


@pytest.mark.parametrize("way, role, patched", CASES)
def test_a_program_ends(members, processes, port, journal, way, role, patched):
    member = members.join() if role == "follower" else None
    env = {"CLUSTERCLIENT_RUNTIME": "thread"} if patched == "threads" else {}
    program = processes.start(PROGRAM % WAYS[way], port, journal.path, patched, env=env)
    assert program.wait(timeout=10) == 0, program.describe()
    assert program.stderr_text() == ""
    if member is not None:
        assert member.call("whoami") == member.pid
    elif way not in ("never ready", "with calls under way"):
        # Who forgets to close is closed at the end, as far as that is quick.
        assert len(journal.lines("closed")) == len(journal.lines("made")) == 1


@pytest.mark.parametrize("way", ["closed", "forgotten"])
def test_a_program_that_led_is_replaced_when_it_ends(members, processes, port, journal, way):
    program = processes.start(
        PROGRAM % (READY + "list(commands())\n" + WAYS[way].replace(READY, "")),
        port, journal.path)
    program.expect("ready")
    follower = members.join()
    assert follower.do("is_leader", client="main") is False
    program.close_stdin()
    assert program.wait(timeout=10) == 0, program.describe()
    assert leader_of([follower]) is follower


#: Programs that Ctrl-C finds waiting or computing; ``reached`` says that they do.
INTERRUPTED = {
    "while it waits for a role": """
    other = cluster(RealClient, port=int(sys.argv[1]), name="other", is_leader=False).create({})
    gevent.spawn(tell, "reached")
    other.ready(60)
""",
    "in a call": """
    gevent.spawn(tell, "reached")
    client.call("hold", ("gate",), timeout=60)
""",
    "in a call that computes": """
    client.call("block_the_loop", (sys.argv[2], "computing"), timeout=60)
""",
    "in a call with a callback that computes": """
    client.call("block_the_loop", (sys.argv[2], "computing"), callback=lambda *outcome: None)
    gevent.sleep(60)
""",
    "in a listener that computes": """
    def listen(value):
        tell("reached")
        while True:
            pass

    client.subscribe({"dataId": "k"}, listen)
    gevent.sleep(60)
""",
}
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
""" + PROGRAM.replace("port=int(sys.argv[1])", "port=int(sys.argv[1]), drain_timeout=0.2") % """
client.ready()
try:%s
except KeyboardInterrupt:
    tell("interrupted")
    client.close()
"""


@pytest.mark.parametrize("runtime", ["greenlet", "thread"])
@pytest.mark.parametrize("moment", sorted(INTERRUPTED))
def test_ctrl_c_is_the_main_greenlets(processes, port, journal, moment, runtime):
    program = processes.start(INTERRUPTIBLE % INTERRUPTED[moment], port, journal.path,
                              env={"CLUSTERCLIENT_RUNTIME": runtime})
    if "call" in moment and "computes" in moment:
        until(lambda: journal.lines("blocks the loop", program.pid), "it computes")
    else:
        program.expect("reached")
    program.kill(signal.SIGINT)
    program.expect("interrupted")
    assert program.wait() == 0
