"""Leadership by a port: seats, stepping down, and leaving the port to others."""

from __future__ import absolute_import, division, print_function

import errno
import os
import socket

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.election import port_holder, ports
from clusterclient_sync.election.ports import PortElection
from clusterclient_sync.exceptions import LeaderUnavailableError
from clusterclient_sync.transport import sockets
from clusterclient_sync.transport.server import Limits
from support.scripted import Recorder, connect, request, until


class Candidate(object):
    """A process's way to one address, and the seats that it got there."""

    def __init__(self, port, host="127.0.0.1"):
        self.refused = []
        self.left = []
        self.closed = []
        self.seats = []
        self.election = PortElection(host, port, Limits(2 ** 20, 100, 1000), self._refuse)

    def _refuse(self, channels, connection, frame):
        self.refused.append((channels, frame.head["channelName"]))
        return False

    def claim(self, channel, handler=None):
        seat = self.election.claim(
            channel, handler or Recorder(), lambda: self.left.append(channel))
        if seat is not None:
            self.seats.append(seat)
        return seat

    def vacate(self, seat):
        seat.vacate(lambda: self.closed.append((seat.channel, can_listen(self.election.port))))

    def end(self):
        for seat in self.seats:
            seat.vacate(lambda: None)
        gevent.sleep(0)


def can_listen(port):
    try:
        sockets.listen("127.0.0.1", port).close()
    except socket.error:
        return False
    return True


@pytest.fixture
def candidate(port):
    made = Candidate(port)
    yield made
    made.end()


def register(port, channel):
    peer = connect(port)
    peer.send(request(1, {"type": "register_channel", "channelName": channel}))
    return peer


def test_the_winner_has_a_seat_and_others_have_none(candidate, port):
    before = monotonic()
    seat = candidate.claim("a")
    assert seat.channel == "a" and seat.is_only_one and not seat.is_leaving
    assert before <= seat.listening_since <= monotonic()
    assert candidate.claim("a") is None
    with pytest.raises(socket.error) as caught:
        sockets.listen("127.0.0.1", port)
    assert caught.value.errno == errno.EADDRINUSE


def test_where_another_listens_nobody_gets_a_seat(candidate, port):
    other = sockets.listen("127.0.0.1", port)
    assert candidate.claim("a") is None
    other.close()
    assert candidate.claim("a") is not None


def test_an_address_that_cannot_be_listened_on_raises(port):
    # An address for documentation: it is no machine's.
    with pytest.raises(socket.error) as caught:
        Candidate(port, host="192.0.2.1").claim("a")
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_channels_of_a_process_share_the_port(candidate, port):
    handlers = {"a": Recorder(), "b": Recorder()}
    other = Candidate(port)
    seats = [candidate.claim("a", handlers["a"]), other.claim("b", handlers["b"])]
    assert not seats[0].is_only_one
    peers = [register(port, channel) for channel in ("b", "a", "c")]
    handlers["a"].wait_for(1)
    handlers["b"].wait_for(1)
    until(lambda: candidate.refused)
    assert candidate.refused == [(["a", "b"], "c")]
    for peer in peers:
        peer.close()
    until(lambda: handlers["a"].errors and handlers["b"].errors)
    other.end()


def test_one_channel_that_goes_leaves_the_others(candidate, port):
    first, second = candidate.claim("a"), candidate.claim("b")
    candidate.vacate(first)
    assert candidate.closed == [("a", False)]
    assert second.is_only_one
    assert candidate.claim("a") is not None
    candidate.vacate(first)  # again, when another has its place
    assert not second.is_only_one
    assert len(candidate.closed) == 1


def test_the_port_is_free_before_the_last_ones_connections_are_closed(candidate):
    candidate.vacate(candidate.claim("a"))
    assert candidate.closed == [("a", True)]


def test_stepping_down_asks_every_seat_once(candidate):
    seats = [candidate.claim("a"), candidate.claim("b")]
    seats[0].step_down(100)
    seats[1].step_down(100)
    seats[0].ask_to_leave()
    assert sorted(candidate.left) == ["a", "b"]
    assert seats[0].is_leaving and seats[1].is_leaving
    with pytest.raises(ports.NotNow):
        candidate.claim("c")


def test_stepping_down_the_port_is_free_before_any_connection_is_closed(candidate):
    first, second = candidate.claim("a"), candidate.claim("b")
    first.step_down(100)
    waiting = gevent.spawn(first.wait_until_free, 20)
    candidate.vacate(first)
    gevent.sleep(0)
    assert candidate.closed == [] and not waiting.dead
    candidate.vacate(second)
    assert candidate.closed == [("a", True), ("b", True)]
    waiting.join(timeout=10)
    assert waiting.dead


def test_while_it_steps_down_registrations_are_held(candidate, port):
    first, second = candidate.claim("a"), candidate.claim("b")
    first.step_down(100)
    candidate.vacate(first)
    peer = register(port, "a")
    server = second._shared.server
    until(lambda: [one for one in server._newcomers.values() if one.held])
    assert candidate.refused == []
    candidate.vacate(second)
    assert peer.read_to_end() == b""


def test_after_stepping_down_the_port_is_left_to_others_for_a_while(
        candidate, port, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(ports, "monotonic", lambda: now[0])
    seat = candidate.claim("a")
    seat.step_down(5)
    now[0] += 60  # what was in hand took long
    candidate.vacate(seat)
    assert candidate.election.seconds_until_claim() == pytest.approx(5)
    for late in (0, 4.9):
        now[0] += late
        for claim, channel in ((candidate.claim, "a"), (Candidate(port).claim, "b")):
            with pytest.raises(ports.NotNow):
                claim(channel)
    now[0] += 0.2
    assert candidate.election.seconds_until_claim() == 0
    assert candidate.claim("a") is not None


def test_once_another_has_claimed_it_the_while_is_over(candidate, port):
    seat = candidate.claim("a")
    seat.step_down(100)
    candidate.vacate(seat)
    assert candidate.election.seconds_until_claim() > 0
    other = sockets.listen("127.0.0.1", port)
    candidate.election.locate(10).close()  # which a leader that is dying lets happen, too
    assert candidate.election.seconds_until_claim() > 0
    candidate.election.note_another_leads()
    assert candidate.election.seconds_until_claim() == 0
    other.close()
    assert candidate.claim("a") is not None


def test_giving_up_a_seat_without_stepping_down_leaves_no_while(candidate):
    candidate.vacate(candidate.claim("a"))
    assert candidate.claim("a") is not None


def test_wait_until_free_does_not_wait_where_the_port_stays(candidate):
    first, _ = candidate.claim("a"), candidate.claim("b")
    candidate.vacate(first)
    first.wait_until_free(1000)


def test_locate_finds_who_listens_or_says_that_nobody_does(candidate, port):
    with pytest.raises(LeaderUnavailableError) as caught:
        candidate.election.locate(10)
    assert caught.value.address == candidate.election.address == "127.0.0.1:%d" % port
    assert candidate.election.address in str(caught.value)
    candidate.claim("a")
    sock = candidate.election.locate(10)
    assert sock.getpeername() == ("127.0.0.1", port)
    sock.close()


def test_the_holder_is_looked_up_when_asked(candidate):
    assert candidate.election.holder == port_holder.NOBODY_KNOWN
    candidate.claim("a")
    candidate.election.look_up_holder()
    assert candidate.election.holder.pid == os.getpid()
