"""How measured times are distributed, where a median and its spread say too little."""

from __future__ import absolute_import, division, print_function

from benchmarks.figures import median
from benchmarks.load import percentile


def distribution(values):
    """Median, p90 and worst of these, and how many there are; ``None`` of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {"median": median(ordered), "p90": percentile(ordered, 90), "worst": ordered[-1],
            "count": len(ordered)}
