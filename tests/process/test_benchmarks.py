"""``python -m benchmarks`` runs and says what it should; how fast is not a test's matter.

What its parts do by themselves: ``tests/unit/test_benchmark_parts.py``.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import re
import subprocess
import sys

import gevent
import pytest
from gevent import socket

from support import usage
from support.processes import ROOT, environment

from benchmarks import catalogue, environments, failover, runtimes, subjects
from benchmarks.crews import Crew, Load
from benchmarks.pinning import Pins
from benchmarks.progress import LeftOut
from benchmarks.subjects import cluster_subject, ping_pong

pytestmark = pytest.mark.limit(120)

NODE_MODULES = os.path.join(ROOT, "tests", "interop", "node_modules")
SHORT = ["--quick", "--rounds", "1", "--seconds", "0.05"]


def run(*arguments, **which):
    process = subprocess.Popen(
        [sys.executable, "-m", which.get("module", "benchmarks")] + list(arguments), cwd=ROOT,
        env=environment(sys.executable, which.get("env", {})), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    output, errors = process.communicate()
    return process.returncode, output.decode("utf-8"), errors.decode("utf-8")


def rows_of(summary, key):
    """The names of a figure's rows, and that each was measured."""
    figure, = [one for one in summary["figures"] if one["key"] == key]
    for row in figure["rows"]:
        assert len(row["rounds"]) == summary["settings"]["rounds"]
        assert 0 < row["min"] <= row["median"] <= row["max"]
        assert (row["ratio"] is None) == (figure["base"] is None or row["name"] == "cluster")
    return [row["name"] for row in figure["rows"]]


def test_calls_are_measured_from_few_and_from_many(tmpdir):
    output, pyperf = str(tmpdir.join("told.json")), str(tmpdir.join("pyperf.json"))
    status, text, errors = run(
        "round_trip", "fan_in", "--only", "cluster", "--only", "echo_coalesced", "--only",
        "ping_pong", "--only", "managers", "--processes", "2", "--connections", "2",
        "--greenlets", "3", "--payload", "200", "--output", output, "--pyperf", pyperf, *SHORT)
    assert status == 0, errors
    for words in ("round trip, p50", "ping-pong", "echo, coalesced", "cluster / this:", "200"):
        assert words in text
    with open(output) as told:
        told = json.load(told)
    assert told["machine"]["cores"] >= 1
    assert not told["failed"] and not told["left_out"]
    round_trip, fan_in = told["benchmarks"]
    everybody = ["cluster", "echo_coalesced", "ping_pong", "managers"]
    for key in ("p50", "p99", "p99_over_p50"):
        assert rows_of(round_trip, key) == everybody
    everybody.remove("ping_pong")  # which has one caller only
    assert rows_of(fan_in, "calls") == everybody
    numbers = ("processes", "connections", "greenlets", "payload")
    assert [[one["settings"][name] for name in numbers] for one in told["benchmarks"]] == [
        [1, 1, 1, 200], [2, 2, 3, 200]]
    with open(pyperf) as rounds:
        assert len(json.load(rounds)["benchmarks"]) == 4 + 3


def test_what_cannot_be_measured_is_left_out():
    status, text, errors = run("python2", "two_at_once", "--json", "--only", "cluster", *SHORT)
    assert status == 0, errors
    told = json.loads(text)
    assert [one["name"] for one in told["benchmarks"]] == ["two_at_once"]
    for key in ("one", "two", "two_over_one"):
        assert rows_of(told["benchmarks"][0], key) == ["cluster"]
    line, = told["left_out"]
    assert line.startswith("python2 is left out: it needs --python2") and line in errors


def test_another_python_is_measured_beside_this_one():
    status, text, errors = run("python2", "--json", "--greenlets", "2", "--python2",
                               sys.executable, *SHORT)
    assert status == 0, errors
    assert rows_of(json.loads(text)["benchmarks"][0], "calls") == ["cluster", "cluster_python2"]


def test_another_python_has_to_be_one():
    with pytest.raises(LeftOut, match="%s cannot be started" % os.devnull):
        environments.program_of_python(os.devnull)
    with pytest.raises(LeftOut, match="cannot import what the cluster needs"):
        environments.program_of_python("false")


def test_the_list_and_wrong_arguments():
    status, output, _ = run("--list")
    assert status == 0
    assert [line.split()[0] for line in output.splitlines()] == [
        one.name for one in catalogue.BENCHMARKS] + [name for name, _ in catalogue.PROGRAMS]
    for wrong in (["no_such_benchmark"], ["--only", "nobody"], ["--seconds", "0"]):
        status, _, errors = run(*wrong)
        assert status == 2 and wrong[-1] in errors


def start(name, load, program=None, **how):
    """A crew of the subject of this name."""
    subject = subjects.named(name)
    return Crew(subject, program or environments.program(subject, False, len), load, 100, **how)


def test_each_connection_of_a_process_is_one_of_its_own():
    load = Load(connections=3, greenlets=2)
    crew = start("cluster", load)
    try:
        assert usage.connections(crew.pids[1], crew.port) == 3
        assert crew.round(load, 0.05)["calls_per_second"] > 0
    finally:
        crew.end()


@pytest.mark.parametrize("apart", [False, True])
def test_processes_stay_on_their_cores(apart):
    try:
        pins = Pins(apart)
    except LeftOut as reason:
        pytest.skip(str(reason))
    crew = start("ping_pong", Load(), pins=pins)
    try:
        cores = [allowed_cores(pid) for pid in crew.pids]
    finally:
        crew.end()
    assert all(core.isdigit() for core in cores)
    assert (cores[0] != cores[1]) == apart


def allowed_cores(pid):
    with open("/proc/%d/status" % pid) as lines:
        line, = [line for line in lines if line.startswith("Cpus_allowed_list:")]
    return line.split()[1]


@pytest.mark.parametrize("name", ["npm", "npm_json"])
def test_npm_calls_in_every_way(name):
    if not os.path.isdir(NODE_MODULES):
        pytest.skip("tests/interop has not made its node_modules")
    program = (["node", os.path.join(ROOT, "benchmarks", "node", "caller.js")],
               dict(os.environ, NODE_PATH=NODE_MODULES))
    load = Load(processes=1, connections=2, greenlets=3)
    crew = start(name, load, program)
    try:
        assert usage.connections(crew.pids[1], crew.port) == 2
        for load in (Load(), load, Load(at_once=2)):
            told = crew.round(load, 0.05)
            assert told["calls_per_second"] > 0
            assert 0 < told["p50"] <= told["p99"]
    finally:
        crew.end()


class Recorder(object):
    """Between a client and its server, in this process: keeps the bytes that go through."""

    def __init__(self, target):
        self.there = self.back = b""
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(1)
        self.port = self._listener.getsockname()[1]
        self._target = target
        self._greenlets = [gevent.spawn(self._accept)]
        self._sockets = [self._listener]

    def _accept(self):
        near = self._listener.accept()[0]
        far = socket.create_connection(("127.0.0.1", self._target))
        self._sockets += [near, far]
        self._greenlets += [gevent.spawn(self._pump, near, far, "there"),
                            gevent.spawn(self._pump, far, near, "back")]

    def _pump(self, source, sink, name):
        for data in iter(lambda: source.recv(65536), b""):
            setattr(self, name, getattr(self, name) + data)
            sink.sendall(data)

    def close(self):
        gevent.killall(self._greenlets)
        for sock in self._sockets:
            sock.close()


def test_ping_pong_sends_as_many_bytes_as_a_call_of_ours(port):
    payload = 150
    stop = cluster_subject.DEFAULT.serve(port, payload)
    wire = Recorder(port)
    try:
        call, close = cluster_subject.DEFAULT.connect(wire.port, payload)
        try:
            call()
            wire.there = wire.back = b""
            call()
            assert len(wire.there) == ping_pong.REQUEST_SIZE
            epoch = re.search(b'"epoch":([0-9]+)', wire.back).group(1)
            assert len(wire.back) == (
                ping_pong.ANSWER_OVERHEAD - ping_pong.EPOCH_DIGITS + len(epoch) + payload)
        finally:
            close()
    finally:
        wire.close()
        stop()


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
    status, output, errors = run("--json", module="benchmarks.runtimes", *SHORT)
    assert status == 0, errors
    summary, = json.loads(output)["benchmarks"]
    figures = {one["key"]: one for one in summary["figures"]}
    assert [row["name"] for row in figures["p50"]["rows"]] == ["greenlet_1", "thread_1"]
    assert [row["name"] for row in figures["calls"]["rows"]] == [
        "greenlet_100", "thread_8", "thread_64"]
    for key in ("p50", "p99", "calls"):
        for row in figures[key]["rows"]:
            assert 0 < row["min"] <= row["median"] <= row["max"]


def test_runtimes_compares_rounds_that_ran_side_by_side():
    rounds = {way.name: [{"p50": 1.0, "p99": 1.0, "calls_per_second": 8.0},
                         {"p50": 20.0, "p99": 20.0, "calls_per_second": 1.0}]
              for way in runtimes.WAYS}
    rounds["thread_1"] = [dict(one, p50=one["p50"] + 3.0) for one in rounds["thread_1"]]
    rounds["thread_8"] = [dict(one, calls_per_second=one["calls_per_second"] / 2)
                          for one in rounds["thread_8"]]
    told = {one["key"]: {row["name"]: row for row in one["rows"]}
            for one in runtimes.figures_of(rounds)}
    assert told["extra"]["thread_1"]["rounds"] == [3e6, 3e6]
    assert told["p50"]["thread_1"]["ratio"]["max"] == 4.0
    assert told["calls"]["thread_8"]["ratio"]["median"] == 0.5
