"""One call of a delegated method, from its caller's side."""

from __future__ import absolute_import, division, print_function

from .._compat import monotonic
from ..exceptions import NOT_SENT, UNKNOWN, ConfigurationError, TranscodeError, set_outcome
from ..protocol import messages
from ..protocol.negotiation import KWARGS


class LeaderLost(Exception):
    """The leader went away under a call; ``error`` says so to the caller, with an outcome.

    Internal: the core turns it into ``error``, or makes the call again.  A class of its own, since
    a real client may raise a ConnectionClosedError as its answer.
    """

    def __init__(self, error):
        super(LeaderLost, self).__init__(error)
        self.error = error


class Call(object):
    """A method, its arguments, and until when an answer is of use.

    The arguments are encoded once per transcode.  :meth:`freeze` encodes them for good: from then
    on later changes by the caller are not seen, whatever transcode the next leader speaks.
    """

    __slots__ = ("spec", "args", "kwargs", "timeout", "deadline", "_transcode", "_encoded",
                 "_is_frozen", "key")

    def __init__(self, spec, args, kwargs, timeout):
        self.spec = spec
        self.args = args
        self.kwargs = kwargs
        self.timeout = timeout
        self.deadline = monotonic() + timeout
        self._transcode = None
        self._encoded = None
        self._is_frozen = False
        self.key = None

    def encoded(self, transcode):
        """The encoded arguments; a dict of the keyword arguments last, where there are any.

        :raises TranscodeError: an argument has no place in the transcode.
        """
        if self._transcode is not transcode:
            if self._is_frozen:
                self._thaw()
            encode = transcode.encode
            try:
                encoded = [encode(argument) for argument in self.args]
                if self.kwargs:
                    encoded.append(encode(self.kwargs))
            except TranscodeError as error:
                raise set_outcome(error, NOT_SENT)
            self._encoded = encoded
            self._transcode = transcode
        return self._encoded

    def freeze(self, transcode):
        """Encode the arguments now."""
        self.encoded(transcode)
        self._is_frozen = True
        return self

    def _thaw(self):
        values = [self._transcode.decode(data) for data in self._encoded]
        if self.kwargs:
            self.kwargs = values.pop()
        self.args = tuple(values)

    @staticmethod
    def value_of(answer, transcode):
        """The value of an answer.

        :raises TranscodeError: the transcode cannot read it; the work may have been done.
        """
        try:
            return transcode.decode(answer)
        except TranscodeError as error:
            raise set_outcome(error, UNKNOWN)

    def message(self, peer, oneway):
        """The connection object and the parts of the application object for this peer."""
        if self.kwargs and KWARGS not in peer.can:
            raise ConfigurationError(
                "%s was called with keyword arguments, which the leader, a Node.js process, does "
                "not take: pass them by position" % self.spec.name, outcome=NOT_SENT)
        encoded = self.encoded(peer.transcode)
        head = messages.invoke(self.spec.remote_name, len(encoded), oneway, bool(self.kwargs))
        return head, messages.pack_arguments(encoded)

    @property
    def remaining(self):
        """Seconds until the deadline; not below a millisecond."""
        return max(0.001, self.deadline - monotonic())

    def describe(self):
        """The method, for messages."""
        return self.spec.name
