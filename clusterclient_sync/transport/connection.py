"""One socket that carries frames both ways.

A :class:`Connection` owns its socket and its two watchers.  It reads in the hub: one ``recv`` takes
what is there, one pass decodes the frames in it.  Answers are switched straight into the greenlets
that wait for them; requests go to the connection's ``handler``, whose methods run in the hub and
must not block:

``on_request(connection, frame)``
    the peer sent a request.
``on_closed(connection, error)``
    once, whatever the cause; before those who wait for answers learn of it.
``on_drained(connection)``
    the outgoing buffer has become short again.

What is sent within one turn of the loop leaves in one ``send``.  The buffer of what waits is
bounded by those who send: they wait in line for room (:meth:`Connection.wait_for_room`).

In a forked child nothing of this touches the descriptor: each callback compares the pid first.
"""

from __future__ import absolute_import, division, print_function

import errno
import logging
import socket

from gevent import get_hub

from .. import own_process
from .._compat import monotonic
from ..exceptions import (
    NOT_SENT, UNKNOWN, ConnectionClosedError, ProtocolError, ResponseTimeoutError)
from ..protocol import frames
from ..protocol.decoder import FrameDecoder
from . import fork_guard, sockets
from .pace import FIRST, MOST, Pace
from .pending import Expectation, PendingRequest
from .sender import MAX_OUTGOING, WOULD_BLOCK, Sender

_log = logging.getLogger(__name__)

_REQUEST = frames.REQUEST
_HEADER_SIZE = frames.HEADER_SIZE
_NO_REASON = frozenset()  # one for all: on some Pythons each empty one is large
#: a reason to pause
UNREAD_ANSWERS = "unread answers"

_READ_SIZE = 64 * 1024
_BIG_READ_SIZE = 1024 * 1024
#: After so many frames others get their turn.
_FRAMES_PER_TURN = 512


class Connection(object):
    """See the module.

    :param sock: a connected socket as ``sockets`` makes it; becomes the connection's own.
    :param handler: see the module; may be changed at any time.
    :param deadlines: where the deadlines of its requests are kept.
    :param max_frame_size: bytes that are taken from the peer in one frame.
    """

    __slots__ = ("handler", "is_closed", "error", "on_released", "last_read", "decoder", "send",
                 "is_paused", "_hub", "_loop", "_process", "_sock", "_recv", "_reader", "_sender",
                 "_deadlines", "_pending", "_last_id", "_pace", "_is_dispatching", "_is_reading",
                 "_pauses", "_breaking", "_read_size", "__weakref__")

    def __init__(self, sock, handler, deadlines, max_frame_size):
        self.handler = handler
        self.is_closed = False
        self.error = None
        #: called with the connection, once, when its socket is closed
        self.on_released = None
        self.last_read = monotonic()
        self.decoder = FrameDecoder(max_frame_size)
        self._hub = get_hub()
        self._loop = self._hub.loop
        self._process = own_process.mark()
        self._sock = sock
        self._recv = sock.recv
        self._read_size = _READ_SIZE
        self._reader = self._loop.io(sock.fileno(), 1)
        self._sender = sender = Sender(self, sock, self._hub, deadlines)
        self.send = sender.send  # see there
        self._deadlines = deadlines
        self._pending = {}
        self._last_id = 0
        self._pace = Pace()
        self._is_dispatching = False
        self._breaking = None  # the error with which the socket broke meanwhile
        self._is_reading = True
        #: whether reading is paused, see :meth:`pause`
        self.is_paused = False
        self._pauses = _NO_REASON
        fork_guard.watch_over(self)
        self._reader.start(self._on_readable)

    # Sending ------------------------------------------------------------------------------

    @property
    def outgoing_size(self):
        """Bytes that wait to be sent."""
        return self._sender.size

    @property
    def is_congested(self):
        """Whether who wants to send should :meth:`wait_for_room`."""
        sender = self._sender
        return sender.buffer.size > MAX_OUTGOING or bool(sender.room.waits)

    # Of its sender, see there.

    def send_tracked(self, frame, item):
        """Send a frame; :meth:`unsent` gives ``item`` if the kernel never took it."""
        self._sender.send_tracked(frame, item)

    def unsent(self):
        """The items of :meth:`send_tracked` that did not wholly leave, in order."""
        return self._sender.unsent()

    def flush(self):
        """Send what waits, as far as the kernel takes it."""
        self._sender.flush()

    def wait_for_room(self, when):
        """Return once the buffer has room."""
        self._sender.wait_for_room(when)

    def wait_until_sent(self, when):
        """Return once the kernel has all that was sent, the connection is gone, or at ``when``."""
        self._sender.wait_until_sent(when)

    # Requests -----------------------------------------------------------------------------

    def next_id(self):
        """An id for a request of this side."""
        self._last_id = id = self._last_id % frames.MAX_ID + 1
        return id

    def respond(self, request, head, parts=()):
        """Answer a request of the peer."""
        self.answer(frames.encode(frames.RESPONSE, request.id, request.timeout_ms, head, parts))

    def reply(self, request, head, parts=(), may_drop=True):
        """Answer a leader, which is read on whatever waits to be sent to it.  The answer is left
        out where that is much, if it ``may_drop``.
        """
        if not (may_drop and self._sender.buffer.size > MAX_OUTGOING):
            self.send(frames.encode(frames.RESPONSE, request.id, request.timeout_ms, head, parts))

    def answer(self, frame):
        """Send an encoded answer.  A peer that does not read its answers is not read either."""
        self.send(frame)
        if self._sender.buffer.size > MAX_OUTGOING:
            self.pause(UNREAD_ANSWERS)

    def notify(self, head, parts=(), timeout_ms=0):
        """Send a request whose answer nobody waits for."""
        self.send(frames.encode(frames.REQUEST, self.next_id(), timeout_ms, head, parts))

    def expect(self, id, function):
        """Have ``function(frame)`` called in the hub when the answer with this id comes, if ever.
        """
        self._pending[id] = Expectation(function)

    def request(self, head, parts, when, timeout, limit=None):
        """Send a request and wait for its answer.

        :param when: the deadline, monotonic seconds.
        :param timeout: the same as it goes into the header, in seconds.
        :param limit: bytes that the peer takes in one frame, where that is known.
        :return: the answer's frame.
        :raises FrameTooLargeError: the peer would not take it; nothing is sent.
        :raises ResponseTimeoutError: no answer until then.
        :raises ConnectionClosedError: the connection is or was closed; ``outcome`` tells whether
            the request can have reached the peer.
        """
        if self.is_closed:
            raise self._closed_error(NOT_SENT)
        id = self.next_id()
        frame = frames.encode(_REQUEST, id, frames.milliseconds(timeout), head, parts)
        if limit is not None and len(frame) - _HEADER_SIZE > limit:
            raise frames.too_large(len(frame) - _HEADER_SIZE, limit)
        number = self.send(frame)
        pending = self._pending[id] = PendingRequest(self, number)
        self._deadlines.add(pending, when)
        try:
            pending.block(self._hub)
        finally:
            pending.done = True
            self._deadlines.discard(pending)
            if id in self._pending:  # who answered it has taken it out
                del self._pending[id]
        if pending.error is None:
            return pending.value
        if isinstance(pending.error, ConnectionClosedError):
            raise pending.error
        outcome = NOT_SENT if self._sender.withdraw(number) else UNKNOWN
        raise ResponseTimeoutError("no answer came", outcome=outcome)

    def on_broken(self, error):
        """The socket broke while sending (of the sender)."""
        if self._is_dispatching:
            self._breaking = error  # when that is done
            return
        self.read_what_is_there()  # what the peer said before it went away counts
        self.close(self._broken(error))

    def on_drained(self):
        """The outgoing buffer has become short (of the sender)."""
        self.resume(UNREAD_ANSWERS)
        self.handler.on_drained(self)

    # Reading ------------------------------------------------------------------------------

    def silent_for(self):
        """Seconds since the peer said something."""
        return monotonic() - self.last_read

    def _on_readable(self):
        if not self.is_foreign() and self._receive():
            self._dispatch()

    def _receive(self):
        """One ``recv`` into the decoder; whether anything came."""
        try:
            data = self._recv(self._read_size)
        except socket.error as error:
            if error.errno not in WOULD_BLOCK and error.errno != errno.EINTR:
                self.close(self._broken(error))
            return False
        if not data:
            self.close(ConnectionClosedError("the peer closed the connection"))
            return False
        self.last_read = monotonic()
        self.decoder.feed(data)
        # More at once only of who sends much: in place of what does not come stays a mapping.
        if len(data) == self._read_size and self.decoder.missing > self._read_size:
            self._read_size = min(2 * self._read_size, _BIG_READ_SIZE)
        elif self._read_size != _READ_SIZE:
            self._read_size = _READ_SIZE
        return True

    def _dispatch(self):
        """Hand on the frames that are there, up to a budget; whether that was enough."""
        self._is_dispatching = True
        self._sender.cork()
        next_frame, take_pending = self.decoder.next_frame, self._pending.pop
        count = 0
        send_at = FIRST
        try:
            while not (self.is_closed or self.is_paused):
                if count == _FRAMES_PER_TURN:
                    self._stop_reading()
                    self._loop.run_callback(self._go_on_reading)
                    break
                frame = next_frame()
                if frame is None:
                    break
                count += 1
                if frame.is_response:
                    pending = take_pending(frame.id, None)
                    if pending is not None:
                        pending.resolve_in_hub(frame)
                    else:
                        _log.debug("%r came after nobody waited for it any more", frame)
                else:
                    self.handler.on_request(self, frame)
                if count == send_at:
                    if count == FIRST and not self._pace.is_early():
                        send_at = None
                    else:
                        self._sender.flush()
                        send_at += min(send_at, MOST)
        except ProtocolError as error:
            self.close(error)
        except Exception:
            _log.exception("A frame could not be handled; its connection is closed")
            self.close(ConnectionClosedError("a frame could not be handled"))
        finally:
            self._is_dispatching = False
            self._sender.uncork()
        if self._breaking is not None and not self.is_closed:
            error, self._breaking = self._breaking, None
            self.on_broken(error)
        if count >= FIRST:
            self._pace.end(count)
        else:
            self._pace.frames += count
        return count < _FRAMES_PER_TURN

    def read_what_is_there(self):
        """Read and hand on all that the kernel holds for this socket now.  In the hub only."""
        if self._is_dispatching:
            return  # the dispatch that runs goes on with what is there
        budget = 1024
        while budget and not (self.is_closed or self.is_paused or self.is_foreign()):
            budget -= 1
            if not self._dispatch():
                continue  # the decoder holds more frames than one turn takes
            if self.is_closed or self.is_paused or not self._receive():
                return

    def _stop_reading(self):
        if self._is_reading:
            self._is_reading = False
            self._reader.stop()

    def _go_on_reading(self):
        if self.is_closed or self.is_paused or self.is_foreign():
            return
        if not self._is_reading:
            self._is_reading = True
            self._reader.start(self._on_readable)
        self._dispatch()

    def pause(self, reason):
        """Read no further until :meth:`resume` was called for this, and every other, reason."""
        if not self.is_closed:
            self._pauses |= {reason}
            self.is_paused = True
            self._stop_reading()

    def resume(self, reason):
        """A reason not to read is gone."""
        if reason in self._pauses:
            self._pauses -= {reason}
            if not self._pauses:
                self._pauses = _NO_REASON
                self.is_paused = False
                self.last_read = monotonic()  # it was not the peer that was silent
                self._loop.run_callback(self._go_on_reading)

    # Ending -------------------------------------------------------------------------------

    def close(self, error=None):
        """Close the socket; those who wait for answers get an error.  Safe to call again.

        :param error: why; :class:`ConnectionClosedError` of this side where omitted.
        """
        if self.is_closed:
            return
        self.is_closed = True
        self.error = error or ConnectionClosedError("the connection was closed on this side")
        self._release()
        self.handler.on_closed(self, self.error)
        self.fail_requests()
        self._sender.end_waits()

    def fail_requests(self):
        """End the waits for answers and for room, with what is known of each."""
        waits = list(self._pending.values())
        self._pending.clear()
        for pending in waits:
            if self.is_closed:
                is_sent = self._sender.has_sent(pending.number)
            else:  # what is told not to be sent must not leave later
                is_sent = not self._sender.withdraw(pending.number)
            outcome = UNKNOWN if is_sent else NOT_SENT
            pending.resolve(error=self._closed_error(outcome))
        self._sender.refuse_room(lambda: self._closed_error(NOT_SENT))

    def abandon(self):
        """In a forked child: let go of the parent's socket without a word to the peer."""
        if self.is_closed:
            return
        self.is_closed = True
        self.error = ConnectionClosedError("the connection belongs to the parent of this process")
        self._release()
        self._pending.clear()

    def _release(self):
        self._reader.stop()
        self._reader.close()
        self._sender.stop()
        fork_guard.forget(self)
        self._recv = None
        self._sock.close()
        if self.on_released is not None:
            self.on_released(self)

    def cut(self):
        """Shut the socket down; from any thread.  The loop finds out when it runs."""
        sockets.shut_down(self._sock)

    def is_foreign(self):
        """Whether this is a forked child; then the connection is abandoned."""
        if own_process.here[0] == self._process:
            return False
        self.abandon()
        return True

    @staticmethod
    def _broken(error):
        return ConnectionClosedError("the connection broke: %s" % (error,))

    def _closed_error(self, outcome):
        return ConnectionClosedError(
            "%s" % (self.error or "the connection is being closed",), outcome=outcome)
