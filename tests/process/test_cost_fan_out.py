"""What it costs to tell many followers: encodes and frames, counted.

A leader and a hundred followers in one process.
"""

from __future__ import absolute_import, division, print_function

import collections

import pytest

from clusterclient_sync import DataClientBase
from clusterclient_sync.protocol.transcodes.json_text import JsonTranscode
from support.costs import SEND, Together, Transcode, Wire
from support.scripted import until

pytestmark = pytest.mark.limit(40)

COUNT = 100
REGISTRATION = {"dataId": "k"}
VALUE = {"a value": ["to", "all"]}


class Real(DataClientBase):
    """The real client."""

    def __init__(self):
        super(Real, self).__init__()
        Real.made = self
        self.listener = None

    def subscribe(self, registration, listener):
        self.listener = listener

    def unsubscribe(self, registration, listener):
        pass

    def hold(self, value):
        return value

    def close(self):
        pass


class Cluster(object):
    """A leader that speaks ``counting``, ``spoken`` (its transcode), and its followers.

    ``got`` is what their listeners and handlers were called with.
    """

    def __init__(self, together):
        self._together = together
        self.spoken = Transcode()
        together.lead(transcode=self.spoken)
        self.got = []

    def join(self, count, **options):
        """So many followers more, subscribed."""
        for follower in self._together.follow(count, **options):
            follower.subscribe(REGISTRATION, self.got.append)
            follower.on("news", self.got.append)
            follower.hold("x")  # what was sent before it has arrived

    def wait_for(self, count):
        until(lambda: len(self.got) >= count)
        assert self.got == [VALUE] * count


@pytest.fixture
def wire(monkeypatch):
    return Wire(monkeypatch)


@pytest.fixture
def joined(wire, port, closing):
    """A :class:`Cluster` without followers."""
    return Cluster(closing(Together(port, Real)))


@pytest.fixture
def json_encoded(monkeypatch):
    """What is encoded as JSON itself, and not by way of a :class:`Transcode`."""
    found = []
    encode = JsonTranscode.encode

    def noted(transcode, value):
        found.append(value)
        return encode(transcode, value)

    monkeypatch.setattr(JsonTranscode, "encode", noted)
    return found


def check_one_for_each(wire):
    """Nothing was sent but once to each follower."""
    assert sorted(wire.accepted.index(entry.sock) for entry in wire.of(SEND)) == list(range(COUNT))


def pushed(wire):
    """How often each object was offered to the kernel, by its identity."""
    return collections.Counter(id(entry.data) for entry in wire.of(SEND))


def test_a_value_is_encoded_once_and_all_get_the_very_same_bytes(joined, wire):
    joined.join(COUNT, transcode=Transcode())
    wire.clear()
    del joined.spoken.encoded[:]
    Real.made.listener(VALUE)
    joined.wait_for(COUNT)
    assert joined.spoken.encoded == [VALUE]
    check_one_for_each(wire)
    assert list(pushed(wire).values()) == [COUNT]
    frame = wire.of(SEND)[0].data
    # Who comes later gets the same frame again, with the same id, maybe behind another.
    del joined.got[:]
    joined.join(1, transcode=Transcode())
    joined.wait_for(1)
    assert joined.spoken.encoded.count(VALUE) == 1
    assert [entry for entry in wire.of(SEND, wire.accepted[COUNT]) if frame in entry.data]


def test_followers_of_two_transcodes_take_two_encodes_and_two_frames(joined, wire, json_encoded):
    joined.join(COUNT // 2, transcode=Transcode())
    joined.join(COUNT // 2, transcode="plain-json")
    wire.clear()
    del joined.spoken.encoded[:], joined.spoken.decoded[:], json_encoded[:]
    Real.made.listener(VALUE)
    joined.wait_for(COUNT)
    assert joined.spoken.encoded == [VALUE]
    assert len(joined.spoken.decoded) == 1  # for the other one
    assert json_encoded.count(VALUE) == 2  # the one that counts is JSON, too
    assert sorted(pushed(wire).values()) == [COUNT // 2] * 2


def test_an_event_is_encoded_once_for_each_transcode(joined, wire, json_encoded):
    joined.join(COUNT // 2, transcode=Transcode())
    joined.join(COUNT // 2, transcode="plain-json")
    wire.clear()
    del joined.spoken.encoded[:], json_encoded[:]
    Real.made.emit("news", VALUE)
    joined.wait_for(COUNT)
    # For the handlers in the leader's own process, too.
    assert joined.spoken.encoded == [[VALUE]]
    assert json_encoded.count([VALUE]) == 2
    check_one_for_each(wire)


class Odd(object):
    """What the transcode of :class:`OddTranscode` takes and JSON does not."""


class OddTranscode(Transcode):
    """Knows :class:`Odd`."""

    name = "odd"

    def encode(self, value):
        return b"odd" if value and isinstance(value[0], Odd) \
            else super(OddTranscode, self).encode(value)

    def decode(self, data):
        return [VALUE] if data == b"odd" else super(OddTranscode, self).decode(data)


def test_an_event_that_one_transcode_does_not_take_reaches_those_of_the_others(
        port, closing, caplog):
    together = closing(Together(port, Real))
    together.lead(transcode=OddTranscode())
    got = []
    for transcode in ("plain-json", OddTranscode()):
        follower, = together.follow(transcode=transcode)
        follower.on("news", got.append)
    Real.made.emit("news", Odd())
    until(lambda: got)
    assert got == [VALUE]
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "'news' cannot be passed on to a follower" in line]) == 1
