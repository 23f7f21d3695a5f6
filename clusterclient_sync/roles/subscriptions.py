"""What a client has subscribed, whatever its role is: keys, listeners, last values.

Each listener has a queue of its own and is called by a worker, one value after the other: one that
blocks or is slow delays only itself.  Values wait encoded, and each listener gets a decoded value
of its own.  A queue that is full skips to the newest value; where each value goes to one listener,
nothing is skipped, and a value waits until a listener has room.
"""

from __future__ import absolute_import, division, print_function

import random
from collections import deque

import six
from gevent import Timeout

from .._compat import monotonic
from ..exceptions import SubscribeTimeoutError
from ..protocol import keys


class SubscriptionTable(object):
    """All subscriptions of one client.

    :param on_error: called as ``on_error(exception)``; the client emits it.
    :param call: calls a listener: ``call(listener, value)``, in a worker.
    """

    def __init__(self, options, pool, deadlines, on_error, call, choose=random.choice):
        self.options = options
        self.pool = pool
        self.on_error = on_error
        self.call = call
        self.choose = choose
        #: called when a listener has room again, where each value goes to one listener
        self.on_room = None
        self._format_key = options.format_key or keys.format_key
        self._deadlines = deadlines
        self._entries = {}  # key -> Entry

    def entries(self):
        """All entries, oldest first."""
        return sorted(self._entries.values(), key=lambda entry: entry.number)

    def add(self, registration, listener):
        """Register a listener.

        :return: the :class:`Entry` where it is new: it is to be subscribed at the role.
        :raises TranscodeError: the registration cannot be sent.
        """
        formatted, text = self._formatted(registration)
        key = keys.WIRE_PREFIX + formatted
        entry = self._entries.get(key)
        is_new = entry is None
        if is_new:
            entry = self._entries[key] = Entry(self, key, formatted, text)
        entry.add(listener)
        return entry if is_new else None

    def remove(self, registration, listener=None):
        """Remove a listener, all of its registrations; without one, all listeners of this key.

        :return: the :class:`Entry` where no listener is left: it is to be unsubscribed.
        """
        formatted, _ = self._formatted(registration)
        entry = self._entries.get(keys.WIRE_PREFIX + formatted)
        if entry is None or not entry.remove(listener):
            return None
        del self._entries[entry.key]
        entry.end()
        return entry

    def listeners(self):
        """``(registration, listener)`` of each, in the order of their registrations."""
        return [(entry.registration, listener)
                for entry in self.entries() for listener in entry.listeners()]

    def _formatted(self, registration):
        text = keys.format_key(registration)
        if self._format_key is keys.format_key:
            return text, text
        return six.ensure_text(self._format_key(registration)), text

    def clear(self):
        """The client is closed."""
        entries, self._entries = self._entries, {}
        for entry in entries.values():
            entry.remove(None)
            entry.end()

    # For the role ---------------------------------------------------------------------------

    def deliver(self, key, data, transcode, epoch, on_taken=None):
        """A value came, encoded; its epoch is ``None`` under a Node leader.

        :param on_taken: called when it is in a listener's queue.
        :return: whether it was taken: not where it is of an older epoch than the last one.
        """
        entry = self._entries.get(key)
        return entry is not None and entry.deliver(
            _Item(data, transcode, epoch, on_taken))

    def fail(self, key, error):
        """The subscription of a key failed at the real client."""
        entry = self._entries.get(key)
        if entry is not None:
            self.options.logger.warning("The subscription of %s failed: %r", entry.formatted, error)
            self.on_error(error)

    def has_room(self, key):
        """Whether a listener of this key has room."""
        entry = self._entries.get(key)
        return entry is not None and entry.has_room()


class Entry(object):
    """One registration and its listeners.

    ``registration`` is what the real client gets: the canonical JSON, read back, so that it is the
    same in every role.
    """

    _count = 0

    def __init__(self, table, key, formatted, text):
        Entry._count += 1
        self.number = Entry._count
        self.key = key
        self.formatted = formatted
        self.text = text
        self.registration = keys.read(text)
        self.last = None
        self.slot = None
        self._table = table
        self._queues = []
        self._waiting = deque()
        self._asked_at = monotonic()
        if table.options.subscribe_timeout is not None:
            table._deadlines.add(self, self._asked_at + table.options.subscribe_timeout)

    def add(self, listener):
        """A listener more; it gets the last value at the next turn of the loop."""
        queue = _ListenerQueue(self, listener)
        self._queues.append(queue)
        if self.last is not None and self._table.options.is_broadcast:
            queue.put(self.last)
        self.room()

    def remove(self, listener):
        """Whether no listener is left after this one (or, with ``None``, any) went."""
        for queue in list(self._queues):
            if listener is None or queue.listener == listener:
                queue.is_removed = True
                self._queues.remove(queue)
                if not self._table.options.is_broadcast:  # to another listener
                    self._waiting.extendleft(reversed(queue.items))
        if not self._queues:
            return True
        self.room()
        return False

    def deliver(self, item):
        last = self.last
        if (last is not None and last.epoch is not None and item.epoch is not None
                and item.epoch < last.epoch):
            return False
        self.end()
        if self._table.options.is_broadcast:
            self.last = item
            for queue in list(self._queues):
                queue.put(item)
            item.taken()
        else:
            self.last = item
            self._waiting.append(item)
            self.room()
        return True

    def has_room(self):
        """Whether a value for one listener could be given to one now."""
        return not self._waiting and any(queue.has_room for queue in self._queues)

    def room(self):
        """Where each value goes to one listener: give waiting ones to those that have room."""
        while self._waiting:
            free = [queue for queue in self._queues if queue.has_room]
            if not free:
                return
            item = self._waiting.popleft()
            self._table.choose(free).put(item)
            item.taken()

    def taken(self):
        """A listener has taken a value."""
        if self._table.options.is_broadcast:
            return
        self.room()
        if self._table.on_room is not None:
            self._table.on_room()

    def end(self):
        """No first value is waited for any more."""
        self._table._deadlines.discard(self)

    def expire(self):
        """No first value came in time."""
        timeout = self._table.options.subscribe_timeout
        self._table.on_error(SubscribeTimeoutError(
            "no value of the subscription %s came within %s s" % (self.formatted, timeout),
            registration=self.registration, timeout=timeout))

    def tell(self, listener, value):
        """Call a listener."""
        self._table.call(listener, value)

    def listeners(self):
        """Those that are registered, one that is so twice twice."""
        return [queue.listener for queue in self._queues]

    def listener_failed(self, listener, error):
        self._table.options.logger.error(
            "The listener %r of %s raised", listener, self.formatted, exc_info=True)
        self._table.on_error(error)


class _Item(object):
    """An encoded value."""

    __slots__ = ("data", "transcode", "epoch", "_on_taken")

    def __init__(self, data, transcode, epoch, on_taken=None):
        self.data = data
        self.transcode = transcode
        self.epoch = epoch
        self._on_taken = on_taken

    def taken(self):
        """It is in a listener's queue."""
        on_taken, self._on_taken = self._on_taken, None
        if on_taken is not None:
            on_taken()


class _ListenerQueue(object):
    """The values that wait for one registration of a listener."""

    __slots__ = ("entry", "listener", "items", "is_running", "is_removed")

    def __init__(self, entry, listener):
        self.entry = entry
        self.listener = listener
        self.items = deque()
        self.is_running = False
        self.is_removed = False

    @property
    def has_room(self):
        return len(self.items) < self.entry._table.options.max_queued_values

    def put(self, item):
        self.items.append(item)
        options = self.entry._table.options
        if len(self.items) > options.max_queued_values:
            self.items.clear()
            self.items.append(item)
            options.logger.warning("A listener of %s is slow: it skips to the newest value",
                         self.entry.formatted)
        if not self.is_running:
            self._start()

    def _run(self):
        try:
            while self.items and not self.is_removed:
                item = self.items.popleft()
                self.entry.taken()
                self._tell(item)
        finally:
            self.is_running = False
            if self.items and not self.is_removed:  # the listener ended its greenlet
                self._start()

    def _start(self):
        self.is_running = True
        self.entry._table.pool.run(self._run)

    def _tell(self, item):
        try:
            self.entry.tell(self.listener, item.transcode.decode(item.data))
        except (Exception, Timeout) as error:  # gevent's Timeout is no Exception
            self.entry.listener_failed(self.listener, error)
