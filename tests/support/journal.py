"""What the real clients of several processes did, in one file, with the time of each line.

The clock is CLOCK_MONOTONIC, which all processes of a machine share, so that lines of different
processes can be compared.
"""

from __future__ import absolute_import, division, print_function

import json
import os

from clusterclient_sync._compat import monotonic


def note(path, what, **details):
    """Append one line, whole."""
    details.update(what=what, pid=os.getpid(), time=monotonic())
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, (json.dumps(details) + "\n").encode("ascii"))
    finally:
        os.close(handle)


class Journal(object):
    """The test's view of the file at ``path``."""

    def __init__(self, path):
        self.path = path

    def lines(self, what=None, pid=None):
        """The lines so far, oldest first, as dicts; only those that match."""
        if not os.path.exists(self.path):
            return []
        with open(self.path) as text:
            # A line that is being written has no end yet.
            found = [json.loads(line) for line in text if line.endswith("\n")]
        return [line for line in found
                if what in (None, line["what"]) and pid in (None, line["pid"])]

    def lives(self):
        """``(pid, when made, when closed or None)`` of each real client, in the order of making."""
        lives = []
        for line in self.lines():
            if line["what"] == "made":
                lives.append([line["pid"], line["time"], None])
            elif line["what"] == "closed":
                own = [life for life in lives if life[0] == line["pid"] and life[2] is None]
                assert len(own) == 1, "closed without having been made, or twice: %r" % (line,)
                own[0][2] = line["time"]
        return [tuple(life) for life in lives]

    def assert_one_at_a_time(self, killed=()):
        """No real client was made before the one before it was closed (or its process killed)."""
        lives = self.lives()
        for before, after in zip(lives, lives[1:]):
            assert before[0] in killed or (before[2] is not None and before[2] <= after[1]), (
                "two real clients at a time: %r and %r" % (before, after))
        return lives
