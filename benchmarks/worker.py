"""The program of every process that serves or calls: ``python -m benchmarks.worker JOB``.

JOB is a JSON object: ``subject``, ``role`` (``serve`` or ``call``), ``port``, ``payload``, and for
a caller ``connections``.  It says ``{"ready": port}``; then each line that it gets,
``{"callers": N, "at_once": N, "seconds": S}``, is one round, which it answers with what
``load.run`` returns: so many callers on each connection, each with so many calls at once.  It ends
when its standard input does.  ``node/caller.js`` is the same in Node.js.
"""

from __future__ import absolute_import, division, print_function

import json
import logging
import os
import sys

from benchmarks import load, subjects

WARM_UP_SECONDS = 0.1


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def lines():
    """What the parent sends; only the greenlet that waits for it is blocked."""
    from gevent.fileobject import FileObject  # not on top: where threads call there may be none

    with FileObject(os.dup(0), "rb") as source:
        for line in source:
            yield json.loads(line.decode("ascii"))


def plain_lines():
    """What the parent sends, in a process whose main thread has no hub."""
    for line in iter(sys.stdin.readline, ""):
        yield json.loads(line)


def messages_of(subject):
    return lines() if subject.callers == subjects.GREENLETS else plain_lines()


def serve(subject, job):
    close = subject.load().serve(job["port"], job["payload"])
    say({"ready": job["port"]})
    for _ in messages_of(subject):
        raise AssertionError("a server has no rounds")
    close()


def call(subject, job):
    connect = subject.load().connect
    made = [connect(job["port"], job["payload"]) for _ in range(job["connections"])]
    calls = [one_call for one_call, _ in made]
    expected = subjects.answer(job["payload"])
    for one_call in calls:
        if one_call() != expected:
            raise AssertionError("%s answers something else" % subject.name)
    at_once = load.WAYS[subject.callers]
    load.run(calls[:1], WARM_UP_SECONDS, at_once)
    say({"ready": job["port"]})
    for message in messages_of(subject):
        say(play(calls, message, at_once))
    for _, close in made:
        close()


def play(calls, message, at_once):
    """One round."""
    if message["at_once"] == 1:
        return load.run(calls * message["callers"], message["seconds"], at_once)
    several = [load.AtOnce(one_call, message["at_once"])
               for one_call in calls * message["callers"]]
    try:
        return load.run(several, message["seconds"], at_once)
    finally:
        for one in several:
            one.end()


def main(text):
    logging.basicConfig(level=logging.WARNING)
    job = json.loads(text)
    subject = subjects.named(job["subject"])
    {"serve": serve, "call": call}[job["role"]](subject, job)


if __name__ == "__main__":
    main(sys.argv[1])
