"""Arguments and results: every kind of value, the same on every kind of client."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync import TranscodeError, outcome
from support.sample_values import (
    NOT_SERIALIZE_JSON, REFUSED, SAMPLES, SERIALIZE_JSON, alike, nested)


def wrong(call, names, form="returned"):
    """What ``call(sample, name)`` gives where that is not the expected value, by name."""
    found = {}
    for name in names:
        try:
            value = call(SAMPLES[name], name)
        except Exception as error:
            found[name] = error
        else:
            if not alike(value, getattr(SAMPLES[name], form)):
                found[name] = value
    return {name: repr(value)[:200] for name, value in found.items()}


def test_values_come_back_as_results(client):
    assert wrong(lambda sample, name: client.same(sample.value), SAMPLES) == {}


def test_values_of_the_real_client_arrive_as_results(client):
    assert wrong(lambda sample, name: client.sample(name), SAMPLES, "expected") == {}


def test_the_real_client_gets_values_of_the_same_types(client):
    arrived = {name: client.is_sample(name, sample.value) for name, sample in SAMPLES.items()}
    assert [name for name, is_right in arrived.items() if not is_right] == []


def test_values_travel_by_position_and_by_name(client):
    assert wrong(lambda sample, name: client.echo(1, sample.value)[0][1], SAMPLES) == {}
    assert wrong(lambda sample, name: client.echo(value=sample.value)[1][u"value"], SAMPLES) == {}


def test_serialize_json_gives_the_same_values(make):
    client = make(transcode="serialize-json").client
    assert wrong(lambda sample, name: client.same(sample.value), SERIALIZE_JSON) == {}
    assert wrong(lambda sample, name: client.sample(name), SERIALIZE_JSON, "expected") == {}


def test_serialize_json_refuses_what_it_cannot_give_back_the_same(make):
    subject = make(transcode="serialize-json")
    refused = []
    for name in set(SAMPLES).difference(SERIALIZE_JSON):
        try:
            assert alike(subject.client.same(SAMPLES[name].value), SAMPLES[name].returned), name
        except TranscodeError as error:
            assert outcome(error) == "not_sent"
            refused.append(name)
    assert set(refused) >= set(NOT_SERIALIZE_JSON)
    assert subject.upstream.count("same") == len(SAMPLES) - len(SERIALIZE_JSON) - len(refused)


def test_no_arguments_and_many(client):
    assert client.echo() == [[], {}]
    assert client.echo(None) == [[None], {}]
    many = list(range(300))
    assert client.echo(*many) == [many, {}]


def test_keyword_arguments_of_any_name(client):
    names = ("timeout", "name", "args", "kwargs", "method", "registration", "listener", "spec")
    given = {name: number for number, name in enumerate(names)}
    assert client.echo(1, **given) == [[1], given]
    assert client.call("echo", (1,), given) == [[1], given]


def test_a_keyword_argument_that_the_method_lacks_is_its_type_error(client):
    with pytest.raises(TypeError):
        client.same(1, colour="red")
    with pytest.raises(TypeError):
        client.same()


def test_nothing_returned_is_none(client):
    assert client.nothing() is None


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_argument_that_cannot_be_sent_is_never_sent(subject, name):
    value, path = REFUSED[name]
    client = subject.client
    for call in (lambda: client.same(value), lambda: client.echo(value=value),
                 lambda: client.call("same", (value,)), lambda: client.touch(value),
                 lambda: client.publish({"value": value})):
        with pytest.raises(TranscodeError) as caught:
            call()
        assert outcome(caught.value) == "not_sent"
    with pytest.raises(TranscodeError) as caught:
        client.same(value)
    assert caught.value.path == path
    assert path in str(caught.value)
    assert client.same(1) == 1
    upstream = subject.upstream
    assert (upstream.of("same"), upstream.count("echo")) == ([None], 0)
    assert (upstream.count("touch"), upstream.count("publish")) == (0, 0)


def test_a_value_that_contains_itself_or_is_too_deep_cannot_be_sent(client):
    endless = []
    endless.append(endless)
    for value in (endless, nested(100000)):
        with pytest.raises(TranscodeError) as caught:
            client.same(value)
        assert outcome(caught.value) == "not_sent"
        while value and value[0] is not value:  # not by recursion, which ends Python 2
            value = value.pop()
    assert client.same(nested(50)) == nested(50)


def test_a_result_that_cannot_be_sent_is_the_callers_error(subject):
    with pytest.raises(TranscodeError) as caught:
        subject.client.unencodable()
    assert caught.value.path == "$.deep[0]"
    assert outcome(caught.value) == "failed"
    assert subject.client.same(1) == 1


def test_the_caller_owns_its_result(client):
    state = client.own_state()
    state["items"].append("mine")
    state["count"] = 7
    assert client.own_state() == {"count": 0, "items": [1, 2]}


def test_a_result_does_not_change_with_the_real_client(client):
    before = client.own_state()
    assert client.change_state()["items"] == [1, 2, 3]
    assert before == {"count": 0, "items": [1, 2]}


def test_the_caller_keeps_its_arguments(client):
    argument = {"a": 1}
    result = client.change_argument(argument)
    assert argument == {"a": 1}
    assert result == {"a": 1, "changed": True}
    assert client.same(argument) is not argument
