"""Documents of results: what ``python -m benchmarks --output`` wrote, and what is kept of it.

What is kept can be read again like any other: it lacks what follows from the rounds (medians,
spreads, ratios), and its values have six digits that count.  It is ``{"documents": [...]}``, since
benchmarks that were run one by one have a machine, a date and a Python each.
"""

from __future__ import absolute_import, division, print_function

import collections
import io
import json
import re

import six

from benchmarks import figures
from benchmarks.workers import ROOT

_OF_FIGURES = ("key", "title", "unit", "base", "also", "ratio", "more_is_better", "digits")
_OF_ROWS = ("name", "title")
_OF_SUMMARIES = ("name", "about", "settings")
_WIDTH = 98


def read(path):
    """The documents in a file.

    :raises ValueError: there is something else in it; ``IOError``: it cannot be read.
    """
    with io.open(path, encoding="utf-8") as source:
        try:
            told = json.load(source)
        except ValueError as error:
            raise ValueError("%s is not JSON: %s" % (path, error))
    documents = told.get("documents", [told]) if isinstance(told, dict) else []
    if not documents or not all("benchmarks" in one and "machine" in one for one in documents):
        raise ValueError("%s has no results of benchmarks" % path)
    return documents


# -- what is kept

def joined(documents):
    """What is kept of some documents: of each benchmark the last summary that there is."""
    last = {summary["name"]: number for number, one in enumerate(documents)
            for summary in one["benchmarks"]}
    kept = [_document(one, [summary for summary in one["benchmarks"]
                            if last[summary["name"]] == number])
            for number, one in enumerate(documents)]
    kept = [one for one in kept if one["benchmarks"]]
    measured = _names(kept)
    for one in kept:
        one["left_out"] = [line for line in one["left_out"]
                           if line.partition(" is left out")[0] not in measured]
        one["failed"] = {name: why for name, why in one["failed"].items() if name not in measured}
    return {"documents": kept}


def _document(told, summaries):
    machine = dict(told["machine"])
    # Of the system its name and its kernel's version count, not who built it.
    machine["system"] = re.match(r"[^-]*(-[\d.]*\d)?", machine["system"]).group(0)
    return {"machine": machine, "benchmarks": [_summary(one) for one in summaries],
            "failed": {name: _first_line(why) for name, why in told.get("failed", {}).items()},
            "left_out": [_first_line(line) for line in told.get("left_out", ())]}


def _first_line(text):
    return text.strip().partition("\n")[0].replace(ROOT, ".")


def _summary(told):
    return dict(_part(told, _OF_SUMMARIES), figures=[
        dict(_part(figure, _OF_FIGURES), rows=[
            dict(_part(row, _OF_ROWS), rounds=[_shortened(value) for value in row["rounds"]])
            for row in figure["rows"]])
        for figure in told["figures"]])


def _part(told, names):
    return {name: told[name] for name in names}


def _shortened(value):
    return value if isinstance(value, six.integer_types) else float("%.6g" % value)


def _names(documents):
    """Of benchmarks that were measured, and of those who were measured."""
    found = set()
    for one in documents:
        for summary in one["benchmarks"]:
            found.add(summary["name"])
            for figure in summary["figures"]:
                found.update(row["name"] for row in figure["rows"])
    return found


def as_text(value):
    """JSON, the same for the same value on every Python: what fits on a line has one."""
    return u"\n".join(_lines(value, "")) + u"\n"


def _lines(value, indent):
    text = json.dumps(value, sort_keys=True, separators=(", ", ": "))
    if len(indent) + len(text) < _WIDTH or not isinstance(value, (dict, list)):
        return [text]
    is_dict = isinstance(value, dict)
    parts = [(json.dumps(name) + ": ", value[name]) for name in sorted(value)] if is_dict else [
        ("", one) for one in value]
    lines = ["{" if is_dict else "["]
    for number, (name, part) in enumerate(parts, 1):
        inner = _lines(part, indent + " ")
        inner[0] = name + inner[0]
        inner[-1] += "," if number < len(parts) else ""
        lines.extend(" " + line for line in inner)
    return lines + ["}" if is_dict else "]"]


# -- what is published

class Measured(object):
    """Everything that is to be shown, of what :func:`joined` gave.

    ``summaries``
        benchmark's name -> what :func:`figures.summary` makes, in the order of the documents.
    ``runs``
        a list of ``(machine, names of the benchmarks that ran there)``.
    ``missing``
        a list of lines: what was not measured, and why.
    """

    def __init__(self, kept):
        documents = kept["documents"]
        self.summaries = collections.OrderedDict(
            (one["name"], _whole(one)) for document in documents for one in document["benchmarks"])
        self.runs = [(one["machine"], [told["name"] for told in one["benchmarks"]])
                     for one in documents]
        self.missing = []
        for one in documents:
            lines = one["left_out"] + ["%s failed: %s" % told
                                       for told in sorted(one["failed"].items())]
            self.missing.extend(line for line in lines if line not in self.missing)

    def figure(self, benchmark, key):
        """A figure of a benchmark, or ``None``."""
        for one in self.summaries.get(benchmark, {"figures": ()})["figures"]:
            if one["key"] == key:
                return one
        return None


def _whole(kept):
    return figures.summary(kept["name"], kept["about"], kept["settings"], [
        figures.figure(rows=[figures.row(**row) for row in one["rows"]],
                       **_part(one, _OF_FIGURES))
        for one in kept["figures"]])
