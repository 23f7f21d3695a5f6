"""A hundred thousand mutated frames, thrown at a live leader: nobody else notices.

The environment's ``CLUSTERCLIENT_FUZZ_SEED`` chooses other frames, and
``CLUSTERCLIENT_FUZZ_FRAMES`` another number of them.
"""

from __future__ import absolute_import, division, print_function

import os
import random
import re
import struct

import gevent
import pytest
from gevent import socket

from support import raw_peer, usage
from support.members import until
from support.mutations import Mutator

FRAMES = int(os.environ.get("CLUSTERCLIENT_FUZZ_FRAMES", 100000))
SEED = int(os.environ.get("CLUSTERCLIENT_FUZZ_SEED", 20))
THROWERS = 4
LONGEST_BATCH = 40
#: Not the number of any mutated frame.
SENTINEL = 2 ** 40
_ANSWER_TO_SENTINEL = struct.pack(">BBHq", 1, 1, 0, SENTINEL)
_SENTINEL_FRAME = raw_peer.frame(0, SENTINEL, {"type": "heartbeat"})
_RECORD = re.compile(r"^(?=(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) )", re.MULTILINE)
#: Nobody else can be told what a one-way call raised, so that is logged, with its stack.
_ONE_WAY = re.compile(r"WARNING [^\n]*The one-way call of ")


class Thrower(object):
    """Sends batches, each over a connection of its own, until so many frames were thrown."""

    def __init__(self, port, seed, frames):
        self.thrown = 0
        #: frames that the leader is known to have read whole and to have gone on after
        self.survived = 0
        self._port = port
        self._left = frames
        self._rng = random.Random(seed)
        self._mutator = Mutator(self._rng)

    def run(self, frames):
        """Throw so many more."""
        goal = self.thrown + frames
        while self.thrown < goal:
            self._throw_batch(goal - self.thrown)

    def _throw_batch(self, most):
        batch, last = [], b""
        while len(batch) < min(LONGEST_BATCH, most - 1):
            mutated = self._mutator.next()
            if not mutated.may_go_on:
                last = mutated.data
                break
            batch.append(mutated.data)
        prologue = self._prologue()
        received = self._exchange(prologue + b"".join(batch) + _SENTINEL_FRAME + last)
        self.thrown += len(batch) + (1 if last else 0) or 1
        if _ANSWER_TO_SENTINEL in received:
            self.survived += len(batch)

    def _prologue(self):
        """A valid registration, for every other connection."""
        if self._rng.random() < 0.5:
            return b""
        head = {"type": "register_channel", "channelName": "RealClient"}
        hello = self._mutator.hello()
        if hello is not None:
            head["clusterclient_sync"] = hello
        return raw_peer.frame(0, 2 ** 41, head)

    def _exchange(self, data):
        """Send, say that no more comes, and return what came until the leader closed."""
        sock = socket.create_connection(("127.0.0.1", self._port), raw_peer.TIMEOUT)
        received = []
        try:
            # No port of this machine is to be used up by connections that are over.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while True:
                piece = sock.recv(2 ** 18)
                if not piece:
                    break
                received.append(piece)
        except socket.timeout:
            raise AssertionError("the leader did not close a connection that had ended")
        except socket.error:
            pass  # a reset: it closed with something of ours unread
        finally:
            sock.close()
        return b"".join(received)


def throw(throwers, frames):
    greenlets = [gevent.spawn(thrower.run, frames // len(throwers)) for thrower in throwers]
    try:
        gevent.joinall(greenlets, raise_error=True)
    finally:
        gevent.killall(greenlets)


@pytest.mark.limit(240)
def test_mutated_frames_disturb_nobody(members, port):
    print("seed %d (CLUSTERCLIENT_FUZZ_SEED)" % SEED)
    leader, one, two = members.join_all(3)
    for healthy in (one, two):
        healthy.do("hammer", client="main", greenlets=1)
    throwers = [Thrower(port, SEED * THROWERS + number, FRAMES) for number in range(THROWERS)]
    # What is made once and kept (tables, workers, the allocator's) is made by the first fifth.
    throw(throwers, FRAMES // 5)
    memory = usage.memory(leader.pid)
    throw(throwers, FRAMES - FRAMES // 5)
    for healthy in (one, two):
        healthy.do("progress", client="main", calls=20)
        assert healthy.do("stop_hammer", client="main")["failures"] == []
        assert healthy.leadership()[2] == leader.pid
        assert "is gone" not in healthy.log()
    assert sum(thrower.thrown for thrower in throwers) >= FRAMES
    assert sum(thrower.survived for thrower in throwers) > FRAMES / 4
    assert leader.do("is_leader", client="main") is True
    until(lambda: usage.descriptors(leader.pid) <= usage.descriptors(one.pid) + 3,
          "the connections of the throwers are closed")
    assert usage.memory(leader.pid) - memory < 24
    assert_no_unexpected_traceback(leader.log())


def assert_no_unexpected_traceback(log):
    starts = [match.start() for match in _RECORD.finditer(log)] + [len(log)]
    records = [log[start:end] for start, end in zip(starts, starts[1:])]
    wrong = [record for record in records
             if "Traceback" in record and not _ONE_WAY.match(record)]
    assert len(records) > FRAMES / 100
    assert not wrong, "%d records of %d: %s" % (len(wrong), len(records), "".join(wrong[:3]))
