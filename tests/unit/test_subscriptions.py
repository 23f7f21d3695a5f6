"""What a client has subscribed: each listener its queue, in order, bounded, its own pace."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest
from gevent.event import Event

from clusterclient_sync._compat import monotonic
from clusterclient_sync.exceptions import SubscribeTimeoutError, TranscodeError
from clusterclient_sync.greenlets import deadlines as deadlines_module
from clusterclient_sync.greenlets.deadlines import Deadlines
from clusterclient_sync.greenlets.workers import WorkerPool
from clusterclient_sync.options import Options
from clusterclient_sync.protocol import transcodes
from clusterclient_sync.roles.subscriptions import SubscriptionTable
from support.connections import in_hub
from support.scripted import until

JSON = transcodes.JSON
REGISTRATION = {"dataId": u"\u4e16", "n": 1}
KEY = u'$$inner$$__{"dataId":"\u4e16","n":1}'


def call(listener, value):
    listener(value)


class Client(object):
    """A table with what it needs, and the errors that it emitted."""

    def __init__(self, **options):
        hub = gevent.get_hub()
        self.pool = WorkerPool(hub, "tests")
        self.deadlines = Deadlines(hub)
        self.errors = []
        self.table = SubscriptionTable(
            Options(**options), self.pool, self.deadlines, self.errors.append, call,
            choose=lambda free: free[0])

    def deliver(self, value, epoch=None, key=KEY):
        return self.table.deliver(key, JSON.encode(value), JSON, epoch)

    def end(self):
        self.table.clear()
        self.pool.close(1)
        self.deadlines.close()


@pytest.fixture
def client(request):
    made = Client(**getattr(request, "param", {}))
    yield made
    made.end()


def with_options(**options):
    return pytest.mark.parametrize("client", [options], indirect=True, ids=["options"])


class Listener(object):
    """Notes its values; may be made to block."""

    def __init__(self):
        self.values = []
        self.gate = Event()
        self.gate.set()

    def __call__(self, value):
        self.values.append(value)
        self.gate.wait()

    def got(self, *values):
        until(lambda: len(self.values) >= len(values))
        assert self.values == list(values)


# -- listeners

def test_the_first_listener_of_a_registration_makes_an_entry_the_next_do_not(client):
    entry = client.table.add(REGISTRATION, Listener())
    assert entry.key == KEY and entry.registration == REGISTRATION
    assert client.table.add({"n": 1.0, "dataId": u"\u4e16"}, Listener()) is None
    other = client.table.add("x", Listener())
    assert client.table.entries() == [entry, other]


def test_a_value_reaches_every_listener_as_a_copy_of_its_own_and_never_inside_deliver(client):
    one, two = Listener(), Listener()
    client.table.add(REGISTRATION, one)
    client.table.add(REGISTRATION, two)
    assert client.deliver({"a": [1]}) is True
    assert one.values == []
    one.got({"a": [1]})
    two.got({"a": [1]})
    assert one.values[0] is not two.values[0]


def test_a_new_listener_gets_the_last_value_but_not_inside_subscribe(client):
    client.table.add(REGISTRATION, Listener())
    client.deliver(1)
    client.deliver(2)
    late = Listener()
    client.table.add(REGISTRATION, late)
    assert late.values == []
    late.got(2)


def test_one_that_is_registered_twice_is_called_twice_and_removed_at_once(client):
    listener, other = Listener(), Listener()
    for _ in range(2):
        client.table.add(REGISTRATION, listener)
    client.table.add(REGISTRATION, other)
    client.deliver(1)
    listener.got(1, 1)
    assert client.table.remove(REGISTRATION, listener) is None
    client.deliver(2)
    other.got(1, 2)
    assert listener.values == [1, 1]


class Equal(Listener):
    def __eq__(self, other):
        return isinstance(other, Equal)

    __hash__ = None


def test_listeners_are_compared_by_equality(client):
    client.table.add(REGISTRATION, Equal())
    assert client.table.remove(REGISTRATION, Equal()) is not None


def test_the_last_listener_that_goes_takes_the_entry_with_it(client):
    listener = Listener()
    entry = client.table.add(REGISTRATION, listener)
    client.table.add(REGISTRATION, Listener())
    assert client.table.remove(REGISTRATION, listener) is None
    assert client.table.remove(REGISTRATION) is entry
    assert client.table.entries() == []
    assert client.table.remove(REGISTRATION) is None
    assert client.table.remove(REGISTRATION, listener) is None
    assert client.deliver(1) is False
    assert client.table.add(REGISTRATION, listener) is not entry


def test_one_that_was_removed_gets_nothing_that_waited_for_it(client):
    listener = Listener()
    client.table.add(REGISTRATION, listener)
    client.deliver(1)
    client.deliver(2)
    client.table.remove(REGISTRATION, listener)
    client.table.add(REGISTRATION, Listener())
    gevent.sleep(0)
    gevent.sleep(0)
    assert listener.values == []


def test_a_listener_may_unsubscribe_itself(client):
    values = []

    def once(value):
        values.append(value)
        client.table.remove(REGISTRATION, once)

    client.table.add(REGISTRATION, once)
    other = Listener()
    client.table.add(REGISTRATION, other)
    for value in range(3):
        client.deliver(value)
    other.got(0, 1, 2)
    assert values == [0]


def test_a_slow_listener_delays_only_itself_and_gets_all_in_order(client):
    slow, fast = Listener(), Listener()
    slow.gate.clear()
    client.table.add(REGISTRATION, slow)
    client.table.add(REGISTRATION, fast)
    for value in range(500):
        client.deliver(value)
    fast.got(*range(500))
    assert slow.values == [0]
    slow.gate.set()
    slow.got(*range(500))


@with_options(max_queued_values=10)
def test_a_listener_that_is_too_slow_skips_to_the_newest(client, caplog):
    slow, fast = Listener(), Listener()
    slow.gate.clear()
    client.table.add(REGISTRATION, slow)
    client.table.add(REGISTRATION, fast)
    for value in range(100):
        client.deliver(value)
        until(lambda value=value: fast.values[-1:] == [value])
    slow.gate.set()
    until(lambda: slow.values[-1] == 99)
    assert slow.values == sorted(slow.values) and len(slow.values) <= 12
    assert fast.values == list(range(100))
    assert "skips to the newest" in caplog.records[0].getMessage()


@pytest.mark.parametrize("error", [ValueError("boom"), gevent.Timeout()])
def test_a_listener_that_raises_is_logged_and_emitted_and_goes_on(client, caplog, error):
    values = []

    def fail(value):
        values.append(value)
        raise error

    client.table.add(REGISTRATION, fail)
    for value in range(3):
        client.deliver(value)
    until(lambda: len(values) == 3)
    assert client.errors == [error] * 3
    assert [record.exc_info[1] for record in caplog.records] == [error] * 3


def test_a_listener_that_ends_its_greenlet_gets_the_values_after_that(client):
    values = []

    def end(value):
        values.append(value)
        raise gevent.GreenletExit()

    client.table.add(REGISTRATION, end)
    for value in range(3):
        client.deliver(value)
    until(lambda: values == [0, 1, 2])


def test_what_cannot_be_decoded_is_emitted(client):
    client.table.add(REGISTRATION, Listener())
    client.table.deliver(KEY, b"no JSON", JSON, None)
    until(lambda: client.errors)
    assert isinstance(client.errors[0], TranscodeError)


# -- keys

def test_a_registration_that_cannot_be_sent_is_refused(client):
    for registration in (float("nan"), 2 ** 60, object()):
        with pytest.raises(TranscodeError):
            client.table.add(registration, Listener())
    assert client.table.entries() == []


@with_options(format_key=lambda registration: registration["dataId"])
def test_format_key_makes_the_key_and_the_registration_goes_along(client):
    entry = client.table.add({"dataId": "x", "n": 1}, Listener())
    assert client.table.add({"dataId": "x", "n": 2}, Listener()) is None
    assert (entry.key, entry.text) == (u"$$inner$$__x", u'{"dataId":"x","n":1}')


# -- epochs

def test_values_of_an_older_epoch_are_discarded(client):
    listener = Listener()
    client.table.add(REGISTRATION, listener)
    taken = [client.deliver(value, epoch) for value, epoch in [
        (1, 5), (2, 5), (3, 4), (4, 6), (5, 5), (6, None), (7, 3)]]
    # What a Node leader told has no epoch, and what comes after it is taken as it comes.
    assert taken == [True, True, False, True, False, True, True]
    listener.got(1, 2, 4, 6, 7)


# -- the first value

@with_options(subscribe_timeout=3)
def test_no_first_value_in_time_is_an_error_once(client, monkeypatch):
    client.table.add(REGISTRATION, Listener())
    client.table.add("has data", Listener())
    client.deliver(1, key=u'$$inner$$__"has data"')
    client.table.add("is gone", Listener())
    client.table.remove("is gone")
    monkeypatch.setattr(deadlines_module, "monotonic", lambda: monotonic() + 2.5)
    in_hub(client.deadlines._sweep)
    assert client.errors == []
    for _ in range(2):
        monkeypatch.setattr(deadlines_module, "monotonic", lambda: monotonic() + 10)
        in_hub(client.deadlines._sweep)
    error, = client.errors
    assert isinstance(error, SubscribeTimeoutError)
    assert (error.registration, error.timeout) == (REGISTRATION, 3)


def test_a_subscription_that_failed_is_emitted_where_there_is_one(client):
    client.table.add(REGISTRATION, Listener())
    error = ValueError("upstream")
    client.table.fail(KEY, error)
    client.table.fail(u"another", ValueError())
    assert client.errors == [error]


def test_cleared_nothing_comes_any_more(client):
    listener = Listener()
    client.table.add(REGISTRATION, listener)
    client.deliver(1)
    client.table.clear()
    assert client.deliver(2) is False
    gevent.sleep(0)
    gevent.sleep(0)
    assert listener.values == []


# -- each value to one listener

@with_options(is_broadcast=False, max_queued_values=3)
def test_each_value_goes_to_one_and_where_one_is_full_to_another(client):
    one, two = Listener(), Listener()
    one.gate.clear()
    for listener in (one, two):
        client.table.add(REGISTRATION, listener)
    for value in range(10):
        client.deliver(value)
        gevent.sleep(0)
    until(lambda: len(two.values) == 6)
    assert one.values == [0] and two.values == [4, 5, 6, 7, 8, 9]
    one.gate.set()
    one.got(0, 1, 2, 3)


@with_options(is_broadcast=False, max_queued_values=3)
def test_where_nobody_has_room_values_wait_and_none_is_skipped(client):
    listener = Listener()
    listener.gate.clear()
    client.table.add(REGISTRATION, listener)
    rooms = []
    client.table.on_room = lambda: rooms.append(client.table.has_room(KEY))
    for value in range(10):
        client.deliver(value)
        gevent.sleep(0)
    assert not client.table.has_room(KEY) and not client.table.has_room(u"nobody's")
    listener.gate.set()
    listener.got(*range(10))
    assert client.table.has_room(KEY)
    assert rooms and rooms[-1] is True


@with_options(is_broadcast=False)
def test_there_is_no_replay(client):
    first = Listener()
    client.table.add(REGISTRATION, first)
    client.deliver(1)
    first.got(1)
    late = Listener()
    client.table.add(REGISTRATION, late)
    gevent.sleep(0)
    gevent.sleep(0)
    assert late.values == []


@with_options(is_broadcast=False)
def test_what_waited_for_one_that_goes_is_given_to_another(client):
    gone, other = Listener(), Listener()
    gone.gate.clear()
    client.table.add(REGISTRATION, gone)
    for value in range(5):
        client.deliver(value)
        gevent.sleep(0)
    client.table.add(REGISTRATION, other)
    client.table.remove(REGISTRATION, gone)
    gone.gate.set()
    other.got(1, 2, 3, 4)
    assert gone.values == [0]
