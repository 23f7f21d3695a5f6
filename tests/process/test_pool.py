"""``multiprocessing.Pool``, whose forked workers use a client that their parent made.

The pool forks from the parent's own thread at first, and from a thread of its own where a worker
that has done its share is replaced.
"""

from __future__ import absolute_import, division, print_function

import pytest

#: argv: port, journal.  The script is a plain one: the runtime is what the client chooses.
PROGRAM = """
import multiprocessing
import os
import sys
from clusterclient_sync import cluster
from support.gates import Event
from support.real_client import RealClient
from support.talk import tell


class Source(RealClient):
    "Of a program that does not use gevent."


client = (cluster(Source, port=int(sys.argv[1]), response_timeout=15)
          .delegate("echo", idempotent=True).create({"journal": sys.argv[2]}))
told = Event()
values = []


def listen(value):
    values.append((os.getpid(), value))
    told.set()


def forget():
    # The fork copied what the parent's listener was told.
    del values[:]
    told.clear()


def work(number):
    answer = client.echo(number)
    assert told.wait(10)
    return {"pid": os.getpid(), "answer": answer, "leads": client.is_leader,
            "heard_in": [pid for pid, _ in values], "value": values[-1][1]}


client.subscribe({"dataId": "k"}, listen)
client.ready(10)
assert told.wait(10)
context = multiprocessing.get_context("fork") if hasattr(multiprocessing, "get_context") \\
    else multiprocessing
pool = context.Pool(3, initializer=forget, maxtasksperchild=2)
try:
    results = pool.map_async(work, range(12), chunksize=1).get(30)
finally:
    pool.close()
    pool.join()
tell("done", results=results, leads=client.is_leader, answer=client.echo("at last"))
client.close()
tell("over")
"""


@pytest.mark.limit(60)
def test_workers_of_a_pool_use_a_client_of_their_parent(processes, port, journal):
    program = processes.start(PROGRAM, port, journal.path, env={"CLUSTERCLIENT_RUNTIME": None})
    told = program.expect("done", timeout=40)
    assert (told["leads"], told["answer"]) == (True, "at last")
    assert [one["answer"] for one in told["results"]] == list(range(12))
    for one in told["results"]:
        assert one["leads"] is False and one["pid"] != program.pid
        # The listener came along, and hears in the worker what the worker was told.
        assert set(one["heard_in"]) == {one["pid"]}
        assert one["value"] == {"first": program.pid}
    assert len({one["pid"] for one in told["results"]}) >= 6  # so workers were replaced
    program.expect("over")
    assert program.wait() == 0, program.describe()
    assert [life[0] for life in journal.assert_one_at_a_time()] == [program.pid]
    assert "Traceback" not in program.stderr_text()
