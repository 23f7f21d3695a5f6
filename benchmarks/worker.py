"""The program of every process that serves or calls: ``python -m benchmarks.worker JOB``.

JOB is a JSON object: ``subject``, ``role`` (``serve`` or ``call``), ``port``, ``payload``.  It says
``{"ready": port}``; then each line that it gets, ``{"greenlets": N, "seconds": S}``, is one round,
which it answers with what ``load.run`` returns.  It ends when its standard input does.
"""

from __future__ import absolute_import, division, print_function

import json
import logging
import os
import sys

from gevent.fileobject import FileObject

from benchmarks import load, subjects

WARM_UP_SECONDS = 0.1


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def lines():
    """What the parent sends; only the greenlet that waits for it is blocked."""
    with FileObject(os.dup(0), "rb") as source:
        for line in source:
            yield json.loads(line.decode("ascii"))


def serve(subject, job):
    port, close = subject.serve(job["port"], job["payload"])
    say({"ready": port})
    for _ in lines():
        raise AssertionError("a server has no rounds")
    close()


def call(subject, job):
    one_call, close = subject.connect(job["port"], job["payload"])
    expected = subjects.answer(job["payload"])
    if one_call() != expected:
        raise AssertionError("%s answers something else" % job["subject"])
    load.run(one_call, 1, WARM_UP_SECONDS)
    say({"ready": job["port"]})
    for message in lines():
        say(load.run(one_call, message["greenlets"], message["seconds"]))
    close()


def main(text):
    logging.basicConfig(level=logging.WARNING)
    job = json.loads(text)
    subject = subjects.named(job["subject"])
    {"serve": serve, "call": call}[job["role"]](subject, job)


if __name__ == "__main__":
    main(sys.argv[1])
