"""The sending side of one socket.

Frames go into a buffer.  What is sent within one turn of the loop leaves in one ``send``: at the
end of the turn, or, while the connection hands on what it has just read (it is *corked* then), at
the end of that.  Who finds the buffer full may wait in line for room; a peer that does not read
holds up nobody else.
"""

from __future__ import absolute_import, division, print_function

import errno
import socket
from collections import deque

from ..exceptions import NOT_SENT, ResponseTimeoutError
from ..greenlets.line import WaitingLine
from .outgoing import OutgoingBuffer

#: Who adds to more than this (bytes) should wait.
MAX_OUTGOING = 8 * 1024 * 1024
_LOW_WATER = 1024 * 1024
WOULD_BLOCK = (errno.EAGAIN, errno.EWOULDBLOCK)


class Sender(object):
    """See the module.

    :param owner: the connection: ``is_foreign()`` tells (and acts on) a forked child,
        ``on_broken(error)`` is called when the socket breaks, and ``on_drained()`` when the buffer
        was long and has become short.
    """

    __slots__ = ("is_closed", "buffer", "_owner", "_hub", "_send", "_fileno", "_watcher",
                 "_tracked", "room", "_emptied", "_is_corked", "_is_flush_due", "_is_blocked")

    def __init__(self, owner, sock, hub, deadlines):
        self.is_closed = False
        self._owner = owner
        self._hub = hub
        self._send = sock.send
        self._fileno = sock.fileno()
        self._watcher = None  # made when the kernel takes no more for the first time
        self.buffer = OutgoingBuffer()
        self._tracked = None  # (number, item) of what the caller wants back if it is not sent
        self.room = WaitingLine(hub, deadlines)
        self._emptied = WaitingLine(hub, deadlines)  # waiting for an empty buffer
        self._is_corked = False
        self._is_flush_due = False
        self._is_blocked = False  # the kernel takes no more

    @property
    def size(self):
        """Bytes that wait to be sent."""
        return self.buffer.size

    def send(self, frame):
        """Put an encoded frame into the buffer, however full; dropped when closed.

        :return: the frame's number.
        """
        if self.is_closed:
            return 0
        if not (self._is_corked or self._is_flush_due or self._is_blocked):
            self._is_flush_due = True
            self._hub.loop.run_callback(self._flush_when_due)
        return self.buffer.add(frame)

    def send_tracked(self, frame, item):
        """Like :meth:`send`; :meth:`unsent` gives ``item`` if the kernel never took the frame."""
        # Where it is closed, a number that is never sent.
        number = self.send(frame) or self.buffer.added + 1
        if self._tracked is None:
            self._tracked = deque()
        tracked = self._tracked
        while tracked and self.has_sent(tracked[0][0]):
            tracked.popleft()
        tracked.append((number, item))

    def unsent(self):
        """The items of :meth:`send_tracked` that did not wholly leave, in order."""
        return [item for number, item in self._tracked or () if not self.has_sent(number)]

    def has_sent(self, number):
        """Whether the kernel has taken the whole frame of this number."""
        return number <= self.buffer.sent

    def withdraw(self, number):
        """Take a frame back; whether nothing of it was sent."""
        was_long = self.buffer.size > _LOW_WATER
        is_withdrawn = self.buffer.withdraw(number)
        if is_withdrawn and not self.is_closed:
            self._note_shorter(was_long)
        return is_withdrawn

    # Flushing -----------------------------------------------------------------------------

    def cork(self):
        """Keep what is sent until :meth:`uncork`."""
        self._is_corked = True

    def uncork(self):
        """Send what was kept."""
        self._is_corked = False
        if self.buffer.size and not self._is_blocked:
            self.flush()

    def _flush_when_due(self):
        self._is_flush_due = False
        self.flush()

    def flush(self):
        """Send what waits, as far as the kernel takes it."""
        buffer = self.buffer
        if self.is_closed or self._is_blocked or self._owner.is_foreign():
            return
        was_long = buffer.size > _LOW_WATER
        while buffer.size:
            try:
                buffer.consume(self._send(buffer.chunk()))
            except socket.error as error:
                if error.errno in WOULD_BLOCK:
                    self._is_blocked = True
                    self._wait_for_kernel()
                    break
                if error.errno != errno.EINTR:
                    # Before it closes, the owner reads on; nothing more is to be sent meanwhile.
                    self._is_blocked = True
                    self._owner.on_broken(error)
                    return
        self._note_shorter(was_long)

    def _note_shorter(self, was_long):
        """The buffer has become shorter."""
        size = self.buffer.size
        if self.room.waits and size <= _LOW_WATER:
            self._let_in()
        if self._emptied.waits and not size:
            self._emptied.release_all()
        if was_long and size <= _LOW_WATER:
            self._owner.on_drained()

    def _wait_for_kernel(self):
        if self._watcher is None:
            self._watcher = self._hub.loop.io(self._fileno, 2)
        self._watcher.start(self._on_writable)

    def _on_writable(self):
        if self._owner.is_foreign():
            return
        self._is_blocked = False
        self._watcher.stop()
        self.flush()

    # Waiting ------------------------------------------------------------------------------

    def wait_for_room(self, when):
        """Return once the buffer has room; first come, first served.

        :param when: monotonic seconds, or ``None``.
        :raises ResponseTimeoutError: not until then.
        :raises ConnectionClosedError: the connection went.
        """
        if self.buffer.size <= MAX_OUTGOING and not self.room.waits:
            return
        try:
            in_time = self.room.wait(when)
        finally:
            self._let_in()  # the next one, also where this one was killed
        if not in_time:
            raise ResponseTimeoutError(
                "the peer does not read: %d bytes wait to be sent to it" % self.size,
                outcome=NOT_SENT)

    def _let_in(self):
        """Let the first in line add to the buffer; it lets the next one in."""
        if self.room and self.buffer.size <= MAX_OUTGOING:
            self.room.release_first()

    def refuse_room(self, make_error):
        """End the waits for room."""
        self.room.release_all(make_error)

    def wait_until_sent(self, when):
        """Return once the kernel has all that was sent, the connection is gone, or at ``when``."""
        if self.is_closed or not self.buffer.size:
            return
        self._emptied.wait(when)

    # Ending -------------------------------------------------------------------------------

    def stop(self):
        """Send no more; what was not sent stays known to :meth:`has_sent` and :meth:`unsent`."""
        self.is_closed = True
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
        self._send = None
        self.buffer.clear()

    def end_waits(self):
        """Let go those who wait for an empty buffer."""
        self._emptied.release_all()
