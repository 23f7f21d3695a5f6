"""Values that wait for a follower which does not read: in order per key, and bounded."""

from __future__ import absolute_import, division, print_function

from clusterclient_sync.roles import outbox as outbox_module
from clusterclient_sync.roles.outbox import Outbox


def taken(outbox):
    frames = []
    while outbox:
        frames.append(outbox.take())
    return frames


def test_an_empty_one_is_false_and_gives_nothing():
    outbox = Outbox(10)
    assert not outbox and len(outbox) == 0
    assert outbox.take() is None


def test_values_of_a_key_stay_in_order_and_keys_take_turns():
    outbox = Outbox(10)
    for key, frame in [("a", b"a1"), ("a", b"a2"), ("a", b"a3"), ("b", b"b1"), ("c", b"c1"),
                       ("b", b"b2")]:
        outbox.put(key, frame)
    assert len(outbox) == 6
    assert taken(outbox) == [b"a1", b"b1", b"c1", b"a2", b"b2", b"a3"]


def test_a_key_beyond_its_number_skips_to_its_newest_alone():
    outbox = Outbox(3)
    for number in range(3):
        outbox.put("a", b"a%d" % number)
        outbox.put("b", b"b%d" % number)
    outbox.put("a", b"a3")
    assert taken(outbox) == [b"a3", b"b0", b"b1", b"b2"]


def test_beyond_a_number_of_bytes_all_keys_skip(monkeypatch):
    monkeypatch.setattr(outbox_module, "_MAX_SIZE", 100)
    outbox = Outbox(1000)
    for number in range(1000):
        outbox.put("k%d" % (number % 3), b"%04d" % number)
        assert outbox._size <= 100
    newest = sorted(taken(outbox))
    assert {int(frame) for frame in newest} >= {997, 998, 999}
    assert len(newest) <= 25
    assert outbox._size == 0


def test_the_newest_value_of_every_key_is_never_lost(monkeypatch):
    monkeypatch.setattr(outbox_module, "_MAX_SIZE", 10)
    outbox = Outbox(5)
    for number in range(50):
        for key in "abc":
            outbox.put(key, b"%s%02d" % (key.encode("ascii"), number))
    assert taken(outbox)[-3:] == [b"a49", b"b49", b"c49"]


def test_dropping_a_key_forgets_its_values_and_their_size():
    outbox = Outbox(10)
    outbox.put("a", b"xxxx")
    outbox.put("b", b"y")
    outbox.drop("a")
    outbox.drop("nobody")
    assert outbox._size == 1
    assert taken(outbox) == [b"y"]
