"""All benchmarks of ``python -m benchmarks``.

A benchmark is an object with

``name``, ``about``
    what it is called on the command line, and a line that says what it measures.
``measure(options, progress) -> summary``
    runs it.  ``options`` is the namespace of the command line (``arguments.py``; ``rounds`` and
    ``seconds`` are ``None`` where the user did not give them, ``quick`` is a flag), ``progress`` a
    :class:`progress.Progress`: ``progress(what)`` before each step, and before all of them
    ``progress.begin(name, steps)`` where their number is known.
    Gives what :func:`figures.summary` makes.  It raises :class:`progress.LeftOut` where it cannot
    run here; a part that cannot is told with ``progress.leave_out(who, why)``.
"""

from __future__ import absolute_import, division, print_function

from benchmarks import calls, shapes

BENCHMARKS = calls.BENCHMARKS + shapes.BENCHMARKS

#: What is run as ``python -m benchmarks.<name>``: ``(name, about)``.
PROGRAMS = (
    ("failover", "python -m benchmarks.failover: how soon survivors of a leader go on"),
    ("chaos", "python -m benchmarks.chaos: leaders end under load; what is lost is counted"),
    ("runtimes", "python -m benchmarks.runtimes: calls of native threads against greenlets"),
    ("publish", "python -m benchmarks.publish: the page and charts of what was measured"),
)


def listed(indent=""):
    """What there is, a line each."""
    return "\n".join("%s%-20s %s" % (indent, name, about) for name, about in
                     [(one.name, one.about) for one in BENCHMARKS] + list(PROGRAMS))
