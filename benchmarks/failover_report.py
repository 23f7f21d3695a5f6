"""The distributions that ``failover`` measured, as data and as text."""

from __future__ import absolute_import, division, print_function

import collections

from benchmarks.report import distribution

#: What a round tells, and its title: first where leaders are killed, then where they leave.
AFTER_KILL = (("answer", "first answer"), ("value", "first value"))
WHILE_LEAVING = (("gap", "without answer"),)


def rows_of(how):
    """What counts where a leader ends so."""
    return AFTER_KILL if how == "kill" else WHILE_LEAVING


def summarize(scenario, rounds):
    """As JSON takes it; times in seconds.

    :param rounds: name -> what ``Crew.round`` gave, round by round.
    """
    measured = {}
    for name, told in rounds.items():
        failed = collections.Counter()
        for one in told:
            failed.update(one["failed"])
        measured[name] = {key: distribution([value for one in told for value in one[key]])
                          for key, _ in rows_of(scenario.how)}
        measured[name].update(failed=dict(failed), calls=sum(one["calls"] for one in told))
    return {"name": scenario.name, "about": scenario.about, "how": scenario.how,
            "measured": measured}


def as_text(summary):
    """The summary as a table."""
    lines = ["%(name)s: %(about)s" % summary]
    for key, title in rows_of(summary["how"]):
        for name, figures in sorted(summary["measured"].items(), reverse=True):
            lines.append("  %-14s %-5s median %8.1f ms   p90 %8.1f   worst %8.1f   (%d)" % (
                (title, name) + tuple(figures[key][part] * 1e3
                                      for part in ("median", "p90", "worst"))
                + (figures[key]["count"],)))
    for name, figures in sorted(summary["measured"].items(), reverse=True):
        failed = sorted(figures["failed"].items(), key=lambda item: -item[1])
        lines.append("  %-14s %-5s %d of %d calls%s" % (
            "failed", name, sum(number for _, number in failed),
            figures["calls"] + sum(number for _, number in failed),
            "".join("; %d %s" % (number, kind) for kind, number in failed)))
    return "\n".join(lines)
