"""Elements of SVG, as text in ASCII; the same for the same drawing on every Python."""

from __future__ import absolute_import, division, print_function

from xml.sax.saxutils import escape

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
#: A chart has a light background of its own, so that it can be read in a dark page as well.
PAPER, EDGE = "#ffffff", "#d0d7de"
INK, FAINT, GRID = "#1f2328", "#59636e", "#e4e8ec"


def coordinate(value):
    """At most one digit after the point."""
    text = "%.1f" % value
    return text[:-2] if text.endswith(".0") else text


def element(name, content="", **attributes):
    """An element.

    :param content: markup, not text.
    :param attributes: texts and numbers; ``_`` stands for ``-``.
    """
    told = "".join(' %s="%s"' % (key.replace("_", "-"), _attribute(attributes[key]))
                   for key in sorted(attributes))
    return "<%s%s>%s</%s>" % (name, told, content, name) if content else "<%s%s/>" % (name, told)


def _attribute(value):
    return escape(value, {'"': "&quot;"}) if hasattr(value, "encode") else coordinate(value)


def text(x, y, content, size=12, fill=INK, **attributes):
    """A line of text whose base line is at ``y``."""
    return element("text", escape(content), x=x, y=y, font_size=size, fill=fill, **attributes)


def line(x1, y1, x2, y2, stroke, width=1):
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width)


def moved(x, y, content):
    """Markup that is drawn elsewhere."""
    return element("g", content, transform="translate(%s %s)" % (coordinate(x), coordinate(y)))


def document(title, description, width, height, content):
    """A whole file.

    :param title, description: for those who do not see the drawing.
    """
    parts = [element("title", escape(title), id="title"),
             element("desc", escape(description), id="desc"),
             element("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=6, fill=PAPER,
                     stroke=EDGE),
             content]
    whole = element("svg", "\n" + "\n".join(parts) + "\n", xmlns="http://www.w3.org/2000/svg",
                    viewBox="0 0 %s %s" % (coordinate(width), coordinate(height)), width=width,
                    height=height, role="img", aria_labelledby="title desc", font_family=FONT)
    return whole.encode("ascii", "xmlcharrefreplace").decode("ascii") + u"\n"
