"""A server accepts, reads registrations, and hands connections to their channels."""

from __future__ import absolute_import, division, print_function

import errno
import socket

import gevent
import pytest

from clusterclient_sync.exceptions import ConnectionClosedError
from clusterclient_sync.transport import sockets
from support.scripted import request, until
from support.serving import LARGE, REGISTER, Channel, Served, warnings



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
    until(lambda: served.server._acceptor._pause is not None)
    served.server.close()
    assert served.server._acceptor._pause is None


def raise_no_descriptors(listener):
    raise socket.error(errno.EMFILE, "scripted")


def test_in_a_child_it_lets_go_without_a_word(served, monkeypatch):
    peer, connection = served.newcomer()
    monkeypatch.setattr("os.getpid", lambda: -1)
    served.server._acceptor._on_acceptable()
    monkeypatch.undo()
    assert served.server.is_closed
    assert not connection.is_closed  # it has a guard of its own
    served.server.abandon()
    connection.close(ConnectionClosedError("the test ends"))
    assert peer.read_to_end() == b""
