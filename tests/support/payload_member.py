"""A member of a cluster whose memory is measured: ``payload_member.py PORT leader|follower SIZE``

Commands: ``begin``, ``end`` (its event ``peak`` tells the most bytes that Python held at once
beyond what it had at ``begin``), ``give`` and ``take`` with a ``kind`` (a follower calls the real
client's method of this name; its event ``done`` tells whether what came was right).
"""

from __future__ import absolute_import, division, print_function

import gc
import sys
import tracemalloc

from clusterclient_sync import cluster
from support.talk import commands, tell

TIMEOUT = 60


def payload(kind, size):
    """A value of so many bytes: ASCII text, or every byte in turn."""
    if kind == "text":
        return u"0123456789abcdef" * (size // 16)
    return bytes(bytearray(range(256))) * (size // 256)


class Payloads(object):
    """The real client: what it gives is there before it is asked."""

    def __init__(self, size):
        self._values = {kind: payload(kind, size) for kind in ("text", "bytes")}

    def give(self, kind):
        return self._values[kind]

    def take(self, kind, value):
        return value == self._values[kind]

    def close(self):
        pass


def main(port, role, size):
    own = Payloads(size)
    client = cluster(Payloads, port=port, is_leader=role == "leader", runtime="greenlet",
                     response_timeout=TIMEOUT, transcode="plain-json").create(size)
    client.ready(TIMEOUT)
    tell("ready")
    for command in commands():
        what, kind = command["do"], command.get("kind")
        if what == "begin":
            gc.collect()
            tracemalloc.start()
            tell("begun")
        elif what == "end":
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            tell("peak", bytes=peak)
        elif what == "give":
            tell("done", right=own.take(kind, client.give(kind)))
        else:
            tell("done", right=client.take(kind, own.give(kind)))
    client.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
