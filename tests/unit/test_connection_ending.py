"""A connection ends once, for whatever cause, from wherever, and everybody learns of it."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync import own_process
from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import (
    NOT_SENT, UNKNOWN, ConnectionClosedError, ProtocolError)
from support.connections import Line, in_hub
from support.scripted import request, response, until


@pytest.fixture
def line():
    made = Line()
    yield made
    made.end()


class Caller(object):
    """A greenlet that has sent a request, and notes how it ended."""

    def __init__(self, line):
        self.line = line
        self.error = None
        self.answer = None
        self.greenlet = gevent.spawn(self._run)
        gevent.sleep(0)

    def _run(self):
        try:
            self.answer = self.line.connection.request(b"{}", (), monotonic() + 20, 20)
        except ConnectionClosedError as error:
            self.error = error

    def join(self):
        self.greenlet.join(timeout=10)
        assert self.greenlet.dead
        return self


def test_closing_is_idempotent_and_the_first_cause_counts(line):
    first = ProtocolError("garbage")
    line.connection.close(first)
    line.connection.close(ConnectionClosedError("another"))
    in_hub(line.connection.close)
    assert line.handler.errors == [first]
    assert line.connection.is_closed and line.connection.error is first
    assert line.peer.read_to_end() == b""


@pytest.mark.parametrize("where", ["greenlet", "hub"])
def test_all_who_wait_learn_of_it_after_the_handler(line, where):
    callers = [Caller(line) for _ in range(5)]
    line.requests(5)
    seen = []
    line.handler.on_closed = lambda connection, error: seen.append(
        [caller.error for caller in callers])
    if where == "hub":
        in_hub(line.connection.close)
    else:
        line.connection.close()
    assert seen == [[None] * 5]
    for caller in callers:
        assert caller.join().error.outcome == UNKNOWN
        assert "closed on this side" in str(caller.error)
    assert len(set(id(caller.error) for caller in callers)) == 5


def test_closed_by_a_handler_in_the_middle_of_what_was_read(line):
    caller = Caller(line)
    id = line.peer.read_message().id
    line.handler._on_request = lambda connection, frame: connection.close()
    line.peer.send(request(1, {}) + response(id, {}, b"behind"))
    assert caller.join().error.outcome == UNKNOWN


def test_closed_by_the_one_who_got_its_answer(line):
    """A waiter runs inside the reader's loop, and closes what is being read."""
    other = Caller(line)
    greenlet = gevent.spawn(lambda: (
        line.connection.request(b"{}", (), monotonic() + 20, 20), line.connection.close()))
    gevent.sleep(0)
    ids = [one.id for one in line.requests(2)]
    line.peer.send(response(ids[1], {}) + response(ids[0], {}) + request(1, {}))
    greenlet.join(timeout=10)
    assert other.join().error.outcome == UNKNOWN
    assert line.handler.requests == [] and len(line.handler.errors) == 1


def test_after_the_end_nothing_is_sent_and_nothing_waits(line):
    line.connection.close()
    with pytest.raises(ConnectionClosedError) as caught:
        line.connection.request(b"{}", (), monotonic() + 20, 20)
    assert caught.value.outcome == NOT_SENT
    assert line.connection.send(b"x") == 0
    line.connection.notify(b"{}")
    line.connection.wait_for_room(None)
    line.connection.wait_until_sent(None)
    line.connection.pause("a reason")
    line.connection.resume("a reason")
    assert not line.connection.is_paused
    assert line.connection.outgoing_size == 0
    in_hub(line.connection.flush)
    in_hub(line.connection.read_what_is_there)


@pytest.mark.parametrize("how", ["closes", "resets"])
def test_the_peer_goes(line, how):
    caller = Caller(line)
    line.peer.read_message()
    if how == "resets":
        # What it has not read when it closes makes it a reset.
        line.connection.send(b"\0" * 1000)
        in_hub(line.connection.flush)
    line.peer.close()
    assert caller.join().error.outcome == UNKNOWN
    assert len(line.handler.errors) == 1
    assert isinstance(line.handler.errors[0], ConnectionClosedError)


def test_the_end_in_the_middle_of_a_frame_is_seen(line):
    line.peer.send(request(1, {}, b"x" * 100)[:50])
    until(lambda: line.connection.decoder.is_inside_frame)
    line.peer.close()
    until(lambda: line.handler.errors)
    assert line.connection.decoder.is_inside_frame


def test_fail_requests_ends_the_waits_and_keeps_the_connection(line):
    caller = Caller(line)
    id = line.peer.read_message().id
    expected = []
    line.connection.expect(77, expected.append)
    line.connection.fail_requests()
    assert caller.join().error.outcome == UNKNOWN
    assert not line.connection.is_closed
    line.peer.send(response(id, {}) + response(77, {}) + request(5, {}))
    assert line.handler.wait_for(1)[0].id == 5
    assert expected == []


def test_abandoning_says_nothing_to_anybody(line):
    line.connection.send(b"never sent")
    line.connection.abandon()
    line.connection.abandon()
    line.connection.close()
    assert line.handler.errors == []
    assert line.peer.read_to_end() == b""
    assert line.connection.is_closed and "parent" in str(line.connection.error)


@pytest.mark.parametrize("callback", ["_on_readable", "flush", "read_what_is_there",
                                      "_go_on_reading"])
def test_every_callback_notices_that_it_runs_in_a_child(line, callback, monkeypatch):
    line.connection.send(b"the parent's")
    line.peer.send(request(1, {}))
    # In the hub and back without the callbacks that are due having run.
    monkeypatch.setattr(own_process, "here", [-1])
    getattr(line.connection, callback)()
    monkeypatch.undo()
    assert line.connection.is_closed
    assert line.handler.requests == [] and line.handler.errors == []
    assert line.peer.read_to_end() == b""


def test_the_watchers_and_the_descriptor_go_with_it(line):
    line.connection.close()
    assert line.sock._sock.fileno() == -1
    assert not line.connection._reader.active
    assert line.connection._sender._watcher is None


def test_the_watcher_of_a_blocked_line_goes_with_it(line):
    line.block()
    watcher = line.connection._sender._watcher
    assert watcher.active
    line.connection.close()
    assert not watcher.active


def test_a_request_that_is_told_not_to_be_sent_does_not_leave_after_that(line):
    sent = Caller(line)
    id = line.peer.read_message().id
    # Both in one turn of the loop: nothing of the second one has left yet.
    late = gevent.spawn(line.connection.request, b"{}", (), monotonic() + 20, 20)
    gevent.get_hub().loop.run_callback(line.connection.fail_requests)
    late.join(timeout=10)
    assert late.exception.outcome == NOT_SENT
    assert sent.join().error.outcome == UNKNOWN
    line.connection.notify(b'{"last":1}')
    last = line.peer.read_message()
    assert (last.id, last.head) != (id, {}) and last.head == {"last": 1}
