"""The contract: what every kind of client does alike (the kinds: see ``support.subjects``)."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from support.processes import TESTS, Processes
from support.recording import DELEGATES
from support.subjects import KINDS, LeaderProcess, Subject


@pytest.fixture(params=KINDS)
def kind(request):
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
        subject = Subject(kind, port, leader_process, options, own or {}, delegates)
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
