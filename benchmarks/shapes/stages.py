"""Where the time of a call goes: its parts, each measured alone."""

from __future__ import absolute_import, division, print_function

import json
import os
import subprocess
import sys

from benchmarks import figures
from benchmarks.shapes.benchmark import Benchmark, numbers
from benchmarks.workers import ROOT, WorkerFailed

#: ``(figure, title, [(name in the probe, title)])``
FIGURES = (
    ("follower", "parts of a call at the follower", [
        ("encode_argument", "the argument to JSON"),
        ("frame_request", "a frame of it"),
        ("split_response", "the answer's frame out of a read of 100"),
        ("switch_caller", "a switch into the caller and back"),
        ("decode_result", "the result from JSON")]),
    ("leader", "parts of a call at the leader", [
        ("split_request", "the request's frame out of a read of 100"),
        ("switch_worker", "a switch into a worker and back"),
        ("decode_argument", "the argument from JSON"),
        ("encode_result", "the result to JSON"),
        ("frame_response", "a frame of it")]),
    ("sockets", "send and recv, one after the other over loopback", [
        ("sockets_one", "of one request"),
        ("sockets_all", "of 100 requests at once")]),
)


def _probe(rounds, calls):
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.shapes.stage_probe", str(rounds), str(calls)], cwd=ROOT,
        env=dict(os.environ), stdout=subprocess.PIPE)
    output = process.communicate()[0]
    if process.returncode:
        raise WorkerFailed("the parts of a call could not be measured")
    return json.loads(output.decode("ascii"))


def _measure(options, progress):
    settings = numbers(options, {"rounds": 15, "calls": 20000}, {"rounds": 2, "calls": 200})
    measured = _probe(settings["rounds"], settings["calls"])
    return figures.summary(STAGES.name, STAGES.about, settings, [
        figures.figure(key, title, "us",
                       [figures.row(name, part, [1e6 * value for value in measured[name]])
                        for name, part in parts],
                       base=None, more_is_better=False, digits=2)
        for key, title, parts in FIGURES])


STAGES = Benchmark("stages", "the parts of a call, each measured alone", _measure)
