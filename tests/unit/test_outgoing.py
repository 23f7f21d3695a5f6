"""The outgoing buffer: what is sent, what is not, and what can be taken back."""

from __future__ import absolute_import, division, print_function

import random

import pytest

from clusterclient_sync.protocol.frames import LongFrame
from clusterclient_sync.transport import outgoing
from clusterclient_sync.transport.outgoing import OutgoingBuffer

CHUNK = outgoing._CHUNK


@pytest.fixture
def out():
    return OutgoingBuffer()


def chunk_of(out):
    """The next chunk as bytes."""
    chunk = out.chunk()
    return chunk.tobytes() if isinstance(chunk, memoryview) else chunk


def add(out, *frames):
    return [out.add(frame) for frame in frames]


def test_many_short_frames_are_one_chunk(out):
    assert add(out, b"ab", b"c", b"def") == [1, 2, 3]
    assert chunk_of(out) == b"abcdef"
    assert (out.size, len(out), out.added, out.sent) == (6, 3, 3, 0)


def test_partial_sends_count_whole_frames_only(out):
    add(out, b"ab", b"c", b"def")
    for taken, sent, size in [(1, 0, 5), (1, 1, 4), (2, 2, 2), (1, 2, 1), (1, 3, 0)]:
        out.consume(taken)
        assert (out.sent, out.size) == (sent, size)
    assert len(out) == 0


def test_after_a_partial_send_the_rest_of_its_frame_comes_first(out):
    add(out, b"abcd", b"ef")
    out.consume(3)
    assert chunk_of(out) == b"d"
    out.consume(1)
    assert chunk_of(out) == b"ef"


def test_a_chunk_is_bounded_but_holds_one_frame_at_least(out):
    add(out, b"a" * 10, b"b" * CHUNK, b"c")
    assert chunk_of(out) == b"a" * 10
    out.consume(10)
    assert chunk_of(out) == b"b" * CHUNK
    out.consume(CHUNK)
    assert chunk_of(out) == b"c"


def test_a_long_frame_is_not_copied(out):
    frame = b"x" * (CHUNK + 1)
    add(out, frame)
    assert out.chunk() is frame
    out.consume(5)
    rest = out.chunk()
    assert isinstance(rest, memoryview) and len(rest) == CHUNK - 4


def test_withdraw_takes_back_what_has_not_begun_to_leave(out):
    one, two, three = add(out, b"aa", b"bb", b"cc")
    assert out.withdraw(two) is True
    assert (out.size, chunk_of(out)) == (4, b"aacc")
    out.consume(2)
    assert out.withdraw(one) is False
    assert out.withdraw(three) is True
    assert out.size == 0
    four, = add(out, b"dd")
    assert chunk_of(out) == b"dd"
    out.consume(2)
    assert out.sent == four


def test_withdraw_of_a_frame_that_has_begun_to_leave_is_refused(out):
    one, two = add(out, b"aa", b"bb")
    out.consume(1)
    assert out.withdraw(one) is False
    assert out.withdraw(two) is True
    out.consume(1)
    assert (out.size, out.sent) == (0, 2)


def test_withdraw_twice_changes_nothing(out):
    one, two = add(out, b"aa", b"bb")
    out.withdraw(one)
    out.withdraw(one)
    assert out.size == 2
    out.consume(2)
    assert out.sent == two


def test_a_withdrawn_frame_before_a_long_one_keeps_nothing_back(out):
    one, _, _ = add(out, b"aa", b"b" * (CHUNK + 5), b"c")
    out.withdraw(one)
    left = b""
    for _ in range(10):
        if not out.size:
            break
        chunk = chunk_of(out)
        left += chunk
        out.consume(len(chunk))
    assert left == b"b" * (CHUNK + 5) + b"c"
    assert out.sent == 3


def test_clear_forgets_the_bytes_and_keeps_the_counts(out):
    add(out, b"aa", b"bb", b"cc")
    out.consume(3)
    out.clear()
    assert (out.size, len(out), out.added, out.sent) == (0, 0, 3, 1)


def test_whatever_happens_the_stream_is_the_frames_in_order(monkeypatch):
    monkeypatch.setattr(outgoing, "_CHUNK", 50)
    for seed in range(20):
        use_at_random(OutgoingBuffer(), random.Random(seed))


def use_at_random(out, rng):
    """Add, withdraw and send in any order, and compare with what is to be expected."""
    frames, withdrawn, stream, fresh = {}, set(), b"", 0
    while fresh < 300 or out.size:
        action = rng.random()
        if action < 0.5 and fresh < 300:
            fresh += 1
            frame = ("<%d:%s>" % (fresh, "x" * rng.choice([0, 1, 10, 60]))).encode("ascii")
            frames[out.add(frame)] = frame
        elif action < 0.6 and frames:
            number = rng.randint(1, max(frames))
            begun = sum(len(frames[n]) for n in frames if n < number and n not in withdrawn)
            possible = len(stream) <= begun and number > out.sent
            if number not in withdrawn:
                assert out.withdraw(number) is possible
                if possible:
                    withdrawn.add(number)
        elif out.size:
            chunk = chunk_of(out)
            taken = rng.randint(0, len(chunk))
            stream += chunk[:taken]
            out.consume(taken)
        kept = [frames[n] for n in sorted(frames) if n not in withdrawn]
        assert out.size == sum(len(frame) for frame in kept) - len(stream)
    assert stream == b"".join(kept)


def long_frame(*pieces):
    return LongFrame(list(pieces), sum(len(piece) for piece in pieces))


def test_a_long_frame_is_not_copied_and_counts_when_its_last_piece_left(out):
    body = b"b" * CHUNK
    numbers = add(out, b"a", long_frame(b"head", body), b"z")
    assert (out.size, out.added) == (1 + 4 + CHUNK + 1, numbers[2])
    assert chunk_of(out) == b"ahead"
    out.consume(5)
    assert out.sent < numbers[1]
    assert out.chunk() is body
    out.consume(CHUNK - 1)
    assert out.sent < numbers[1]
    out.consume(1)
    assert out.sent == numbers[1]
    out.consume(1)
    assert (out.sent, out.size) == (numbers[2], 0)


def test_a_long_frame_is_taken_back_whole_or_not_at_all(out):
    numbers = add(out, b"a", long_frame(b"head", b"b" * CHUNK), long_frame(b"HEAD", b"c" * CHUNK))
    out.consume(2)  # a byte of the first long one
    assert not out.withdraw(numbers[1])
    assert out.withdraw(numbers[2])
    assert out.size == 3 + CHUNK
    out.consume(3)
    out.consume(CHUNK)
    assert (out.sent >= numbers[1], out.size) == (True, 0)


def test_of_long_frames_that_left_nothing_is_kept(out):
    add(out, b"z")
    for _ in range(100):  # it never runs empty
        out.consume(1)
        add(out, long_frame(b"head", b"b" * CHUNK), b"z")
        out.consume(4)
        out.consume(CHUNK)
        assert len(out._long or ()) <= 1
