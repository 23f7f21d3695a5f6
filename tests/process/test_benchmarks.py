"""``python -m benchmarks`` runs and says what it should; how fast is not a test's matter."""

from __future__ import absolute_import, division, print_function

import json
import os
import subprocess
import sys

import pytest

from support.processes import ROOT, environment

from benchmarks import __main__ as command
from benchmarks import failover, load, report, runtimes, scenarios, subjects

pytestmark = pytest.mark.limit(120)


def run(*arguments, **which):
    process = subprocess.Popen(
        [sys.executable, "-m", which.get("module", "benchmarks")] + list(arguments), cwd=ROOT,
        env=environment(sys.executable, which.get("env", {})), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    output, errors = process.communicate()
    return process.returncode, output.decode("utf-8"), errors.decode("utf-8")


def test_quick_measures_every_subject_in_every_scenario():
    status, output, errors = run("--quick", "--json", "--processes", "2", "--greenlets", "4")
    assert status == 0, errors
    told = json.loads(output)
    assert told["machine"]["cores"] >= 1
    assert [one["name"] for one in told["scenarios"]] == ["round_trip", "concurrent", "fan_in"]
    assert [one["settings"]["processes"] for one in told["scenarios"]] == [1, 1, 2]
    assert [one["settings"]["greenlets"] for one in told["scenarios"]] == [1, 4, 4]
    for scenario in told["scenarios"]:
        for figures in scenario["measured"].values():
            assert set(figures) == set(subjects.NAMES)
            for one in figures.values():
                assert 0 < one["min"] <= one["median"] <= one["max"]
                assert one["ratio_to_cluster"] > 0
            assert figures["cluster"]["ratio_to_cluster"] == 1


def test_the_table_names_what_was_measured():
    status, output, errors = run("round_trip", "--quick", "--rounds", "1", "--payload", "200")
    assert status == 0, errors
    assert "answers of 200 characters, 1 rounds of 0.1 s" in output
    for words in ("p50    cluster", "p99    cluster", "p50    echo, coalesced", "of its time"):
        assert words in output


def test_the_list_and_a_wrong_name():
    status, output, _ = run("--list")
    assert status == 0
    assert [line.split()[0] for line in output.splitlines()] == [
        scenario.name for scenario in scenarios.SCENARIOS] + [
            name for name, _ in command.PROGRAMS]
    status, _, errors = run("no_such_benchmark")
    assert status == 2 and "no_such_benchmark" in errors


@pytest.mark.parametrize("payload", [60, 100, 1000])
def test_an_answer_has_the_size_that_was_asked_for(payload):
    assert len(json.dumps(subjects.answer(payload), separators=(",", ":"))) == payload


def test_percentiles_and_medians():
    assert load.percentile([], 50) == 0
    assert load.percentile([1, 2, 3, 4], 50) == 2
    assert load.percentile(list(range(1, 101)), 99) == 99
    assert report.median([3, 1, 2]) == 2
    assert report.median([4, 1, 2, 3]) == 2.5
    assert report.distribution([]) is None
    assert report.distribution([3, 1, 2]) == {"median": 2, "p90": 3, "worst": 3, "count": 3}


def test_a_ratio_compares_rounds_that_ran_side_by_side():
    rounds = {"cluster": [{"p50": 2.0}, {"p50": 40.0}], "echo": [{"p50": 1.0}, {"p50": 10.0}]}
    assert report.ratio(rounds, "echo", "p50") == 3.0


def test_failover_measures_every_survivor_of_every_scenario():
    status, output, errors = run("--quick", "--json", module="benchmarks.failover")
    assert status == 0, errors
    told = json.loads(output)
    assert [one["name"] for one in told["scenarios"]] == [one.name for one in failover.SCENARIOS]
    for scenario, one in zip(told["scenarios"], failover.SCENARIOS):
        figures = scenario["measured"]["ours"]
        rows = ("answer", "value") if one.how == "kill" else ("gap",)
        for row in rows:
            assert figures[row]["count"] == told["settings"]["followers"] == 2
            assert 0 < figures[row]["median"] <= figures[row]["p90"] <= figures[row]["worst"]
        assert figures["calls"] > 0
        # Where no leader comes within their timeout they have to fail; those that the killed one
        # had do not say that they were not sent.
        allowed = {"LeaderUnavailableError, not_sent", "LeaderUnavailableError, unknown"}
        assert set(figures["failed"]) <= (allowed if one.name == "forced_long" else set())


def test_failover_prints_one_scenario_alone():
    status, output, errors = run("--quick", "--only", "kill", module="benchmarks.failover")
    assert status == 0, errors
    for words in ("2 followers x 4 greenlets, 1 rounds", "kill: the leader is killed",
                  "first answer   ours  median", "first value    ours  median",
                  "failed         ours  0 of"):
        assert words in output
    assert "resign" not in output
    status, _, errors = run("--only", "nothing", module="benchmarks.failover")
    assert status == 2 and "nothing" in errors


def test_failover_says_that_there_is_no_node():
    status, _, errors = run("--npm", "--quick", module="benchmarks.failover",
                            env={"PATH": os.devnull})
    assert status == 1
    assert errors.startswith("benchmarks: n") and "cannot be started" in errors


def test_runtimes_holds_threads_against_greenlets():
    status, output, errors = run("--quick", "--json", module="benchmarks.runtimes")
    assert status == 0, errors
    told = json.loads(output)
    assert set(told["measured"]) == {way.name for way in runtimes.WAYS}
    for figures in told["measured"].values():
        for key in ("p50", "p99", "calls_per_second"):
            assert 0 < figures[key]["min"] <= figures[key]["median"] <= figures[key]["max"]
    assert told["round_trip_ratio"]["median"] > 0
    assert set(told["throughput_ratio"]) == {"thread_8", "thread_64"}


def test_runtimes_compares_rounds_that_ran_side_by_side():
    rounds = {way.name: [{"p50": 1.0, "p99": 1.0, "calls_per_second": 8.0},
                         {"p50": 20.0, "p99": 20.0, "calls_per_second": 1.0}]
              for way in runtimes.WAYS}
    rounds["thread_1"] = [dict(one, p50=one["p50"] + 3.0) for one in rounds["thread_1"]]
    rounds["thread_8"] = [dict(one, calls_per_second=one["calls_per_second"] / 2)
                          for one in rounds["thread_8"]]
    told = runtimes.summarize(rounds)
    assert told["extra_seconds"] == {"median": 3.0, "min": 3.0, "max": 3.0}
    assert told["round_trip_ratio"]["max"] == 4.0
    assert told["throughput_ratio"]["thread_8"]["median"] == 0.5
    text = runtimes.as_text(told)
    for words in ("1 thread, p50", "the thread costs more", "8 threads over greenlets"):
        assert words in text
