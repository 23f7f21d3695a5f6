"""Peers that are bad, slow or too many cost a server little, and nobody else notices."""

from __future__ import absolute_import, division, print_function

import errno
import socket

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.greenlets import deadlines as deadlines_module
from clusterclient_sync.transport import acceptor, sockets
from clusterclient_sync.transport import server as server_module
from clusterclient_sync.transport.sender import MAX_OUTGOING
from support.connections import in_hub
from support.scripted import request, until
from support.serving import HANDSHAKE, LARGE, REGISTER, Channel, Served, warnings



@pytest.fixture
def served():
    made = Served()
    yield made
    made.end()


@pytest.fixture
def channel():
    made = Channel()
    yield made
    made.end()


@pytest.fixture
def later(monkeypatch):
    """Sets the clock of a server and of its deadlines: so many seconds from now."""
    def pass_by(server, seconds):
        for module in (deadlines_module, server_module):
            monkeypatch.setattr(module, "monotonic", lambda: monotonic() + seconds)
        in_hub(server.deadlines._sweep)

    return pass_by


@pytest.mark.parametrize("data, words", [
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not a cluster client"),
    (request(1, b"[]"), "not a JSON object"),
    (request(1, b"{"), "not JSON"),
    (b"\x01\x00\x00\x00" + b"\xff" * 20, "negative length"),
])
def test_what_is_not_our_protocol_ends_with_a_line_and_nobody_else_notices(
        served, channel, caplog, data, words):
    served.server.add_channel("a", channel)
    good = served.peer(request(1, REGISTER))
    channel.wait_for(1)
    assert served.peer(data).read_to_end() == b""
    text, = warnings(caplog)
    assert words in text
    good.send(request(2, {}))
    channel.wait_for(2)
    served.peer(request(3, REGISTER))
    channel.wait_for(3)


def test_half_a_frame_is_logged_and_an_empty_connection_is_not(served, caplog):
    half, _ = served.newcomer(request(1, REGISTER)[:40])
    until(lambda: [one for one in served.server._newcomers if one.decoder.is_inside_frame])
    half.close()
    empty, _ = served.newcomer()
    empty.close()
    until(lambda: not served.server._newcomers)
    text, = warnings(caplog)
    assert "in the middle of its first frame" in text


def test_who_does_not_register_in_time_is_closed_with_a_line(served, later, caplog):
    silent, _ = served.newcomer()
    chatty, connection = served.newcomer(request(1, {"type": "heartbeat"}))
    chatty.read_message()
    later(served.server, HANDSHAKE + 1)
    assert silent.read_to_end() == chatty.read_to_end() == b""
    assert len(warnings(caplog)) == 2 and "register in time" in warnings(caplog)[0]
    assert connection.is_closed


def test_a_registration_that_came_while_the_loop_was_starved_is_in_time(served, channel, later):
    served.server.add_channel("a", channel)
    peer, connection = served.newcomer()
    connection._reader.stop()
    peer.send(request(1, REGISTER))
    later(served.server, HANDSHAKE + 1)
    assert channel.requests and not connection.is_closed
    connection._reader.start(connection._on_readable)


def test_who_is_held_has_no_deadline_and_who_is_refused_a_new_one(served, later):
    served.newcomer(request(1, REGISTER))
    until(lambda: len(served.refused) == 1)
    served.holds = False
    refused, connection = served.newcomer()
    later(served.server, HANDSHAKE - 100)
    refused.send(request(1, dict(REGISTER, channelName="b")))
    until(lambda: len(served.refused) == 2)
    later(served.server, HANDSHAKE + 100)
    assert not connection.is_closed
    later(served.server, 2 * HANDSHAKE)
    assert refused.read_to_end() == b""
    assert len(served.server._newcomers) == 1


def test_registrations_without_end_take_no_memory_without_end(served):
    peer, connection = served.newcomer(b"".join(request(n, REGISTER) for n in range(5000)))
    until(lambda: len(served.refused) == 5000)
    assert len(served.server._newcomers[connection].held) < 100
    assert peer is not None


def test_a_newcomer_that_does_not_read_its_refusals_is_not_read_either(served, later):
    served.holds, served.answer = False, b"x" * LARGE
    peer, connection = served.newcomer()
    sender = gevent.spawn(peer.send, b"".join(request(n, REGISTER) for n in range(60000)))
    until(lambda: connection.is_paused or len(served.refused) > 40)
    assert connection.is_paused
    assert connection.outgoing_size <= MAX_OUTGOING + 2 * LARGE
    count = len(served.refused)
    # It reads, and is read again.
    peer.read(count * LARGE)
    until(lambda: len(served.refused) > count)
    until(lambda: connection.is_paused)
    # It does not, and goes when its time is over.
    later(served.server, HANDSHAKE + 1)
    until(lambda: connection.is_closed)
    sender.kill()
    assert served.server._newcomers == {}


def test_when_descriptors_run_out_accepting_pauses_and_goes_on(
        served, channel, monkeypatch, caplog):
    served.server.add_channel("a", channel)
    accept, failures = sockets.accept, [errno.EMFILE, errno.ENFILE, errno.ECONNABORTED, errno.EINTR]

    def scarce(listener):
        if failures:
            raise socket.error(failures.pop(0), "scripted")
        return accept(listener)

    monkeypatch.setattr(acceptor, "_PAUSE_WITHOUT_DESCRIPTORS", 0.001)
    monkeypatch.setattr(sockets, "accept", scarce)
    served.peer(request(1, REGISTER))
    channel.wait_for(1)
    assert failures == []
    assert len(warnings(caplog)) == 2 and "descriptors" in warnings(caplog)[0]


def test_beyond_max_connections_who_comes_waits_until_another_ends(channel, caplog):
    served = Served(max_connections=2)
    served.server.add_channel("a", channel)
    try:
        peers = [served.peer(request(1, REGISTER)), served.newcomer()[0]]
        channel.wait_for(1)
        peers += [served.peer(request(number, REGISTER)) for number in (2, 3)]
        until(lambda: warnings(caplog))
        assert ["max_connections" in text for text in warnings(caplog)] == [True]
        assert len(channel.connections) == 1
        peers[0].close()  # one that had registered
        assert channel.wait_for(2)[1].id == 2
        peers[1].close()  # one that had not
        assert channel.wait_for(3)[2].id == 3
    finally:
        served.end()


def test_any_other_error_of_accept_is_logged(served, channel, monkeypatch, caplog):
    served.server.add_channel("a", channel)
    accept, failures = sockets.accept, [errno.EPERM]

    def failing(listener):
        if failures:
            raise socket.error(failures.pop(0), "scripted")
        return accept(listener)

    monkeypatch.setattr(sockets, "accept", failing)
    served.peer(request(1, REGISTER))
    channel.wait_for(1)
    assert "could not be accepted" in warnings(caplog)[0]


def test_many_come_at_once(served, channel):
    served.server.add_channel("a", channel)
    for _ in range(150):
        served.peer(request(1, REGISTER))
    channel.wait_for(150)
