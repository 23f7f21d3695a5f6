# -*- coding: utf-8 -*-
from __future__ import absolute_import, division, print_function

import logging

import pytest

from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.options import NAMES, Options
from clusterclient_sync.protocol import transcodes
from support.speed import needs_msgpack


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for name in ("CLUSTERCLIENT_PORT", "NODE_CLUSTER_CLIENT_PORT",
                 "CLUSTERCLIENT_CONNECT_TIMEOUT", "CLUSTERCLIENT_SINGLE_MODE", "CLUSTERCLIENT_RUNTIME",
                 "CLUSTERCLIENT_IS_LEADER"):
        monkeypatch.delenv(name, raising=False)


class Transcode(object):
    def encode(self, value):
        return b""

    def decode(self, data):
        return None


def test_defaults():
    options = Options()
    told = {name: getattr(options, name) for name in NAMES}
    assert told == {
        "port": 7777, "host": "127.0.0.1", "name": None, "is_leader": None, "max_wait_time": 30,
        "connect_timeout": 10, "response_timeout": 3, "subscribe_timeout": None,
        "heartbeat_interval": 20, "check_heartbeat": True, "auto_generate": True,
        "is_broadcast": True, "single_mode": False, "transcode": "json",
        "node_transcode": "serialize-json", "format_key": None, "publish_key": None,
        "drain_timeout": 5, "handshake_timeout": 10, "max_frame_size": 64 * 1024 * 1024,
        "max_queued_values": 1000, "max_kept_publishes": 1000, "max_retry_interval": 1.0,
        "max_connections": 10000, "watchdog_timeout": None, "runtime": None,
        "real_client_runtime": None, "max_threads": 64,
        "remote_names": None, "close_with": None, "logger": logging.getLogger("clusterclient_sync"),
    }


@pytest.mark.parametrize("name, value", [
    ("port", 1), ("port", 65535), ("name", u"\u4e2d"), ("name", "zk"), ("is_leader", True),
    ("is_leader", None), ("max_wait_time", 0.5), ("subscribe_timeout", 2),
    ("check_heartbeat", False), ("transcode", "serialize-json"), ("transcode", u"json"),
    ("transcode", "plain-json"), ("node_transcode", "json"),
    ("drain_timeout", 0), ("max_frame_size", 4096), ("max_kept_publishes", 0),
    ("format_key", repr), ("publish_key", repr), ("close_with", repr),
    ("logger", logging.getLogger("other")),
])
def test_takes(name, value):
    assert getattr(Options(**{name: value}), name) == value


def test_a_transcode_object_is_kept_as_given():
    transcode = Transcode()
    assert Options(transcode=transcode).transcode is transcode
    assert Options(node_transcode=transcode).node_transcode is transcode


@pytest.mark.parametrize("name, value, allowed", [
    ("port", 0, "from 1 to 65535"), ("port", 65536, "65535"), ("port", "7777", "whole number"),
    ("port", True, "whole number"), ("port", 7777.0, "whole number"), ("port", None, "whole"),
    ("host", "", "text"), ("host", None, "text"), ("name", "", "text"), ("name", 5, "text"),
    ("name", "a\nb", "control"), ("name", b"\xff", "text"),
    ("is_leader", 1, "True or False, or None"), ("is_leader", "yes", "True or False"),
    ("check_heartbeat", None, "True or False"), ("is_broadcast", 0, "True or False"),
    ("max_wait_time", 0, "above 0"), ("max_wait_time", -1, "above 0"),
    ("response_timeout", True, "seconds"), ("response_timeout", "3", "seconds"),
    ("response_timeout", None, "seconds"), ("response_timeout", float("nan"), "seconds"),
    ("response_timeout", float("inf"), "seconds"), ("response_timeout", 2147484, "2147483"),
    ("subscribe_timeout", 0, "or None"), ("drain_timeout", -0.1, "from 0"),
    ("transcode", "xml", '"json", "msgpack", "plain-json", "serialize-json"'), ("transcode", None, "encode"),
    ("transcode", b"\xff", "encode"), ("node_transcode", object(), "encode"),
    ("node_transcode", "plain-json", '"json", "serialize-json", or'), ("node_transcode", "msgpack", '"json"'),
    ("format_key", "key", "callable"), ("close_with", 1, "callable"), ("logger", None, "Logger"),
    ("max_queued_values", 0, "from 1"), ("max_queued_values", 1.5, "whole"),
    ("max_frame_size", 2 ** 31, "2147483647"),
])
def test_refuses_and_says_what_is_allowed(name, value, allowed):
    with pytest.raises(ConfigurationError) as caught:
        Options(**{name: value})
    assert "the option %s must be" % name in str(caught.value)
    assert allowed in str(caught.value)


@needs_msgpack
def test_takes_msgpack_where_it_is_installed():
    assert Options(transcode="msgpack").transcode == "msgpack"


def test_says_what_to_install_for_msgpack(monkeypatch):
    monkeypatch.setattr(transcodes, "_msgpack", ["nobody has it"])
    with pytest.raises(ConfigurationError) as caught:
        Options(transcode="msgpack")
    assert "pip install clusterclient-sync[speed]" in str(caught.value)
    assert "nobody has it" in str(caught.value)
    assert Options().transcode == "json"


@pytest.mark.parametrize("name, near", [
    ("prot", "port"), ("isLeader", "is_leader"), ("maxWaitTime", "max_wait_time"),
    ("isCheckHeartbeat", "check_heartbeat"), ("response_timout", "response_timeout"),
])
def test_an_unknown_option_names_the_nearest_and_all(name, near):
    with pytest.raises(ConfigurationError) as caught:
        Options(**{name: 1})
    text = str(caught.value)
    assert "no option %s (did you mean" % name in text
    assert near in text.split("?")[0]
    for known in NAMES:
        assert known in text


def test_an_unknown_option_that_is_near_to_nothing():
    with pytest.raises(ConfigurationError) as caught:
        Options(zzzzzz=1)
    assert "did you mean" not in str(caught.value)


def test_a_value_whose_repr_raises_is_told_by_its_type():
    class Silent(object):
        def __repr__(self):
            raise ValueError("no")

    with pytest.raises(ConfigurationError) as caught:
        Options(port=Silent())
    assert "Silent" in str(caught.value)


def test_options_do_not_change():
    options = Options()
    with pytest.raises(AttributeError):
        options.port = 1
    with pytest.raises(AttributeError):
        del options.port
    with pytest.raises(AttributeError):
        options.other = 1
    assert options.port == 7777


def test_replace_gives_new_ones():
    options = Options(port=1000, name="a")
    changed = options.replace(name="b", response_timeout=1)
    assert (changed.port, changed.name, changed.response_timeout) == (1000, "b", 1)
    assert (options.name, options.response_timeout) == ("a", 3)
    with pytest.raises(ConfigurationError):
        options.replace(nmae="b")


def test_replace_does_not_ask_the_environment_again(monkeypatch):
    options = Options()
    monkeypatch.setenv("CLUSTERCLIENT_PORT", "1000")
    assert options.replace(name="a").port == 7777


def test_environment(monkeypatch):
    monkeypatch.setenv("NODE_CLUSTER_CLIENT_PORT", "1000")
    assert Options().port == 1000
    monkeypatch.setenv("CLUSTERCLIENT_PORT", "2000")
    monkeypatch.setenv("CLUSTERCLIENT_CONNECT_TIMEOUT", "2.5")
    monkeypatch.setenv("CLUSTERCLIENT_SINGLE_MODE", "1")
    options = Options()
    assert (options.port, options.connect_timeout, options.single_mode) == (2000, 2.5, True)
    monkeypatch.setenv("CLUSTERCLIENT_SINGLE_MODE", "0")
    monkeypatch.setenv("CLUSTERCLIENT_PORT", "")
    options = Options()
    assert (options.port, options.single_mode) == (1000, False)


def test_what_is_given_counts_before_the_environment(monkeypatch):
    monkeypatch.setenv("CLUSTERCLIENT_PORT", "not looked at")
    monkeypatch.setenv("CLUSTERCLIENT_SINGLE_MODE", "1")
    options = Options(port=3000, single_mode=False)
    assert (options.port, options.single_mode) == (3000, False)


@pytest.mark.parametrize("variable, text", [
    ("CLUSTERCLIENT_PORT", "http"), ("CLUSTERCLIENT_PORT", "0"), ("CLUSTERCLIENT_PORT", "70000"),
    ("NODE_CLUSTER_CLIENT_PORT", "1.5"), ("CLUSTERCLIENT_CONNECT_TIMEOUT", "soon"),
    ("CLUSTERCLIENT_CONNECT_TIMEOUT", "nan"), ("CLUSTERCLIENT_CONNECT_TIMEOUT", "-1"),
    ("CLUSTERCLIENT_SINGLE_MODE", "yes"),
])
def test_a_bad_variable_is_named(monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(ConfigurationError) as caught:
        Options()
    assert variable in str(caught.value)
    assert text in str(caught.value)


def test_repr_tells_what_differs():
    assert repr(Options(port=1000, is_leader=True)) == "Options(port=1000, is_leader=True)"
