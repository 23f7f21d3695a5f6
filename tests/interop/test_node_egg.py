"""Beside Egg.js: a fixed port, and Python that never leads (``examples/egg``)."""

from __future__ import absolute_import, division, print_function

import os
import sys

import gevent
import pytest
from gevent.queue import Queue

from node_peers import HERE, printed
from support.processes import ROOT

EGG = os.path.join(ROOT, "examples", "egg")
TIMEOUT = 20


@pytest.fixture
def egg(children, port):
    """``egg("agent")`` and ``egg("application")`` start what Egg's master starts."""
    def start(kind):
        env = {"EGG_CLUSTER_PORT": str(port), "NODE_PATH": os.path.join(HERE, "node_modules")}
        return children(["node", os.path.join(HERE, "egg_agent.js"),
                         os.path.join(EGG, "fixed_cluster_port.js"), kind], env)

    return start


@pytest.fixture
def client(port, no_leaks, monkeypatch):
    monkeypatch.syspath_prepend(EGG)
    import follower

    made = follower.make_client(port)
    yield made
    made.close()
    del sys.modules["follower"]


def test_python_waits_for_the_agent_and_follows_it(egg, client):
    waiting = gevent.spawn(client.ready, TIMEOUT)
    agent = egg("agent")
    printed(agent, "agent is ready")
    application = egg("application")
    printed(application, "application is ready")
    waiting.get()
    assert client.get_config("a", group="g") == {
        u"dataId": u"a", u"group": u"g", u"agent": agent.pid}
    assert client.get_config(data_id="b", group="h")[u"dataId"] == u"b"


def test_an_agent_that_died_finds_its_port_free(egg, client):
    first = egg("agent")
    printed(first, "agent is ready")
    client.ready(TIMEOUT)
    values = Queue()
    client.subscribe({"dataId": "a"}, values.put)
    assert values.get(timeout=TIMEOUT) == {u"agent": first.pid}
    first.kill()
    first.wait()
    assert client.is_leader is not True
    second = egg("agent")  # Egg's master starts another after a second
    printed(second, "agent is ready")
    assert values.get(timeout=TIMEOUT) == {u"agent": second.pid}


def test_the_port_in_other_hands_ends_the_agents_start(egg, python):
    """Why Python must not lead there."""
    leader = python(name="Store")
    leader.ready(TIMEOUT)
    agent = egg("agent")
    assert "occupied" in printed(agent, "failed:")
    assert agent.wait() == 1


def test_the_example_runs_as_a_program(egg, processes, port):
    printed(egg("agent"), "agent is ready")
    program = processes.start(os.path.join(EGG, "follower.py"), "key",
                              env={"EGG_CLUSTER_PORT": port, "PYTHONUNBUFFERED": "1"})
    assert "key" in printed(program, "Egg's agent says:")
    assert program.wait() == 0
