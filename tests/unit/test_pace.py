"""When a connection sends early: where that has shown to be faster."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.transport import pace as pace_module
from clusterclient_sync.transport.pace import Pace


class Machine(object):
    """A machine on which turns of a connection take their time.

    :param early, late: seconds that a turn of 10 frames takes.
    """

    def __init__(self, monkeypatch, early, late):
        self.now = 100.0
        self.early = early
        self.late = late
        monkeypatch.setattr(pace_module, "monotonic", lambda: self.now)
        monkeypatch.setattr(Pace, "_last", None)

    def turns(self, pace, number):
        """How many of so many turns sent early."""
        count = 0
        for _ in range(number):
            is_early = pace.is_early()
            count += is_early
            self.now += self.early if is_early else self.late
            pace.end(10)
        return count


TRIAL = 2 * pace_module._TRIAL


@pytest.mark.parametrize("early, expected", [(0.5, 1000), (0.97, 0), (1.0, 0), (2.0, 0)])
def test_what_was_faster_is_kept_and_early_sends_have_to_be_faster(monkeypatch, early, expected):
    machine = Machine(monkeypatch, early, 1.0)
    pace = Pace()
    assert machine.turns(pace, 1 + TRIAL) == TRIAL // 2
    pace._turns = 1000
    assert machine.turns(pace, 1000) == expected


def test_it_is_measured_again_and_ever_more_seldom(monkeypatch):
    machine = Machine(monkeypatch, 0.5, 1.0)
    pace = Pace()
    machine.turns(pace, 1 + TRIAL)
    kept = []
    for _ in range(8):
        kept.append(pace._turns)
        assert machine.turns(pace, pace._turns) == kept[-1]
        assert machine.turns(pace, TRIAL) == TRIAL // 2
    assert kept == [256, 512, 1024, 2048, 4096, 8192, 8192, 8192]


def test_a_machine_that_has_become_busy_is_noticed(monkeypatch):
    machine = Machine(monkeypatch, 0.5, 1.0)
    pace = Pace()
    machine.turns(pace, 1 + TRIAL)
    machine.early = 1.5
    machine.turns(pace, pace._turns + TRIAL)
    assert pace._turns == pace_module._LEAST_KEPT
    assert machine.turns(pace, 100) == 0


def test_who_is_busy_beside_others_never_sends_early(monkeypatch):
    machine = Machine(monkeypatch, 0.1, 1.0)
    one, other = Pace(), Pace()
    for _ in range(1000):
        assert not machine.turns(one, 1)
        assert not machine.turns(other, 1)
    assert machine.turns(one, 2 * pace_module._MOST_KEPT + TRIAL) > 0  # alone again


def test_frames_of_short_turns_count(monkeypatch):
    machine = Machine(monkeypatch, 1.0, 1.0)
    pace = Pace()
    machine.turns(pace, 1 + TRIAL // 2)
    for _ in range(TRIAL // 2):
        machine.turns(pace, 1)
        pace.frames += 3
    assert pace._is_early


def test_a_clock_that_stands_still_divides_by_nothing(monkeypatch):
    machine = Machine(monkeypatch, 0.0, 0.0)
    machine.turns(Pace(), 10 * TRIAL)
