"""Rounds of calls as a file that ``pyperf compare_to before.json after.json`` takes."""

from __future__ import absolute_import, division, print_function

import json

VERSION = "1.0"
#: Of each benchmark, the figure that is written, and its value as seconds per call.
SECONDS_PER_CALL = {
    "round_trip": ("p50", lambda microseconds: microseconds / 1e6),
    "concurrent": ("calls", lambda per_second: 1 / per_second),
    "fan_in": ("calls", lambda per_second: 1 / per_second),
}


def document(summaries):
    """The file's content.

    :param summaries: what benchmarks gave; only those of ``SECONDS_PER_CALL`` count.
    :raises ValueError: none of them does.
    """
    benchmarks = []
    for summary in summaries:
        key, seconds = SECONDS_PER_CALL.get(summary["name"], (None, None))
        for figure in summary["figures"]:
            if figure["key"] == key:
                benchmarks.extend(_benchmark(summary["name"], row, seconds)
                                  for row in figure["rows"])
    if not benchmarks:
        raise ValueError("a pyperf file is made of %s" % ", ".join(sorted(SECONDS_PER_CALL)))
    return {"version": VERSION, "benchmarks": benchmarks}


def _benchmark(name, row, seconds):
    return {"metadata": {"name": "%s: %s" % (name, row["name"]), "unit": "second"},
            "runs": [{"values": [seconds(value) for value in row["rounds"]]}]}


def write(path, summaries):
    """Write them to a file."""
    content = document(summaries)
    with open(path, "w") as target:
        json.dump(content, target, sort_keys=True)
