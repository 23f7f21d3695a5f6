"""When to send what is gathered while the frames of one read are handed on.

What a read brings can be answered in one ``send`` at its end: the fewest system calls.  But while
this side works on a hundred frames, a peer that has nothing else to do waits, and then this side
for the peer: two processes that take turns, on two cores.  Sending the outcome of the first few
frames early, and from then on that of twice as many each time, keeps both busy, and has made calls
twice as fast.  Where the cores have other work, or the two share one, it only costs.

Nothing that a process can see tells beforehand which it is, so a busy connection measures: some
turns without, some with early sends; it keeps to what handed on more frames in a second, and looks
again after a while.  A connection beside which others are busy (a leader with many followers) does
not send early: the core has enough to do.
"""

from __future__ import absolute_import, division, print_function

from .._compat import monotonic

#: A turn of fewer frames has nothing to gain.  The outcome of so many is sent first.
FIRST = 4
#: The outcome of at most so many frames is kept back, where any is sent early.
MOST = 32
_TRIAL = 32  # turns
#: turns before it is measured again: twice as many where the result was the same, up to a bound
_LEAST_KEPT = 256
_MOST_KEPT = 8192
#: Early sends have to be so much better.
_MARGIN = 1.05

_WITHOUT, _WITH, _KEPT = range(3)


class Pace(object):
    """The pace of one connection; see the module.  Turns of fewer frames than :data:`FIRST` only
    add to ``frames``.
    """

    __slots__ = ("_phase", "_turns", "frames", "_since", "_rate_without", "_is_early", "_kept")

    _last = None  # whose turn was the last in this process

    def __init__(self):
        self._phase = _KEPT
        self._turns = 1  # left in this phase
        self.frames = 0
        self._since = None
        self._rate_without = 0.0
        self._is_early = False
        self._kept = _LEAST_KEPT

    def is_early(self):
        """A turn has come to its :data:`FIRST` frame: whether to send early in it."""
        is_alone = Pace._last == id(self)
        Pace._last = id(self)
        return is_alone and (self._phase == _WITH or (self._phase == _KEPT and self._is_early))

    def end(self, frames):
        """A turn is over, which handed on so many frames."""
        self.frames += frames
        self._turns -= 1
        if self._turns:
            return
        now = monotonic()
        if self._phase == _KEPT:
            self._phase, self._turns = _WITHOUT, _TRIAL
        elif self._phase == _WITHOUT:
            self._rate_without = self._rate(now)
            self._phase, self._turns = _WITH, _TRIAL
        else:
            self._choose(self._rate(now) > self._rate_without * _MARGIN)
        self.frames = 0
        self._since = now

    def _rate(self, now):
        return self.frames / max(now - self._since, 1e-9)

    def _choose(self, is_early):
        same = is_early == self._is_early
        self._kept = min(2 * self._kept, _MOST_KEPT) if same else _LEAST_KEPT
        self._is_early = is_early
        self._phase, self._turns = _KEPT, self._kept
