"""Fixtures for the tests of real processes."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from support import gunicorns, raw_peer
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
