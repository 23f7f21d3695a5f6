"""Every pair of state and event, against a table of the test's own."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync import states

# One line per state; the events in the order of the first line.  A dash: it cannot happen.
EXPECTED = """
           won_port  started  start_failed  registered  parted   lost     refused_port  close
joining    starting  -        failed        following   -        joining  refused       closed
starting   -         leading  failed        -           -        joining  -             closed
failed     failed    leading  failed        following   -        failed   refused       closed
leading    -         -        -             -           parting  joining  -             closed
following  -         -        -             -           parting  joining  -             closed
parting    -         -        -             -           parting  joining  -             closed
refused    -         -        -             -           -        refused  -             closed
closed     -         -        -             -           -        -        -             closed
"""


def expectations():
    lines = [line.split() for line in EXPECTED.strip().splitlines()]
    return {(line[0], event): result
            for line in lines[1:] for event, result in zip(lines[0], line[1:])}


def test_the_table_is_about_all_states_and_events():
    expected = expectations()
    assert set(state for state, _ in expected) == set(states.STATES)
    assert set(event for _, event in expected) == set(states.EVENTS)
    assert len(expected) == len(states.STATES) * len(states.EVENTS) == 64


def test_every_pair():
    for (state, event), result in sorted(expectations().items()):
        if result == "-":
            with pytest.raises(states.IllegalTransition) as caught:
                states.next_state(state, event)
            assert state in str(caught.value) and event in str(caught.value)
        else:
            assert states.next_state(state, event) == result


def reachable(start):
    found, new = set(), {start}
    while new:
        found |= new
        new = {result for (state, _), result in expectations().items()
               if state in new and result != "-"} - found
    return found


def test_closed_is_for_good_and_every_other_state_can_be_left():
    assert reachable("closed") == {"closed"}
    assert reachable("refused") == {"refused", "closed"}
    for state in set(states.STATES) - {"closed", "refused"}:
        assert {"leading", "following", "closed"} <= reachable(state)


def test_a_state_or_event_that_does_not_exist_is_illegal():
    for pair in [("joining", "nothing"), ("nowhere", "close"), (None, None)]:
        with pytest.raises(states.IllegalTransition):
            states.next_state(*pair)
