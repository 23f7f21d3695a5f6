"""A client that was made before a fork which Python does not see: none of its fork hooks run.

So uWSGI forks its workers from a master that has imported the application.  The parent only
prepares: Python itself does not survive such a fork of a process in which other threads run.
"""

from __future__ import absolute_import, division, print_function

import pytest

#: argv: port, journal, whether the child only listens.
PROGRAM = """
import ctypes
import os
import sys
from clusterclient_sync import cluster, forked
from clusterclient_sync.exceptions import LeaderUnavailableError
from support.gates import Event
from support.real_client import RealClient
from support.talk import tell


class Source(RealClient):
    "Of a program that does not use gevent."


forked.only_prepare()
client = (cluster(Source, port=int(sys.argv[1]), response_timeout=15)
          .delegate("echo", idempotent=True).create({"journal": sys.argv[2]}))
told = Event()
values = []


def listen(value):
    values.append(value)
    told.set()


def work_in_child():
    if sys.argv[3] == "listens":
        forked.join_inherited()
    else:
        assert client.echo("at first use") == "at first use"
    assert told.wait(10)
    tell("child", pid=os.getpid(), values=values, answer=client.echo("x"),
         leads=client.is_leader)
    client.close()


client.subscribe({"dataId": "k"}, listen)
try:
    client.echo("too early")
except LeaderUnavailableError:
    tell("refused")
pid = ctypes.PyDLL(None).fork()
if pid == 0:
    try:
        work_in_child()
    finally:
        os._exit(0)
os.waitpid(pid, 0)
tell("over")
"""


@pytest.mark.limit(60)
@pytest.mark.parametrize("what", ["calls", "listens"])
def test_the_child_of_a_parent_that_prepares_joins(processes, port, journal, what):
    program = processes.start(
        PROGRAM, port, journal.path, what, env={"CLUSTERCLIENT_RUNTIME": None})
    program.expect("refused")
    told = program.expect("child")
    assert (told["answer"], told["leads"]) == ("x", True)
    assert told["values"] == [{"first": told["pid"]}]
    program.expect("over")
    assert program.wait() == 0, program.describe()
    assert [life[0] for life in journal.assert_one_at_a_time()] == [told["pid"]]
    assert "Traceback" not in program.stderr_text()
