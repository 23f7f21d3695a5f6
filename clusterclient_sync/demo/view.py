"""How a run is shown: lines, and on a terminal a table below them that is drawn again and again."""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import os
import struct
import termios

import gevent

from clusterclient_sync._compat import monotonic

REDRAW_INTERVAL = 0.2
UP_AND_CLEAR = "\x1b[%dA\r\x1b[J"


class Silent(object):
    """Shows nothing."""

    def say(self, text):
        """Show a line of text."""

    def draw(self, lines):
        """Show a table from now on; ``lines(width)`` returns what it looks like at the moment."""

    def stop(self):
        """Draw no more."""


class Plain(Silent):
    """Shows lines, each with the seconds since the start."""

    def __init__(self, stream):
        self._stream = stream
        self._started = monotonic()

    def say(self, text):
        self._write("%5.1f s  %s\n" % (monotonic() - self._started, text))

    def _write(self, text):
        self._stream.write(text)
        self._stream.flush()


class Terminal(Plain):
    """Shows lines that scroll, and under them a table that is drawn in place."""

    def __init__(self, stream):
        super(Terminal, self).__init__(stream)
        self._lines = None
        self._drawn = 0
        self._greenlet = None

    def say(self, text):
        self._erase()
        super(Terminal, self).say(text)
        self._redraw()

    def draw(self, lines):
        self._lines = lines
        self._greenlet = gevent.spawn(self._keep_drawing)

    def stop(self):
        if self._greenlet is not None:
            self._greenlet.kill()
            self._erase()
            self._redraw()  # the last state stays
            self._lines, self._drawn = None, 0

    def _keep_drawing(self):
        while True:
            self._erase()
            self._redraw()
            gevent.sleep(REDRAW_INTERVAL)

    def _erase(self):
        if self._drawn:
            self._write(UP_AND_CLEAR % self._drawn)
            self._drawn = 0

    def _redraw(self):
        if self._lines is not None:
            width = _width(self._stream)
            # A line that wraps would take two of the screen's, and the table would crawl down it.
            lines = [line[:width - 1] for line in self._lines(width)]
            self._write("\n".join(lines) + "\n")
            self._drawn = len(lines)


def _width(stream):
    try:
        size = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        columns = struct.unpack("HHHH", size)[1]
    except (OSError, IOError) as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL):
            raise
        columns = 0
    return columns or 80


def make_view(stream, as_json, plain):
    """The view that suits the stream: none for JSON, a table where it is a terminal."""
    if as_json:
        return Silent()
    if plain or not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return Plain(stream)
    return Terminal(stream)
