"""A server accepts, reads registrations, and hands connections to their channels."""

from __future__ import absolute_import, division, print_function

import errno
import logging
import socket

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import ConnectionClosedError
from clusterclient_sync.greenlets import deadlines as deadlines_module
from clusterclient_sync.transport import server as server_module
from clusterclient_sync.transport import sockets
from clusterclient_sync.transport.sender import MAX_OUTGOING
from clusterclient_sync.transport.server import Server
from support.connections import in_hub
from support.scripted import Recorder, connect, request, until

REGISTER = {"type": "register_channel", "channelName": "a"}
HANDSHAKE = 1000.0  # a test that is about it moves the clock
LARGE = 2 ** 20


class Served(object):
    """A server with its peers; ``holds`` says what becomes of unknown channels."""

    def __init__(self):
        self.holds = True
        self.refused = []
        self.answer = None
        self.server = Server(
            sockets.listen("127.0.0.1", 0), LARGE, HANDSHAKE, self._refuse)
        self.peers = []

    def _refuse(self, connection, frame):
        self.refused.append((connection, frame))
        if self.answer is not None:
            connection.respond(frame, b'{"type":"register_channel_res"}', (self.answer,))
        return self.holds

    def peer(self, *pieces):
        """A connected peer that has sent this."""
        made = connect(self.server.port)
        self.peers.append(made)
        made.send(*pieces)
        return made

    def newcomer(self, *pieces):
        """A peer that has been accepted, and the connection at the server."""
        before = set(self.server._newcomers)
        peer = self.peer(*pieces)
        until(lambda: set(self.server._newcomers) - before)
        return peer, (set(self.server._newcomers) - before).pop()

    def end(self):
        self.server.close()
        for peer in self.peers:
            peer.close()
        gevent.sleep(0)  # the deadlines close at the next turn


class Channel(Recorder):
    """A channel's handler; notes its connections and ends them."""

    def __init__(self):
        super(Channel, self).__init__()
        self.connections = []

    def on_register(self, connection, frame):
        self.connections.append(connection)
        super(Channel, self).on_register(connection, frame)

    def end(self):
        for connection in self.connections:
            connection.close()


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
    """Lets time pass for the deadlines of a server."""
    def pass_by(server, seconds):
        monkeypatch.setattr(deadlines_module, "monotonic", lambda: monotonic() + seconds)
        in_hub(server.deadlines._sweep)

    return pass_by


def warnings(caplog):
    return [record.getMessage() for record in caplog.records
            if record.levelno >= logging.WARNING]


# -- registrations

@pytest.mark.parametrize("cut", [None, 1, 30, 60])
def test_a_registration_goes_to_its_channel_with_what_is_behind_it(served, channel, cut):
    served.server.add_channel("a", channel)
    data = request(3, REGISTER) + request(4, {"type": "next"}, b"x")
    if cut is None:
        peer = served.peer(data)
    else:
        peer, _ = served.newcomer(data[:cut])
        peer.send(data[cut:])
    frames = channel.wait_for(2)
    assert [(frame.id, frame.head["type"]) for frame in frames] == [
        (3, "register_channel"), (4, "next")]
    assert channel.connections[0].handler is channel
    assert not served.server._newcomers
    peer.close()
    until(lambda: channel.errors)


def test_several_channels_on_one_port(served, channel):
    other = Channel()
    served.server.add_channel("a", channel)
    served.server.add_channel(u"b\xe9", other)
    try:
        served.peer(request(1, REGISTER))
        served.peer(request(2, dict(REGISTER, channelName=u"b\xe9")))
        assert channel.wait_for(1)[0].id == 1
        assert other.wait_for(1)[0].id == 2
    finally:
        other.end()


def test_the_size_of_frames_is_bounded_before_registration_and_after_it(served, channel, caplog):
    served.server.add_channel("a", channel)
    small = served.peer(request(1, REGISTER, b"x" * (64 * 1024 + 1)))
    assert small.read_to_end() == b""
    assert "did not begin with a registration" in warnings(caplog)[0]
    served.peer(request(1, REGISTER), request(2, {}, b"x" * (LARGE - 2)))
    assert len(channel.wait_for(2)[1].body) == LARGE - 2


def test_a_channel_that_is_not_there_is_refused_or_held(served, channel):
    served.holds = False
    peer, connection = served.newcomer(request(1, REGISTER))
    until(lambda: served.refused)
    assert served.refused[0][0] is connection and served.refused[0][1].id == 1
    served.server.add_channel("a", channel)
    gevent.sleep(0)
    assert channel.requests == []  # it was answered; it asks again by itself
    peer.send(request(2, REGISTER))
    assert channel.wait_for(1)[0].id == 2


def test_held_registrations_are_all_handed_on_when_the_channel_comes(served, channel):
    peer, _ = served.newcomer(request(1, REGISTER), request(2, dict(REGISTER, channelName="b")),
                              request(3, REGISTER))
    until(lambda: len(served.refused) == 3)
    served.server.add_channel("a", channel)
    assert [frame.id for frame in channel.wait_for(2)] == [1, 3]
    peer.send(request(4, {"type": "invoke"}))
    channel.wait_for(3)


def test_one_that_went_while_it_was_held_is_forgotten(served, channel, caplog):
    peer, _ = served.newcomer(request(1, REGISTER))
    until(lambda: served.refused)
    peer.close()
    until(lambda: not served.server._newcomers)
    served.server.add_channel("a", channel)
    gevent.sleep(0)
    assert channel.requests == []
    assert warnings(caplog) == []


def test_a_channel_that_was_removed_takes_nobody_more(served, channel):
    served.server.add_channel("a", channel)
    served.peer(request(1, REGISTER))
    channel.wait_for(1)
    served.server.remove_channel("a")
    served.server.remove_channel("a")
    served.peer(request(2, REGISTER))
    until(lambda: served.refused)
    assert len(channel.requests) == 1
    assert not channel.connections[0].is_closed


def test_a_name_that_is_none_names_no_channel(served, channel):
    served.server.add_channel("a", channel)
    for name in (None, 7, [], {}, True):
        peer, connection = served.newcomer(
            request(1, dict(REGISTER, channelName=name)), request(2, {"type": "heartbeat"}))
        peer.read_message()
        assert connection in served.server._newcomers
    assert channel.requests == [] and served.refused == []


def test_before_it_has_registered_only_heartbeats_are_answered(served):
    peer = served.peer(request(1, {"type": "invoke", "method": "close"}), request(2, {}),
                       request(3, {"type": ["heartbeat"]}), request(4, {"type": "heartbeat"}))
    assert peer.read_message()[:4:3] == (1, {"type": "heartbeat_res"})
    assert served.refused == []


# -- bad peers

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
    held, _ = served.newcomer(request(1, REGISTER))
    until(lambda: len(served.refused) == 1)
    served.holds = False
    refused, connection = served.newcomer()
    first = served.server._newcomers[connection].slot
    refused.send(request(1, dict(REGISTER, channelName="b")))
    until(lambda: len(served.refused) == 2)
    assert served.server._newcomers[connection].slot is not None
    assert served.server._newcomers[connection].slot is not first or first
    later(served.server, HANDSHAKE + 1)
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

    monkeypatch.setattr(server_module, "_PAUSE_WITHOUT_DESCRIPTORS", 0.001)
    monkeypatch.setattr(sockets, "accept", scarce)
    served.peer(request(1, REGISTER))
    channel.wait_for(1)
    assert failures == []
    assert len(warnings(caplog)) == 2 and "descriptors" in warnings(caplog)[0]


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


# -- ending

def test_closing_frees_the_port_ends_newcomers_and_leaves_channels_alone(served, channel):
    served.server.add_channel("a", channel)
    registered = served.peer(request(1, REGISTER))
    channel.wait_for(1)
    newcomer, _ = served.newcomer()
    port = served.server.port
    served.server.close()
    served.server.close()
    sockets.listen("127.0.0.1", port).close()
    assert newcomer.read_to_end() == b""
    registered.send(request(2, {}))
    channel.wait_for(2)


def test_closed_while_accepting_pauses(served, monkeypatch):
    monkeypatch.setattr(sockets, "accept", raise_no_descriptors)
    served.peer()
    until(lambda: served.server._pause is not None)
    served.server.close()
    assert served.server._pause is None


def raise_no_descriptors(listener):
    raise socket.error(errno.EMFILE, "scripted")


def test_in_a_child_it_lets_go_without_a_word(served, monkeypatch):
    peer, connection = served.newcomer()
    monkeypatch.setattr("os.getpid", lambda: -1)
    served.server._on_acceptable()
    monkeypatch.undo()
    assert served.server.is_closed
    assert not connection.is_closed  # it has a guard of its own
    served.server.abandon()
    connection.close(ConnectionClosedError("the test ends"))
    assert peer.read_to_end() == b""
