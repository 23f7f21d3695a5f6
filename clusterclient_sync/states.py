"""The states of a cluster client, and what may happen in each: one table.

::

    joining    neither leader nor follower: looking for a leader, or for the port
    starting   the port is won, the real client is being made
    failed     the last start of the real client failed, here or at the leader; trying on
    leading    this process has the real client
    following  another process has it
    parting    leading no more, what is in hand is being finished; or: the leader said goodbye
    refused    a forced leader whose port another holds: for good
    closed     for good

Calls are made in ``leading`` and ``following``; in ``failed`` and ``refused`` they raise; in
``closed`` they raise; else they wait.
"""

from __future__ import absolute_import, division, print_function

JOINING = "joining"
STARTING = "starting"
FAILED = "failed"
LEADING = "leading"
FOLLOWING = "following"
PARTING = "parting"
REFUSED = "refused"
CLOSED = "closed"

STATES = (JOINING, STARTING, FAILED, LEADING, FOLLOWING, PARTING, REFUSED, CLOSED)

#: what happens
WON_PORT = "won_port"
STARTED = "started"
START_FAILED = "start_failed"
REGISTERED = "registered"
PARTED = "parted"
LOST = "lost"
REFUSED_PORT = "refused_port"
CLOSE = "close"

EVENTS = (WON_PORT, STARTED, START_FAILED, REGISTERED, PARTED, LOST, REFUSED_PORT, CLOSE)

_TABLE = {
    (JOINING, WON_PORT): STARTING,
    (JOINING, REGISTERED): FOLLOWING,
    (JOINING, START_FAILED): FAILED,  # at the leader
    (JOINING, LOST): JOINING,
    (JOINING, REFUSED_PORT): REFUSED,
    (STARTING, STARTED): LEADING,
    (STARTING, START_FAILED): FAILED,
    (STARTING, LOST): JOINING,
    # A failed start is forgotten when one succeeds, here or elsewhere.
    (FAILED, WON_PORT): FAILED,
    (FAILED, STARTED): LEADING,
    (FAILED, START_FAILED): FAILED,
    (FAILED, REGISTERED): FOLLOWING,
    (FAILED, LOST): FAILED,
    (FAILED, REFUSED_PORT): REFUSED,
    (LEADING, PARTED): PARTING,
    (LEADING, LOST): JOINING,
    (FOLLOWING, PARTED): PARTING,
    (FOLLOWING, LOST): JOINING,
    (PARTING, PARTED): PARTING,
    (PARTING, LOST): JOINING,
    (REFUSED, LOST): REFUSED,
}
for _state in STATES:
    _TABLE[_state, CLOSE] = CLOSED


class IllegalTransition(Exception):
    """An event that cannot happen in this state: a defect of this library."""


def next_state(state, event):
    """The state after an event.

    :raises IllegalTransition: naming both.
    """
    try:
        return _TABLE[state, event]
    except KeyError:
        raise IllegalTransition("%s cannot happen while %s" % (event, state))
