"""What a client has not got done when its leader goes, and what the next one is to know.

Subscriptions and publishes have their own tables; here they, and the one-way calls that never left,
are handed to a new role, in that order, before any new call gets there.
"""

from __future__ import absolute_import, division, print_function

from ..exceptions import ClusterClientError
from ..method_spec import PUBLISH
from .call import LeaderLost


class Backlog(object):
    """See the module.

    :param subscriptions: the client's :class:`~.subscriptions.SubscriptionTable`.
    :param publishes: its :class:`~.publishes.PublishLog`.
    :param on_error: called as ``on_error(exception)`` for a call that no leader can get.
    """

    def __init__(self, subscriptions, publishes, logger, on_error):
        self._subscriptions = subscriptions
        self._publishes = publishes
        self._logger = logger
        self._on_error = on_error
        self._oneways = []
        self._leadership = None  # at which publishes were made

    def hand_to(self, role, is_closed):
        """Make at a new role what waits, and what comes meanwhile (a transcode may yield).

        :param is_closed: tells whether the client was closed meanwhile.
        :return: whether the role is to be used: it is there, and has all of it.
        """
        leadership = (role.epoch, role.leader_pid) if role.epoch is not None else None
        has_moved = leadership is None or leadership != self._leadership
        self._leadership = leadership
        subscribed = []
        while not is_closed():
            entries = [entry for entry in self._subscriptions.entries() if entry not in subscribed]
            publishes = self._publishes.take(has_moved)
            oneways, self._oneways = self._oneways, []
            if not (entries or publishes or oneways):
                self._drop_gone(role, subscribed)
                return True
            has_moved = False
            for entry in entries:
                role.subscribe(entry)
            subscribed.extend(entries)
            if not self._make(role, publishes, oneways):
                return False
        return False

    def _drop_gone(self, role, subscribed):
        there = self._subscriptions.entries()
        for entry in subscribed:
            if entry not in there:
                role.unsubscribe(entry)

    def _make(self, role, publishes, oneways):
        """Whether the leader got them all; what it did not get waits on."""
        made = self._make_each(role.publish, publishes)
        self._publishes.keep_unsent(publishes[made:], in_front=True)
        made_oneways = self._make_each(role.invoke_oneway, oneways) \
            if made == len(publishes) else 0
        self._oneways = oneways[made_oneways:] + self._oneways
        return made == len(publishes) and made_oneways == len(oneways)

    def _make_each(self, make, calls):
        """How many of these the leader got, or can never get."""
        for index, call in enumerate(calls):
            try:
                make(call, may_wait=False)
            except LeaderLost:
                return index
            except ClusterClientError as error:
                self._logger.warning("A call of %s cannot be made again: %s",
                                     call.describe(), error)
                self._on_error(error)
        return len(calls)

    def take_back(self, role):
        """A role has ended: keep what the kernel never took from it."""
        publishes, oneways = [], []
        for call in role.unsent():
            (publishes if call.spec.target == PUBLISH else oneways).append(call)
        self._publishes.keep_unsent(publishes, in_front=True)
        self._oneways = oneways + self._oneways
