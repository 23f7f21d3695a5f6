"""The program of a follower that calls from greenlets or from native threads.

``python -m benchmarks.runtime_caller JOB``; JOB is a JSON object: ``runtime`` (that of the client),
``port``, ``payload``.  It says ``{"ready": port}``; then each line that it gets, ``{"callers": N,
"seconds": S}``, is one round, which it answers with what ``load.run`` returns.  It ends when its
standard input does.
"""

from __future__ import absolute_import, division, print_function

import json
import logging
import sys

from benchmarks import cluster_subject, load, subjects
from benchmarks.worker import WARM_UP_SECONDS, lines, say


def plain_lines():
    """What the parent sends, in a process whose main thread has no hub."""
    for line in iter(sys.stdin.readline, ""):
        yield json.loads(line)


#: Of each runtime: how lines are read, and how callers run at once.
WAYS = {"greenlet": (lines, load.in_greenlets), "thread": (plain_lines, load.in_threads)}


def main(text):
    logging.basicConfig(level=logging.WARNING)
    job = json.loads(text)
    messages, at_once = WAYS[job["runtime"]]
    call, close = cluster_subject.connect(job["port"], job["payload"], job["runtime"])
    if call() != subjects.answer(job["payload"]):
        raise AssertionError("the leader answers something else")
    load.run(call, 1, WARM_UP_SECONDS, at_once)
    say({"ready": job["port"]})
    for message in messages():
        say(load.run(call, message["callers"], message["seconds"], at_once))
    close()


if __name__ == "__main__":
    main(sys.argv[1])
