"""Pauses grow, are capped, and are shortened at random."""

from __future__ import absolute_import, division, print_function

import random

import pytest

from clusterclient_sync.greenlets.backoff import Backoff


def pauses(backoff, count):
    return [backoff.pause() for _ in range(count)]


def test_pauses_grow_to_the_cap():
    backoff = Backoff(first=0.1, cap=1.0, factor=2.0, rng=lambda: 0.0)
    assert pauses(backoff, 6) == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_jitter_takes_up_to_half():
    backoff = Backoff(first=0.1, cap=1.0, rng=lambda: 1.0)
    assert pauses(backoff, 5) == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.5])


def test_reset_begins_again():
    backoff = Backoff(first=0.1, cap=1.0, rng=lambda: 0.0)
    pauses(backoff, 5)
    backoff.reset()
    assert backoff.pause() == pytest.approx(0.1)


def test_a_cap_below_the_first_pause_holds():
    assert pauses(Backoff(first=0.5, cap=0.1, rng=lambda: 0.0), 2) == pytest.approx([0.1, 0.1])


def test_two_processes_do_not_stay_in_step():
    one, other = (Backoff(rng=random.Random(seed).random) for seed in (1, 2))
    assert all(abs(a - b) > 1e-6 for a, b in zip(pauses(one, 12), pauses(other, 12)))
    for pause in pauses(Backoff(first=1, cap=1), 1000):
        assert 0.5 < pause <= 1


def test_at_first_an_eager_one_pauses_briefly_then_grows_to_the_cap():
    backoff = Backoff(first=0.01, cap=1.0, eager_time=0.2, rng=lambda: 0.0)
    for _ in range(2):
        eager = [0.01, 0.02] + [Backoff.EAGER_PAUSE] * 5  # the last of them begins before 0.2 s
        assert pauses(backoff, 12) == pytest.approx(eager + [0.08, 0.16, 0.32, 0.64, 1.0])
        backoff.reset()


def test_a_cap_below_the_eager_pause_holds():
    backoff = Backoff(first=0.005, cap=0.01, eager_time=1.0, rng=lambda: 0.0)
    assert pauses(backoff, 4) == pytest.approx([0.005, 0.01, 0.01, 0.01])
