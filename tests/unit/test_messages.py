"""Connection objects as they go over the wire, and packed arguments."""

from __future__ import absolute_import, division, print_function

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterclient_sync.exceptions import ProtocolError
from clusterclient_sync.protocol import messages


def test_the_forms_of_the_base_protocol():
    assert messages.HEARTBEAT_REQUEST == b'{"type":"heartbeat"}'
    assert messages.HEARTBEAT_RESPONSE == b'{"type":"heartbeat_res"}'
    assert messages.SUBSCRIBE_RESULT_RESPONSE == b'{"type":"subscribe_result_res"}'
    assert messages.ERROR_RESPONSE == b'{"type":"error","success":false}'
    assert messages.GOODBYE_REQUEST == b'{"type":"goodbye"}'
    assert messages.register_channel_response() == b'{"type":"register_channel_res"}'
    assert messages.invoke(u"getConfig", 2) == (
        b'{"type":"invoke","method":"getConfig","argLength":2,"oneway":false}')
    assert messages.invoke("touch", 0, oneway=True) == (
        b'{"type":"invoke","method":"touch","argLength":0,"oneway":true}')
    assert messages.invoke_result(True) == b'{"type":"invoke_result","success":true}'
    assert messages.subscribe_result(u'$$inner$$__{"a":1}') == (
        b'{"type":"subscribe_result","key":"$$inner$$__{\\"a\\":1}"}')


def test_what_python_peers_add():
    assert json.loads(messages.register_channel(u"\u00e9", {"pid": 1}).decode("ascii")) == {
        "type": "register_channel", "channelName": u"\u00e9", "clusterclient_sync": {"pid": 1}}
    assert json.loads(messages.register_channel_response({"epoch": 2}).decode("ascii")) == {
        "type": "register_channel_res", "clusterclient_sync": {"epoch": 2}}
    assert messages.invoke("m", 1, has_kwargs=True).endswith(b'"oneway":false,"kwargs":true}')
    assert messages.invoke_result(False, 7) == (
        b'{"type":"invoke_result","success":false,"epoch":7}')
    assert messages.subscribe_result("k", 7) == b'{"type":"subscribe_result","key":"k","epoch":7}'
    assert messages.subscribe_error("k") == b'{"type":"subscribe_error","key":"k"}'
    assert messages.event("n") == b'{"type":"event","name":"n"}'


def test_a_subscription_carries_its_registration_as_text():
    text = u'{"dataId":"\u4e16","n":1}'
    head = messages.subscription(messages.SUBSCRIBE, u"$$inner$$__" + text, text)
    assert head.startswith(b'{"type":"subscribe","key":"')
    assert json.loads(head.decode("utf-8")) == {
        "type": "subscribe", "key": "$$inner$$__" + text, "reg": {"dataId": u"\u4e16", "n": 1}}
    assert messages.subscription(messages.UNSUBSCRIBE, "k", u"1") == (
        b'{"type":"unSubscribe","key":"k","reg":1}')


def test_arguments_are_packed_like_this():
    assert b"".join(messages.pack_arguments([b"ab", b""])) == b"\0\0\0\x02ab\0\0\0\0"


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=10))
def test_packed_arguments_come_back(arguments):
    body = b"".join(messages.pack_arguments(arguments))
    assert messages.unpack_arguments(body, len(arguments)) == arguments


NOT_AS_ANNOUNCED = [
    (b"\0\0\0\x02ab", 2),
    (b"\0\0\0\x02ab", 0),
    (b"\0\0\0\x02a", 1),
    (b"\0\0\0\x02abc", 1),
    (b"\0\0\0", 1),
    (b"\xff\xff\xff\xffab", 1),
    (b"\0\0\0\x04\0\0\0\0\0\0\0", 2),
    (b"", 10 ** 30),
    (b"", -1), (b"", None), (b"", "0"), (b"", 0.0), (b"", True), (b"", False),
]


def test_a_body_that_does_not_hold_what_was_announced():
    for body, count in NOT_AS_ANNOUNCED:
        head = messages.CallHead({"method": "get", "argLength": count})
        with pytest.raises(ProtocolError):
            messages.unpack_arguments(body, head.count)


def test_the_head_of_a_call_is_read_once_whatever_it_is():
    head = messages.Head({"type": "invoke", "method": "get", "argLength": 2, "oneway": True,
                          "kwargs": True})
    assert head["method"] == "get" and head == dict(head)
    assert (head.call.method, head.call.count, head.call.is_oneway, head.call.has_kwargs) == (
        "get", 2, True, True)
    call = messages.Head({"type": "invoke"}).call
    assert (call.count, call.is_oneway, call.has_kwargs) == (None, False, False)
    for strange in (None, 1, ["get"], {"get": 1}):
        call = messages.Head({"type": "invoke", "method": strange, "oneway": 1, "kwargs": 1}).call
        assert (call.method, call.is_oneway, call.has_kwargs) == (repr(strange), False, False)
    for type in ("heartbeat", None, 1, ["invoke"], {}):
        assert messages.Head({"type": type, "method": "get"}).call is None


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 12))
def test_any_body_gives_arguments_that_fill_it_or_a_protocol_error(body, count):
    try:
        arguments = messages.unpack_arguments(body, count)
    except ProtocolError:
        return
    assert b"".join(messages.pack_arguments(arguments)) == body
