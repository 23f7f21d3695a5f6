"""``python -m benchmarks`` runs and says what it should; how fast is not a test's matter."""

from __future__ import absolute_import, division, print_function

import json
import subprocess
import sys

import pytest

from support.processes import ROOT, environment

from benchmarks import load, report, scenarios, subjects

pytestmark = pytest.mark.limit(120)


def run(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks"] + list(arguments), cwd=ROOT,
        env=environment(sys.executable, {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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
        scenario.name for scenario in scenarios.SCENARIOS]
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


def test_a_ratio_compares_rounds_that_ran_side_by_side():
    rounds = {"cluster": [{"p50": 2.0}, {"p50": 40.0}], "echo": [{"p50": 1.0}, {"p50": 10.0}]}
    assert report.ratio(rounds, "echo", "p50") == 3.0
