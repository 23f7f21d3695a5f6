"""What a benchmark measured, as data: figures with rows of rounds, their spread and their ratios.

All benchmarks give the same shape, so that one table, one chart and one JSON document serve them
all.  A *figure* is one quantity (calls per second, bytes per follower); its *rows* are who or what
was measured (the cluster and its peers; 1, 100 and 500 connections).  Values that were measured
side by side have the same place in their rows' ``rounds``; a ratio is taken within a round, so that
a machine that is slow for a while slows both of its sides.
"""

from __future__ import absolute_import, division, print_function

#: How a row is compared with its figure's base.
BASE_OVER_ROW = "base over row"  # ours (the base) against each other
ROW_OVER_BASE = "row over base"  # more of something against the least of it


def median(values):
    """The middle of these, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """Median, lowest and highest."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def row(name, title, rounds):
    """One row of a figure.

    :param rounds: what each round measured, in the figure's unit, in the order of the rounds.
    """
    return dict(spread(rounds), name=name, title=title, rounds=list(rounds))


def figure(key, title, unit, rows, base, ratio=BASE_OVER_ROW, more_is_better=True, digits=0,
           also=None):
    """One quantity that was measured.

    :param unit: what the values are, as it is printed behind them: ``"/s"``, ``"us"``, ``"KiB"``.
    :param rows: what :func:`row` made; all have as many rounds.
    :param base: the name of the row with which the others are compared, or ``None``.
    :param ratio: ``BASE_OVER_ROW`` or ``ROW_OVER_BASE``.
    :param digits: how many are printed after the point.
    :param also: a second base: the name of a row with which the others are compared as well
        (their ``also_ratio``), or ``None``.
    """
    for key_of_ratio, name in (("ratio", base), ("also_ratio", also)):
        _compare(rows, name, ratio, key_of_ratio)
    return {"key": key, "title": title, "unit": unit, "rows": list(rows), "base": base,
            "also": also, "ratio": ratio, "more_is_better": more_is_better, "digits": digits}


def _compare(rows, base, ratio, key):
    bases = [one for one in rows if one["name"] == base]
    for one in rows:
        one[key] = None
        if bases and one is not bases[0]:
            one[key] = spread(_ratios(bases[0]["rounds"], one["rounds"], ratio))


def _ratios(base, other, ratio):
    pairs = zip(base, other) if ratio == BASE_OVER_ROW else zip(other, base)
    return [one / two if two else 0.0 for one, two in pairs]


def summary(name, about, settings, figures):
    """What a benchmark gives: everything, as JSON takes it.

    :param settings: a dict of the numbers that it ran with.
    """
    return {"name": name, "about": about, "settings": dict(settings), "figures": list(figures)}


def as_text(told):
    """A summary as a table."""
    lines = ["%s: %s" % (told["name"], told["about"])]
    if told["settings"]:
        lines.append("  " + ", ".join("%s %s" % (name, told["settings"][name])
                                      for name in sorted(told["settings"])))
    for one in told["figures"]:
        lines.extend(_figure_lines(one))
    return "\n".join(lines)


def _figure_lines(told):
    titles = {one["name"]: one["title"] for one in told["rows"]}
    width = max([len(title) for title in titles.values()] + [8])
    lines = ["  %s" % told["title"]]
    for one in told["rows"]:
        line = "    %-*s %12.*f %-4s (%.*f..%.*f)" % (
            width, one["title"], told["digits"], one["median"], told["unit"],
            told["digits"], one["min"], told["digits"], one["max"])
        for base, ratio in ((told["base"], one["ratio"]), (told["also"], one["also_ratio"])):
            if ratio is not None:
                line += "  %s %.*f (%.*f..%.*f)" % _with_digits(
                    ("%s / this:" if told["ratio"] == BASE_OVER_ROW else "this / %s:")
                    % titles[base], ratio)
        lines.append(line)
    return lines


def _with_digits(title, ratio):
    digits = 2 if ratio["median"] >= 0.05 else 4
    return title, digits, ratio["median"], digits, ratio["min"], digits, ratio["max"]
