"""What is kept of publishes for the next leader."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.exceptions import TranscodeError
from clusterclient_sync.method_spec import PUBLISH, MethodSpec
from clusterclient_sync.options import Options
from clusterclient_sync.roles.call import Call
from clusterclient_sync.roles.publishes import PublishLog

PUBLISHER = MethodSpec("publish", PUBLISH, style="return")
UNREPLAYED = MethodSpec("publish", PUBLISH, style="return", replay=False)


def publish(value, spec=PUBLISHER):
    return Call(spec, (value,), {}, 3)


def made(calls):
    return [call.args[0] for call in calls]


@pytest.fixture
def log():
    return PublishLog(Options())



def note(log, call):
    """What the core does with a publish that was made."""
    log.note(call, log.key_of(call))


def test_the_last_of_each_key_is_made_again_in_the_order_of_those_last_ones(log):
    for value in ("a", "b", "a", "c", "b"):
        note(log, publish({"key": value}))
    assert made(log.take(has_moved=True)) == [{"key": "a"}, {"key": "c"}, {"key": "b"}]
    # And again at the leader after the next.
    assert len(log.take(has_moved=True)) == 3


def test_nothing_is_made_again_where_the_leadership_did_not_move(log):
    note(log, publish("a"))
    assert log.take(has_moved=False) == []


def test_the_key_is_the_formatted_registration(log):
    note(log, publish({"a": 1, "b": 2}))
    note(log, publish({"b": 2, "a": 1.0}))
    assert len(log.take(True)) == 1


def test_publish_key_says_what_is_the_same():
    log = PublishLog(Options(publish_key=lambda registration: registration["id"],
                                 format_key=lambda registration: "one"))
    for number, key in enumerate("abab"):
        note(log, publish({"id": key, "n": number}))
    assert [value["n"] for value in made(log.take(True))] == [2, 3]


def test_format_key_says_it_where_there_is_no_publish_key():
    log = PublishLog(Options(format_key=lambda registration: "one"))
    note(log, publish(1))
    note(log, publish(2))
    assert made(log.take(True)) == [2]


def test_two_methods_that_publish_do_not_share_keys(log):
    note(log, publish("a"))
    note(log, publish("a", MethodSpec("announce", PUBLISH)))
    assert len(log.take(True)) == 2


def test_what_is_no_registration_has_a_key_of_its_own(log):
    for value in (b"\xff", b"\xfe", b"\xff"):
        note(log, publish(value))
    assert made(log.take(True)) == [b"\xfe", b"\xff"]
    with pytest.raises(TranscodeError):
        note(log, publish(object()))


def test_replay_false_keeps_none(log):
    note(log, publish("a", UNREPLAYED))
    assert log.take(True) == []


def test_the_number_of_kept_ones_is_bounded_and_dropping_is_logged(caplog):
    log = PublishLog(Options(max_kept_publishes=3))
    for number in range(5):
        note(log, publish("k%d" % number))
    assert made(log.take(True)) == ["k2", "k3", "k4"]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "k0" in caplog.records[0].getMessage()


def test_an_option_of_zero_keeps_none_for_replay():
    log = PublishLog(Options(max_kept_publishes=0))
    note(log, publish("a"))
    assert log.take(True) == []


def test_unsent_ones_are_made_once_all_of_them_in_order(log):
    calls = [publish("a") for _ in range(3)]
    log.keep_unsent(calls[1:])
    log.keep_unsent(calls[:1], in_front=True)
    assert log.take(False) == calls
    assert log.take(False) == []


def test_one_that_is_both_kept_and_unsent_is_made_once_and_last(log):
    sent, unsent = publish("a"), publish("b")
    for call in (unsent, sent):
        note(log, call)
    log.keep_unsent([unsent])
    assert log.take(True) == [sent, unsent]


def test_unsent_ones_are_bounded_the_oldest_are_dropped(caplog):
    log = PublishLog(Options(max_kept_publishes=2))
    calls = [publish(number) for number in range(4)]
    log.keep_unsent(calls)
    assert log.take(False) == calls[2:]
    assert len(caplog.records) == 2


def test_clear_forgets_all(log):
    note(log, publish("a"))
    log.keep_unsent([publish("b")])
    log.clear()
    assert log.take(True) == []
