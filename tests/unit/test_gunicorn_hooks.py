"""What ``clusterclient_sync.integrations.gunicorn`` puts into a configuration."""

from __future__ import absolute_import, division, print_function

import logging
import os
import subprocess
import sys
import threading

import gevent
import pytest
from gevent.event import Event
from gunicorn.config import Config

from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.integrations import _gunicorn_environment, _gunicorn_worker
from clusterclient_sync.integrations import gunicorn as integration
from clusterclient_sync.integrations.gunicorn import install
from clusterclient_sync.runtime import gate
from support.processes import environment

called = []


@pytest.fixture(autouse=True)
def is_no_master_after_it(monkeypatch):
    """A master's own clients never join: the next test's shall."""
    monkeypatch.setattr(gate, "_held_in", None)


def note_exit(server, worker):
    """A hook that a configuration names."""
    called.append("theirs")


def configured(namespace):
    """gunicorn's view of a configuration; it checks each hook's arity."""
    config = Config()
    for name, value in namespace.items():
        if name in config.settings:
            config.set(name, value)
    return config


def test_one_line_gives_every_hook():
    namespace = {}
    exec("from clusterclient_sync.integrations.gunicorn import *", namespace)
    config = configured(namespace)
    hooks = set(integration.__all__) - {"install"}
    assert hooks <= set(config.settings)
    assert all(getattr(config, name) is namespace[name] for name in hooks)


@pytest.mark.parametrize("name, arguments, order", [
    ("child_exit", 2, ["ours", "theirs"]), ("on_reload", 1, ["ours", "theirs"]),
    ("worker_exit", 2, ["theirs", "ours"]), ("on_exit", 1, ["theirs", "ours"]),
    ("nworkers_changed", 3, ["ours", "theirs"])])
def test_hooks_that_are_there_run_too(monkeypatch, name, arguments, order):
    called = []
    monkeypatch.setattr(integration._Hooks, name, lambda self, *args: called.append("ours"))
    theirs = {1: lambda one: called.append("theirs"), 2: lambda one, two: called.append("theirs"),
              3: lambda one, two, three: called.append("theirs")}[arguments]
    namespace = {name: theirs}
    install(namespace)
    install(namespace)  # as after the import of all names: it counts once
    getattr(configured(namespace), name)(*range(arguments))
    assert called == order


def test_a_hook_that_is_named_by_its_path_runs_too(monkeypatch):
    del called[:]
    monkeypatch.setattr(
        integration._Hooks, "worker_exit", lambda self, *args: called.append("ours"))
    namespace = {"worker_exit": "%s.note_exit" % __name__}
    install(namespace)
    configured(namespace).worker_exit(None, None)
    assert called == ["theirs", "ours"]


def test_a_hook_that_fails_keeps_no_other_from_running(monkeypatch):
    called = []
    monkeypatch.setattr(integration._Hooks, "on_exit", lambda self, server: called.append("ours"))

    def on_exit(server):
        raise ValueError("theirs")

    namespace = {"on_exit": on_exit}
    install(namespace)
    with pytest.raises(ValueError):
        configured(namespace).on_exit(None)
    assert called == ["ours"]


class Server(object):
    """What the hooks of the master use of an arbiter."""

    log = logging.getLogger("the gunicorn under test")

    def __init__(self, config):
        self.cfg = config


def test_hooks_that_were_lost_are_named(caplog):
    namespace = {}
    install(namespace)
    del namespace["post_fork"]
    namespace["worker_exit"] = note_exit
    integration._warn_of_lost_hooks(Server(configured(namespace)))
    assert "(post_fork, worker_exit)" in caplog.text


@pytest.mark.parametrize("options", [
    {"port": 0}, {"port": "7777"}, {"host": ""}, {"share_on_reload": 1.5}, {"agent": "module"},
    {"agent": "a b:c"}, {"agent": 5}, {"agent": lambda: None},
    {"port": 7777, "share_on_reload": False}, {"port": 7777, "share_on_upgrade": False}])
def test_a_wrong_value_is_an_error_where_it_is_said(options):
    with pytest.raises(ConfigurationError):
        install({}, **options)


def create_clients():
    """An agent's function that can be imported."""


def test_an_agent_is_a_function_of_a_module():
    for agent in (create_clients, "%s:create_clients" % __name__):
        assert integration.checked(None, "127.0.0.1", None, None, agent).agent == (
            "%s:create_clients" % __name__)


# -- the environment

PORT, LEADER = "CLUSTERCLIENT_PORT", "CLUSTERCLIENT_IS_LEADER"
OURS = (PORT, LEADER, "NODE_CLUSTER_CLIENT_PORT", "CLUSTERCLIENT_SET_BY_GUNICORN")


@pytest.fixture
def environ(monkeypatch):
    for name in OURS:
        # Set first: what is set meanwhile is taken back, too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return os.environ


def set_here():
    return {name: os.environ[name] for name in OURS if name in os.environ}


def test_what_the_user_has_set_counts_and_is_restored(environ):
    environ.update({PORT: "8123", LEADER: "1"})
    environment = _gunicorn_environment.Environment()
    config = configured({})
    assert environment.fixed_port(config) == 8123
    environment.tell_workers(9000, have_agent=True)
    assert (environ[PORT], environ[LEADER]) == ("9000", "0")
    assert environment.fixed_port(config) == 8123
    environment.restore(environ)
    assert set_here() == {PORT: "8123", LEADER: "1"}


def test_what_another_master_has_set_does_not_count(environ):
    _gunicorn_environment.Environment().tell_workers(9000, have_agent=True)
    environment = _gunicorn_environment.Environment()
    assert environment.fixed_port(configured({})) is None
    environment.tell_workers(9001, have_agent=False)
    assert environ[PORT] == "9001" and LEADER not in environ
    environment.restore(environ)
    assert set_here() == {}


@pytest.mark.parametrize("name", [PORT, "NODE_CLUSTER_CLIENT_PORT"])
def test_the_configuration_may_name_the_port_of_the_workers_environment(environ, name):
    environment = _gunicorn_environment.Environment()
    assert environment.fixed_port(configured({"raw_env": [name + "=8124"]})) == 8124
    with pytest.raises(ConfigurationError):
        environment.fixed_port(configured({"raw_env": [name + "=none"]}))


# -- the worker

class Worker(object):
    """A worker, as far as it is watched."""

    def __init__(self):
        self.alive = True
        self.pid = 1

    def stop(self):
        self.alive = False


def test_a_worker_that_was_told_while_it_started_has_its_clients_stand_back(monkeypatch):
    rung = []
    monkeypatch.setattr(_gunicorn_worker, "_bell", lambda act: lambda: rung.append(act))
    worker = Worker()
    worker.stop()
    _gunicorn_worker.start(worker)
    assert rung == [_gunicorn_worker.stand_back_all]
    assert worker.alive is False


def test_a_client_that_cannot_stand_back_keeps_no_other_from_it(monkeypatch):
    stood_back = []

    def stand_back(client):
        stood_back.append(client)
        raise ValueError("it cannot")

    monkeypatch.setattr(_gunicorn_worker.registry, "live_clients", lambda: [1, 2])
    monkeypatch.setattr(_gunicorn_worker.cluster, "stand_back", stand_back, raising=False)
    _gunicorn_worker.stand_back_all()
    assert stood_back == [1, 2]


# A worker that ends while its clients are about to stand back.
ENDS_UNDER_ITS_BELL = """
import time
from clusterclient_sync.integrations import _gunicorn_worker

def act():
    while True:
        _gunicorn_worker._log.debug("It stands back")
        _gunicorn_worker.registry.live_clients()

_gunicorn_worker._native_bell(act)()
time.sleep(0.05)
"""


def test_a_worker_that_ends_under_its_bell_says_nothing():
    for _ in range(5):  # Python 2 takes its modules apart under the thread, in any order
        process = subprocess.Popen(
            [sys.executable, "-c", ENDS_UNDER_ITS_BELL], env=environment(sys.executable, {}),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.communicate()[0] == b""
        assert process.returncode == 0


@pytest.mark.parametrize("is_patched", [True, False])
def test_a_worker_that_is_to_stop_has_its_clients_stand_back_once(monkeypatch, is_patched):
    stood_back = []
    done = gevent.get_hub().loop.async_()
    event = Event()
    done.start(event.set)

    def stand_back_all():
        stood_back.append(threading.current_thread().name)
        done.send()

    monkeypatch.setattr(_gunicorn_worker, "stand_back_all", stand_back_all)
    monkeypatch.setattr(_gunicorn_worker.monkey, "is_module_patched", lambda name: is_patched)
    worker = Worker()
    _gunicorn_worker.start(worker)
    assert worker.alive is True and isinstance(worker, Worker)
    worker.alive = True
    worker.stop()
    worker.stop()
    assert worker.alive is False
    assert event.wait(10)
    gevent.sleep(0)
    assert len(stood_back) == 1
    assert (stood_back[0] == threading.current_thread().name) is is_patched
    done.stop()
    done.close()
