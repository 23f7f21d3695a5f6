"""What the benchmarks of shapes have in common: their form, their numbers, their turns."""

from __future__ import absolute_import, division, print_function

import collections

from benchmarks import figures, npm
from benchmarks.progress import LeftOut

#: ``name``, ``about`` (a line), ``measure(options, progress)`` which gives ``figures.summary``.
#: ``options`` is what the command line gave, where each attribute may be missing or ``None``;
#: ``progress`` is a ``progress.Progress``.
Benchmark = collections.namedtuple("Benchmark", "name about measure")

#: What the command line has a say in; its other numbers are those of benchmarks of calls.
OPTIONS = ("rounds", "seconds", "payload")
#: The names of the subjects.
OURS, NPM = "cluster", "npm"
TITLES = {OURS: "cluster", NPM: "npm"}


def numbers(options, full, quick):
    """The numbers of a run, a dict; those of :data:`OPTIONS` give way to what the user says.

    :param full: the defaults.
    :param quick: what is less where the run only shows that it works.
    """
    chosen = dict(full)
    if getattr(options, "quick", False):
        chosen.update(quick)
    for name in OPTIONS:
        given = getattr(options, name, None)
        if name in chosen and given is not None:
            chosen[name] = given
    return chosen


def subjects(options, progress):
    """Who is measured beside us: npm, where peers are asked for and it can be had."""
    if not getattr(options, "peers", False):
        return [OURS]
    try:
        npm.program()
    except LeftOut as reason:
        progress.leave_out(NPM, str(reason))
        return [OURS]
    return [OURS, NPM]


def in_turn(what, ways, rounds, run, progress):
    """Run each of some ways in each round; nobody is always the one that runs after another.

    :param what: the name of what is measured, for the lines of a long run.
    :param run: called as ``run(way)``.
    :return: way -> what ``run`` gave, round by round.
    """
    measured = {way: [] for way in ways}
    progress.begin(what, rounds * len(ways))
    for number in range(rounds):
        first = number % len(ways)
        for way in ways[first:] + ways[:first]:
            progress("round %d of %d" % (number + 1, rounds))
            measured[way].append(run(way))
    return measured


def name_of(way):
    """The name of a row: the parts of its way."""
    return "_".join(str(part) for part in way) if isinstance(way, tuple) else str(way)


def rows(measured, titles, value):
    """Rows of a figure.

    :param measured: what :func:`in_turn` gave.
    :param titles: a list of ``(way, title)``, in the order of the rows.
    :param value: called with what a round gave: the figure's value in it.
    """
    return [figures.row(name_of(way), title, [value(one) for one in measured[way]])
            for way, title in titles]


def growth(key, title, unit, made, base, **how):
    """A figure where less is better and each row is held against one that has less of something.
    """
    return figures.figure(key, title, unit, made, base=name_of(base), ratio=figures.ROW_OVER_BASE,
                          more_is_better=False, **how)
