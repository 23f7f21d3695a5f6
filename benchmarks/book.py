"""The book of a chaos run: what the journal says, held against what the library promises.

Only counts and times of ends are kept, so that a long run stays small.
"""

from __future__ import absolute_import, division, print_function

import collections

KILL, TERM, RESIGN, PAUSE = "kill", "term", "resign", "pause"
IDEMPOTENT = ("whoami",)
MAX_EXAMPLES = 20

#: How a leadership ended: ``kind``, and the monotonic times between which.
End = collections.namedtuple("End", "kind begun ended")


class Book(object):
    """See the module."""

    def __init__(self):
        self.ends = []
        self.calls = {}  # pid -> method -> number
        self.failed = collections.Counter()
        self.gaps = collections.defaultdict(list)  # kind -> seconds
        self.went_back = 0
        self.examples = []  # lines of broken promises
        self._lives = collections.OrderedDict()  # real client -> [pid, made, closed]
        self._killed = {}  # pid -> when
        self._readers = {
            "made": self._read_made, "closed": self._read_closed, "failed": self._read_failed,
            "first_answer": self._read_first_answer, "went_back": self._read_went_back,
            "calls": self._read_calls}

    def note_end(self, kind, begun, ended, pid=None):
        """The parent ended a leadership.

        :param pid: of the process, where it was killed.
        """
        self.ends.append(End(kind, begun, ended))
        if pid is not None:
            self._killed[pid] = begun

    def read(self, lines):
        """Take lines of the journal."""
        for line in lines:
            reader = self._readers.get(line["what"])
            if reader is not None:
                reader(line)

    def leader(self):
        """``(real client, pid)`` of whoever leads by the lines so far, or ``None``."""
        for name in reversed(self._lives):
            pid, _, closed = self._lives[name]
            if closed is None and pid not in self._killed:
                return name, pid
        return None

    # Lines ----------------------------------------------------------------------------------

    def _read_made(self, line):
        self._lives[line["leader"]] = [line["pid"], line["time"], None]

    def _read_closed(self, line):
        self._lives[line["leader"]][2] = line["time"]

    def _read_calls(self, line):
        self.calls[line["pid"]] = line["calls"]

    def _read_went_back(self, line):
        self.went_back += 1
        self._keep(line)

    def _read_first_answer(self, line):
        if line["gap"] is None:
            return
        begun = line["time"] - line["gap"]
        ends = [end for end in self.ends if begun <= end.ended and end.begun <= line["time"]]
        if ends:
            self.gaps[ends[-1].kind].append(line["gap"])

    def _read_failed(self, line):
        if line["method"] in IDEMPOTENT:
            kind = "idempotent"
        elif line["outcome"] == "unknown" and self._was_cut_off(line):
            kind = "unknown after a kill"
        else:
            kind = "not idempotent"
        self.failed[kind] += line["count"]
        if kind != "unknown after a kill":
            self._keep(line)

    def _was_cut_off(self, line):
        """Whether the call was in work at a leader that was killed.

        The caller knows who had answered it last when it called (``leader``).  It lost that one,
        or a later one that never came to answer it.
        """
        names = list(self._lives)
        since = names.index(line["leader"]) if line["leader"] in self._lives else 0
        return line["error"] == "ConnectionClosedError" and any(
            self._killed.get(pid, float("inf")) <= line["time"] and closed is None
            for pid, _, closed in (self._lives[name] for name in names[since:]))

    def _keep(self, line):
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(line)

    # Results --------------------------------------------------------------------------------

    def overlaps(self):
        """How many real clients were made while another was not closed yet.

        A killed process does nothing from the kill on, so that is its real client's end; its port
        is free before its parent can learn that it is gone.
        """
        found, latest = 0, float("-inf")
        for pid, made, closed in sorted(self._lives.values(), key=lambda life: life[1]):
            if made < latest:
                found += 1
            end = self._killed.get(pid, float("inf")) if closed is None else closed
            latest = max(latest, end)
        return found

    def count(self, kind):
        """How many leaderships ended so."""
        return sum(end.kind == kind for end in self.ends)

    def total_calls(self):
        """How many calls of each method were answered."""
        total = collections.Counter()
        for calls in self.calls.values():
            total.update(calls)
        return dict(total)
