"""The addresses that a gunicorn master keeps, from one configuration to the next."""

from __future__ import absolute_import, division, print_function

import errno
import json
import logging
import os
import socket

import pytest
from gunicorn.config import Config

from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.integrations import _descriptors, _gunicorn_master
from clusterclient_sync.integrations._gunicorn_settings import checked
from clusterclient_sync.runtime import gate
from support.ports import free_port

HOST = "127.0.0.1"
VARIABLES = ("CLUSTERCLIENT_PORT", "CLUSTERCLIENT_IS_LEADER", "NODE_CLUSTER_CLIENT_PORT",
             "CLUSTERCLIENT_SET_BY_GUNICORN", "CLUSTERCLIENT_UPGRADE", "GUNICORN_PID")


@pytest.fixture(autouse=True)
def is_no_master_after_it(monkeypatch):
    """A master's own clients never join: the next test's shall."""
    monkeypatch.setattr(gate, "_held_in", None)


class Server(object):
    """An arbiter, as far as the master's state looks at it."""

    log = logging.getLogger("the gunicorn under test")

    def __init__(self):
        self.WORKERS = {}
        self.reload()

    def reload(self):
        self.cfg = Config()

    def worker(self, pid, master):
        worker = self.WORKERS[pid] = Worker()
        master.note_fork(worker)


class Worker(object):
    """Anything that attributes can be set on."""


def settings(port=None, reload=None, upgrade=None):
    return checked(port, HOST, reload, upgrade, None)


@pytest.fixture
def server(monkeypatch):
    for name in VARIABLES:
        # Set first: what is set meanwhile is taken back, too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    server = Server()
    yield server
    master = _gunicorn_master.of(server)
    master.leave_in_worker()


@pytest.fixture
def master(server):
    return _gunicorn_master.of(server)


def told_port():
    return int(os.environ["CLUSTERCLIENT_PORT"])


def is_kept(number):
    sock = socket.socket()
    try:
        sock.bind((HOST, number))
        return False
    except (OSError, socket.error) as error:
        assert error.errno == errno.EADDRINUSE
        return True
    finally:
        sock.close()


def test_there_is_one_state_of_a_master(server, master):
    assert _gunicorn_master.of(server) is master


def test_only_a_configuration_that_was_read_anew_is_looked_at(server, master):
    assert master.configure(server, settings())
    chosen = told_port()
    assert is_kept(chosen)
    assert not master.configure(server, settings(reload=False))
    assert told_port() == chosen


@pytest.mark.parametrize("reload", [None, True])
def test_a_reload_keeps_the_address(server, master, reload):
    master.configure(server, settings(reload=reload))
    chosen = told_port()
    server.reload()
    assert master.configure(server, settings(reload=reload))
    assert told_port() == chosen and is_kept(chosen)


def test_an_old_address_is_kept_until_its_last_worker_has_ended(server, master):
    master.configure(server, settings(reload=False))
    first = told_port()
    server.worker(1, master)
    server.worker(2, master)
    server.reload()
    master.configure(server, settings(reload=False))
    second = told_port()
    assert first != second
    server.worker(3, master)
    for gone in (1, 2):
        assert is_kept(first)
        del server.WORKERS[gone]
        master.note_end(server)
    assert not is_kept(first)
    del server.WORKERS[3]
    master.note_end(server)
    assert is_kept(second)


def test_a_reload_that_names_another_port_begins_there(server, master):
    first, second = free_port(), free_port()
    master.configure(server, settings(first))
    assert told_port() == first
    server.reload()
    master.configure(server, settings(second))
    assert told_port() == second and is_kept(second)


@pytest.mark.parametrize("options", [{"reload": False}, {"upgrade": False}])
def test_a_port_of_the_environment_is_not_kept_from_new_workers(
        server, master, monkeypatch, options):
    monkeypatch.setenv("NODE_CLUSTER_CLIENT_PORT", "12345")
    with pytest.raises(ConfigurationError):
        master.configure(server, settings(**options))


def hand_over(server, master, monkeypatch):
    """What becomes of the environment and the descriptors at the exec of an upgrade."""
    master.hand_over(server)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    handed = dict(server.cfg.env_orig, GUNICORN_PID="1")
    told = json.loads(handed["CLUSTERCLIENT_UPGRADE"])
    # The new process has copies.
    for name in ("reservation", "lock"):
        if told[name] is not None:
            told[name] = _descriptors.duplicate(told[name])
    monkeypatch.setenv("CLUSTERCLIENT_UPGRADE", json.dumps(told))
    monkeypatch.setenv("GUNICORN_PID", "1")
    return told


@pytest.mark.parametrize("shares", [True, False, None])
def test_the_new_master_decides_about_an_upgrade(server, master, monkeypatch, shares):
    master.configure(server, settings())
    old = told_port()
    told = hand_over(server, master, monkeypatch)
    new = Server()
    try:
        _gunicorn_master.of(new).configure(new, settings(upgrade=shares))
        assert (told_port() == old) is bool(shares)
        master.leave_in_worker()
        assert is_kept(told_port())
        assert is_kept(old) is bool(shares)
        assert "CLUSTERCLIENT_UPGRADE" not in os.environ
    finally:
        _gunicorn_master.of(new).leave_in_worker()
    for name in ("reservation", "lock"):
        with pytest.raises(OSError):
            os.fstat(told[name])


def test_a_fixed_port_that_others_hold_is_shared_without_being_kept(
        server, master, monkeypatch, port):
    listener = socket.socket()
    try:
        listener.bind((HOST, port))
        listener.listen(1)
        master.configure(server, settings(port))
        assert os.environ["CLUSTERCLIENT_PORT"] == str(port)
        assert hand_over(server, master, monkeypatch)["reservation"] is None
        new = Server()
        _gunicorn_master.of(new).configure(new, settings(port))
        assert os.environ["CLUSTERCLIENT_PORT"] == str(port)
        _gunicorn_master.of(new).leave_in_worker()
    finally:
        listener.close()


def test_what_an_upgrade_left_behind_does_not_count_without_one(server, master, monkeypatch):
    monkeypatch.setenv("CLUSTERCLIENT_UPGRADE", json.dumps(
        {"port": 12345, "reservation": 0, "lock": 1}))
    master.configure(server, settings(upgrade=True))
    assert told_port() != 12345
    os.fstat(0)


def test_handing_over_never_fails(server, master, caplog):
    """An exception there would have the child end the old master's workers."""
    master.hand_over(server)  # nothing was configured
    assert "an address of its own" in caplog.text
