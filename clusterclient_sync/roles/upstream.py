"""The subscriptions of the real client: one per registration, however many subscribers.

A subscriber is a follower's session or this process's own client.  It has ``push(key, value)``,
``push_error(key, dumped)``, ``has_room(key)`` and ``transcode``; ``key`` is the one that it
subscribed under.  Pushes happen in the greenlet or worker in which the real client told the value.

Subscribing and unsubscribing one key happen at the real client in the order of their coming, in a
lane of that key, since both may block.  Each time that the last subscriber goes the subscription
ends; a later one is a new one, and values that the old one still tells are dropped.
"""

from __future__ import absolute_import, division, print_function

import random

from gevent import Timeout
from gevent.event import Event

from .._compat import native_sleep
from ..exceptions import TranscodeError
from ..greenlets.workers import Lane
from ..method_spec import SUBSCRIBE, UNSUBSCRIBE
from ..protocol import frames, messages
from .invocation import dump


#: How often (seconds) a thread of the real client's looks whether there is room.
_LOOK_INTERVAL = 0.01


class Value(object):
    """A value of a subscription: encoded once per transcode, framed once per key and transcode."""

    __slots__ = ("epoch", "_source", "_encoded", "_frames")

    def __init__(self, value, transcode, epoch):
        self.epoch = epoch
        self._source = transcode
        self._encoded = {transcode.name: transcode.encode(value)}
        self._frames = {}

    def encoded(self, transcode):
        """The value as bytes of this transcode."""
        data = self._encoded.get(transcode.name)
        if data is None:
            value = self._source.decode(self._encoded[self._source.name])
            data = self._encoded[transcode.name] = transcode.encode(value)
        return data

    def frame(self, key, transcode, tells_epoch, make_id, timeout_ms):
        """A whole frame for a follower; the same bytes for all that are alike."""
        identity = (key, transcode.name, tells_epoch)
        frame = self._frames.get(identity)
        if frame is None:
            head = messages.subscribe_result(key, self.epoch if tells_epoch else None)
            frame = self._frames[identity] = frames.encode(
                frames.REQUEST, make_id(), timeout_ms, head, (self.encoded(transcode),))
        return frame


class UpstreamTable(object):
    """All subscriptions of one real client.

    :param epoch: a function that gives the epoch that values belong to.
    :param on_error: called as ``on_error(exception)`` for what fails at the real client.
    """

    def __init__(self, host, transcode, epoch, on_error, choose=random.choice):
        self.host = host
        self.transcode = transcode
        self.epoch = epoch
        self.on_error = on_error
        self.choose = choose
        self.is_broadcast = host.options.is_broadcast
        self._upstreams = {}
        self._lanes = {}

    def add(self, formatted, registration, subscriber, key):
        """A subscriber wants the values of a registration under ``key``.  It is told the last one.
        """
        upstream = self._upstreams.get(formatted)
        if upstream is None or upstream.has_failed:
            old = upstream.subscribers if upstream is not None else {}
            upstream = self._upstreams[formatted] = Upstream(self, registration)
            upstream.subscribers.update(old)
            upstream.subscribers[subscriber, key] = True
            self._in_order(formatted, upstream.subscribe)
            return
        upstream.subscribers[subscriber, key] = True
        if upstream.last is not None and self.is_broadcast:
            upstream.push_to(subscriber, key, upstream.last)
        elif upstream.waiting:
            upstream.go_on()

    def remove(self, formatted, subscriber, key):
        """A subscriber wants no more; the last one ends the subscription."""
        upstream = self._upstreams.get(formatted)
        if upstream is None or upstream.subscribers.pop((subscriber, key), None) is None:
            return
        if not upstream.subscribers:
            del self._upstreams[formatted]
            upstream.is_over = True
            self._in_order(formatted, upstream.unsubscribe)

    def remove_all(self, subscriber):
        """A subscriber is gone."""
        for formatted, upstream in list(self._upstreams.items()):
            for other, key in list(upstream.subscribers):
                if other is subscriber:
                    self.remove(formatted, subscriber, key)

    def room(self):
        """A subscriber has room again: where each value goes to one, waiting ones go on."""
        for upstream in list(self._upstreams.values()):
            if upstream.waiting:
                upstream.go_on()

    def _in_order(self, formatted, job):
        lane = self._lanes.get(formatted)
        if lane is None:
            lane = self._lanes[formatted] = Lane(
                self.host.pool, on_idle=lambda: self._lanes.pop(formatted, None))
        lane.submit(job)


class Upstream(object):
    """One subscription at the real client."""

    def __init__(self, table, registration):
        self.registration = registration
        self.subscribers = {}  # (subscriber, key) -> True
        self.last = None
        self.waiting = []  # where each value goes to one: those for which nobody had room
        self.has_failed = False
        self.is_over = False
        self._table = table
        self._log = table.host.options.logger
        self._told = 0
        self._pushed = 0
        self._has_room = Event()
        # One object per subscription: the real client gets the very same when it ends.
        self.listener = self._listen

    def subscribe(self):
        """Subscribe at the real client; in the key's lane."""
        host = self._table.host
        if host.is_closed:
            return
        try:
            host.call(host.method_for(SUBSCRIBE), self.registration, self.listener)
        except (Exception, Timeout) as error:  # gevent's Timeout is no Exception
            self.has_failed = True
            self._fail(error)

    def unsubscribe(self):
        """End it at the real client, where that can."""
        host = self._table.host
        method = None if host.is_closed else host.method_for(UNSUBSCRIBE)
        if method is None or self.has_failed:
            return
        try:
            host.call(method, self.registration, self.listener)
        except (Exception, Timeout) as error:
            self._log.warning("The real client could not unsubscribe %r: %r",
                              self.registration, error)
            self._table.on_error(error)

    def _listen(self, value=None):
        """The real client tells a value, in whatever greenlet or thread."""
        host = self._table.host
        if self.is_over or host.is_closed:
            return
        self._told += 1
        number = self._told
        if host.is_in_hub():  # where no transcode of the user's may run
            host.hand_in(lambda: self._take(number, value))
        else:
            self._take(number, value)
            self._hold_back()

    def _take(self, number, value):
        table = self._table
        try:
            encoded = Value(value, table.transcode, table.epoch())
        except TranscodeError as error:
            failure = error
            table.host.hand_in(lambda: self._fail(failure))
        else:
            table.host.hand_in(lambda: self._push(number, encoded))

    def _hold_back(self):
        """Where each value goes to one and nobody has room, the real client's greenlet (or thread)
        waits.
        """
        host = self._table.host
        while self._is_full and not (self.is_over or host.is_closed):
            if host.may_block_here():
                self._has_room.clear()
                self._has_room.wait(1)
            else:
                native_sleep(_LOOK_INTERVAL)

    @property
    def _is_full(self):
        return len(self.waiting) > self._table.host.options.max_queued_values

    def _push(self, number, value):
        if self.is_over:
            return
        if self._table.is_broadcast:
            # A transcode of the user's may have let a newer value overtake this one.
            if number < self._pushed:
                return
            self._pushed = number
            self.last = value
            for subscriber, key in list(self.subscribers):
                self.push_to(subscriber, key, value)
        else:
            self.waiting.append(value)
            self.go_on()

    def go_on(self):
        """Give each waiting value to one subscriber that has room."""
        while self.waiting:
            free = [pair for pair in self.subscribers if pair[0].has_room(pair[1])]
            if not free:
                if self._is_full:
                    self._log.warning("No listener of %r has room: %d values wait",
                                 self.registration, len(self.waiting))
                return
            subscriber, key = self._table.choose(free)
            self.push_to(subscriber, key, self.waiting.pop(0))
            if not self._is_full:
                self._has_room.set()

    def push_to(self, subscriber, key, value):
        """Give a subscriber a value, or the error where that cannot be sent to it."""
        try:
            subscriber.push(key, value)
        except TranscodeError as error:
            self._log.warning("A value of %r cannot be sent to a follower: %s",
                              self.registration, error)
            subscriber.push_error(key, dump(error, self._table.transcode))

    def _fail(self, error):
        self._log.warning("The subscription of %r failed: %r", self.registration, error)
        dumped = dump(error, self._table.transcode)
        for subscriber, key in list(self.subscribers):
            subscriber.push_error(key, dumped)
