"""The contract: what every kind of client does alike (the kinds: see ``support.subjects``).

What they speak is the default: msgpack where that is installed, else JSON.  Where it is installed
two kinds more are run with nothing but JSON, ``json leader`` and ``json follower``; that one's
leader would speak msgpack.
"""

from __future__ import absolute_import, division, print_function

import os

import pytest

from support.processes import TESTS, Processes
from support.recording import DELEGATES
from support.speed import WHY_NOT
from support.subjects import KINDS, LeaderProcess, Subject

JSON = "json "
JSON_KINDS = (JSON + "leader", JSON + "follower")


@pytest.fixture(params=KINDS + JSON_KINDS)
def kind(request):
    if request.param in JSON_KINDS and WHY_NOT:
        pytest.skip("every kind speaks JSON here: %s" % WHY_NOT)
    return request.param


@pytest.fixture(scope="module")
def leader_process(no_leaks_of_the_session):
    """One for the tests of a module: a Python takes its time to start."""
    processes = Processes()
    try:
        yield LeaderProcess(
            processes.start(os.path.join(TESTS, "support", "leader_script.py")))
    finally:
        processes.end_all()


@pytest.fixture
def make(kind, port, leader_process, no_leaks):
    """``make(ready=True, own={}, delegates=..., **options)`` gives a :class:`Subject`.

    ``own`` are options of the client under test (and its like in this process), ``options`` those
    of the leader, too.
    """
    made = []

    def make(ready=True, own=None, delegates=DELEGATES, **options):
        own = dict(own or {})
        if kind in JSON_KINDS and "transcode" not in options:
            own.setdefault("transcode", "plain-json")
        subject = Subject(
            kind.replace(JSON, ""), port, leader_process, options, own, delegates)
        made.append(subject)
        if ready:
            subject.lead()
        subject.begin()
        if ready:
            subject.get_ready()
        return subject

    yield make
    left = [text for subject in made for text in subject.end()]
    assert not left, "\n\n".join(left)


@pytest.fixture
def subject(make):
    return make()


@pytest.fixture
def client(subject):
    return subject.client


@pytest.fixture
def upstream(subject):
    return subject.upstream
