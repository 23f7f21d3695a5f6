"""What a connection keeps for the answer to a request of its own."""

from __future__ import absolute_import, division, print_function

from ..greenlets.waits import Wait


class PendingRequest(Wait):
    """A request that waits for its answer: ``value`` is the answering frame."""

    __slots__ = ("connection", "number")

    def __init__(self, connection, number):
        # As Wait.__init__, without the calls: there is one for each call.
        self.greenlet = self.value = self.error = self.slot = None
        self.done = False
        self.connection = connection
        self.number = number

    def expire(self):
        # After a starved loop the answer may be there already, unread.
        self.connection.read_what_is_there()
        super(PendingRequest, self).expire()


class Expectation(object):
    """Calls a function when an answer comes; nothing waits for it."""

    __slots__ = ("_function",)
    number = 0

    def __init__(self, function):
        self._function = function

    def resolve_in_hub(self, frame):
        self._function(frame)

    def resolve(self, error):
        """The connection went: nobody is told."""
