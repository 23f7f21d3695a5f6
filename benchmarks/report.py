"""Medians, spreads and ratios of rounds, as data and as text."""

from __future__ import absolute_import, division, print_function

from benchmarks import scenarios, subjects
from benchmarks.load import percentile

#: What a scenario shows: (key in the data, title, factor, unit, whether more is better).
LATENCY_ROWS = (("p50", "p50", 1e6, "us", False), ("p99", "p99", 1e6, "us", False))
THROUGHPUT_ROWS = (("calls_per_second", "calls", 1, "/s", True),)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def distribution(values):
    """Median, p90 and worst of these, and how many there are; ``None`` of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {"median": median(ordered), "p90": percentile(ordered, 90), "worst": ordered[-1],
            "count": len(ordered)}


def rows_of(scenario):
    return LATENCY_ROWS if scenario.measures == scenarios.LATENCY else THROUGHPUT_ROWS


def summarize(scenario, settings, rounds):
    """What was measured, as JSON takes it.

    :param rounds: subject name -> what :meth:`workers.Crew.round` returned, round by round.
    """
    measured = {}
    for key, _, _, _, _ in rows_of(scenario):
        measured[key] = {
            subject: {"median": median(values), "min": min(values), "max": max(values),
                      "ratio_to_cluster": ratio(rounds, subject, key)}
            for subject, values in (
                (subject, [one[key] for one in told]) for subject, told in rounds.items())}
    return {"name": scenario.name, "about": scenario.about, "settings": dict(settings._asdict()),
            "measured": measured}


def ratio(rounds, subject, key):
    """The median of the cluster's figure over this subject's in the same round."""
    return median([ours[key] / theirs[key] if theirs[key] else 0.0
                   for ours, theirs in zip(rounds["cluster"], rounds[subject])]
                  ) if "cluster" in rounds else None


def as_text(scenario, summary):
    """The summary as a table."""
    numbers = summary["settings"]
    lines = ["%s: %s" % (scenario.name, scenario.about),
             "  %(processes)d calling process(es) x %(greenlets)d greenlet(s), answers of "
             "%(payload)d characters, %(rounds)d rounds of %(seconds)g s" % numbers]
    for key, title, factor, unit, more in rows_of(scenario):
        for subject in subjects.NAMES:
            if subject not in summary["measured"][key]:
                continue
            figures = summary["measured"][key][subject]
            line = "  %-6s %-16s %9.0f %-3s (%.0f..%.0f)" % (
                title, subjects.TITLES[subject], figures["median"] * factor, unit,
                figures["min"] * factor, figures["max"] * factor)
            if subject != "cluster" and figures["ratio_to_cluster"] is not None:
                line += "   the cluster has %.2f of its %s" % (
                    figures["ratio_to_cluster"], "calls" if more else "time")
            lines.append(line)
    return "\n".join(lines)
