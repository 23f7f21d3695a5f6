"""When a connection sends early, and when it stops to do so."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.transport.pace import Pace


@pytest.fixture
def pace():
    made = Pace()
    made.begin()  # the last one that had a turn
    return made


def test_who_alone_is_busy_sends_early(pace):
    assert [pace.begin(), pace.begin()] == [True, True]


def test_who_is_busy_beside_others_does_not(pace):
    other = Pace()
    for _ in range(3):
        assert not other.begin()
        assert not pace.begin()
    assert pace.begin()


def test_answers_that_come_apart_keep_it_up(pace):
    for number in range(0, 1000, 10):
        assert pace.begin()
        pace.judge(number + 1, number + 4, number + 14)  # those that were sent early, alone
        assert pace.begin()
        pace.judge(number + 5, number + 10, 0)


def pauses(pace, turns):
    """Turns in a row without an early send, where answers always come together."""
    found, row = [], 0
    for number in range(turns):
        if pace.begin():
            found.append(row)
            row = 0
            pace.judge(10 * number + 1, 10 * number + 10, 10 * number + 14)
        else:
            row += 1
            if pace.is_watching:
                pace.judge(10 * number + 1, 10 * number + 10, 0)
    return found


def test_answers_that_come_together_end_it_for_a_while_and_ever_longer(pace):
    # Two turns are needed to see it: one that sends, and the one that brings the answers.
    rows = pauses(pace, 1000)
    assert rows[:8] == [0, 0, 2, 0, 4, 0, 8, 0]
    assert max(rows) == 64


def test_one_that_comes_apart_again_makes_it_patient_no_more(pace):
    pauses(pace, 300)
    while not pace.begin():
        pass
    pace.judge(1, 2, 6)
    pace.begin()
    pace.judge(3, 6, 0)
    assert pauses(pace, 8)[:4] == [0, 0, 2, 0]
