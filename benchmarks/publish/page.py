"""The page with all figures."""

from __future__ import absolute_import, division, print_function

import textwrap

from benchmarks import figures, subjects
from benchmarks.publish import who, wording
from benchmarks.publish.tables import escaped, table, title

_COMMAND = "python -m benchmarks.publish"
_WIDTH = 100
_INTRODUCTION = """\
A call returns a small dict, about 100 characters of JSON. All who are compared run in the same run,
round by round in turn, each with processes of its own. The tables have the median of the rounds,
the lowest and highest of them, and ratios, which are taken within each round: a machine that is
slow for a while slows both sides. *cluster / this* is what this library has over what the row has:
above 1 is good for calls, below 1 for times and memory. *this / 10 followers*, where there are more
and more of something, is what the row has over that with 10: what is flat stays near 1. Ratios say
more than figures, which change from one machine to the next.

`speed.rst <speed.rst>`_ says what is promised, how to measure, and where the time goes.
""".splitlines()
_AGAIN = """\
To make it again, in a checkout on a machine that does nothing else (the peers get environments of
their own below ``.venvs/`` on first use; npm's needs Node.js)::

    python -m benchmarks --peers --python2 /path/to/python2.7 --output results.json
    python -m benchmarks.publish results.json

The second command writes this page, its charts, and ``results/benchmarks.json``, of which it can
make them again. Several files are joined: of a benchmark that is in more than one, the last
counts.
""".splitlines()
_NAMES = (("processor", "processor"), ("cores", "cores"), ("system", "system"),
          ("python", "Python"), ("gevent", "gevent"),
          ("clusterclient_sync", "clusterclient_sync"), ("date", "date"))


def made(measured, charts):
    """The page.

    :param measured: a :class:`results.Measured`.
    :param charts: the names of the charts' files: that of calls, and that of the other shapes.
    """
    calls, shapes = charts
    lines = [".. Made by \"%s\" of results/benchmarks.json: change that, not this." % _COMMAND, ""]
    lines += title("Benchmarks", is_first=True)
    lines += _INTRODUCTION + [""]
    lines += _image(calls, "Calls a second and round trips of this library, of others and of bare "
                           "echoes. The tables have the same figures.")
    lines += _image(shapes, "What a call costs with few and with many connections, calls in flight "
                            "and followers. The tables have the same figures.")
    lines += title("The machine")
    for machine, names in measured.runs:
        lines += _machine(machine, names if len(measured.runs) > 1 else ())
    lines += title("Making it again") + _AGAIN + [""]
    lines += title("Who is measured") + _subjects(measured)
    for summary in measured.summaries.values():
        lines += _benchmark(summary)
    if measured.missing:
        lines += title("What was not measured")
        lines += ["- " + escaped(line) for line in measured.missing] + [""]
    return u"\n".join(lines).rstrip() + u"\n"


def _image(name, alternative):
    return [".. image:: " + name, "   :alt: " + alternative, ""]


def _machine(machine, names):
    rows = [[title_, escaped("%s" % machine[key])] for key, title_ in _NAMES if key in machine]
    npm = machine.get("npm", {})
    rows += [["npm's " + key if key == "cluster-client" else key, escaped(npm[key])]
             for key in sorted(npm)]
    packages = ", ".join(text for _, text in sorted(machine.get("peers", {}).items()))
    if packages:
        rows.append(["packages", escaped(packages)])
    about = ["Of %s:" % ", ".join("``%s``" % name for name in names), ""] if names else []
    return about + table(["what", "which"], rows)


def _subjects(measured):
    """Those of all subjects that were measured."""
    names = {row["name"] for summary in measured.summaries.values()
             for figure in summary["figures"] for row in figure["rows"]}
    return table(["name", "who"], [[escaped(one.title), who.about(one.name)]
                                   for one in subjects.SUBJECTS if one.name in names])


def _benchmark(summary):
    lines = title(summary["name"])
    lines += textwrap.wrap("%s." % escaped(summary["about"]), _WIDTH) + [""]
    if summary["settings"]:
        told = "Run with %s." % wording.settings(summary["settings"])
        lines += textwrap.wrap(told, _WIDTH) + [""]
    for figure in summary["figures"]:
        lines += _figure(figure)
    return lines


def _figure(figure):
    """A line of what it is, and its table: a column of ratios for each base."""
    digits, unit = figure["digits"], figure["unit"]
    names = {row["name"]: row["title"] for row in figure["rows"]}
    bases = [(names[base], key) for base, key in ((figure["base"], "ratio"),
                                                  (figure["also"], "also_ratio"))
             if base in names and len(names) > 1]
    way = "%s / this" if figure["ratio"] == figures.BASE_OVER_ROW else "this / %s"
    rows = [[escaped(row["title"]), wording.number(row["median"], digits),
             wording.spread(row, digits)] + [wording.ratio(row[key]) for _, key in bases]
            for row in figure["rows"]]
    about = [part for part in (unit, wording.is_better(figure)) if part not in ("", "x")]
    headings = ["what", "median", "spread"] + [escaped(way % base) for base, _ in bases]
    text = "**%s** (%s)" % (escaped(figure["title"]), ", ".join(about))
    return textwrap.wrap(text, _WIDTH) + [""] + table(headings, rows)
