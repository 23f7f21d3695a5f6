"""Values of all sizes: time for each byte, copies that are alive, and who waits beside a big one.
"""

from __future__ import absolute_import, division, print_function

from benchmarks import figures
from benchmarks.shapes import crew
from benchmarks.shapes.benchmark import OURS, Benchmark, growth, in_turn, name_of, numbers, rows
from benchmarks.shapes.source import BYTES, TEXT, Source
from clusterclient_sync import cluster
from clusterclient_sync.exceptions import ConfigurationError

_KIB, _MIB = 1024, 1024 * 1024
_SIZES = [_KIB, 64 * _KIB, _MIB, 32 * _MIB]
_QUICK_SIZES = [_KIB, 64 * _KIB]
#: So many bytes are carried in a round, one value after the other, if they are small.
_VOLUME = 8 * _MIB
_MOST_TIMES = 1000
#: What is carried, and whether as answer or as argument.
_SHAPES = [(kind, is_answer) for is_answer in (True, False) for kind in (TEXT, BYTES)]
_JSON, _MSGPACK = "plain-json", "msgpack"


def transcodes():
    """JSON, and what the extra "speed" brings where it is installed."""
    try:
        cluster(Source, transcode=_MSGPACK)
    except ConfigurationError:
        return [_JSON]
    return [_JSON, _MSGPACK]


def _described(transcode, kind, is_answer):
    text = "%s as %s" % (kind, "answer" if is_answer else "argument")
    return text if transcode == _JSON else "%s, %s" % (text, transcode)


def _size_title(size):
    if size < _MIB:
        return "%d KiB" % (size // _KIB)
    return "%d MiB" % (size // _MIB)


def _carry(follower, port, kind, is_answer, size):
    """Nanoseconds for each byte."""
    times = max(1, min(_MOST_TIMES, _VOLUME // size))
    follower.ask("prepare", port=port, kind=kind, size=size, is_answer=is_answer)
    told = follower.ask("carry", times=times)
    return (told["ended"] - told["started"]) / (times * size) * 1e9


def _copies(size, transcode, kind, is_answer):
    """What one call adds to the memory at its peak, in sizes of the payload: leader, follower.

    In fresh processes.  What the real client or the caller has before the call does not count.
    """
    with crew.crew(OURS, 2) as made:
        leader, port = made.leader(transcode=transcode)
        follower, = made.followers(1, port, transcode=transcode)
        follower.ask("prepare", port=port, kind=kind, size=size, is_answer=is_answer)
        before = crew.all_do([leader, follower], "forget_peak")
        follower.ask("carry", times=1)
        after = crew.all_do([leader, follower], "memory")
    return [(one["peak"] - was) / size for one, was in zip(after, before)]


def _measure_payloads(options, progress):
    settings = numbers(options, {"rounds": 5, "sizes": _SIZES},
                       {"rounds": 1, "sizes": _QUICK_SIZES})
    sizes, names = settings["sizes"], transcodes()
    shapes = [(transcode,) + shape for transcode in names for shape in _SHAPES]
    pairs = {}
    with crew.crew(OURS, 2 * len(names)) as made:
        for transcode in names:
            _, port = made.leader(transcode=transcode)
            follower, = made.followers(1, port, transcode=transcode)
            pairs[transcode] = follower, port
        measured = in_turn(
            "payloads", [shape + (size,) for shape in shapes for size in sizes],
            settings["rounds"], lambda way: _carry(*(pairs[way[0]] + way[1:])), progress)
    copies = in_turn("payloads, memory", shapes, settings["rounds"],
                     lambda way: _copies(sizes[-1], *way), progress)
    told = [_time_figure(shape, sizes, measured) for shape in shapes]
    for side, who in enumerate(("leader", "follower")):
        told.append(figures.figure(
            "copies_%s" % who, "memory of the %s at its peak, %s payload, in sizes of the payload"
            % (who, _size_title(sizes[-1])), "x",
            rows(copies, [(shape, _described(*shape)) for shape in shapes],
                 lambda one: one[side]), base=None, more_is_better=False, digits=2))
    return figures.summary(PAYLOADS.name, PAYLOADS.about, settings, told)


def _time_figure(shape, sizes, measured):
    about = _described(*shape)
    # The smallest pay for the way there and back, not for their bytes: they are not the base.
    return growth(
        "time_%s" % about.replace(" ", "_").replace(",", ""), "time for each byte, %s" % about,
        "ns", rows(measured, [(shape + (size,), _size_title(size)) for size in sizes],
                   lambda one: one), shape + (sizes[1],), digits=2)


PAYLOADS = Benchmark(
    "payloads", "values of 1 KiB to 32 MiB: time for each byte, and how many copies are alive",
    _measure_payloads)


# -- beside_big -------------------------------------------------------------------------------

_SAME, _ANOTHER = "same", "another"
_BESIDE = ("p50", "p99", "longest")


def _beside(same, other, port, size, is_answer):
    """One big call; what calls beside it took, in milliseconds."""
    same.ask("prepare", port=port, kind=TEXT, size=size, is_answer=is_answer)
    crew.all_do([same, other], "watch", port=port)
    big = same.ask("carry", times=1)
    told = crew.all_do([same, other], "watched", since=big["started"], until=big["ended"])
    measured = {"big": (big["ended"] - big["started"]) * 1e3}
    for who, times in zip((_SAME, _ANOTHER), told):
        for name in _BESIDE:
            measured[who, name] = times[name] * 1e3
    return measured


def _measure_beside(options, progress):
    settings = numbers(options, {"rounds": 5, "size": 32 * _MIB}, {"rounds": 1, "size": _MIB})
    with crew.crew(OURS, 3) as made:
        _, port = made.leader()
        same, other = made.followers(2, port)
        measured = in_turn(
            "beside_big", [True, False], settings["rounds"],
            lambda is_answer: _beside(same, other, port, settings["size"], is_answer), progress)
    told = []
    for is_answer in (True, False):
        ways = [("big", "the big call")]
        for who, title in ((_SAME, "same follower"), (_ANOTHER, "another follower")):
            ways.extend(((who, name), "%s, %s" % (title, name)) for name in _BESIDE)
        made = [figures.row(name_of(way), title, [one[way] for one in measured[is_answer]])
                for way, title in ways]
        told.append(growth(
            "beside_%s" % ("answer" if is_answer else "argument"),
            "small calls beside a %s of %s" % (
                "text as answer" if is_answer else "text as argument",
                _size_title(settings["size"])), "ms", made, "big", digits=2))
    return figures.summary(BESIDE_BIG.name, BESIDE_BIG.about, settings, told)


BESIDE_BIG = Benchmark(
    "beside_big", "how long small calls take while one with 32 MiB is under way",
    _measure_beside)
