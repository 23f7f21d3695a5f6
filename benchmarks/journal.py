"""What several processes note in one file, with the time of each line.

The clock is CLOCK_MONOTONIC, which all processes of a machine share.  A line is appended whole, by
one system call, so that it survives the end of its process.  The lines:

``made``, ``closed``              a real client, by its name ``leader``; ``made`` is noted as soon
                                  as the port is won, ``closed`` when its ``close`` is through
``first_answer``, ``first_value`` what a member first got of a leader that is new to it; ``gap`` is
                                  the time without an answer before, ``None`` where it had no
                                  leader; ``number`` is that of the value
``failed``                        ``count`` calls: ``method``, ``error``, ``outcome``, and the
                                  ``leader`` that had answered the member when it called
``went_back``                     a value that is not newer than the ``last`` of its ``key``
``calls``                         how many calls of each method a member has had answered so far
"""

from __future__ import absolute_import, division, print_function

import json
import os

from clusterclient_sync._compat import monotonic

READ_SIZE = 65536


class Pen(object):
    """A member's side: it writes."""

    def __init__(self, path):
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self):
        os.close(self._handle)

    def note(self, what, **details):
        """Append a line."""
        details.setdefault("time", monotonic())
        details.update(what=what, pid=os.getpid())
        os.write(self._handle, (json.dumps(details) + "\n").encode("ascii"))


class Journal(object):
    """The parent's side: it reads what is new."""

    def __init__(self, path):
        self._handle = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
        self._rest = b""

    def news(self):
        """The lines that came since the last time, as dicts."""
        found = []
        while True:
            data = os.read(self._handle, READ_SIZE)
            if not data:
                return found
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            found.extend(json.loads(line.decode("ascii")) for line in lines)

    def close(self):
        os.close(self._handle)
