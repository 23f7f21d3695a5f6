"""Which transcode Node.js peers speak, as far as this process knows.

A Node leader's is read off its answer.  A Node follower says nothing of it: it is known from the
first arguments that it sends, and likely when it confirms a value.  Until then it is guessed: as
the peers before it spoke, else as the option ``node_transcode`` says.

A wrong guess must show where it does no harm.  Node's follower dies of a pushed value that it
cannot read, but of an answer to a call that it cannot read it only drops its connection, and makes
it again.  So the *guard*, an answer to no call, goes ahead of the first value: who cannot read the
guard never sees the value, and is guessed otherwise when it is back.
"""

from __future__ import absolute_import, division, print_function

from .._compat import monotonic
from ..protocol import frames, messages, transcodes

#: A follower that drops its connection so soon (seconds) after a guess could not read it; and one
#: that comes so soon after that is the same one again.
_RETURN_TIME = 2.0
#: Node counts its calls from 1.
_NO_CALL = 0


class NodeSpeech(object):
    """See the module.

    :param option: ``node_transcode``.  Where it is a transcode of the user's, that is known to be
        every Node peer's, and nothing is guessed.
    """

    def __init__(self, option, clock=monotonic):
        self._likely = transcodes.for_node(transcodes.named(option))
        self._clock = clock
        self._doubted = None  # (transcode, when)
        self.is_certain = self._likely not in transcodes.OF_NODE

    def guess(self):
        """The transcode to try with a follower of which nothing is known."""
        if self._doubted is not None:
            wrong, when = self._doubted
            if self._clock() - when < _RETURN_TIME:
                return [one for one in transcodes.OF_NODE if one is not wrong][0]
        return self._likely

    def heard(self, transcode):
        """A Node peer is known to speak this one; returns it, as it is spoken with Node."""
        if not self.is_certain:
            self._likely = transcodes.for_node(transcode)
            self._doubted = None
        return self._likely

    def doubt(self, transcode, since):
        """A follower dropped its connection; this was guessed for it at ``since``."""
        now = self._clock()
        if now - since < _RETURN_TIME:
            self._doubted = (transcode, now)


class Guess(object):
    """What is guessed of one follower."""

    def __init__(self, speech):
        self._speech = speech
        self._since = None
        self._has_guard = False
        self.transcode = None
        #: whether the follower has confirmed a value; its arguments still have the last word
        self.is_accepted = False

    def make(self):
        """The guessed transcode, for something that is sent now."""
        if self.transcode is None:
            self.transcode = self._speech.guess()
            self._since = monotonic()
        return self.transcode

    def guard(self):
        """The bytes that go ahead of what a wrong guess must not reach; empty after the first time.
        """
        if self._has_guard:
            return b""
        self._has_guard = True
        return frames.encode(frames.RESPONSE, _NO_CALL, 0, messages.invoke_result(True),
                             (self.make().encode(None),))

    def accept(self):
        """The follower has confirmed a value: it could read it."""
        if self.transcode is not None and not self.is_accepted:
            self.is_accepted = True
            self._speech.heard(self.transcode)

    def peer_is_gone(self):
        """The follower's connection ended before its transcode was known."""
        if self.transcode is not None and not self.is_accepted:
            self._speech.doubt(self.transcode, self._since)
