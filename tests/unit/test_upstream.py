"""Subscriptions at the real client: one per registration, in order, however many subscribers."""

from __future__ import absolute_import, division, print_function

import itertools

import gevent
import pytest
from gevent.event import Event

from clusterclient_sync.exceptions import TranscodeError
from clusterclient_sync.greenlets.deadlines import Deadlines
from clusterclient_sync.greenlets.workers import WorkerPool
from clusterclient_sync.method_spec import SUBSCRIBE, UNSUBSCRIBE, MethodSpec, Plan
from clusterclient_sync.options import Options
from clusterclient_sync.protocol import transcodes
from clusterclient_sync.roles.host import Host
from clusterclient_sync.roles.upstream import UpstreamTable, Value
from support.connections import in_hub
from support.scripted import until

JSON = transcodes.JSON


class Real(object):
    """A real client that notes what it is asked, and may be made to block or to fail."""

    def __init__(self):
        self.log = []
        self.listeners = {}
        self.gate = Event()
        self.gate.set()
        self.error = None

    def subscribe(self, registration, listener):
        self.gate.wait()
        self.log.append(("subscribe", registration))
        if self.error is not None:
            raise self.error
        self.listeners[registration] = listener

    def unsubscribe(self, registration, listener):
        self.gate.wait()
        self.log.append(("unsubscribe", registration))
        if self.error is not None:
            raise self.error
        assert self.listeners.pop(registration) is listener

    def close(self):
        self.log.append(("close",))


class Subscriber(object):
    transcode = JSON
    _numbers = itertools.count()

    def __init__(self):
        self.number = next(self._numbers)
        self.pushed = []
        self.failed = []
        self.room = True

    def push(self, key, value):
        self.pushed.append((key, JSON.decode(value.encoded(JSON)), value.epoch))

    def push_error(self, key, dumped):
        self.failed.append((key, dumped["message"]))

    def has_room(self, key):
        return self.room

    def values(self):
        return [value for _, value, _ in self.pushed]


class Cluster(object):
    """A host with its real client, and the table of its subscriptions."""

    def __init__(self, **options):
        hub = gevent.get_hub()
        self.pool = WorkerPool(hub, "tests")
        self.deadlines = Deadlines(hub)
        self.errors = []
        self.real = Real()
        specs = {name: MethodSpec(name, target) for name, target in [
            ("subscribe", SUBSCRIBE), ("unsubscribe", UNSUBSCRIBE)]}
        plan = Plan("tests", lambda: self.real, specs, real_class=Real)
        self.host = Host(plan, Options(**options), self.pool, self.deadlines, lambda *args: None)
        self.host.start(lambda greenlet: greenlet.join())
        self.table = UpstreamTable(
            self.host, JSON, lambda: 7, self.errors.append,
            choose=lambda free: min(free, key=lambda pair: pair[0].number))

    def add(self, subscriber, registration="r", key="k"):
        self.table.add(registration, registration, subscriber, key)

    def tell(self, value, registration="r"):
        until(lambda: registration in self.real.listeners)
        self.real.listeners[registration](value)

    def end(self):
        self.host.close()
        self.pool.close(1)
        self.deadlines.close()


@pytest.fixture
def cluster(request):
    made = Cluster(**getattr(request, "param", {}))
    yield made
    made.end()


not_broadcast = pytest.mark.parametrize(
    "cluster", [{"is_broadcast": False, "max_queued_values": 2}], indirect=True, ids=["one"])


def test_it_is_subscribed_once_and_every_subscriber_gets_each_value_under_its_key(cluster):
    one, two = Subscriber(), Subscriber()
    cluster.add(one, key="k1")
    cluster.add(two, key="k2")
    cluster.add(two, key="k3")
    cluster.tell("v")
    assert one.pushed == [("k1", "v", 7)]
    assert sorted(two.pushed) == [("k2", "v", 7), ("k3", "v", 7)]
    assert cluster.real.log == [("subscribe", "r")]


def test_a_late_subscriber_gets_the_last_value(cluster):
    cluster.add(Subscriber())
    cluster.tell(1)
    cluster.tell(2)
    late = Subscriber()
    cluster.add(late)
    assert late.values() == [2]
    assert cluster.real.log == [("subscribe", "r")]


def test_the_last_subscriber_that_goes_ends_it_and_the_next_begins_anew(cluster):
    one, two = Subscriber(), Subscriber()
    cluster.add(one)
    cluster.add(two)
    cluster.tell(1)
    old = cluster.real.listeners["r"]
    cluster.table.remove("r", one, "k")
    cluster.table.remove("r", one, "k")
    cluster.table.remove("r", two, "another key")
    cluster.table.remove_all(two)
    cluster.table.remove_all(two)
    cluster.add(one)
    until(lambda: len(cluster.real.log) == 3)
    assert cluster.real.log == [("subscribe", "r"), ("unsubscribe", "r"), ("subscribe", "r")]
    assert one.values() == [1]  # no replay of what belonged to the old subscription
    old("late")
    cluster.tell("new")
    assert one.values() == [1, "new"]


def test_one_key_is_subscribed_and_unsubscribed_in_order_though_the_real_client_blocks(cluster):
    cluster.real.gate.clear()
    subscriber = Subscriber()
    for _ in range(20):
        cluster.add(subscriber)
        cluster.table.remove("r", subscriber, "k")
    other = Subscriber()
    cluster.add(other, "another")
    gevent.sleep(0)
    assert cluster.real.log == []
    cluster.real.gate.set()
    until(lambda: len(cluster.real.log) == 41)
    mine = [what for what, registration in cluster.real.log if registration == "r"]
    assert mine == ["subscribe", "unsubscribe"] * 20
    until(lambda: not cluster.table._lanes)


@pytest.mark.parametrize("error", [ValueError("no"), gevent.Timeout()])
def test_a_subscription_that_fails_is_told_to_all_and_tried_again_for_the_next(
        cluster, error, caplog):
    one, two = Subscriber(), Subscriber()
    cluster.real.error = error
    cluster.add(one, key="k1")
    cluster.add(two, key="k2")
    until(lambda: one.failed and two.failed)
    assert [key for key, _ in one.failed + two.failed] == ["k1", "k2"]
    cluster.real.error = None
    three = Subscriber()
    cluster.add(three, key="k3")
    cluster.tell("v")
    assert one.values() == two.values() == three.values() == ["v"]
    assert len(cluster.real.log) == 2
    assert "failed" in caplog.records[0].getMessage()


def test_what_failed_is_not_unsubscribed(cluster):
    one = Subscriber()
    cluster.real.error = ValueError("no")
    cluster.add(one)
    until(lambda: one.failed)
    cluster.table.remove("r", one, "k")
    until(lambda: not cluster.table._lanes)
    assert cluster.real.log == [("subscribe", "r")]


@pytest.mark.parametrize("error", [ValueError("no"), gevent.Timeout()])
def test_an_unsubscribe_that_fails_is_an_error_without_a_caller(cluster, error):
    one = Subscriber()
    cluster.add(one)
    cluster.tell(1)
    cluster.real.error = error
    cluster.table.remove_all(one)
    until(lambda: cluster.errors)
    assert cluster.errors == [error]


def test_a_value_that_cannot_be_encoded_is_told_as_an_error(cluster):
    one = Subscriber()
    cluster.add(one)
    cluster.tell(object())
    assert one.values() == [] and len(one.failed) == 1
    cluster.tell("good")
    assert one.values() == ["good"]


def test_a_subscriber_that_cannot_take_a_value_does_not_keep_it_from_others(cluster):
    one, two = Subscriber(), Subscriber()

    def refuse(key, value):
        raise TranscodeError("too exotic")

    one.push = refuse
    cluster.add(one)
    cluster.add(two)
    cluster.tell("v")
    assert one.failed == [("k", "too exotic")] and two.values() == ["v"]


def test_a_late_subscriber_that_cannot_take_the_last_value_is_told(cluster):
    one, two = Subscriber(), Subscriber()

    def refuse(key, value):
        raise TranscodeError("too exotic")

    two.push = refuse
    cluster.add(one)
    cluster.tell("v")
    cluster.add(two)
    assert two.failed == [("k", "too exotic")] and one.values() == ["v"]


def test_values_may_be_told_from_the_hub_and_from_other_threads(cluster):
    one = Subscriber()
    cluster.add(one)
    cluster.tell("greenlet")
    in_hub(cluster.real.listeners["r"], "hub")
    until(lambda: len(one.pushed) == 2)
    gevent.get_hub().threadpool.apply(cluster.real.listeners["r"], ("thread",))
    until(lambda: len(one.pushed) == 3)
    assert one.values() == ["greenlet", "hub", "thread"]


def test_after_the_host_closed_nothing_is_asked_and_nothing_comes(cluster):
    one = Subscriber()
    cluster.add(one)
    cluster.tell(1)
    listener = cluster.real.listeners["r"]
    cluster.host.close()
    listener(2)
    cluster.table.remove_all(one)
    cluster.add(one, "later")
    until(lambda: not cluster.table._lanes)
    assert one.values() == [1]
    assert cluster.real.log == [("subscribe", "r"), ("close",)]


# -- each value to one

@not_broadcast
def test_each_value_goes_to_one_that_has_room(cluster):
    one, two = Subscriber(), Subscriber()
    cluster.add(one)
    cluster.add(two)
    cluster.tell(1)
    one.room = False
    cluster.tell(2)
    assert (one.values(), two.values()) == ([1], [2])
    late = Subscriber()
    cluster.add(late)
    assert late.values() == []


@not_broadcast
def test_where_nobody_has_room_values_wait_and_so_does_who_tells_more(cluster, caplog):
    one = Subscriber()
    one.room = False
    cluster.add(one)
    until(lambda: cluster.real.listeners)
    told = []

    def tell():
        for value in range(6):
            cluster.tell(value)
            told.append(value)

    teller = gevent.spawn(tell)
    until(lambda: len(told) == 2)
    gevent.sleep(0)
    assert told == [0, 1] and one.values() == []
    assert "has room" in caplog.records[0].getMessage()
    one.room = True
    cluster.table.room()
    teller.join(timeout=10)
    assert one.values() == [0, 1, 2, 3, 4, 5]


@not_broadcast
def test_what_waits_is_for_whoever_subscribes_next(cluster):
    one, two = Subscriber(), Subscriber()
    one.room = False
    cluster.add(one)
    cluster.tell(1)
    cluster.add(two)
    assert two.values() == [1]


# -- values

def test_a_value_is_encoded_once_per_transcode_and_framed_once_per_kind_of_follower():
    counts = []

    class Counting(object):
        def __init__(self, name):
            self.name = name

        def encode(self, value):
            counts.append(self.name)
            return JSON.encode(value)

        decode = staticmethod(JSON.decode)

    source, other = Counting("source"), Counting("other")
    value = Value({"a": 1}, source, 7)
    ids = iter(range(1, 100))

    def frame(key, transcode, tells_epoch):
        return value.frame(key, transcode, tells_epoch, lambda: next(ids), 3000)

    assert frame("k", source, True) is frame("k", source, True)
    assert frame("k", other, True) is frame("k", other, True)
    plain = frame("k", source, False)
    assert plain != frame("k", source, True) and b"epoch" not in plain
    assert frame("k2", source, False) != plain
    assert counts == ["source", "other"]
    assert next(ids) == 5
