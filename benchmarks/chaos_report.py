"""What came of a chaos run, as data and as text."""

from __future__ import absolute_import, division, print_function

from benchmarks import book
from benchmarks.report import distribution

KINDS = (book.KILL, book.TERM, book.RESIGN, book.PAUSE)
TITLES = {book.KILL: "killed", book.TERM: "ended by SIGTERM", book.RESIGN: "resigned",
          book.PAUSE: "stopped for a while"}
UNKNOWN = "unknown after a kill"


def summarize(kept, stale, unclean):
    """As JSON takes it; ``broken`` names the promises that were broken.

    :param kept: the :class:`book.Book`.
    :param stale: how many listeners did not get the last value.
    :param unclean: how many processes were told to end, and ended with an error.
    """
    counts = {"failed_idempotent": kept.failed["idempotent"],
              "failed_not_idempotent": kept.failed["not idempotent"],
              "values_went_back": kept.went_back, "overlapping_leaders": kept.overlaps(),
              "stale_listeners": stale, "ended_with_an_error": unclean}
    return dict(
        counts, ends={kind: kept.count(kind) for kind in KINDS}, calls=kept.total_calls(),
        failed_unknown_after_a_kill=kept.failed[UNKNOWN],
        gaps={kind: distribution(gaps) for kind, gaps in kept.gaps.items()},
        broken=sorted(name for name, count in counts.items() if count), examples=kept.examples)


def as_text(summary):
    """The summary as lines."""
    lines = ["leaders"]
    for kind in KINDS:
        line = "  %-22s %6d" % (TITLES[kind], summary["ends"][kind])
        gaps = summary["gaps"].get(kind)
        if gaps is not None:
            line += "   gaps %(median).1f ms, p90 %(p90).1f, worst %(worst).1f" % {
                name: value * 1e3 for name, value in gaps.items()}
        lines.append(line)
    lines.append("calls answered")
    for method, number in sorted(summary["calls"].items()):
        lines.append("  %-22s %6d" % (
            "idempotent" if method in book.IDEMPOTENT else "not idempotent", number))
    lines.append("lost")
    for title, name in (
            ("unknown, after a kill", "failed_unknown_after_a_kill"),
            ("idempotent calls", "failed_idempotent"),
            ("other calls", "failed_not_idempotent"), ("stale listeners", "stale_listeners"),
            ("values that went back", "values_went_back"),
            ("overlapping leaders", "overlapping_leaders"),
            ("processes that failed", "ended_with_an_error")):
        lines.append("  %-22s %6d" % (title, summary[name]))
    lines.extend("  %s" % example for example in summary["examples"])
    lines.append("broken: %s" % (", ".join(summary["broken"]) or "nothing"))
    return "\n".join(lines)
