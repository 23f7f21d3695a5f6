"""Callbacks: the caller's (``callback=``), and methods that take one."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest
from gevent.event import AsyncResult
from greenlet import getcurrent

from clusterclient_sync import RemoteError, ResponseTimeoutError, TranscodeError, outcome
from support.recording import TIMEOUT
from support.subjects import GREENLET_KINDS, kinds


class Callback(object):
    """A caller's callback, and what it was called with."""

    def __init__(self):
        self.calls = []
        self._first = AsyncResult()

    def __call__(self, error, value):
        self.calls.append((error, value))
        self._first.set((error, value, getcurrent()))

    def result(self):
        """``(error, value)`` of its first call."""
        return self._first.get(timeout=TIMEOUT)[:2]

    def greenlet(self):
        return self._first.get(timeout=TIMEOUT)[2]


@pytest.fixture
def callback():
    return Callback()


def test_a_call_with_a_callback_returns_at_once(subject, callback):
    assert subject.client.wait("gate", callback=callback) is None
    subject.upstream.wait_for("waiting")
    assert callback.calls == []
    subject.upstream.open("gate")
    assert callback.result() == (None, "gate")


@kinds(*GREENLET_KINDS)
def test_the_callback_runs_in_a_greenlet_of_its_own(client, callback):
    client.same(1, callback=callback)
    assert callback.calls == []
    assert callback.greenlet() not in (getcurrent(), gevent.get_hub())


def test_the_callback_gets_the_error(client, callback):
    client.fail("value", callback=callback)
    error, value = callback.result()
    assert (type(error), str(error), value) == (ValueError, "bad value", None)
    assert outcome(error) == "failed"


def test_the_callback_gets_the_timeout(subject, callback):
    subject.client.quick("gate", callback=callback)
    error, _ = callback.result()
    assert isinstance(error, ResponseTimeoutError)
    assert (error.timeout, error.method) == (0.2, "quick")


def test_a_callback_of_call(client, callback):
    assert client.call("same", (5,), callback=callback) is None
    assert callback.result() == (None, 5)


def test_the_arguments_are_those_at_the_time_of_the_call(client, callback):
    argument = [1]
    client.same(argument, callback=callback)
    argument.append(2)
    assert callback.result() == (None, [1])


def test_an_argument_that_cannot_be_sent_raises_at_once(client, callback):
    with pytest.raises(TranscodeError):
        client.same(object(), callback=callback)
    assert client.same(1) == 1
    assert callback.calls == []


def test_a_callback_that_raises_is_logged_and_an_error_event(subject):
    errors = AsyncResult()
    subject.client.on("error", errors.set)

    def bad(error, value):
        raise ValueError("bad callback")

    subject.client.same(1, callback=bad)
    assert str(errors.get(timeout=TIMEOUT)) == "bad callback"
    assert subject.client.same(1) == 1


def test_a_callback_may_call_and_block(subject, callback):
    def calls(error, value):
        callback(error, subject.client.same(value + 1))

    subject.client.same(1, callback=calls)
    assert callback.result() == (None, 2)


# -- methods that take a callback

@pytest.mark.parametrize("method", ("later", "later_now", "later_in_hub", "later_in_thread"))
def test_a_callback_style_method_gives_its_value(client, method):
    assert getattr(client, method)({"a": [1]}) == {"a": [1]}
    assert client.call(method, (None,)) is None


def test_a_callback_style_method_gives_its_error(client):
    with pytest.raises(KeyError) as caught:
        client.later_error("key")
    assert outcome(caught.value) == "failed"
    with pytest.raises(RemoteError) as caught:
        client.later_text_error("a text is no exception")
    assert caught.value.message == "a text is no exception"
    with pytest.raises(ValueError):
        client.later_raises("value")


def test_the_callers_callback_by_name_and_by_position(client, callback):
    assert client.later(5, callback=callback) is None
    assert callback.result() == (None, 5)
    other = Callback()
    assert client.later(6, other) is None
    assert other.result() == (None, 6)


def test_a_callback_that_is_called_twice_counts_once(subject, callback):
    subject.client.later_twice("first", callback=callback)
    assert callback.result() == (None, "first")
    line, = subject.upstream.wait_for_log("callback twice")
    assert "later_twice" in line
    assert subject.client.later_twice("second") == "second"
    assert len(callback.calls) == 1


def test_a_callback_that_never_comes_times_out(subject):
    with pytest.raises(ResponseTimeoutError) as caught:
        subject.client.later_never()
    assert outcome(caught.value) == "unknown"
    subject.upstream.wait_for_log("later_never never called its callback")
    assert subject.client.same(1) == 1


def test_a_callback_that_comes_too_late_is_dropped(subject):
    with pytest.raises(ResponseTimeoutError):
        subject.client.call("later_gate", ("gate",), timeout=0.1)
    subject.upstream.open("gate")
    subject.upstream.wait_for("waited")
    assert subject.client.same(1) == 1


def test_data_named_callback(client):
    assert client.data_callback(5) == ["data", 5]
    assert client.data_callback(callback="text") == ["data", "text"]
    assert client.call("data_callback", ("text",)) == ["data", "text"]


def test_the_leader_finds_out_which_methods_of_a_factorys_client_take_callbacks(make, callback):
    delegates = [(name, "invoke", {}) for name in ("same", "later", "later_error")]
    delegates.append(("data_callback", "invoke", {"style": "return"}))
    client = make(factory=True, delegates=delegates).client
    assert client.same(1) == 1
    assert client.later(2) == 2
    client.later(3, callback)
    assert callback.result() == (None, 3)
    with pytest.raises(KeyError):
        client.later_error("key")
    assert client.data_callback(callback=4) == ["data", 4]
