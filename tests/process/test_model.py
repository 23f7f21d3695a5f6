"""Several clients in one process, faults between them, and the promises that hold all the same.

Hypothesis chooses the steps: the same ones in every run, unless the environment's
``CLUSTERCLIENT_MODEL_EXAMPLES`` gives a number of examples, which are then random.
"""

from __future__ import absolute_import, division, print_function

import os

import gevent
import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from support import leaks, raw_peer
from support.members import until
from support.modelled import Actor, Upstream
from support.ports import free_port
from support.proxy import Proxy

RANDOM_EXAMPLES = os.environ.get("CLUSTERCLIENT_MODEL_EXAMPLES")
EXAMPLES = int(RANDOM_EXAMPLES or 20)
STEPS = 40

NEAR, FAR = 3, 2
slots = st.integers(0, NEAR + FAR - 1)
near_slots = st.integers(0, NEAR - 1)
far_slots = st.integers(NEAR, NEAR + FAR - 1)
keys = st.sampled_from(["a", "b"])
HALF = raw_peer.frame(0, 1, {"type": "register_channel", "channelName": "model"})[:30]


class Cluster(RuleBasedStateMachine):
    """Near clients compete for the port; far ones follow through a proxy each."""

    def __init__(self):
        super(Cluster, self).__init__()
        self._before = leaks.Snapshot()
        self._port = free_port()
        self._upstream = Upstream()
        self._proxies = {slot: Proxy(self._port) for slot in range(NEAR, NEAR + FAR)}
        self._actors = {}
        self._former = []
        self._strangers = []
        self._left = []  # after the end
        self._actor(0)

    def _actor(self, slot):
        """The client of a slot; a new one where there was none."""
        actor = self._actors.get(slot)
        if actor is None:
            actor = self._actors[slot] = Actor(
                "far" if slot >= NEAR else "near", self._upstream, self._port,
                self._proxies.get(slot))
        return actor

    # What users do ------------------------------------------------------------------------------

    @rule(slot=slots)
    def close(self, slot):
        actor = self._actor(slot)
        del self._actors[slot]
        self._former.append(actor)
        actor.close()

    @rule(slot=near_slots)
    def resign(self, slot):
        self._actor(slot).resign()

    @rule(slot=slots, method=st.sampled_from(["work", "repeatable"]), turns=st.integers(0, 5))
    def call(self, slot, method, turns):
        self._actor(slot).call(method, turns)

    @rule(slot=slots)
    def publish(self, slot):
        self._actor(slot).publish()

    @rule(slot=slots, key=keys)
    def subscribe(self, slot, key):
        self._actor(slot).subscribe(key)

    @rule(slot=slots, key=keys)
    def unsubscribe(self, slot, key):
        self._actor(slot).unsubscribe(key)

    @rule(key=keys)
    def change(self, key):
        self._upstream.change(key)

    # What goes wrong ----------------------------------------------------------------------------

    @rule(slot=far_slots, after=st.sampled_from([0, 0, 1, 23, 24, 40, 200]))
    def cut(self, slot, after):
        self._proxies[slot].cut(after)

    @rule(slot=far_slots, is_held=st.booleans())
    def delay(self, slot, is_held):
        if is_held:
            self._proxies[slot].hold()
        else:
            self._proxies[slot].let_go()

    @rule(fault=st.sampled_from([None, None, "constructor", "init"]))
    def break_start(self, fault):
        self._upstream.fault = fault

    @rule(data=st.sampled_from([b"", HALF, b"GET / HTTP/1.1\r\n\r\n", None]), stays=st.booleans())
    def visit(self, data, stays):
        """A stranger; without data it registers, calls, and reads nothing."""
        try:
            stranger = raw_peer.connect(self._port)
        except gevent.socket.error:
            return  # there is no leader now
        self._strangers.append(stranger)
        if data is None:
            raw_peer.register(stranger, "model", raw_peer.hello())
            raw_peer.invoke(stranger, "repeatable", "a stranger's", 3)
        else:
            stranger.send(data)
        if not stays:
            stranger.close()

    @rule(slot=far_slots, are_running=st.booleans(), after=st.sampled_from([0, 30]))
    def cut_calls(self, slot, are_running, after):
        """A connection breaks, and calls are under way on it."""
        self._begin_calls(slot, are_running)
        self._proxies[slot].cut(after)
        self._upstream.gate.set()

    @rule(slot=slots, are_running=st.booleans(), turns=st.integers(0, 20), closes=st.booleans())
    def leave_under_load(self, slot, are_running, turns, closes):
        """The leader leaves, and calls are under way to it."""
        self._begin_calls(slot, are_running)
        for leader in list(self._actors):
            if self._actors[leader].client.is_leader:
                (self.close if closes else self.resign)(leader)
        self.turns(turns)
        self._upstream.gate.set()

    def _begin_calls(self, slot, are_running):
        self._actor(slot)
        self.settle()  # with the gate closed, nobody who leaves already could finish
        self._upstream.gate.clear()
        attempts = [self._actor(slot).call(method, 3) for method in ("work", "repeatable")]
        if are_running:
            # Or broken: a connection may have few bytes left from a cut before.
            until(lambda: all(attempt.has_begun or attempt.greenlet.ready()
                              for attempt in attempts), "the calls are run")

    # Time ---------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 40))
    def turns(self, count):
        for _ in range(count):
            gevent.sleep(0)

    @rule()
    def settle(self):
        """What goes wrong ends: then everything comes right by itself."""
        self._upstream.fault = None
        self._upstream.gate.set()
        for proxy in self._proxies.values():
            proxy.let_go()
        if not any(slot < NEAR for slot in self._actors):
            self._actor(0)
        for actor in list(self._actors.values()) + self._former:
            actor.finish()
        until(lambda: not self._unfinished(), _Told(self._unfinished))

    def _unfinished(self):
        leaders = [actor for actor in self._actors.values() if actor.client.is_leader]
        found = [] if len(leaders) == 1 else ["%d lead" % len(leaders)]
        for actor in self._actors.values():
            found += actor.unfinished()
        return found

    # What is promised ---------------------------------------------------------------------------

    @invariant()
    def promises_hold(self):
        """Printed too: where another run of the same steps goes well, that is all that is told."""
        try:
            self._check_promises()
        except AssertionError as failure:
            print(failure)
            raise

    def _check_promises(self):
        broken = self._upstream.broken_promises + self._left
        for actor in list(self._actors.values()) + self._former:
            broken += actor.complaints()
        assert not broken, "\n".join(broken)

    def teardown(self):
        try:
            self.settle()
            self.promises_hold()
        finally:
            self._end()
        self.promises_hold()

    def _end(self):
        """Closing ends all."""
        everybody = list(self._actors.values()) + self._former
        for actor in everybody:
            actor.close()
        for actor in everybody:
            actor.finish()
        for proxy in self._proxies.values():
            proxy.close()
        for stranger in self._strangers:
            stranger.close()
        self._left = (["%r lives" % real for real in self._upstream.living]
                      + leaks.wait_until_clean(self._before))


class _Told(object):
    """A text that is asked for when it is needed."""

    def __init__(self, ask):
        self._ask = ask

    def __str__(self):
        return "; ".join(self._ask())


@pytest.mark.limit(120 if RANDOM_EXAMPLES is None else 3600)
def test_promises_hold_whatever_happens():
    run_state_machine_as_test(Cluster, settings=hypothesis.settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
        derandomize=RANDOM_EXAMPLES is None,
        # No search for fewer steps: what does not come right costs its deadline at each try.
        phases=[hypothesis.Phase.generate],
        suppress_health_check=[hypothesis.HealthCheck.too_slow,
                               hypothesis.HealthCheck.data_too_large,
                               hypothesis.HealthCheck.filter_too_much]))
