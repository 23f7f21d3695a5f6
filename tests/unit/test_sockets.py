"""Plain sockets: who listens has won, and connecting is bounded in time."""

from __future__ import absolute_import, division, print_function

import errno
import socket

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.transport import sockets
from support.scripted import until


def test_only_one_can_listen(port):
    winner = sockets.listen("127.0.0.1", port)
    try:
        with pytest.raises(socket.error) as caught:
            sockets.listen("127.0.0.1", port)
        assert caught.value.errno == errno.EADDRINUSE
    finally:
        winner.close()
    # Closed is free at once, without a turn of the loop.
    sockets.listen("127.0.0.1", port).close()


def test_a_port_whose_connections_were_just_closed_can_be_listened_on(port):
    listener = sockets.listen("127.0.0.1", port)
    client = sockets.connect("127.0.0.1", port, 10)
    accepted = sockets.accept(listener)
    for sock in (accepted, client, listener):  # the port's side first: TIME_WAIT stays there
        sock.close()
    sockets.listen("127.0.0.1", port).close()


def test_binding_alone_does_not_win(port):
    """With SO_REUSEADDR two may bind while nobody listens; the one that listens later loses."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    winner = sockets.listen("127.0.0.1", port)
    with pytest.raises(socket.error) as caught:
        bound.listen(1)
    assert caught.value.errno == errno.EADDRINUSE
    winner.close()
    bound.close()


def test_connected_sockets_do_not_block_and_send_at_once(port):
    listener = sockets.listen("127.0.0.1", port)
    with pytest.raises(socket.error) as caught:
        sockets.accept(listener)
    assert caught.value.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    client = sockets.connect("127.0.0.1", port, 10)
    accepted = sockets.accept(listener)
    for sock in (client, accepted):
        assert sock.gettimeout() == 0.0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(socket.error):
            sock.recv(1)
    assert accepted.getpeername() == client.getsockname()
    for sock in (client, accepted, listener):
        sock.close()


def test_connecting_to_nobody_is_refused(port):
    with pytest.raises(socket.error) as caught:
        sockets.connect("127.0.0.1", port, 10)
    assert caught.value.errno == errno.ECONNREFUSED


def test_connecting_is_bounded_in_time_and_others_run_meanwhile(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(8)]
    try:
        for sock in waiting:  # until the backlog is full
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        turns = []
        greenlet = gevent.spawn(lambda: turns.append(1))
        started = monotonic()
        with pytest.raises(socket.error) as caught:
            sockets.connect("127.0.0.1", port, 0.05)
        assert caught.value.errno == errno.ETIMEDOUT
        assert monotonic() - started >= 0.05
        assert turns and greenlet.dead
    finally:
        for sock in waiting + [listener]:
            sock.close()


def test_a_timeout_of_the_callers_is_not_taken_for_ours(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(8)]
    try:
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        with gevent.Timeout(0.02) as timer:
            with pytest.raises(gevent.Timeout) as caught:
                sockets.connect("127.0.0.1", port, 10)
        assert caught.value is timer
    finally:
        for sock in waiting + [listener]:
            sock.close()


def test_a_connection_to_itself_is_none(port, monkeypatch):
    """Where nobody listens on a port of the ephemeral range, a connect may get that very port."""
    make = sockets._stream_socket

    def bound(family):
        sock = make(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        return sock

    monkeypatch.setattr(sockets, "_stream_socket", bound)
    with pytest.raises(socket.error) as caught:
        sockets.connect("127.0.0.1", port, 10)
    assert caught.value.errno == errno.ECONNREFUSED
    assert "itself" in str(caught.value)
    monkeypatch.undo()
    until(lambda: can_listen(port))


def can_listen(port):
    try:
        sockets.listen("127.0.0.1", port).close()
    except socket.error:
        return False
    return True


def test_hosts_may_be_names_and_of_ipv6():
    assert sockets.resolve("127.0.0.1", 80) == (socket.AF_INET, ("127.0.0.1", 80))
    assert sockets.resolve("localhost", 80)[1][:2] in (("127.0.0.1", 80), ("::1", 80))
    assert sockets.resolve("::1", 80)[0] == socket.AF_INET6
