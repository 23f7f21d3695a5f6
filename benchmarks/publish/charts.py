"""The charts: which figures they have, and where."""

from __future__ import absolute_import, division, print_function

import collections

from benchmarks.publish import bars, lines, svg, who

_MARGIN, _GAP, _LEGEND = 28, 32, 30
_COLUMNS = 2


class Bars(object):
    """A panel with a figure's rows as bars.

    :param title: with ``%(name)s`` for what the benchmark's settings say.

    ``where``: the figures that it shows, a list of ``(benchmark, key)``.
    """

    def __init__(self, benchmark, key, title, unit):
        self.where = [(benchmark, key)]
        self._words = title, unit

    def panel(self, measured):
        """``(height, markup, words)``, or ``None`` where that was not measured."""
        (benchmark, key), = self.where
        figure = measured.figure(benchmark, key)
        if figure is None:
            return None
        title, unit = self._words
        words = title % measured.summaries[benchmark]["settings"], unit
        return bars.height(figure), bars.drawn(figure, *words), bars.described(figure, *words)


class Lines(object):
    """A panel with figures of a benchmark as lines; otherwise as :class:`Bars`.

    :param series: a list of ``(key, title)``, titles with ``%(name)s``; ``along``: what there are
        so many of; ``begin``: so many rows come before the first that is drawn.
    """

    def __init__(self, benchmark, series, title, unit, along, begin=0):
        self.where = [(benchmark, key) for key, _ in series]
        self._titles = [name for _, name in series]
        self._words = title, unit
        self._along = along
        self._begin = begin

    def panel(self, measured):
        """As that of :class:`Bars`."""
        series = [
            (name % measured.summaries[benchmark]["settings"],
             dict(figure, rows=figure["rows"][self._begin:] or figure["rows"]))
            for name, (benchmark, figure) in zip(self._titles, (
                (benchmark, measured.figure(benchmark, key)) for benchmark, key in self.where))
            if figure is not None]
        if not series:
            return None
        return (lines.height(series), lines.drawn(series, *(self._words + (self._along,))),
                lines.described(series, *self._words))


OVERVIEW = (
    Bars("concurrent", "calls", "Concurrent: a follower with %(greenlets)s greenlets",
         "calls per second"),
    Bars("fan_in", "calls", "Fan-in: %(processes)s followers with %(greenlets)s greenlets each",
         "calls per second"),
    Bars("round_trip_two_cores", "p50", "Round trip of one caller, on two cores",
         u"\u00b5s, p50"),
    Bars("round_trip_one_core", "p50", "Round trip of one caller, on one core", u"\u00b5s, p50"),
)
SHAPES = (
    Lines("connections", (("spread_cpu", "%(greenlets)s greenlets take turns on all of them"),
                          ("each_cpu", "a greenlet for each")),
          "Connections to a leader", u"its CPU for a call, \u00b5s", "connections"),
    Lines("in_flight", (("at_once_cpu", "all call, none waits"),),
          "Greenlets that call at once", u"CPU of the leader for a call, \u00b5s",
          "calls in flight"),
    Lines("in_flight", (("waiting_cpu", "%(greenlets)s greenlets call beside them"),),
          "Calls that wait at the real client", u"CPU of the leader for another call, \u00b5s",
          "calls that wait"),
    Lines("fan_out_flat", (("cpu_per_delivery", "every value to all of them"),),
          "Followers that hear a value", u"CPU of the leader for each, \u00b5s", "followers"),
    Lines("payloads", (("time_text_as_answer", "text as answer"),
                       ("time_bytes_as_answer", "bytes as answer"),
                       ("time_text_as_answer_msgpack", "text as answer, msgpack"),
                       ("time_bytes_as_answer_msgpack", "bytes as answer, msgpack")),
          "Large values", "ns for each byte", "size of the value", begin=1),
    Bars("idle", "memory", "Memory of a leader for an idle follower", "KiB"),
)


def _overview(measured):
    return _chart("Calls of this library and of others", OVERVIEW, measured, _legend())


def _shapes(measured):
    return _chart("What a call costs with few and with many", SHAPES, measured, "")


#: The files that there are, and what makes each of what was measured.
FILES = collections.OrderedDict((("benchmarks.svg", _overview), ("benchmarks-shapes.svg", _shapes)))


def _legend():
    parts, x = [], 0
    for kind in (who.OURS, who.OTHER, who.YARDSTICK):
        parts.append(svg.element("rect", x=x, y=-10, width=12, height=12, rx=2,
                                 fill=bars.COLOURS[kind]))
        parts.append(svg.text(x + 18, 0, kind))
        x += 130
    parts.append(svg.text(x, 0, "bar: median of the rounds; whisker: lowest and highest",
                          fill=svg.FAINT))
    return "".join(parts)


def _chart(title, panels, measured, legend):
    made = [panel for panel in (one.panel(measured) for one in panels) if panel is not None]
    parts, y = [], _MARGIN
    if not made:
        parts.append(svg.moved(_MARGIN, y, svg.text(0, 16, "None of this was measured.")))
        y += _LEGEND
    for start in range(0, len(made), _COLUMNS):
        beside = made[start:start + _COLUMNS]
        for column, (_, markup, _) in enumerate(beside):
            parts.append(svg.moved(_MARGIN + column * (bars.WIDTH + _GAP), y, markup))
        y += max(height for height, _, _ in beside) + _GAP
    if legend:
        parts.append(svg.moved(_MARGIN, y + 4, legend))
        y += _LEGEND
    width = 2 * _MARGIN + _COLUMNS * bars.WIDTH + (_COLUMNS - 1) * _GAP
    return svg.document(title, " ".join(words for _, _, words in made), width,
                        y + _MARGIN - _GAP, "\n".join(parts))
