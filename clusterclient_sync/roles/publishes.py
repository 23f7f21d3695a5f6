"""What a client has published, whatever its role is, for the next leader.

Two things are kept.  Publishes that no leader has got yet: all of them, in order.  And for each
publish key the last one that a leader did get: when leadership moves, these are made again, in the
order of those last ones.
"""

from __future__ import absolute_import, division, print_function

import collections

import six

from ..exceptions import TranscodeError
from ..protocol import keys, transcodes


class PublishLog(object):
    """See the module; both parts hold at most the option ``max_kept_publishes``."""

    def __init__(self, options):
        self._limit = options.max_kept_publishes
        self._logger = options.logger
        self._make_key = options.publish_key or options.format_key or keys.format_key
        self._last = collections.OrderedDict()  # key -> Call
        self._unsent = collections.deque()

    def key_of(self, call):
        """The key under which a publish is kept for the next leader; ``None`` for one that is not.
        """
        if not call.spec.replay or not self._limit:
            return None
        registration = call.args[0]
        try:
            return call.spec.name, six.ensure_text(self._make_key(registration))
        except TranscodeError:
            # Not what a subscription could be made of; still the same for equal registrations.
            return call.spec.name, transcodes.JSON.encode(registration)

    def note(self, call, key):
        """A publish was made, or waits to be: it replaces the last one of its key."""
        if key is None:
            return
        self._last.pop(key, None)
        self._last[key] = call
        if len(self._last) > self._limit:
            dropped, _ = self._last.popitem(last=False)
            self._logger.warning("More than %d publishes are kept for a next leader: %s is dropped",
                         self._limit, dropped)

    def keep_unsent(self, calls, in_front=False):
        """These have not reached a leader."""
        if in_front:
            self._unsent.extendleft(reversed(calls))
        else:
            self._unsent.extend(calls)
        while len(self._unsent) > max(1, self._limit):
            dropped = self._unsent.popleft()
            self._logger.warning("More than %d publishes wait for a leader: one of %s is dropped",
                         self._limit, dropped.describe())

    def take(self, has_moved):
        """What is to be made at the leader that was just found, in order.

        :param has_moved: whether the leadership moved since the last one.
        """
        unsent, self._unsent = list(self._unsent), collections.deque()
        if not has_moved:
            return unsent
        waiting = set(id(call) for call in unsent)
        return [call for call in self._last.values() if id(call) not in waiting] + unsent

    def clear(self):
        """The client is closed."""
        self._last.clear()
        self._unsent.clear()
