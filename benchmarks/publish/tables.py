"""Tables and titles of reStructuredText."""

from __future__ import absolute_import, division, print_function

import re

_SPECIAL = re.compile(r"[\\`*|]|_(?![A-Za-z0-9])")


def escaped(text):
    """Text in which nothing is markup."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(0), text)


def title(text, line="=", is_first=False):
    """A title's lines."""
    under = line * len(text)
    return ([under] if is_first else []) + [text, under, ""]


def table(headings, rows):
    """A simple table's lines.

    :param rows: lists of cells; the first of each must not be empty.
    """
    columns = [[heading] + [row[place] for row in rows] for place, heading in enumerate(headings)]
    widths = [max(len(cell) for cell in column) for column in columns]
    border = " ".join("=" * width for width in widths)
    lines = [_row(row, widths) for row in zip(*columns)]
    return [border, lines[0], border] + lines[1:] + [border, ""]


def _row(cells, widths):
    return " ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
