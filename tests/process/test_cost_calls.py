"""What calls cost, counted: system calls, greenlets, timers, encodes.  Nothing here is timed.

A leader and a follower in one process, and a thousand calls.
"""

from __future__ import absolute_import, division, print_function

import collections
import threading

import gevent
import pytest

from clusterclient_sync.greenlets.workers import _MAX_IDLE
from clusterclient_sync.protocol import decoder, messages, plain_json
from clusterclient_sync.transport.connection import _FRAMES_PER_TURN, _READ_SIZE
from clusterclient_sync.transport.pace import FIRST, MOST, Pace
from support import raw_peer
from support.costs import (
    READ, SEND, TIMEOUT, TURN, Running, TappedLoop, Together, Transcode, Wire, at_once, census)
from support.gates import Event
from support.scripted import until

pytestmark = pytest.mark.limit(30)

COUNT = 1000


class Real(object):
    """The real client."""

    gate = Event()
    held = 0

    def echo(self, *values):
        return values[0]

    def other(self, *values):
        return values[0]

    def hold(self, value):
        """Return when the gate is open."""
        Real.held += 1
        Real.gate.wait()
        return value

    def close(self):
        pass


@pytest.fixture
def together(port, closing):
    Real.gate, Real.held = Event(), 0
    yield closing(Together(port, Real))
    Real.gate.set()


@pytest.fixture
def wire(monkeypatch):
    return Wire(monkeypatch)


@pytest.fixture
def follower(wire, together):
    """A follower whose leader has a worker: one call was made."""
    together.lead()
    follower, = together.follow()
    assert follower.echo("x") == "x"
    wire.clear()
    return follower


# -- system calls

def turns_of(wire, sock, size):
    """For each turn in which something was sent on this socket: how many frames of ``size`` bytes
    left with each ``send``.
    """
    turns = []
    for entry in wire.log:
        if entry.what == TURN:
            turns.append([])
        elif entry.what == SEND and entry.sock is sock:
            assert entry.size == len(entry.data), "the kernel took a part"
            assert entry.size % size == 0
            turns[-1].append(entry.size // size)
    return [sent for sent in turns if sent]


def paced(count, is_early):
    """How many answers leave with each ``send`` of a turn that brings so many calls."""
    sent = []
    at = FIRST
    done = 0
    while is_early and at <= count:
        sent.append(at - done)
        done = at
        at += min(at, MOST)
    return sent + [count - done] if count > done else sent


def check_reads(wire, sock):
    """Each read takes what is there, as far as it goes, and none comes for nothing."""
    reads = wire.of(READ, sock)
    assert reads
    for entry in reads:
        assert entry.data and len(entry.data) == min(entry.size, _READ_SIZE)
    return reads


def test_what_pace_promises():
    assert paced(100, True) == [4, 4, 8, 16, 32, 32, 4]
    assert (paced(3, True), paced(4, True), paced(5, True)) == ([3], [4], [4, 1])
    assert paced(100, False) == [100]


def test_a_thousand_calls_of_one_turn_leave_in_one_send(follower, wire):
    size = call_size(wire, follower)
    assert at_once(COUNT, follower.echo, "x") == ["x"] * COUNT
    sent = [(len(entry.data), entry.size) for entry in wire.of(SEND, wire.connected[-1])]
    assert sent == [(COUNT * size, COUNT * size)]


def call_size(wire, follower):
    """The bytes of one call."""
    follower.echo("x")
    (entry,) = wire.of(SEND, wire.connected[-1])
    wire.clear()
    return entry.size


def answer_size(wire, follower):
    """The bytes of one answer."""
    follower.echo("x")
    (entry,) = wire.of(SEND, wire.accepted[-1])
    wire.clear()
    return entry.size


@pytest.mark.parametrize("is_early", [False, True])
def test_their_answers_leave_as_the_pace_has_it_and_reads_take_what_is_there(
        follower, wire, monkeypatch, is_early):
    size = answer_size(wire, follower)
    monkeypatch.setattr(Pace, "is_early", lambda pace: is_early)  # it is measured
    at_once(COUNT, follower.echo, "x")
    turns = turns_of(wire, wire.accepted[-1], size)
    counts = [sum(sent) for sent in turns]
    assert sum(counts) == COUNT and max(counts) <= _FRAMES_PER_TURN
    assert turns == [paced(count, is_early) for count in counts]
    # A turn for each read, and one more where a read brings more frames than a turn takes.
    reads = check_reads(wire, wire.accepted[-1])
    assert len(turns) <= len(reads) + counts.count(_FRAMES_PER_TURN)
    check_reads(wire, wire.connected[-1])


# -- greenlets, timers, objects

def test_calls_that_do_not_block_take_no_new_greenlet(follower):
    callers = set()

    def call():
        callers.add(gevent.getcurrent())
        return follower.echo("x")

    with Running() as running:
        follower.echo("x")
        worker, = running.named("_Worker")
        at_once(COUNT, call)
    assert len(callers) == COUNT
    assert set(running.greenlets) - callers == {worker}


def hold_all(follower, count):
    """So many calls that all block at once; then they go on."""
    Real.gate.clear()
    Real.held = 0
    greenlets = [gevent.spawn(follower.hold, "x") for _ in range(count)]
    until(lambda: Real.held == count)
    Real.gate.set()
    gevent.joinall(greenlets, raise_error=True)


def test_calls_that_block_take_a_worker_each_and_those_that_are_kept_are_used_again(follower):
    more = 200
    with Running() as first:
        hold_all(follower, _MAX_IDLE + more)
    workers = first.named("_Worker")
    assert len(workers) == _MAX_IDLE + more
    # Those that are not kept end after their answer.
    until(lambda: sum(one.dead for one in workers) >= more)
    assert sum(one.dead for one in workers) == more
    with Running() as second:
        hold_all(follower, _MAX_IDLE + more)
    again = second.named("_Worker")
    assert len(again) == _MAX_IDLE + more
    assert len(set(again) & set(workers)) == _MAX_IDLE


def test_no_timer_for_a_call(monkeypatch, together):
    loop = TappedLoop.put(monkeypatch)
    together.lead()
    follower, = together.follow()
    follower.echo("x")
    before = loop.timers
    assert before  # it does see them
    at_once(COUNT, follower.echo, "x")
    for _ in range(COUNT):
        follower.echo("x")
    assert loop.timers == before  # all deadlines are later than the one that it is set for


def test_what_a_thousand_calls_in_flight_hold(follower):
    threads = threading.active_count()
    follower.echo("x")
    before = census()
    greenlets = [gevent.spawn(follower.hold, "x") for _ in range(COUNT)]
    until(lambda: Real.held == COUNT)
    during = census()
    during.subtract(before)
    grown = {name: count for name, count in during.items() if count > COUNT // 10}
    Real.gate.set()
    gevent.joinall(greenlets, raise_error=True)
    assert threading.active_count() == threads
    ours = {name: count for (module, name), count in grown.items()
            if module.startswith("clusterclient_sync")}
    # At the follower a call and its wait; at the leader the frame, its invocation and a worker.
    assert set(ours) == {"Call", "PendingRequest", "Frame", "RemoteInvocation", "_Worker"}
    assert all(abs(count - COUNT) <= 1 for count in ours.values())
    theirs = {name: count for (module, name), count in grown.items()
              if module.split(".")[0] in ("gevent", "greenlet", "threading")}
    # The callers are the test's; gevent notes for each greenlet where it was made.
    assert set(theirs) == {"Greenlet", "_Frame"}
    assert theirs["Greenlet"] == COUNT


# -- encodes

def test_arguments_and_answers_are_encoded_once(together):
    leaders, followers = Transcode(), Transcode()
    together.lead(transcode=leaders)
    follower, = together.follow(transcode=followers)
    for transcode in (leaders, followers):
        del transcode.encoded[:], transcode.decoded[:]
    at_once(COUNT, follower.echo, "one", "two")
    assert collections.Counter(followers.encoded) == {"one": COUNT, "two": COUNT}
    assert collections.Counter(leaders.encoded) == {"one": COUNT}
    assert len(leaders.decoded) == 2 * COUNT
    assert len(followers.decoded) == COUNT


@pytest.mark.parametrize("how", ["call", "callback"])
def test_arguments_are_encoded_once_where_the_call_waits_for_a_leader(together, how):
    transcode = Transcode()
    follower = together.create(is_leader=False, transcode=transcode)
    got = []
    if how == "call":
        callers = [gevent.spawn(follower.echo, "x") for _ in range(COUNT)]
    else:
        for _ in range(COUNT):
            follower.echo("x", callback=lambda error, value: got.append(value))
    together.lead(transcode=Transcode())
    if how == "call":
        gevent.joinall(callers, raise_error=True)
        got = [one.value for one in callers]
    until(lambda: len(got) == COUNT)
    assert got == ["x"] * COUNT
    assert transcode.encoded == ["x"] * COUNT


def test_arguments_are_encoded_once_where_the_call_is_repeated_after_a_failover(
        together, raw_server):
    transcode = Transcode()
    follower = together.create(is_leader=False, transcode=transcode)
    caller = gevent.spawn(follower.hold, "x")
    bodies = []
    for _ in range(2):
        leader = raw_server.accept()
        hello = raw_peer.hello(transcode="counting", heartbeat_interval=TIMEOUT)
        leader.respond(leader.expect("register_channel"),
                       {"type": "register_channel_res", "clusterclient_sync": hello},
                       b'{"success":true}')
        call = leader.expect("invoke")
        bodies.append(call.body)
        if len(bodies) == 1:
            leader.close()
    leader.respond(call, {"type": "invoke_result", "success": True}, b'"answer"')
    assert caller.get() == "answer"
    assert bodies == [raw_peer.arguments(b'"x"')] * 2
    assert transcode.encoded == ["x"]


def test_connection_objects_are_made_and_parsed_once_for_a_method_and_its_number_of_arguments(
        follower, monkeypatch):
    made, parsed = [], []
    make, parse = messages._object, plain_json.parse
    monkeypatch.setattr(messages, "_object", lambda *members: made.append(members) or
                        make(*members))
    monkeypatch.setattr(plain_json, "parse", lambda data: parsed.append(data) or parse(data))
    decoder._parsed.clear()
    messages._results.clear()
    calls = [(follower.echo, ("x", "y")), (follower.other, ("x",)), (follower.other, ("x", "y"))]
    for method, args in calls:
        at_once(COUNT // 2, method, *args)
        at_once(COUNT // 2, method, *args)
    asked = [(dict(one)["method"], dict(one)["argLength"]) for one in made
             if dict(one)["type"] == "invoke"]
    assert asked == [("echo", 2), ("other", 1), ("other", 2)]
    assert [dict(one)["type"] for one in made if dict(one)["type"] != "invoke"] == ["invoke_result"]
    assert len(parsed) == len(set(parsed)) == 4
