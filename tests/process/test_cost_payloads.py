"""How often a long payload is in memory at once, at each end of its way."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from support.processes import TESTS

pytest.importorskip("tracemalloc", reason="Python 2 does not tell what it allocates")

pytestmark = pytest.mark.limit(60)

SCRIPT = os.path.join(TESTS, "support", "payload_member.py")
SIZE = 8 * 2 ** 20
#: What else may be there, in payloads: the next piece, of up to a mebibyte, and small things.
OTHER = 0.2


@pytest.fixture
def pair(processes, port):
    """A leader and a follower, each in a process of its own, which have exchanged all before."""
    leader, follower = [
        processes.start(SCRIPT, port, role, SIZE) for role in ("leader", "follower")]
    for child in (leader, follower):
        child.expect("ready")
    for what in ("give", "take"):
        for kind in ("text", "bytes"):
            exchange(follower, what, kind)
    return leader, follower


def exchange(follower, what, kind):
    follower.send({"do": what, "kind": kind})
    assert follower.expect("done")["right"] is True


def peaks(pair, what, kind):
    """The peaks at the leader and at the follower, in payloads."""
    for child in pair:
        child.send({"do": "begin"})
        child.expect("begun")
    exchange(pair[1], what, kind)
    found = []
    for child in pair:
        child.send({"do": "end"})
        found.append(child.expect("peak")["bytes"] / SIZE)
    return found


# Text is there as text, or at first as the pieces in which it came, and once more as bytes; binary,
# in JSON, as its base64 and once more as that in its quotes, or as the pieces and the bytes.
# The value itself counts where it arrives; where it comes from its owner has it already.
@pytest.mark.parametrize("what", ["give", "take"])
@pytest.mark.parametrize("kind, expected", [("text", 2), ("bytes", 2 * 4 / 3)])
def test_a_long_payload_is_there_twice(pair, what, kind, expected):
    for found in peaks(pair, what, kind):
        assert 1 <= found <= expected + OTHER
