"""The benchmarks of shapes run and say what they should; how fast is not a test's matter."""

from __future__ import absolute_import, division, print_function

import argparse
import json
import mmap
import os

import gevent
import pytest
from gevent.event import Event

from benchmarks import figures, npm
from benchmarks.progress import LeftOut, Progress
from benchmarks.shapes import BENCHMARKS, benchmark, calling, crew, fan_out_source, program
from benchmarks.shapes import idle, payloads, source, usage

pytestmark = pytest.mark.limit(120)

WINDOW = 4 * fan_out_source.STEP
#: benchmark -> figure -> how many rows.
FIGURES = {
    "fan_out": {"delivered_1": 1, "delivered_10": 1},
    "fan_out_flat": {"cpu_per_delivery": 3, "delivered": 3},
    "connections": {"spread_cpu": 2, "spread_calls": 2, "each_cpu": 2, "each_calls": 2},
    "in_flight": {"waiting_cpu": 2, "waiting_calls": 2, "at_once_cpu": 3, "at_once_calls": 3},
    "idle": {"memory": 1, "calls_cluster": 2, "cpu_cluster": 2, "wakes": 1},
    "payloads": {"time_text_as_answer": 2, "time_bytes_as_answer": 2, "time_text_as_argument": 2,
                 "time_bytes_as_argument": 2, "copies_leader": 4, "copies_follower": 4},
    "beside_big": {"beside_answer": 7, "beside_argument": 7},
    "blocking": {"lasted": 2},
    "start": {"import": 2, "left": 2},
    "stages": {"follower": 5, "leader": 5, "sockets": 2},
}
#: What a run that is so short may find to be nothing: memory comes in pages, and no small call may
#: have been under way beside a big one that was soon over.
MAY_BE_NOTHING = {"memory", "copies_leader", "copies_follower", "wakes", "beside_answer",
                  "beside_argument"}


def expected_of(name):
    """The figures and rows of a benchmark on this machine."""
    expected = dict(FIGURES[name])
    if not os.path.isdir("/proc/self/task"):
        expected.pop("wakes", None)
    if name == "payloads" and len(payloads.transcodes()) == 2:
        expected.update(("%s_msgpack" % key, rows) for key, rows in FIGURES[name].items()
                        if key.startswith("time"))
        expected.update(copies_leader=8, copies_follower=8)
    return expected


def quick(**given):
    return argparse.Namespace(quick=True, **given)


@pytest.mark.parametrize("one", BENCHMARKS, ids=lambda one: one.name)
def test_quick_measures_every_figure(one):
    told = json.loads(json.dumps(one.measure(quick(rounds=1, seconds=None), Progress(None))))
    assert (told["name"], told["about"]) == (one.name, one.about)
    assert told["settings"]["rounds"] == 1
    found = {figure["key"]: figure for figure in told["figures"]}
    assert {key: len(figure["rows"]) for key, figure in found.items()} == expected_of(one.name)
    for key, figure in found.items():
        names = [row["name"] for row in figure["rows"]]
        assert len(set(names)) == len(names)
        assert figure["base"] is None or figure["base"] in names
        assert len({len(row["rounds"]) for row in figure["rows"]}) == 1
        for row in figure["rows"]:
            assert row["min"] <= row["median"] <= row["max"]
            if key == "left":
                assert row["max"] == 0
            elif key not in MAY_BE_NOTHING:
                assert row["min"] > 0
    for figure in told["figures"]:
        assert figure["title"] in figures.as_text(told)


def test_every_benchmark_is_looked_at():
    assert sorted(one.name for one in BENCHMARKS) == sorted(FIGURES)


def test_what_the_user_says_goes_before_what_is_quick():
    full = {"rounds": 5, "seconds": 1.0, "payload": 100, "sizes": [1, 2]}
    assert benchmark.numbers(argparse.Namespace(), full, {"rounds": 1}) == full
    assert benchmark.numbers(quick(seconds=0.5), full, {"rounds": 1, "seconds": 0.1}) == dict(
        full, rounds=1, seconds=0.5)


def test_each_way_has_its_turn_at_each_place():
    order = []
    told = benchmark.in_turn("turns", ["a", "b", "c"], 3, lambda way: order.append(way) or way,
                             Progress(None))
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert told == {"a": ["a"] * 3, "b": ["b"] * 3, "c": ["c"] * 3}


class Room(object):
    """Has room for so many idle followers."""

    def __init__(self, most):
        self._most = most

    def room(self, wanted, processes):
        return min(wanted, self._most)


def test_where_descriptors_are_few_there_are_fewer_followers():
    settings = {"followers": 5000, "processes": 5}
    assert idle._each([Room(6000), Room(5000)], settings, Progress(None)) == 1000
    assert settings["followers"] == 5000
    assert idle._each([Room(6000), Room(999)], settings, Progress(None)) == 199
    assert settings["followers"] == 995
    with pytest.raises(LeftOut):
        idle._each([Room(4)], settings, Progress(None))


def test_npm_is_measured_only_where_it_is_asked_for_and_can_be_had(monkeypatch):
    def cannot():
        raise LeftOut("there is no npm")

    progress = Progress(None)
    monkeypatch.setattr(npm, "program", lambda: (["node"], {}))
    assert benchmark.subjects(argparse.Namespace(), progress) == ["cluster"]
    assert benchmark.subjects(quick(peers=True), progress) == ["cluster", "npm"]
    monkeypatch.setattr(npm, "program", cannot)
    assert benchmark.subjects(quick(peers=True), progress) == ["cluster"]
    assert progress.left_out == ["npm is left out: there is no npm"]


# -- values to followers

class Listeners(object):
    """Hear what a ``Teller`` tells; when they say so is up to the test."""

    def __init__(self, followers):
        self.numbers = []
        self.heard = Event()
        self._followers = followers
        self.teller = fan_out_source.Teller()
        self.teller.subscribe({"key": "k"}, self._hear)

    def _hear(self, value):
        self.numbers.append(value["number"])
        self.heard.set()

    def say(self, number, followers=None):
        for _ in range(followers or self._followers):
            self.teller.seen("k", number)


def until(listeners, condition):
    with gevent.Timeout(20):
        while not condition():
            listeners.heard.clear()
            listeners.heard.wait()


def test_values_are_told_no_further_than_the_slowest_follows(greenlets):
    listeners = Listeners(followers=2)
    telling = gevent.spawn(listeners.teller.tell, "k", followers=2, seconds=60, burst=7,
                           window=WINDOW, size=1)
    greenlets.append(telling)
    until(listeners, lambda: listeners.numbers[-1] == WINDOW)
    listeners.say(fan_out_source.STEP, followers=1)
    gevent.sleep(0)
    gevent.sleep(0)
    assert listeners.numbers[-1] == WINDOW
    listeners.say(fan_out_source.STEP, followers=1)
    until(listeners, lambda: listeners.numbers[-1] == WINDOW + fan_out_source.STEP)
    assert listeners.numbers == list(range(WINDOW + fan_out_source.STEP + 1))
    assert not telling.dead


def test_what_was_told_counts_once_all_have_heard_it(greenlets):
    listeners = Listeners(followers=3)
    how = {"followers": 3, "seconds": 0, "burst": 7, "window": WINDOW, "size": 1}
    assert listeners.teller.tell("k", **how)["delivered"] == 0
    listeners.teller._topics["k"].tell("x")  # a step that was begun is told to its end
    telling = gevent.spawn(listeners.teller.tell, "k", **how)
    greenlets.append(telling)
    until(listeners, lambda: listeners.numbers[-1] == fan_out_source.STEP)
    listeners.say(fan_out_source.STEP, followers=2)
    gevent.sleep(0)
    gevent.sleep(0)
    assert not telling.dead
    listeners.say(fan_out_source.STEP, followers=1)
    with gevent.Timeout(20):
        told = telling.get()
    assert told["delivered"] == 3 * (fan_out_source.STEP - 1)
    assert told["seconds"] > 0 and told["cpu"] >= 0


class HearingClient(object):
    """What an ear needs of a client."""

    def __init__(self):
        self.tell = None
        self.said = []

    def subscribe(self, registration, listener):
        self.tell = lambda number: listener({"number": number})

    def seen(self, key, number):
        self.said.append((key, number))


def test_a_follower_that_missed_a_value_does_not_say_that_it_has_all():
    client = HearingClient()
    ear = program._Ear(client, "k")
    assert not ear.ready.is_set()
    for number in range(fan_out_source.STEP + 1):
        client.tell(number)
    assert ear.ready.is_set()
    assert client.said == [("k", fan_out_source.STEP)]
    for number in range(fan_out_source.STEP + 2, 3 * fan_out_source.STEP):
        client.tell(number)
    assert client.said == [("k", fan_out_source.STEP)]


def test_node_tells_and_hears_the_same_values(monkeypatch):
    """Needs the npm packages of the tests with Node.js."""
    packages = os.path.join(npm.PINS, "node_modules")
    if not os.path.isdir(packages):
        pytest.skip("the npm packages of tests/interop are not there")
    monkeypatch.setattr(npm, "program", lambda script: (
        ["node", os.path.join(npm.SCRIPTS, script)], dict(os.environ, NODE_PATH=packages)))
    with crew.crew(benchmark.NPM, 2) as made:
        leader, port = made.leader()
        follower, = made.followers(1, port, each=2)
        follower.ask("listen", port=port, key="k")
        told = leader.ask("tell", port=port, key="k", followers=2, seconds=0.05, burst=10,
                          window=WINDOW, size=5)
        leader_cpu = leader.ask("cpu")
        called = follower.ask("keep_calling", port=port, greenlets=2, seconds=0.05)
        memory = leader.ask("memory")
    assert told["delivered"] > 0 and told["delivered"] % (2 * fan_out_source.STEP) == 0
    assert told["seconds"] > 0.05 and told["cpu"] > 0
    assert called["calls"] >= 2 and called["seconds"] > 0.05
    assert memory["now"] > 0 and leader_cpu > 0


# -- calls

def test_all_connections_are_called_by_few_greenlets_and_few_by_many():
    calls = {name: [] for name in "abc"}

    def caller(name):
        def call():
            calls[name].append(gevent.getcurrent())
            gevent.sleep(0)

        return call

    told = calling.keep_calling([caller(name) for name in "abc"], 2, 0.02)
    assert told["calls"] == sum(len(made) for made in calls.values()) > 3
    assert len({greenlet for made in calls.values() for greenlet in made}) == 2
    assert all(calls.values())
    calls["a"] = []
    calling.keep_calling([caller("a")], 4, 0)
    assert len(calls["a"]) == len(set(calls["a"])) == 4


def test_jobs_begin_when_all_of_them_are_there():
    events = []
    started, ended = calling.at_once([lambda: events.append("begun") or gevent.sleep(0)
                                      or events.append("ended")] * 3)
    assert events == ["begun"] * 3 + ["ended"] * 3
    assert started < ended


def test_a_job_that_fails_fails_the_round():
    def fail():
        raise KeyError("no")

    with pytest.raises(KeyError):
        calling.at_once([fail])


def test_a_stopwatch_gives_the_calls_that_were_under_way_in_a_time():
    moments = [Event() for _ in range(4)]
    counted = []

    def call():
        moments[len(counted)].wait(20)
        counted.append(calling.monotonic())

    watch = calling.Stopwatch(call)
    for number in range(3):
        moments[number].set()
        while len(counted) <= number:
            gevent.sleep(0)
    moments[3].set()
    # The second and the third were under way then, and the first and the fourth were not.
    times = watch.stop(counted[0] + 1e-9, counted[2] - 1e-9)
    assert len(times) >= 2 and times == sorted(times)
    assert len(watch._times) == 4


# -- payloads and use

@pytest.mark.parametrize("size", [0, 1, 27, 28, 29, 1024])
def test_payloads_have_their_size_and_kind(size):
    text, data = source.payload(source.TEXT, size), source.payload(source.BYTES, size)
    assert len(text) == len(data) == size
    assert isinstance(text, type(u"")) and isinstance(data, bytes)
    if size:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8")


def test_calls_wait_until_they_are_released(greenlets):
    real = source.Source()
    greenlets.extend(gevent.spawn(real.hold) for _ in range(3))
    with gevent.Timeout(20):
        real.await_held(3)
        assert not any(one.dead for one in greenlets)
        real.release()
        gevent.joinall(greenlets, raise_error=True)
        real.await_held(0)
    assert real._held == 0


def test_what_a_process_uses():
    size = 16 * 1024 * 1024
    before = usage.memory()
    assert 0 < before["now"] <= before["peak"]
    held = mmap.mmap(-1, size)  # the heap may have room
    held.write(b"x" * size)
    if os.path.exists("/proc/self/status"):
        assert usage.memory()["now"] > before["now"] + size // 2
    held.close()
    assert usage.cpu() > 0
    assert usage.connections_allowed() > 0


def test_wakes_are_counted_where_the_system_tells():
    first = usage.wakes(os.getpid())
    if not os.path.isdir("/proc/self/task"):
        assert first is None
        return
    gevent.sleep(0.001)
    assert usage.wakes(os.getpid()) > first
