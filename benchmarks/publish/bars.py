"""A figure as bars: the best on top, the spread of the rounds as a whisker."""

from __future__ import absolute_import, division, print_function

from benchmarks.publish import svg, who, wording

WIDTH = 456
COLOURS = {who.OURS: "#12805c", who.OTHER: "#8d99a6", who.YARDSTICK: "#c9d1d9"}
#: The columns: titles up to here, then bars, then values up to the right edge.
BARS_FROM, BARS_TO = 122, 372
_HEAD, _ROW, _BAR = 52, 22, 14


def height(figure):
    """Of the drawing."""
    return _HEAD + _ROW * len(figure["rows"])


def ordered(figure):
    """Its rows, the best first."""
    return sorted(figure["rows"], key=lambda row: row["median"],
                  reverse=figure["more_is_better"])


def scale(figure):
    """What one of the figure's unit has of the drawing's: the longest whisker ends at the edge."""
    longest = max(row["max"] for row in figure["rows"])
    return (BARS_TO - BARS_FROM) / longest if longest else 0.0


def heading(title, unit, figure):
    """Two lines: what is measured; in what, and which values are good."""
    return [svg.text(0, 16, title, size=15, font_weight="600"),
            svg.text(0, 35, ", ".join(part for part in (unit, wording.is_better(figure)) if part),
                     fill=svg.FAINT)]


def drawn(figure, title, unit):
    """The drawing, :data:`WIDTH` wide.

    :param unit: how the unit is called there.
    """
    parts, factor = heading(title, unit, figure), scale(figure)
    for number, row in enumerate(ordered(figure)):
        parts.append(svg.moved(0, _HEAD + _ROW * number, _row(row, figure["digits"], factor)))
    return "\n".join(parts)


def _row(row, digits, factor):
    kind = who.kind(row["name"])
    weight = {"font_weight": "600"} if kind == who.OURS else {}
    middle = _ROW / 2
    low, high = (BARS_FROM + row[end] * factor for end in ("min", "max"))
    parts = [
        svg.text(BARS_FROM - 8, middle + 4, row["title"], text_anchor="end", **weight),
        svg.element("rect", x=BARS_FROM, y=middle - _BAR / 2, width=row["median"] * factor,
                    height=_BAR, rx=2, fill=COLOURS[kind]),
        svg.line(low, middle, high, middle, svg.INK)]
    parts.extend(svg.line(end, middle - 3, end, middle + 3, svg.INK) for end in (low, high))
    parts.append(svg.text(WIDTH, middle + 4, wording.number(row["median"], digits),
                          text_anchor="end", **weight))
    return "".join(parts)


def described(figure, title, unit):
    """The same in words."""
    return "%s (%s): %s." % (title, ", ".join((unit, wording.is_better(figure))), ", ".join(
        "%s %s" % (row["title"], wording.number(row["median"], figure["digits"]))
        for row in ordered(figure)))
