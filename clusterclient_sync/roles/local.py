"""The role of a process that has the real client itself: a leader's own client, single mode.

What goes in and out passes through the transcode as it does for a follower: the caller owns what it
gets, and what cannot be sent to a leader cannot be given to this one either.
"""

from __future__ import absolute_import, division, print_function

import collections
import os

from ..exceptions import NOT_SENT, UNKNOWN, ConnectionClosedError, ResponseTimeoutError
from ..greenlets.line import WaitingLine
from ..greenlets.waits import DeadlinePassed, Wait
from ..greenlets.workers import Lane
from ..protocol import errors
from .call import LeaderLost
from .invocation import LocalInvocation

#: Publishes that wait at a real client which is slow to take them; who adds more waits.
_MAX_PUBLISHES = 10000


class LocalRole(object):
    """See the package for what a role offers, and ``upstream`` for a subscriber.

    :param host: the running :class:`~.host.Host`.
    :param upstreams: its :class:`~.upstream.UpstreamTable`.
    :param subscriptions: the client's own :class:`~.subscriptions.SubscriptionTable`.
    """

    is_leader = True

    def __init__(self, host, upstreams, subscriptions, deadlines):
        self.host = host
        self.transcode = upstreams.transcode
        self.leader_pid = os.getpid()
        self._upstreams = upstreams
        self._subscriptions = subscriptions
        self._deadlines = deadlines
        self._hub = host.pool.hub
        self._publishes = Lane(host.pool)
        self._unbegun = collections.OrderedDict()  # invocation -> call, where nobody waits for it
        self._waiting = {}  # wait -> its invocation, of calls in work
        self._room = WaitingLine(self._hub, deadlines)
        subscriptions.on_room = upstreams.room

    @property
    def epoch(self):
        """The epoch of this leadership; ``None`` in single mode."""
        return self._upstreams.epoch()

    def invoke(self, call):
        """Call a method of the real client and wait for its value."""
        call.encoded(self.transcode)
        if self.host.is_closed:
            raise _lost(NOT_SENT)
        wait = Wait()
        invocation = LocalInvocation(self.host, call, wait, self.transcode)
        self._waiting[wait] = invocation
        self._deadlines.add(wait, call.deadline)
        try:
            self.host.pool.run_for_caller(invocation, wait)
            if not wait.done:
                wait.block(self._hub)
        finally:
            wait.done = True
            self._deadlines.discard(wait)
            self._waiting.pop(wait, None)
            if not invocation.is_begun:
                invocation.give_up()
        if wait.error is not None:
            self._raise(wait.error, call, UNKNOWN if invocation.is_begun else NOT_SENT)
        if self.host.is_cut_off:
            raise _lost(UNKNOWN)  # an answer of an epoch that is over
        data, dumped = wait.value
        if dumped is not None:
            raise errors.load_error(call.value_of(dumped, self.transcode))
        return call.value_of(data, self.transcode)

    @staticmethod
    def _raise(error, call, outcome):
        if not isinstance(error, DeadlinePassed):
            raise error
        raise ResponseTimeoutError(
            "%s did not return within %s s" % (call.describe(), call.timeout),
            outcome=outcome, timeout=call.timeout, method=call.spec.name, leader_pid=os.getpid())

    def invoke_oneway(self, call, may_wait=True):
        """Call a method; nobody learns what it returns, and nothing here makes it wait."""
        call.freeze(self.transcode)
        if self.host.is_closed:
            raise _lost(NOT_SENT)
        invocation = LocalInvocation(self.host, call, None, self.transcode)
        self._unbegun[invocation] = call
        self.host.pool.run(lambda: self._begin(invocation))

    def _begin(self, invocation):
        if not self.host.is_closed:
            self._unbegun.pop(invocation, None)
        return invocation()

    def publish(self, call, may_wait=True):
        """Call the publishing method after all publishes before this one."""
        call.freeze(self.transcode)
        if self.host.is_closed:
            raise _lost(NOT_SENT)
        if may_wait and len(self._publishes) >= _MAX_PUBLISHES:
            self._wait_for_room(call)
        invocation = LocalInvocation(self.host, call, None, self.transcode)
        self._unbegun[invocation] = call
        self._publishes.submit(lambda: self._publish(invocation))

    def _publish(self, invocation):
        self._begin(invocation)
        self._let_in()

    def _let_in(self):
        if self._room and len(self._publishes) < _MAX_PUBLISHES:
            self._room.release_first()

    def _wait_for_room(self, call):
        try:
            in_time = self._room.wait(call.deadline)
        except BaseException:
            self._let_in()  # who was let in and then killed must not hold up the line
            raise
        if not in_time:
            raise ResponseTimeoutError(
                "the real client is slow to take what is published: %d wait"
                % len(self._publishes),
                outcome=NOT_SENT, timeout=call.timeout, method=call.spec.name)

    def subscribe(self, entry):
        """The client wants the values of a registration."""
        self._upstreams.add(entry.formatted, entry.registration, self, entry.key)

    def unsent(self):
        """One-way calls and publishes that did not reach the real client."""
        return list(self._unbegun.values())

    def unsubscribe(self, entry):
        """The client wants them no more."""
        self._upstreams.remove(entry.formatted, self, entry.key)

    def fail_callers(self):
        """End the calls that wait for a result; what they started runs on."""
        waiting, self._waiting = self._waiting, {}
        for wait, invocation in waiting.items():
            invocation.give_up()
            wait.resolve(error=_lost(UNKNOWN if invocation.is_begun else NOT_SENT))
        self._room.release_all(lambda: _lost(NOT_SENT))

    def end(self):
        """Let go of the real client."""
        self.fail_callers()
        self._upstreams.remove_all(self)
        self._subscriptions.on_room = None

    # A subscriber -------------------------------------------------------------------------

    def push(self, key, value):
        """A value for the listeners of this process."""
        self._subscriptions.deliver(
            key, value.encoded(self.transcode), self.transcode, value.epoch)

    def push_error(self, key, dumped):
        """The subscription failed at the real client."""
        self._subscriptions.fail(key, errors.load_error(dumped))

    def has_room(self, key):
        """Whether a listener of this key has room."""
        return self._subscriptions.has_room(key)


def _lost(outcome):
    return LeaderLost(ConnectionClosedError("the leadership ended", outcome=outcome))
