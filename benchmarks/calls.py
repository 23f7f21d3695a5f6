"""The benchmarks of calls: who calls, how many at once, and what of it counts."""

from __future__ import absolute_import, division, print_function

import functools

from benchmarks import environments, figures, subjects
from benchmarks.arguments import chosen
from benchmarks.crews import Crew, Load, Turn, interleave
from benchmarks.pinning import Pins
from benchmarks.progress import LeftOut

OURS = "cluster"
ROUNDS = {"default": 5, "quick": 2}
SECONDS = {"default": 1.0, "quick": 0.1}
MICROSECONDS = 1e6
ONE_CORE, TWO_CORES = "one core", "two cores"


def rows(told, value):
    """A row for each subject.

    :param told: subject's name -> its rounds.
    :param value: what counts of a round, a function.
    """
    return [figures.row(name, subjects.named(name).title, [value(one) for one in rounds])
            for name, rounds in told.items()]


def times(key, title, told, value):
    """A figure of times, which rounds tell in seconds."""
    return figures.figure(
        key, title, "us", rows(told, lambda one: value(one) * MICROSECONDS), OURS,
        more_is_better=False, digits=1, also=subjects.SPEED)


def shares(key, title, told, above, below):
    """A figure of what one value of a round is over another of the same round."""
    return figures.figure(
        key, title, "x",
        rows(told, lambda one: above(one) / below(one) if below(one) else 0.0), None,
        more_is_better=False, digits=2)


def part(name):
    """What a round tells under a name, as a function of the round."""
    return lambda one: one[name]


def latency(told):
    return [times("p50", "round trip, p50", told, part("p50")),
            times("p99", "round trip, p99", told, part("p99")),
            shares("p99_over_p50", "p99 over p50", told, part("p99"), part("p50"))]


def throughput(told):
    return [figures.figure("calls", "calls", "/s", rows(told, part("calls_per_second")), OURS,
                           also=subjects.SPEED)]


class Calls(object):
    """A benchmark (see ``catalogue``).

    :param load: a :class:`Load`; ``scalable``: those of its numbers that the user may change.
    :param figures_of: makes the figures of subject's name -> rounds.
    :param cores: ``ONE_CORE`` for all processes of a subject, ``TWO_CORES`` where those that call
        have another than the one that serves, or ``None``: as the system likes it.
    """

    def __init__(self, name, about, load, figures_of, scalable=(), cores=None):
        self.name = name
        self.about = about
        self._load = load
        self._figures_of = figures_of
        self._scalable = scalable
        self._cores = cores

    def measure(self, options, progress):
        """Run it."""
        load = self._load_of(options)
        pins = None if self._cores is None else Pins(apart=self._cores == TWO_CORES)
        seconds = chosen(options, "seconds", **SECONDS)
        rounds = chosen(options, "rounds", **ROUNDS)
        turns = self.turns(options, progress, load, pins, seconds)
        if not turns:
            raise LeftOut("none of the subjects can be measured")
        told = interleave(self.name, turns, rounds, progress)
        settings = dict(vars(load), payload=options.payload, rounds=rounds, seconds=seconds)
        return figures.summary(self.name, self.about, settings, self._figures_of(told))

    def _load_of(self, options):
        numbers = {name: getattr(options, name) for name in self._scalable
                   if getattr(options, name)}
        return Load(**dict(vars(self._load), **numbers))

    def turns(self, options, progress, load, pins, seconds):
        """Everybody's part of the rounds."""
        return [
            Turn(subject.name,
                 functools.partial(self.start, options, load, subject, program, pins),
                 functools.partial(self.play, load=load, seconds=seconds), subject.is_peer)
            for subject, program in self.programs(options, progress, load)]

    def start(self, options, load, subject, program, pins=None):
        """The processes of a subject, warm where the figures count."""
        crew = Crew(subject, program, load, options.payload, pins)
        if not options.quick:
            crew.warm_up(load, subjects.WARM_UP_SECONDS[subject.runs_on])
        return crew

    def play(self, crew, load, seconds):
        """A subject's part of a round."""
        return crew.round(load, seconds)

    def fits(self, subject, load):
        """Whether a subject can take part."""
        return subject.callers != subjects.ALONE or (
            load.processes * load.connections * load.greenlets * load.at_once == 1)

    def programs(self, options, progress, load):
        """The subjects that the user wants and that are here, each with its program."""
        for subject in subjects.SUBJECTS:
            wanted = (subject.name in options.only if options.only
                      else options.peers or not subject.is_peer)
            if not wanted or not self.fits(subject, load):
                continue
            try:
                program = environments.program(
                    subject, options.peers or bool(options.only), progress.say)
            except LeftOut as reason:
                progress.leave_out(subject.name, str(reason))
            else:
                yield subject, program


class AtOnce(Calls):
    """The same caller makes one call, and then several at once."""

    SUBJECTS = (OURS, subjects.SPEED, "npm", "npm_json")

    def fits(self, subject, load):
        return subject.name in self.SUBJECTS

    def play(self, crew, load, seconds):
        return {"one": crew.round(Load(), seconds)["p50"],
                "several": crew.round(load, seconds)["p50"]}


def at_once(told):
    return [times("one", "one call, p50", told, part("one")),
            times("two", "two calls at once, p50", told, part("several")),
            shares("two_over_one", "two over one", told, part("several"), part("one"))]


class OnPython2(Calls):
    """The cluster of a given Python 2.7 beside that of this Python."""

    OTHER = "cluster_python2"

    def turns(self, options, progress, load, pins, seconds):
        if not options.python2:
            raise LeftOut("it needs --python2 PATH, an interpreter with gevent, six and monotonic")
        subject = subjects.named(OURS)
        programs = ((OURS, environments.program(subject, False, progress.say)),
                    (self.OTHER, environments.program_of_python(options.python2)))
        return [Turn(name, functools.partial(self.start, options, load, subject, program),
                     functools.partial(self.play, load=load, seconds=seconds), False)
                for name, program in programs]

    @staticmethod
    def figures_of(told):
        """Two rows, and what Python 2 has of the other's calls."""
        titles = ((OURS, "this Python"), (OnPython2.OTHER, "Python 2"))
        return [figures.figure(
            "calls", "calls", "/s",
            [figures.row(name, title, [one["calls_per_second"] for one in told[name]])
             for name, title in titles], OURS, ratio=figures.ROW_OVER_BASE)]


FOLLOWER = Load(greenlets=100)

BENCHMARKS = (
    Calls("round_trip", "one caller in one follower waits for each answer", Load(), latency),
    Calls("round_trip_one_core", "the same, with all processes of a subject on one core",
          Load(), latency, cores=ONE_CORE),
    Calls("round_trip_two_cores", "the same, with the one that serves on a core of its own",
          Load(), latency, cores=TWO_CORES),
    AtOnce("two_at_once", "one caller makes two calls at once and waits for both",
           Load(at_once=2), at_once),
    Calls("concurrent", "one follower whose greenlets call at once", FOLLOWER, throughput,
          scalable=("connections", "greenlets")),
    Calls("fan_in", "several followers whose greenlets call one leader at once",
          Load(processes=8, greenlets=16), throughput,
          scalable=("processes", "connections", "greenlets")),
    OnPython2("python2", "concurrent, by a cluster of Python 2.7 and by this Python's", FOLLOWER,
              OnPython2.figures_of, scalable=("connections", "greenlets")),
)
