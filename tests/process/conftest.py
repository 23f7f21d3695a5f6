"""Fixtures for the tests of real processes."""

from __future__ import absolute_import, division, print_function

import os

import gevent
import pytest

from support import gunicorns, raw_peer, servers
from support.journal import Journal
from support.members import Members


@pytest.fixture
def journal(tmpdir):
    """What the real clients of the test's members did."""
    return Journal(str(tmpdir.join("journal")))


@pytest.fixture
def members(processes, port, journal):
    """Starts the members of one cluster."""
    return Members(processes, port, journal)


@pytest.fixture
def closing(no_leaks):
    """``closing(thing)`` gives the thing back, and closes it when the test ends."""
    things = []

    def closing_one(thing):
        things.append(thing)
        return thing

    yield closing_one
    for thing in reversed(things):
        thing.close()


@pytest.fixture
def raw_server(port, closing):
    """A scripted leader at the test's port."""
    return closing(raw_peer.RawServer(port))


@pytest.fixture
def greenlets():
    """A list of greenlets; they are killed when the test ends."""
    started = []
    yield started
    gevent.killall(started)


@pytest.fixture
def gunicorn(processes, tmpdir, journal, closing):
    """Starts gunicorns, each in a folder of its own."""
    def start(config=gunicorns.HOOKS, name="one", journal=journal, **settings):
        return closing(gunicorns.Gunicorn(
            processes, tmpdir.join(name), journal, config, **settings))

    return start


@pytest.fixture
def loaded(closing):
    """Puts a gunicorn under load."""
    return lambda server: closing(gunicorns.Load(server))


def _serve(kind, tmpdir_factory):
    """A real server.  Where it is not installed its tests are skipped, but never in CI."""
    try:
        kind.check()
        servers.check_importable(kind.package)
    except servers.NotHere as reason:
        text = "the example for %s was NOT tested: %s" % (kind.name, reason)
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail("CI tests every example, and " + text, pytrace=False)
        pytest.skip(text)
    server = kind(tmpdir_factory.mktemp(kind.package))
    yield server
    server.close()


@pytest.fixture(scope="module")
def redis_server(no_leaks_of_the_session, tmpdir_factory):
    """A redis of the module's own."""
    for server in _serve(servers.RedisServer, tmpdir_factory):
        yield server


@pytest.fixture(scope="module")
def zookeeper_server(no_leaks_of_the_session, tmpdir_factory):
    """A ZooKeeper of the module's own."""
    for server in _serve(servers.ZooKeeperServer, tmpdir_factory):
        yield server
