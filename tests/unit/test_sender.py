"""A connection sends: in few calls, in order, bounded, and it knows what has left."""

from __future__ import absolute_import, division, print_function

import errno
import socket

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import (
    NOT_SENT, UNKNOWN, ConnectionClosedError, ResponseTimeoutError)
from clusterclient_sync.transport import pace
from clusterclient_sync.transport import sender as sender_module
from support.connections import Line, in_hub
from support.scripted import request, response, until

MIB = 2 ** 20


@pytest.fixture
def line():
    made = Line()
    yield made
    made.end()


@pytest.fixture
def narrow():
    """A line whose peer has not read: the kernel takes no more."""
    made = Line()
    made.filled = made.block()
    yield made
    made.end()


def numbered(count):
    return [request(number, {}, b"x" * (number % 7)) for number in range(count)]


# -- few system calls

def test_a_thousand_sends_of_one_turn_leave_in_one_call(line):
    for frame in numbered(1000):
        line.connection.send(frame)
    assert line.sock.sends == []
    assert [one.id for one in line.requests(1000)] == list(range(1000))
    assert len(line.sock.sends) == 1


def test_sends_of_many_greenlets_in_one_turn_too(line):
    greenlets = [gevent.spawn(line.connection.send, frame) for frame in numbered(1000)]
    gevent.joinall(greenlets)
    assert sorted(one.id for one in line.requests(1000)) == list(range(1000))
    assert len(line.sock.sends) <= 3


def test_answers_to_what_one_read_brought_leave_in_one_call(line):
    line.handler._on_request = lambda connection, frame: connection.respond(frame, b"{}")
    line.peer.send(b"".join(numbered(200)))
    assert [line.peer.read_message().id for _ in range(200)] == list(range(200))
    assert len(line.sock.sends) == 1


def test_where_early_sends_are_faster_the_first_answers_leave_soon(line, monkeypatch):
    monkeypatch.setattr(pace.Pace, "is_early", lambda self: True)
    line.handler._on_request = lambda connection, frame: connection.respond(frame, b"{}")
    line.peer.send(b"".join(numbered(100)))
    assert [line.peer.read_message().id for _ in range(100)] == list(range(100))
    one = line.sock.sends[0] // 4
    assert [size // one for size in line.sock.sends] == [4, 4, 8, 16, 32, 32, 4]


def test_notify_and_respond_have_the_ids_that_they_should(line):
    line.connection.notify(b'{"type":"a"}', (b"b",), timeout_ms=5)
    line.connection.notify(b"{}")
    message = line.peer.read_message()
    assert (message.kind, message.timeout_ms, message.head, message.body) == (
        0, 5, {"type": "a"}, b"b")
    assert line.peer.read_message().id == message.id + 1
    line.peer.send(request(99, {}, timeout_ms=7))
    line.connection.respond(line.handler.wait_for(1)[0], b"{}", (b"c",))
    assert line.peer.read_message() == (1, 99, 7, {}, b"c")


# -- a kernel that takes less

@pytest.mark.parametrize("most", [1, 7, 100])
def test_partial_sends_lose_and_repeat_nothing(line, most):
    line.sock.most = most
    for frame in numbered(50):
        line.connection.send(frame)
    assert [one.id for one in line.requests(50)] == list(range(50))
    assert max(line.sock.sends) <= most


def test_what_the_kernel_does_not_take_waits_until_it_does(narrow):
    connection = narrow.connection
    before = len(narrow.sock.sends)
    for frame in numbered(100):
        connection.send(frame)
    in_hub(lambda: None)
    assert len(narrow.sock.sends) == before  # nobody tries again before the kernel says so
    narrow.peer.read(narrow.filled)
    assert [one.id for one in narrow.requests(100)] == list(range(100))
    assert connection.outgoing_size == 0


def test_an_interrupted_send_is_made_again(line):
    line.sock.error = errno.EINTR
    line.connection.send(request(1, {}))
    assert line.peer.read_message().id == 1


def test_the_handler_learns_that_a_long_buffer_became_short(narrow):
    for _ in range(3):
        narrow.connection.send(b"\0" * MIB)
    in_hub(narrow.connection.flush)
    assert narrow.handler.drained == 0
    narrow.peer.read(narrow.filled + 3 * MIB)
    until(lambda: narrow.handler.drained)
    assert narrow.connection.outgoing_size <= MIB


def test_it_learns_so_also_where_the_kernel_took_all_at_once(line):
    # Who stopped because the buffer was long goes on only when told.
    line.sock.swallows = True
    for _ in range(9):
        line.connection.send(b"\0" * MIB)
    assert line.connection.is_congested
    until(lambda: line.handler.drained)
    assert line.connection.outgoing_size == 0


# -- what has left

def ask(line, timeout):
    return line.connection.request(b"{}", (b"question",), monotonic() + timeout, timeout)


def test_a_request_that_did_not_leave_in_time_is_taken_back(narrow):
    with pytest.raises(ResponseTimeoutError) as caught:
        ask(narrow, 0.02)
    assert caught.value.outcome == NOT_SENT
    narrow.connection.send(request(5, {"type": "behind"}))
    narrow.peer.read(narrow.filled)
    assert narrow.peer.read_message().head == {"type": "behind"}


def test_a_request_that_left_wholly_or_partly_has_an_unknown_outcome(line):
    with pytest.raises(ResponseTimeoutError) as caught:
        ask(line, 0.02)
    assert caught.value.outcome == UNKNOWN
    line.peer.read_message()

    class HalfBlocked(object):
        taken = 0

        def __call__(self, data):
            if self.taken:
                raise socket.error(errno.EAGAIN, "would block")
            self.taken = line.sock._sock.send(data[:10])
            return self.taken

    line.connection._sender._send = HalfBlocked()
    with pytest.raises(ResponseTimeoutError) as caught:
        ask(line, 0.02)
    assert caught.value.outcome == UNKNOWN


def outcome_of(greenlet):
    greenlet.join(timeout=10)
    assert isinstance(greenlet.exception, ConnectionClosedError)
    return greenlet.exception.outcome


def asking(line):
    """A greenlet that has sent a request and waits."""
    def run():
        ask(line, 20)

    greenlet = gevent.Greenlet(run)
    greenlet.start()
    gevent.sleep(0)
    return greenlet


@pytest.fixture
def quiet(monkeypatch):
    """Greenlets whose exception is what the test wants do not have it printed."""
    hub = gevent.get_hub()
    monkeypatch.setattr(type(hub), "NOT_ERROR", hub.NOT_ERROR + (ConnectionClosedError,))


def test_when_the_connection_goes_each_call_knows_whether_it_had_left(narrow, quiet):
    unsent = [asking(narrow) for _ in range(3)]
    narrow.connection.close()
    assert [outcome_of(greenlet) for greenlet in unsent] == [NOT_SENT] * 3


def test_what_the_peer_can_have_seen_is_unknown_when_it_goes(line, quiet):
    sent = asking(line)
    line.peer.read_message()
    line.peer.close()
    assert outcome_of(sent) == UNKNOWN


def test_a_call_that_was_not_flushed_when_the_connection_closed_was_not_sent(line, quiet):
    greenlet = gevent.spawn(ask, line, 20)
    greenlet.rawlink(lambda _: None)

    def send_and_close():
        greenlet.switch()  # the request is in the buffer now
        line.connection.close()

    gevent.get_hub().loop.run_callback(send_and_close)
    # Started by the switch: what spawn scheduled finds it done.
    assert outcome_of(greenlet) == NOT_SENT


def test_tracked_frames_come_back_where_the_kernel_did_not_take_them(narrow):
    connection = narrow.connection
    for number in range(5):
        connection.send_tracked(request(number, {}), number)
    assert connection.unsent() == [0, 1, 2, 3, 4]
    narrow.peer.read(narrow.filled)
    narrow.requests(5)
    assert connection.unsent() == []
    narrow.filled = narrow.block()
    for number in range(5, 8):
        connection.send_tracked(request(number, {}), number)
    connection.close()
    assert connection.unsent() == [5, 6, 7]


def test_a_tracked_frame_that_left_partly_comes_back(line):
    line.sock.most = 10
    line.connection.send_tracked(request(1, {}), "one")
    line.connection.send_tracked(request(2, {}), "two")

    taken = line.connection._sender._send

    def once(data):
        line.connection._sender._send = fail
        return taken(data)

    def fail(data):
        raise socket.error(errno.EAGAIN, "would block")

    line.connection._sender._send = once
    in_hub(line.connection.flush)
    assert line.connection.unsent() == ["one", "two"]


def test_a_tracked_frame_for_a_closed_connection_comes_back(line):
    line.connection.send_tracked(request(1, {}), "before")
    line.peer.read_message()
    line.connection.close()
    line.connection.send_tracked(request(2, {}), "after")
    assert line.connection.unsent() == ["after"]


def test_sent_tracked_frames_are_forgotten(line):
    for number in range(1000):
        line.connection.send_tracked(request(number, {}), number)
        in_hub(line.connection.flush)
    assert len(line.connection._sender._tracked) <= 2


# -- waiting until all is sent

def test_wait_until_sent_returns_when_the_kernel_has_all(narrow):
    greenlet = gevent.spawn(narrow.connection.wait_until_sent, monotonic() + 20)
    gevent.sleep(0)
    assert not greenlet.dead
    narrow.peer.read(narrow.filled)
    greenlet.join(timeout=10)
    assert greenlet.dead and narrow.connection.outgoing_size == 0


def test_wait_until_sent_returns_when_the_connection_goes_or_its_time_is_over(narrow):
    narrow.connection.wait_until_sent(monotonic() + 0.01)
    greenlet = gevent.spawn(narrow.connection.wait_until_sent, None)
    gevent.sleep(0)
    narrow.connection.close()
    greenlet.join(timeout=10)
    assert greenlet.dead
    narrow.connection.wait_until_sent(None)


def test_a_peer_that_answers_and_goes_is_read_before_a_send_fails(line, quiet):
    greenlet = asking(line)
    message = line.peer.read_message()
    line.connection._reader.stop()
    line.peer.send(response(message.id, {}, b"answer"))
    line.sock.error = errno.ECONNRESET
    line.connection.send(request(1, {}))
    greenlet.join(timeout=10)
    assert greenlet.exception is None
    until(lambda: line.handler.errors)
    assert "broke" in str(line.handler.errors[0])


# -- what must not be lost, nor stop

def test_what_a_broken_line_still_brought_is_handed_on(line, monkeypatch):
    monkeypatch.setattr(pace.Pace, "is_early", lambda self: True)
    line.handler._on_request = lambda connection, frame: connection.respond(frame, b"{}")
    line.sock.error = errno.EPIPE  # of the first early send
    line.peer.send(b"".join(numbered(100)))
    until(lambda: line.handler.errors)
    assert [one.id for one in line.handler.requests] == list(range(100))


def test_a_leader_is_read_on_whatever_waits_to_be_sent_to_it(narrow):
    connection = narrow.connection
    while connection.outgoing_size <= sender_module.MAX_OUTGOING:
        connection.send(b"x" * MIB)
    before = connection.outgoing_size
    narrow.peer.send(request(1, {}) + request(2, {}))
    for one in narrow.handler.wait_for(2):
        connection.reply(one, b"{}")
    assert connection.outgoing_size == before
    connection.reply(narrow.handler.requests[0], b"{}", may_drop=False)
    assert connection.outgoing_size > before
    assert not connection.is_paused
    narrow.peer.send(request(3, {}))
    assert narrow.handler.wait_for(3)[2].id == 3


def test_a_line_is_read_again_when_what_made_its_buffer_long_is_taken_back(narrow):
    connection = narrow.connection
    callers = [gevent.spawn(connection.request, b"{}", (b"x" * MIB,), monotonic() + 0.05, 1)
               for _ in range(9)]
    gevent.sleep(0)
    narrow.peer.send(request(1, {}))
    connection.respond(narrow.handler.wait_for(1)[0], b"{}")
    assert connection.is_paused
    gevent.joinall(callers)
    assert all(caller.exception.outcome == NOT_SENT for caller in callers)
    assert not connection.is_paused
    narrow.peer.send(request(2, {}))
    assert narrow.handler.wait_for(2)[1].id == 2
