"""What a client has published, whatever its role is, for the next leader.

Two things are kept.  Publishes that no leader has got yet: all of them, in order.  And for each
publish key the last one that a leader did get: when leadership moves, these are made again, in the
order of those last ones.
"""

from __future__ import absolute_import, division, print_function

import collections
import logging

import six

from ..exceptions import TranscodeError
from ..protocol import keys, transcodes

_log = logging.getLogger(__name__)


class PublishLog(object):
    """See the module; both parts hold at most the option ``max_kept_publishes``."""

    def __init__(self, options):
        self._limit = options.max_kept_publishes
        self._make_key = options.publish_key or options.format_key or keys.format_key
        self._last = collections.OrderedDict()  # key -> Call
        self._unsent = collections.deque()

    def note(self, call):
        """A publish was made: keep it for the next leader, where it is to be replayed."""
        if not call.spec.replay or not self._limit:
            return
        key = self._key(call)
        call.key = key
        self._last.pop(key, None)
        self._last[key] = call
        if len(self._last) > self._limit:
            dropped, _ = self._last.popitem(last=False)
            _log.warning("More than %d publishes are kept for a next leader: %s is dropped",
                         self._limit, dropped)

    def forget(self, call):
        """The publish was refused: its caller knows, and it is not made again."""
        if call.key is not None and self._last.get(call.key) is call:
            del self._last[call.key]

    def _key(self, call):
        registration = call.args[0]
        try:
            return call.spec.name, six.ensure_text(self._make_key(registration))
        except TranscodeError:
            # Not what a subscription could be made of; still the same for equal registrations.
            return call.spec.name, transcodes.JSON.encode(registration)

    def keep_unsent(self, calls, in_front=False):
        """These have not reached a leader."""
        if in_front:
            self._unsent.extendleft(reversed(calls))
        else:
            self._unsent.extend(calls)
        while len(self._unsent) > max(1, self._limit):
            dropped = self._unsent.popleft()
            _log.warning("More than %d publishes wait for a leader: one of %s is dropped",
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
