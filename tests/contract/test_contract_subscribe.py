"""Subscriptions: the values that listeners get, and what the real client is asked."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync import TranscodeError
from support.gates import Event
from support.listening import Listener, settle
from support.recording import TIMEOUT
from support.sample_values import SAMPLES, alike
from support.subjects import GREENLET_KINDS, kinds

A = {"dataId": "a", "first": "one"}
QUIET = {"dataId": "quiet"}


def test_a_listener_gets_the_first_value_and_every_change(subject):
    listener = Listener()
    subject.client.subscribe(A, listener)
    assert listener.wait_for() == ["one"]
    subject.upstream.tell("a", "two", "three")
    assert listener.wait_for(3) == ["one", "two", "three"]
    assert listener.never_in_hub()


@kinds(*GREENLET_KINDS)
def test_a_listener_is_never_called_inside_subscribe(subject):
    first, second = Listener(), Listener()
    subject.client.subscribe(A, first)
    assert first.begun == 0
    first.wait_for()
    subject.client.subscribe(A, second)  # there is a last value already
    assert second.begun == 0
    assert second.wait_for() == ["one"]


def test_another_listener_gets_the_last_value_without_another_subscription(subject):
    first, second = Listener(), Listener()
    subject.client.subscribe(A, first)
    first.wait_for()
    subject.upstream.tell("a", "two")
    first.wait_for(2)
    subject.client.subscribe(A, second)
    assert second.wait_for() == ["two"]
    subject.upstream.tell("a", "three")
    assert second.wait_for(2) == ["two", "three"]
    assert first.wait_for(3) == ["one", "two", "three"]
    assert subject.upstream.of("subscribe") == [A]


def test_another_client_of_this_process_shares_the_subscription(subject):
    first, second = Listener(), Listener()
    subject.client.subscribe(A, first)
    other = subject.another()
    other.ready(TIMEOUT)
    other.subscribe(A, second)
    assert (first.wait_for(), second.wait_for()) == (["one"], ["one"])
    subject.upstream.tell("a", "two")
    assert (first.wait_for(2), second.wait_for(2)) == (["one", "two"], ["one", "two"])
    assert subject.upstream.count("subscribe") == 1
    other.unsubscribe(A, second)
    settle(subject)
    assert subject.upstream.of("unsubscribe").count(A) == 0
    other.subscribe(A, second)
    assert second.wait_for(3) == ["one", "two", "two"]
    other.close()
    subject.upstream.tell("a", "three")
    assert first.wait_for(3)[-1] == "three"
    assert subject.upstream.of("subscribe").count(A) == 1
    subject.client.unsubscribe(A)
    subject.upstream.wait_for("unsubscribe", 2)
    assert subject.upstream.of("unsubscribe").count(A) == 1


def test_the_order_of_members_makes_no_other_registration(subject):
    first, second = Listener(), Listener()
    subject.client.subscribe({"dataId": "a", "x": 1, "first": 1.0}, first)
    first.wait_for()
    other = {"first": 1, "x": 1.0}
    other["dataId"] = "a"
    subject.client.subscribe(other, second)
    assert second.wait_for() == [1]
    assert subject.upstream.count("subscribe") == 1


def test_other_registrations_are_other_subscriptions(subject):
    listeners = [Listener() for _ in range(3)]
    for number, listener in enumerate(listeners):
        subject.client.subscribe({"dataId": "d%d" % number, "first": number}, listener)
    assert [listener.wait_for() for listener in listeners] == [[0], [1], [2]]
    subject.upstream.tell("d1", "more")
    assert listeners[1].wait_for(2) == [1, "more"]
    settle(subject)
    assert [len(listener.calls) for listener in listeners] == [1, 2, 1]


def test_a_listener_that_is_registered_twice_is_called_twice(subject):
    listener = Listener()
    subject.client.subscribe(A, listener)
    subject.client.subscribe(A, listener)
    assert listener.wait_for(2) == ["one", "one"]
    subject.upstream.tell("a", "two")
    assert listener.wait_for(4)[2:] == ["two", "two"]
    subject.client.unsubscribe(A, listener)
    assert subject.upstream.wait_for("unsubscribe") == [A]


def test_subscribe_is_a_decorator(subject):
    arrived = Listener()

    @subject.client.subscribe(A)
    def listener(value):
        arrived(value)

    assert arrived.wait_for() == ["one"]
    subject.client.unsubscribe(A, listener)
    subject.upstream.wait_for("unsubscribe")


def test_unsubscribe_of_one_listener_keeps_the_others(subject):
    gone, kept = Listener(), Listener()
    for listener in (gone, kept):
        subject.client.subscribe(A, listener)
        listener.wait_for()
    subject.client.unsubscribe(A, gone)
    subject.upstream.tell("a", "two")
    assert kept.wait_for(2) == ["one", "two"]
    settle(subject)
    assert gone.values == ["one"]
    assert A not in subject.upstream.of("unsubscribe")


def test_bound_methods_are_the_same_listener(subject):
    class Owner(object):
        values = Listener()

        def listen(self, value):
            self.values(value)

    owner = Owner()
    subject.client.subscribe(A, owner.listen)
    owner.values.wait_for()
    subject.client.unsubscribe(A, owner.listen)
    assert subject.upstream.wait_for("unsubscribe") == [A]


def test_the_last_listener_ends_the_subscription_once(subject):
    first, second = Listener(), Listener()
    subject.client.subscribe(A, first)
    subject.client.subscribe(A, second)
    subject.client.unsubscribe(A, first)
    subject.client.unsubscribe(A, second)
    subject.client.unsubscribe(A, second)
    assert subject.upstream.wait_for("unsubscribe") == [A]
    settle(subject)
    assert subject.upstream.of("unsubscribe").count(A) == 1
    third = Listener()
    subject.client.subscribe(A, third)
    assert third.wait_for() == ["one"]
    assert subject.upstream.of("subscribe").count(A) == 2


def test_unsubscribe_without_a_listener_removes_all_of_this_client(subject):
    listeners = [Listener(), Listener()]
    for listener in listeners:
        subject.client.subscribe(A, listener)
        listener.wait_for()
    subject.client.unsubscribe(A)
    assert subject.upstream.wait_for("unsubscribe") == [A]
    assert [listener.values for listener in listeners] == [["one"], ["one"]]


def test_unsubscribe_of_what_is_not_subscribed_does_nothing(subject):
    subject.client.unsubscribe({"dataId": "never"})
    subject.client.unsubscribe({"dataId": "never"}, len)
    settle(subject)
    assert {"dataId": "never"} not in subject.upstream.of("unsubscribe")


def test_subscribe_and_unsubscribe_of_one_key_stay_in_order(subject):
    """The real client blocks in each subscribe, so the next one must wait for it."""
    registration = dict(A, gate="slow")
    last = Listener()
    for _ in range(10):
        subject.client.subscribe(registration, len)
        subject.client.unsubscribe(registration, len)
    subject.client.subscribe(registration, last)
    subject.upstream.wait_for("subscribe")
    subject.upstream.open("slow")
    assert last.wait_for() == ["one"]
    asked = subject.upstream.count("subscribe"), subject.upstream.count("unsubscribe")
    assert asked[0] == asked[1] + 1
    subject.upstream.tell("a", "two")
    assert last.wait_for(2) == ["one", "two"]


@kinds(*GREENLET_KINDS)
def test_a_subscription_before_ready_is_made_after_it(make):
    subject = make(ready=False)
    listener, gone = Listener(), Listener()
    subject.client.subscribe(A, listener)
    subject.client.subscribe({"dataId": "gone"}, gone)
    subject.client.unsubscribe({"dataId": "gone"}, gone)
    subject.get_ready()
    assert listener.wait_for() == ["one"]
    settle(subject)
    assert {"dataId": "gone"} not in subject.upstream.of("subscribe")


def test_a_slow_listener_delays_only_itself(subject):
    gate = Event()
    slow, quick = Listener(gate), Listener()
    subject.client.subscribe(A, slow)
    subject.client.subscribe(A, quick)
    quick.wait_for()
    subject.upstream.tell("a", *range(50))
    assert quick.wait_for(51) == ["one"] + list(range(50))
    assert (slow.begun, slow.values) == (1, [])
    assert subject.client.same(1) == 1
    gate.set()
    assert slow.wait_for(51) == ["one"] + list(range(50))


@pytest.mark.parametrize("bound", (10, 1000))
def test_a_slow_listener_skips_at_its_bound(make, bound):
    subject = make(max_queued_values=bound) if bound != 1000 else make()
    gate = Event()
    slow, quick = Listener(gate), Listener()
    subject.client.subscribe(A, slow)
    slow.wait_until(lambda: slow.begun == 1)  # it has taken "one"; the others wait
    subject.client.subscribe(A, quick)
    quick.wait_for()
    for number in range(bound + 1):
        if number == bound:
            assert slow.begun == 1
        subject.upstream.tell("a", number)
        quick.wait_for(number + 2)
    gate.set()
    assert slow.wait_for(2) == ["one", bound]
    subject.upstream.tell("a", "after")
    assert slow.wait_for(3) == ["one", bound, "after"]
    assert quick.wait_for(bound + 3) == ["one"] + list(range(bound + 1)) + ["after"]


def test_a_listener_that_keeps_up_sees_every_value_in_order(subject):
    listener = Listener()
    subject.client.subscribe(QUIET, listener)
    subject.upstream.wait_for("subscribe")
    for start in range(0, 5000, 500):
        subject.upstream.tell("quiet", *range(start, start + 500))
        assert listener.wait_for(start + 500) == list(range(start + 500))


def test_values_of_every_kind(subject):
    names = sorted(SAMPLES)
    listener = Listener()
    subject.client.subscribe(QUIET, listener)
    subject.upstream.wait_for("subscribe")
    for name in names:
        subject.upstream.tell_sample("quiet", name)
    values = listener.wait_for(len(names))
    assert [name for name, value in zip(names, values)
            if not alike(value, SAMPLES[name].expected)] == []


def test_each_listener_owns_its_value(subject):
    first, second = Listener(), Listener()
    subject.client.subscribe({"dataId": "a", "first": {"items": [1]}}, first)
    first.wait_for()[0]["items"].append("mine")
    subject.client.subscribe({"dataId": "a", "first": {"items": [1]}}, second)
    assert second.wait_for() == [{"items": [1]}]


@pytest.mark.parametrize("where", ("hub", "thread"))
def test_the_real_client_may_tell_values_from_anywhere(subject, where):
    listener = Listener()
    subject.client.subscribe(A, listener)
    listener.wait_for()
    subject.upstream.tell_from(where, "a", "from afar")
    assert listener.wait_for(2) == ["one", "from afar"]
    assert listener.never_in_hub()


def test_a_registration_that_cannot_be_sent_is_refused(subject):
    for registration in ({"dataId": object()}, {"dataId": float("nan")}, {"dataId": 2 ** 60}):
        with pytest.raises(TranscodeError):
            subject.client.subscribe(registration, len)
    settle(subject)
    assert len(subject.upstream.of("subscribe")) == 1


def test_the_registration_is_that_of_the_time_of_the_call(subject):
    registration = {"dataId": "a", "first": [1]}
    listener = Listener()
    subject.client.subscribe(registration, listener)
    registration["first"].append(2)
    assert listener.wait_for() == [[1]]
    subject.client.unsubscribe({"dataId": "a", "first": [1]}, listener)
    assert subject.upstream.wait_for("unsubscribe") == [{"dataId": "a", "first": [1]}]


def test_a_listener_may_subscribe_unsubscribe_and_call(subject):
    seen, inner = Listener(), Listener()

    def listener(value):
        subject.client.unsubscribe(A, listener)
        subject.client.subscribe({"dataId": "b", "first": "inner"}, inner)
        seen(subject.client.same(value))

    subject.client.subscribe(A, listener)
    assert (seen.wait_for(), inner.wait_for()) == (["one"], ["inner"])
    subject.upstream.wait_for("unsubscribe")
    settle(subject)
    assert len(seen.calls) == 1
