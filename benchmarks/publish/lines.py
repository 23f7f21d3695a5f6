"""Figures as lines over how many there are of something: what is flat shows as flat."""

from __future__ import absolute_import, division, print_function

import math
import re

from benchmarks.publish import bars, svg, wording

WIDTH = bars.WIDTH
COLOURS = ("#12805c", "#c2571a", "#3b6fb6", "#8250a8")
LEFT, RIGHT, PLOT = 44, WIDTH - 12, 150
_HEAD, _LEGEND, _FOOT = 62, 18, 44
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 4
_LABEL = re.compile(r"\d+( [KMG]iB)?")


def height(series):
    """Of the drawing."""
    return _HEAD + _LEGEND * len(series) + PLOT + _FOOT


def step(most):
    """Between two lines of the grid, so that about four reach up to ``most``."""
    if most <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(most / _TICKS))
    return size * next(one for one in _STEPS if one * size * _TICKS >= most * 0.999)


def labels(figure):
    """How many there are in each row: ``100`` of "100 followers", ``64 KiB``."""
    found = [_LABEL.match(row["title"]) for row in figure["rows"]]
    return [match.group(0) if match else row["title"]
            for match, row in zip(found, figure["rows"])]


def drawn(series, title, unit, along):
    """The drawing, :data:`WIDTH` wide.

    :param series: a list of ``(title, figure)``: lines whose rows are of the same numbers.
    :param unit: how the unit is called there; ``along``: what there are so many of.
    """
    first = series[0][1]
    parts = bars.heading(title, unit, first)
    for number, (name, _) in enumerate(series):
        y = _HEAD + _LEGEND * number - 4
        parts.append(svg.element("circle", cx=LEFT + 4, cy=y - 4, r=4, fill=COLOURS[number]))
        parts.append(svg.text(LEFT + 14, y, name))
    plot = _Plot(series)
    parts.append(svg.moved(0, _HEAD + _LEGEND * len(series),
                           plot.drawn(labels(first), along)))
    return "\n".join(parts)


class _Plot(object):
    """The lines and what is around them, from the top of the highest line of the grid."""

    def __init__(self, series):
        self._series = [figure["rows"] for _, figure in series]
        self._most = max(row["max"] for rows in self._series for row in rows)
        self._step = step(self._most)
        self._top = self._step * max(1, math.ceil(self._most / self._step - 0.001))
        # Numbers are as far apart as if each were the same multiple of the one before it.
        self._count = max(len(rows) for rows in self._series)

    def x(self, place):
        """Where the column of a row is."""
        return LEFT + (RIGHT - LEFT) * (place + 0.5) / self._count

    def y(self, value):
        """How far down a value is."""
        return PLOT * (1 - value / self._top)

    def drawn(self, names, along):
        parts = self._grid()
        for place, name in enumerate(names):
            parts.append(svg.text(self.x(place), PLOT + 17, name, fill=svg.FAINT,
                                  text_anchor="middle"))
        parts.append(svg.text((LEFT + RIGHT) / 2, PLOT + 35, along, fill=svg.FAINT,
                              text_anchor="middle"))
        for rows, colour in zip(self._series, COLOURS):
            parts.extend(self._line(rows, colour))
        return "".join(parts)

    def _grid(self):
        digits = max(0, -int(math.floor(math.log10(self._step))))
        if self._step * 10 ** digits % 1:  # 2.5
            digits += 1
        parts = []
        for number in range(int(round(self._top / self._step)) + 1):
            value = number * self._step
            parts.append(svg.line(LEFT, self.y(value), RIGHT, self.y(value), svg.GRID))
            parts.append(svg.text(LEFT - 6, self.y(value) + 4, wording.number(value, digits),
                                  fill=svg.FAINT, text_anchor="end"))
        return parts

    def _line(self, rows, colour):
        points = [(self.x(place), self.y(row["median"])) for place, row in enumerate(rows)]
        yield svg.element(
            "polyline", fill="none", stroke=colour, stroke_width=2,
            points=" ".join("%s,%s" % (svg.coordinate(x), svg.coordinate(y)) for x, y in points))
        for (x, y), row in zip(points, rows):
            low, high = self.y(row["min"]), self.y(row["max"])
            yield svg.line(x, low, x, high, colour)
            for end in (low, high):
                yield svg.line(x - 3, end, x + 3, end, colour)
            yield svg.element("circle", cx=x, cy=y, r=3, fill=colour)


def described(series, title, unit):
    """The same in words."""
    return "%s (%s): %s." % (
        title, ", ".join((unit, wording.is_better(series[0][1]))), "; ".join(
            "%s: %s" % (name, ", ".join(
                "%s %s" % (row["title"], wording.number(row["median"], figure["digits"]))
                for row in figure["rows"])) for name, figure in series))
