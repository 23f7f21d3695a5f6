"""When to send what is gathered while the frames of one read are handed on.

What a read brings could be answered in one ``send`` at its end.  But while this side works on a
hundred frames, a peer that has nothing else to do would wait, and then this side for the peer: two
processes that take turns, on two cores.  So the first few frames' outcome is sent early, and from
then on that of twice as many each time, up to a bound.  The peer works on the first ones while the
rest is handed on here, and both are busy.

Where all cores are busy anyway that only costs system calls.  It shows in two ways, and then
nothing leaves early: other connections have been busy since this one's last turn (a leader with
many followers), or the answers to what was sent early came together with those to the rest, so
that the peer did not get to it any sooner.  In the second case it is tried again after a while.
"""

from __future__ import absolute_import, division, print_function

import os

#: frames whose outcome is sent first
FIRST = int(os.environ.get("FIRST", 4))
#: at most so many frames' outcome is kept back
MOST = int(os.environ.get("MOST", 32))
#: turns without an early send, after answers came together: twice as many each time, up to this
_MAX_PATIENCE = 64


class Pace(object):
    """The pace of one connection; see the module.

    ``is_watching`` tells that the next turn that brings answers is to be judged.
    """

    __slots__ = ("is_watching", "_boundary", "_patience", "_skip")

    _last = None  # whose turn was the last in this process

    def __init__(self):
        self.is_watching = False
        self._boundary = 0  # the last request of what was sent early in the last turn
        self._patience = 1
        self._skip = 0

    def begin(self):
        """A turn has come as far as :data:`FIRST` frames: whether to send now, else after
        :data:`MOST`.
        """
        is_alone = Pace._last == id(self)
        Pace._last = id(self)
        if self._skip:
            self._skip -= 1
            return False
        return is_alone

    def judge(self, first, last, early):
        """A turn is over.

        :param first: the id of the first answer that it brought.
        :param last: that of the last one.
        :param early: that of the last request which was sent early; 0 where there was none.
        """
        if first <= self._boundary < last:
            self._patience = min(_MAX_PATIENCE, 2 * self._patience)
            self._skip = self._patience
            early = 0  # what this turn sent tells the same
        elif self._boundary:
            self._patience = 1
        self._boundary = early
        self.is_watching = bool(early)
