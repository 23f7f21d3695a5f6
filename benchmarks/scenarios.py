"""What is measured: each scenario is a number of calling processes and of greenlets in each."""

from __future__ import absolute_import, division, print_function

import collections

LATENCY = "latency"
THROUGHPUT = "throughput"

Scenario = collections.namedtuple("Scenario", "name about processes greenlets measures scalable")
Settings = collections.namedtuple("Settings", "processes greenlets payload rounds seconds")

SCENARIOS = (
    Scenario("round_trip", "one caller in one follower waits for each answer",
             1, 1, LATENCY, ()),
    Scenario("concurrent", "one follower whose greenlets call at once",
             1, 100, THROUGHPUT, ("greenlets",)),
    Scenario("fan_in", "several followers whose greenlets call one leader at once",
             8, 16, THROUGHPUT, ("processes", "greenlets")),
)


def named(name):
    """The scenario of this name; ``KeyError`` where there is none."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    raise KeyError(name)


def settings(scenario, processes, greenlets, payload, rounds, seconds):
    """The scenario's own numbers, with those changed that are given and that it lets be changed."""
    changed = {"processes": processes, "greenlets": greenlets}
    numbers = {name: changed[name] if changed[name] and name in scenario.scalable
               else getattr(scenario, name) for name in changed}
    return Settings(payload=payload, rounds=rounds, seconds=seconds, **numbers)
