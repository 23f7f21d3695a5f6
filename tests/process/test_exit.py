"""How the interpreter ends where clients were closed, and where that was forgotten."""

from __future__ import absolute_import, division, print_function

import pytest

from support.members import leader_of

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


@pytest.mark.parametrize("way, role, patched", CASES)
def test_a_program_ends(members, processes, port, journal, way, role, patched):
    member = members.join() if role == "follower" else None
    program = processes.start(PROGRAM % WAYS[way], port, journal.path, patched)
    assert program.wait(timeout=10) == 0, program.describe()
    assert program.stderr_text() == ""
    if member is not None:
        assert member.call("whoami") == member.pid
    elif way in ("closed", "in a with statement"):
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
