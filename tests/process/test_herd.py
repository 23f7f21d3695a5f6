"""Five hundred followers lose their leader at once."""

from __future__ import absolute_import, division, print_function

import json
import os

import pytest

from support.processes import TESTS

SCRIPT = os.path.join(TESTS, "support", "herd_script.py")
PROCESSES = 5
CLIENTS = 100
#: Tries of a client in the pauses of one second.  Shorter pauses than 20 ms are only the first few.
MOST_TRIES = 60
#: Tries of a client where somebody takes over at once.
MOST_TRIES_OF_TAKEOVER = 12
TIMEOUT = 60


class Herd(object):
    """Processes of many clients each."""

    def __init__(self, members, processes, is_leader):
        how = json.dumps({"port": members.port, "count": CLIENTS, "is_leader": is_leader,
                          "config": {"journal": members.journal.path}})
        self._children = [processes.start(SCRIPT, how) for _ in range(PROCESSES)]
        for child in self._children:
            child.expect("up")

    def do(self, do, **how):
        """Have all of them do something; returns their answers."""
        for child in self._children:
            child.send(dict(how, do=do))
        return [child.expect("did " + do, TIMEOUT)["value"] for child in self._children]

    def notes(self):
        """The notes of each client, see the script."""
        found = [notes for report in self.do("report") for notes in report]
        assert len(found) == PROCESSES * CLIENTS
        return found


def tries_in(seconds, notes):
    """How many tries a client makes until it has paused for so long."""
    tries, paused = 0, 0.0
    for pause in notes:
        if pause is None:
            tries += 1
        else:
            paused += pause
            if paused >= seconds:
                break
    return tries


def assert_paced(notes):
    """The first try is immediate, and no other comes without a pause."""
    assert notes[0] is None
    assert not [index for index in range(1, len(notes))
                if notes[index] is None and notes[index - 1] is None]


@pytest.mark.limit(180)
def test_followers_without_a_leader_make_few_tries_and_not_in_step(members, processes):
    leader = members.join()
    herd = Herd(members, processes, is_leader=False)
    assert sum(herd.do("ready")) == 0
    herd.do("forget")
    leader.child.kill()
    herd.do("wait_for_pauses", seconds=1.2)
    everybody = herd.notes()
    for notes in everybody:
        assert_paced(notes)
    tries = [tries_in(1.0, notes) for notes in everybody]
    assert max(tries) <= MOST_TRIES
    for index in (1, 3, 5):  # the pauses after the first tries
        pauses = [notes[index] for notes in everybody]
        assert max(pauses) > 1.5 * min(pauses) > 0
        assert len(set(pauses)) > len(pauses) / 2
    # The longer there is nobody, the rarer they try.
    herd.do("forget")
    herd.do("wait_for_pauses", seconds=2.0)
    assert max(tries_in(2.0, notes) for notes in herd.notes()) < MOST_TRIES / 3
    successor = members.join()
    assert sum(herd.do("ready")) == 0
    assert successor.call("echo", "all are back") == "all are back"


@pytest.mark.limit(180)
def test_of_many_competitors_one_takes_over_and_the_others_follow_it(members, processes, journal):
    leader = members.join()
    herd = Herd(members, processes, is_leader=None)
    assert sum(herd.do("ready")) == 0
    herd.do("forget")
    epoch = leader.do("epoch", client="main")
    leader.child.kill()
    herd.do("wait_for_leader_after", epoch=epoch)
    assert sum(herd.do("ready")) == 1
    assert len(journal.assert_one_at_a_time(killed=[leader.pid])) == 2
    # One of them led without having looked for another leader.
    tries = [tries_in(TIMEOUT, notes) for report in herd.do("report") for notes in report]
    assert len(tries) >= PROCESSES * CLIENTS - 1
    assert max(tries) <= MOST_TRIES_OF_TAKEOVER
