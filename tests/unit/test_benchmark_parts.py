"""The parts of the benchmarks that start no process: turns, figures, progress, files."""

from __future__ import absolute_import, division, print_function

import collections
import io
import json
import os

import gevent
import pytest

from benchmarks import (
    __main__ as command, catalogue, environments, figures, load, pyperf_file, report, subjects)
from benchmarks.crews import Turn, interleave, order
from benchmarks.progress import LeftOut, Progress
from benchmarks.workers import WorkerFailed


@pytest.mark.parametrize("payload", [60, 100, 1000])
def test_an_answer_has_the_size_that_was_asked_for(payload):
    assert len(json.dumps(subjects.answer(payload), separators=(",", ":"))) == payload


def test_percentiles_and_medians():
    assert load.percentile([], 50) == 0
    assert load.percentile([1, 2, 3, 4], 50) == 2
    assert load.percentile(list(range(1, 101)), 99) == 99
    assert figures.median([3, 1, 2]) == 2
    assert figures.median([4, 1, 2, 3]) == 2.5
    assert report.distribution([]) is None
    assert report.distribution([3, 1, 2]) == {"median": 2, "p90": 3, "worst": 3, "count": 3}


# -- load

@pytest.mark.parametrize("way", sorted(load.WAYS))
def test_every_caller_calls_before_the_round_begins_and_in_it(way):
    rounds, early = [], []

    class Round(load.Round):
        def begin(self):
            early.append(list(rounds))
            super(Round, self).begin()

    callers = [lambda number=number: rounds.append(number)
               for number in range(1 if way == "alone" else 3)]
    one_round = Round(0.02)
    load.WAYS[way](one_round, callers)
    assert sorted(early[0]) == sorted(set(rounds)) == list(range(len(callers)))
    told = one_round.told()
    assert told["calls"] == len(rounds) - len(callers) > 0
    assert told["ended"] > told["started"]


@pytest.mark.parametrize("way", sorted(load.WAYS))
def test_a_call_that_fails_fails_the_round(way):
    def fail():
        raise KeyError("told")

    with pytest.raises(KeyError, match="told"):
        load.run([fail], 0.02, load.WAYS[way])


def test_calls_at_once_are_all_under_way_before_one_is_over():
    present, most = [], []

    def call():
        present.append(1)
        gevent.sleep(0)
        most.append(len(present))
        gevent.sleep(0)
        present.pop()

    several = load.AtOnce(call, 3)
    try:
        several()
        assert not present and len(most) == 3 and max(most) == 3
    finally:
        several.end()


def test_calls_at_once_tell_that_one_failed():
    calls = []

    def call():
        calls.append(1)
        if len(calls) == 2:
            raise KeyError("told")

    several = load.AtOnce(call, 2)
    try:
        with pytest.raises(KeyError, match="told"):
            several()
    finally:
        several.end()


# -- turns

@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_everybody_follows_everybody_else_equally_often(count):
    rounds = count * (2 if count % 2 else 1)
    pairs = collections.Counter()
    for number in range(rounds):
        one = order(count, number)
        assert sorted(one) == list(range(count))
        pairs.update(zip(one, one[1:]))
    assert len(pairs) == count * (count - 1)
    assert len(set(pairs.values())) <= 1


class Crew(object):
    """One that notes what becomes of it."""

    def __init__(self, name, log):
        self._name = name
        self._log = log

    def play(self, fails):
        self._log.append(self._name)
        if self._log.count(self._name) == fails:
            raise WorkerFailed("%s ended" % self._name)
        return self._log.count(self._name)

    def end(self):
        self._log.append("end of " + self._name)


def turn(name, log, is_peer, fails=0):
    return Turn(name, lambda: Crew(name, log), lambda crew: crew.play(fails), is_peer)


def test_rounds_take_turns_and_a_peer_that_fails_is_left_out():
    log, progress = [], Progress(None)
    told = interleave("b", [turn("ours", log, False), turn("weak", log, True, fails=2),
                            turn("other", log, True)], 3, progress)
    assert list(told.items()) == [("ours", [1, 2, 3]), ("other", [1, 2, 3])]
    assert log.count("weak") == 2
    assert sorted(log[:3]) == ["other", "ours", "weak"]
    assert sorted(log[-3:]) == ["end of other", "end of ours", "end of weak"]
    assert progress.left_out == ["weak is left out: weak ended"]


def test_a_subject_of_ours_that_fails_ends_the_benchmark():
    log = []
    with pytest.raises(WorkerFailed, match="ours ended"):
        interleave("b", [turn("ours", log, False, fails=1)], 3, Progress(None))
    assert log == ["ours", "end of ours"]


def test_a_peer_that_does_not_start_is_left_out():
    def start():
        raise LeftOut("there is none")

    log, progress = [], Progress(None)
    told = interleave("b", [Turn("none", start, None, True), turn("ours", log, False)], 1,
                      progress)
    assert list(told) == ["ours"]
    assert progress.left_out == ["none is left out: there is none"]


# -- environments

@pytest.fixture
def made(tmpdir, monkeypatch):
    """The commands that made environments, in a folder of the test's own."""
    commands = []

    def run(arguments, failure):
        commands.append(arguments)
        if "venv" in arguments:
            os.makedirs(arguments[-1])

    monkeypatch.setattr(environments, "FOLDER", str(tmpdir))
    monkeypatch.setattr(environments, "_run", run)
    return commands


def test_an_environment_is_made_once_for_the_same_pins(made):
    said = []
    first = environments.python_of("x", ("a==1", "b==2"), said.append)
    assert len(made) == 2 and made[1][-2:] == ["a==1", "b==2"]
    assert environments.python_of("x", ("a==1", "b==2"), said.append) == first
    assert len(made) == 2
    environments.python_of("x", ("a==2",), said.append)
    assert len(made) == 4
    assert said == ["making the environment of x (a==1, b==2)",
                    "making the environment of x (a==2)"]


def test_an_environment_that_fails_is_looked_for_once_in_a_run(made, monkeypatch):
    def fail(arguments, failure):
        made.append(arguments)
        raise LeftOut(failure)

    monkeypatch.setattr(environments, "_found", {})
    monkeypatch.setattr(environments, "_run", fail)
    for _ in range(2):
        with pytest.raises(LeftOut, match="cannot be made"):
            environments.program(subjects.named("rpyc"), True, len)
    assert len(made) == 1


# -- what is told

class Clock(object):
    now = 100.0

    def __call__(self):
        return self.now


def test_progress_is_silent_at_first_and_then_says_how_long_it_takes():
    clock, stream = Clock(), io.StringIO()
    progress = Progress(stream, clock)
    progress.begin(u"b", 4)
    progress.step(u"round 1")
    clock.now += 2
    progress.step(u"round 2")
    assert stream.getvalue() == ""
    clock.now += 2
    progress(u"round 3")
    clock.now += 0.5
    progress.step(u"round 4")  # too soon after the last line
    assert stream.getvalue() == "b: round 3; about 4 s left\n"
    clock.now += 2
    progress.begin(u"c")
    progress.step(u"of unknown number")
    assert stream.getvalue().splitlines()[1:] == ["c: of unknown number"]


def test_a_ratio_compares_values_of_the_same_round_with_both_bases():
    rows = [figures.row("a", "A", [2.0, 40.0]), figures.row("b", "B", [1.0, 10.0])]
    figure = figures.figure("k", "K", "us", rows, "a", digits=1, also="b")
    first, second = figure["rows"]
    assert first["ratio"] is None and second["also_ratio"] is None
    assert second["ratio"] == {"median": 3.0, "min": 2.0, "max": 4.0}
    assert first["also_ratio"]["max"] == 0.5
    text = figures.as_text(figures.summary("n", "about", {"rounds": 2}, [figure]))
    assert "A / this: 3.00 (2.00..4.00)" in text and "B / this: 0.38" in text


def summary_of(name, key, values):
    return figures.summary(name, "", {}, [figures.figure(
        key, "", "", [figures.row("cluster", "cluster", values)], None)])


def test_pyperf_gets_seconds_per_call():
    document = pyperf_file.document([
        summary_of("round_trip", "p50", [50.0]), summary_of("two_at_once", "one", [1.0]),
        summary_of("fan_in", "calls", [1000.0, 2000.0])])
    assert document["version"] == "1.0"
    assert [(one["metadata"], one["runs"]) for one in document["benchmarks"]] == [
        ({"name": "round_trip: cluster", "unit": "second"}, [{"values": [5e-05]}]),
        ({"name": "fan_in: cluster", "unit": "second"}, [{"values": [0.001, 0.0005]}])]
    with pytest.raises(ValueError, match="concurrent, fan_in, round_trip"):
        pyperf_file.document([summary_of("two_at_once", "one", [1.0])])


class Benchmark(object):
    about = "of a test"

    def __init__(self, name, error=None):
        self.name = name
        self._error = error

    def measure(self, options, progress):
        if self._error is not None:
            raise self._error
        return summary_of(self.name, "calls", [1.0])


def test_a_benchmark_that_fails_names_itself_and_the_others_run(monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "BENCHMARKS", (
        Benchmark("bad", ValueError("its reason")), Benchmark("absent", LeftOut("no such thing")),
        Benchmark("fan_in")))
    assert command.main(["--json"]) == 1
    output, errors = capsys.readouterr()
    told = json.loads(output)
    assert told["failed"] == {"bad": "its reason"}
    assert told["left_out"] == ["absent is left out: no such thing"]
    assert [one["name"] for one in told["benchmarks"]] == ["fan_in"]
    assert "bad failed" in errors
    assert command.main(["fan_in", "absent", "--json"]) == 0


def test_a_pyperf_file_of_nothing_is_a_failure(monkeypatch, capsys, tmpdir):
    monkeypatch.setattr(catalogue, "BENCHMARKS", (Benchmark("other"),))
    assert command.main(["--pyperf", str(tmpdir.join("file"))]) == 1
    assert "--pyperf failed" in capsys.readouterr()[1]
