"""A port that is kept for others: who can have it, and who cannot."""

from __future__ import absolute_import, division, print_function

import errno
import os
import socket
import subprocess
import sys

import pytest

from clusterclient_sync.election import free_ports
from clusterclient_sync.integrations import _gunicorn_port
from clusterclient_sync.transport import sockets

HOST = "127.0.0.1"


@pytest.fixture
def kept():
    reservation = _gunicorn_port.reserve_free(HOST)
    yield reservation
    reservation.close()


def bind(port, reuses=False):
    """The errno with which binding fails, else 0."""
    sock = socket.socket()
    try:
        if reuses:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        return 0
    except (OSError, socket.error) as error:
        return error.errno
    finally:
        sock.close()


def test_it_lies_outside_the_range_of_outgoing_connections(kept):
    first, last = free_ports.ephemeral_range()
    assert not first <= kept.port <= last


def test_candidates_come_in_an_order_of_each_call():
    assert sorted(free_ports.candidates()) == sorted(free_ports.candidates())
    assert free_ports.candidates() != free_ports.candidates()


def test_where_connections_may_have_every_port_any_will_do(monkeypatch):
    monkeypatch.setattr(free_ports, "ephemeral_range", lambda: (1, 65535))
    assert len(free_ports.candidates()) > 1000


def test_others_are_kept_off_and_one_worker_at_a_time_listens(kept):
    assert bind(kept.port) == errno.EADDRINUSE
    for _ in range(2):
        listener = sockets.listen(HOST, kept.port)
        try:
            with pytest.raises(socket.error) as failed:
                sockets.listen(HOST, kept.port)
            assert failed.value.errno == errno.EADDRINUSE
            connection = sockets.connect(HOST, kept.port, 5)
            connection.close()
        finally:
            listener.close()
    assert bind(kept.port, reuses=True) == 0


def test_nobody_is_connected_while_no_worker_listens(kept):
    with pytest.raises(socket.error) as failed:
        sockets.connect(HOST, kept.port, 5)
    assert failed.value.errno == errno.ECONNREFUSED


def test_two_masters_never_choose_the_same(kept, monkeypatch):
    other = kept.port + 1
    while bind(other):
        other += 1
    monkeypatch.setattr(free_ports, "candidates", lambda: [kept.port, other])
    second = _gunicorn_port.reserve_free(HOST)
    try:
        assert second.port == other
        with pytest.raises(socket.error):
            _gunicorn_port.reserve_free(HOST)
    finally:
        second.close()


def test_a_fixed_port_is_kept_unless_somebody_listens(port):
    first = _gunicorn_port.reserve(HOST, port)
    second = _gunicorn_port.reserve(HOST, port)  # the same application's other server, say
    first.close()
    assert bind(port) == errno.EADDRINUSE
    second.close()
    listener = sockets.listen(HOST, port)
    try:
        assert _gunicorn_port.reserve(HOST, port) is None
    finally:
        listener.close()


def test_an_address_of_another_machine_is_an_error(port):
    with pytest.raises(socket.error) as failed:
        _gunicorn_port.reserve("192.0.2.1", port)
    assert failed.value.errno == errno.EADDRNOTAVAIL


def test_a_program_that_is_started_does_not_inherit_it(kept):
    found = subprocess.Popen(
        [sys.executable, "-c", "import os; os.fstat(%d)" % kept.fileno],
        stderr=subprocess.PIPE, close_fds=False)
    assert b"OSError" in found.communicate()[1]


def test_it_is_let_go_once(kept):
    fileno = kept.fileno
    kept.close()
    assert bind(kept.port) == 0
    other = os.open(os.devnull, os.O_RDONLY)
    if other != fileno:
        os.dup2(other, fileno)  # the number is used again
        os.close(other)
    kept.close()
    os.close(fileno)  # it was not closed
