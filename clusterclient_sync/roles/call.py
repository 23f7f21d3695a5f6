"""One call of a delegated method, from its caller's side."""

from __future__ import absolute_import, division, print_function

from .._compat import monotonic
from ..exceptions import (
    NOT_SENT, UNKNOWN, ConfigurationError, ConnectionClosedError, TranscodeError, set_outcome)
from ..method_spec import CALLBACK
from ..protocol import messages
from ..protocol.negotiation import KWARGS

#: An idempotent call under which so many Node leaders ended is not sent to another: a Node leader
#: dies of a method that it lacks, and of one that throws before it returns a promise.
_MAX_NODES_LOST = 2
#: A method that takes any number of arguments has as many heads.
_MAX_HEADS = 64


class LeaderLost(Exception):
    """The leader went away under a call; ``error`` says so to the caller, with an outcome.

    Internal: the core turns it into ``error``, or makes the call again.  A class of its own, since
    a real client may raise a ConnectionClosedError as its answer.  ``was_node`` tells that it was a
    Node.js process, which may have died of the very call.
    """

    def __init__(self, error, was_node=False):
        super(LeaderLost, self).__init__(error)
        self.error = error
        self.was_node = was_node


class Call(object):
    """A method, its arguments, and until when an answer is of use.

    The arguments are encoded once per transcode.  :meth:`freeze` encodes them for good: from then
    on later changes by the caller are not seen, whatever transcode the next leader speaks.
    """

    # What most calls never change is kept by the class: a call is made anew for each call.
    _transcode = None
    _encoded = None
    _is_frozen = False
    _nodes_lost = 0
    #: a leader that is gone had it: whatever comes now, nobody can say that it was not sent
    may_have_run = False
    #: some of its time is over: it waited for a leader, or for room
    has_waited = False

    def __init__(self, spec, args, kwargs, timeout):
        self.spec = spec
        self.args = args
        self.kwargs = kwargs
        self.timeout = timeout
        self.deadline = monotonic() + timeout

    def encoded(self, transcode):
        """The encoded arguments; a dict of the keyword arguments last, where there are any.

        :raises TranscodeError: an argument has no place in the transcode.
        """
        if self._transcode is transcode:
            return self._encoded
        if self._is_frozen:
            self._thaw()
        encode = transcode.encode
        encoded = []
        try:
            for argument in self.args:
                encoded.append(encode(argument))
            if self.kwargs:
                encoded.append(encode(self.kwargs))
        except TranscodeError as error:
            raise set_outcome(error, NOT_SENT)
        self._encoded = encoded
        self._transcode = transcode
        return encoded

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

    def check_repeat(self, lost):
        """Return where the next leader may get the call that a :class:`LeaderLost` ended: the old
        one has not seen it, or it is harmless to repeat.

        :raises ConnectionClosedError: it must not.
        """
        self.has_waited = True
        if lost.error.outcome == NOT_SENT:
            return
        if not self.spec.idempotent:
            raise lost.error
        self.may_have_run = True
        self._nodes_lost += lost.was_node
        if self._nodes_lost == _MAX_NODES_LOST:
            raise ConnectionClosedError(
                "%s (%s on the wire) was sent to %d Node.js leaders, one after the other, and each "
                "ended: look whether their class has such a method, and whether it throws"
                % (self.spec.name, self.spec.remote_name, _MAX_NODES_LOST), outcome=UNKNOWN)

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
            return self._by_position().message(peer, oneway)
        encoded = self.encoded(peer.transcode)
        kind = (len(encoded), oneway, bool(self.kwargs))
        head = self.spec.heads.get(kind)
        if head is None:
            if len(self.spec.heads) >= _MAX_HEADS:
                self.spec.heads.clear()
            head = self.spec.heads[kind] = messages.invoke(self.spec.remote_name, *kind)
        return head, messages.pack_arguments(encoded)

    def _by_position(self):
        """The same call without keyword arguments, for a leader that takes none."""
        if self._is_frozen:
            self._thaw()
        try:
            if self.spec.parameters is None:
                raise ValueError("the real client's class does not tell what it takes")
            args = self.spec.parameters.by_position(self.args, self.kwargs)
        except ValueError as error:
            raise ConfigurationError(
                "%s was called with keyword arguments, which the leader, a Node.js process, does "
                "not take, and they cannot be put into positions (%s): pass them by position"
                % (self.spec.name, error), outcome=NOT_SENT)
        return Call(self.spec, args, {}, self.timeout)

    @property
    def remaining(self):
        """Seconds until the deadline; not below a millisecond."""
        return max(0.001, self.deadline - monotonic())

    def describe(self):
        """The method, for messages."""
        return self.spec.name


def take_callback(spec, args, kwargs):
    """``(callback or None, args, kwargs)``: the caller's callback, and the arguments without it."""
    if kwargs:
        callback = kwargs.get("callback")
        if callable(callback) or ("callback" in kwargs and spec.style == CALLBACK):
            kwargs = {name: value for name, value in kwargs.items() if name != "callback"}
            return (callback if callable(callback) else None), args, kwargs
    if spec.style != "return" and args and callable(args[-1]):
        return args[-1], args[:-1], kwargs
    return None, args, kwargs
