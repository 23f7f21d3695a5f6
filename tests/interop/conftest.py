"""Fixtures for the tests with Node.js.  CI always runs them; elsewhere they need node and npm."""

from __future__ import absolute_import, division, print_function

import os
import sys

import pytest

import node_peers
from clusterclient_sync import cluster
from python_client import RealClient
from support.journal import Journal
from support.members import Members
from support.processes import ROOT, Child, Processes, environment

NOT_RUN = "Node.js and its npm package were NOT tested (tests/interop): %s"
_missing = []


def pytest_terminal_summary(terminalreporter):
    for text in _missing:
        terminalreporter.write_line(NOT_RUN % text, yellow=True)


@pytest.fixture(scope="session")
def npm(no_leaks_of_the_session):
    """The npm packages are there.  Without Node.js the tests are skipped, but never in CI."""
    try:
        node_peers.check_node()
    except node_peers.NotHere as reason:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail("CI tests with Node.js, and %s" % reason, pytrace=False)
        if not _missing:
            _missing.append(str(reason))
        pytest.skip(NOT_RUN % reason)
    node_peers.install()


@pytest.fixture(scope="module")
def shared_node(npm):
    """One Node process for the tests of a module: it takes its time to start."""
    started = node_peers.Nodes()
    try:
        yield started.start_node()
    finally:
        started.end_all()


@pytest.fixture
def node(shared_node, python):
    """The shared Node process, which has to outlive the test."""
    yield shared_node
    assert shared_node.is_alive, "Node.js ended: %s" % shared_node.child.describe()
    shared_node.do("close_all")


@pytest.fixture
def nodes(npm, no_leaks):
    """Starts Node processes of the test's own: ``nodes.start_node()``."""
    started = node_peers.Nodes()
    yield started
    started.end_all()


@pytest.fixture
def python(port, no_leaks):
    """``python(config=None, delegates=(), **options)`` gives a client in this process."""
    made = []

    def make(config=None, delegates=(), **options):
        options.setdefault("port", port)
        options.setdefault("remote_names", "camelCase")
        builder = cluster(RealClient, **options).delegate("touch", "invoke_oneway")
        for name, how in delegates:
            builder = builder.delegate(name, **how)
        made.append(builder.create(config or {}))
        return made[-1]

    yield make
    for client in reversed(made):
        client.close()


@pytest.fixture
def journal(tmpdir):
    """What the real clients of the test's processes did, in both languages."""
    return Journal(str(tmpdir.join("journal")))


@pytest.fixture
def members(processes, port, journal):
    """Starts Python processes of one cluster."""
    return Members(processes, port, journal)


@pytest.fixture
def children(npm, no_leaks):
    """``children(command, env)`` starts one."""
    started = Processes()

    def start(command, env):
        child = Child(command, dict(environment(sys.executable, env), PYTHONUNBUFFERED="1"), ROOT)
        started.children.append(child)
        return child

    yield start
    started.end_all()
