"""What a long run says of itself while it runs: on standard error, so that the results stay clean.
"""

from __future__ import absolute_import, division, print_function

from benchmarks.clock import monotonic

QUIET_SECONDS = 3.0  # a run that is over by then says nothing
PAUSE_SECONDS = 1.0  # between two lines


class LeftOut(Exception):
    """This cannot be measured here; the text says why, and what would change that."""


class Progress(object):
    """Lines such as ``fan_in: round 2 of 5, npm; about 12 s left``.

    :param stream: where they go, or ``None`` for silence.
    """

    def __init__(self, stream, clock=monotonic):
        self._stream = stream
        self._clock = clock
        self._name = ""
        self._steps = self._done = 0
        self._started = self._began = self._last_line = clock()
        self.left_out = []

    def begin(self, name, steps=0):
        """A benchmark begins, which will have so many steps that take about the same time; 0 where
        it does not know.

        A benchmark may begin again when it knows them.
        """
        self._name, self._steps, self._done = name, steps, 0
        self._began = self._clock()

    def step(self, what):
        """One of its steps begins.

        :param what: what it is, such as ``"round 2 of 5, npm"``.
        """
        now = self._clock()
        left = None
        if 0 < self._done < self._steps:
            left = (now - self._began) / self._done * (self._steps - self._done)
        self._done += 1
        if now - self._started < QUIET_SECONDS or now - self._last_line < PAUSE_SECONDS:
            return
        self._last_line = now
        self.say("%s: %s%s" % (
            self._name, what, "" if left is None else "; about %d s left" % (left + 0.5)))

    __call__ = step

    def say(self, text):
        """A line at once."""
        if self._stream is not None:
            self._stream.write(text + "\n")
            self._stream.flush()

    def leave_out(self, who, why):
        """Say that something is not measured, and keep it for the results; each thing once.

        :param why: a line: the reason, and what would help.
        """
        line = "%s is left out: %s" % (who, why)
        if line not in self.left_out:
            self.left_out.append(line)
            self.say(line)
