"""Keyword arguments put into positions by a class's own signature."""

from __future__ import absolute_import, division, print_function

import struct

import pytest

from clusterclient_sync import delegation
from clusterclient_sync.exceptions import NOT_SENT, ConfigurationError
from clusterclient_sync.parameters import parameters_of
from clusterclient_sync.protocol import transcodes
from clusterclient_sync.protocol.negotiation import CAPABILITIES, Peer
from clusterclient_sync.roles.call import Call

NODE = Peer(False, transcodes.SERIALIZE_JSON)
PYTHON = Peer(True, transcodes.JSON, CAPABILITIES)


class Store(object):
    def get(self, key, group="g", limit=10):
        """Nothing."""

    def later(self, key, callback, group="g"):
        """Nothing."""

    def data(this, callback, other=None):
        """Nothing."""

    def many(self, first, *rest, **named):
        """Nothing."""

    @staticmethod
    def static(key, group="g"):
        """Nothing."""

    @classmethod
    def of_class(cls, key, group="g"):
        """Nothing."""

    instance = type("Callable", (object,), {"__call__": lambda self, key: None})()


class Derived(Store):
    def get(self, key, limit=1):
        """Its own."""


@pytest.mark.parametrize("name, style, args, kwargs, expected", [
    ("get", "return", (), {"key": 1}, [1]),
    ("get", "return", (1,), {"limit": 3}, [1, "g", 3]),
    ("get", "return", (), {"limit": 3, "group": 2, "key": 1}, [1, 2, 3]),
    ("get", "return", (1, 2), {"limit": 3}, [1, 2, 3]),
    ("later", "callback", (1,), {"group": 2}, [1, 2]),
    ("data", "return", (), {"callback": 1, "other": 2}, [1, 2]),
    ("many", "return", (), {"first": 1}, [1]),
    ("many", "return", (1, 2, 3), {}, [1, 2, 3]),
    ("static", "return", (), {"group": 2, "key": 1}, [1, 2]),
    ("of_class", "return", (), {"group": 2, "key": 1}, [1, 2]),
])
def test_they_find_their_places(name, style, args, kwargs, expected):
    assert parameters_of(Store, name, style).by_position(args, kwargs) == expected


@pytest.mark.parametrize("name, args, kwargs, told", [
    ("get", (), {"limit": 1}, "key is missing"), ("get", (1,), {"key": 1}, "key was given twice"),
    ("get", (1,), {"other": 1}, "no argument other"), ("get", (1, 2, 3, 4), {"a": 1}, "takes 3"),
    ("many", (1,), {"named": 1}, "no argument named"),
])
def test_what_does_not_fit_is_told(name, args, kwargs, told):
    with pytest.raises(ValueError) as caught:
        parameters_of(Store, name, "return").by_position(args, kwargs)
    assert told in str(caught.value)


def test_the_classs_own_method_counts():
    assert parameters_of(Derived, "get", "return").by_position((1,), {"limit": 2}) == [1, 2]


@pytest.mark.parametrize("name", ["instance", "nothing"])
def test_what_tells_nothing_is_not_known(name):
    assert parameters_of(Store, name, "return") is None


def spec_of(name, **how):
    return delegation.check_delegate(Store, name, "invoke", how)


def values(parts):
    body, found = b"".join(parts), []
    while body:
        size, = struct.unpack(">I", body[:4])
        found.append(transcodes.SERIALIZE_JSON.decode(body[4:4 + size]))
        body = body[4 + size:]
    return found


@pytest.mark.parametrize("is_frozen", [True, False])
def test_a_call_of_a_node_leader_has_positions_only(is_frozen):
    call = Call(spec_of("get"), (u"a",), {"limit": 3}, 3)
    if is_frozen:
        call.freeze(transcodes.JSON)
    head, parts = call.message(NODE, oneway=False)
    assert head == b'{"type":"invoke","method":"get","argLength":3,"oneway":false}'
    assert values(parts) == [u"a", u"g", 3]
    # The next leader may be Python again.
    assert b'"kwargs":true' in call.message(PYTHON, oneway=False)[0]


def test_what_cannot_be_put_there_is_not_sent():
    with pytest.raises(ConfigurationError) as caught:
        Call(spec_of("many"), (1,), {"x": 1}, 3).message(NODE, oneway=False)
    assert caught.value.outcome == NOT_SENT
    assert "many" in str(caught.value) and "no argument x" in str(caught.value)
