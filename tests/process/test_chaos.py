"""Leaders end at random moments under load: nothing is lost that was promised.

The run is a short one of ``python -m benchmarks.chaos``; what it counts is tested, how fast it was
is not.  That its book would notice what goes wrong is tested with made-up lines.
"""

from __future__ import absolute_import, division, print_function

import pytest

from benchmarks import book, chaos, chaos_report, member

pytestmark = pytest.mark.limit(120)

BROKEN = ("failed_idempotent", "failed_not_idempotent", "values_went_back", "overlapping_leaders",
          "stale_listeners", "ended_with_an_error")


def test_leaders_that_end_at_random_moments_lose_nothing():
    options = chaos.parse(["--rounds", "10", "--followers", "3", "--greenlets", "6",
                           "--pause", "10", "--timeout", "15"])
    told = chaos.run(options, lambda text: None)
    note = "seed %d: %r" % (options.seed, told)
    assert told["broken"] == [] and told["examples"] == [], note
    assert {name: told[name] for name in BROKEN} == {name: 0 for name in BROKEN}, note
    assert told["ends"] == {"kill": 10, "term": 1, "resign": 1, "pause": 1}, note
    # It was under load all the time, and every end was felt.
    assert told["calls"]["whoami"] > 100 and told["calls"]["count"] > 100, note
    assert told["gaps"]["kill"]["count"] > 10, note


# -- the book

@pytest.fixture
def kept():
    """A book of a first leader that was killed in the second 10, and of the next one."""
    kept = book.Book()
    kept.read([line("made", 1, leader="a"), line("made", 11, pid=2, leader="b")])
    kept.note_end(book.KILL, 10.0, 10.5, pid=1)
    return kept


def line(what, time, pid=1, **details):
    return dict(details, what=what, time=time, pid=pid)


def failed(time, **details):
    return line("failed", time, pid=3, **dict(
        dict(method="count", error="ConnectionClosedError", outcome="unknown",
             leader="a", count=1, text=""), **details))


def broken(kept, stale=0, unclean=0):
    return chaos_report.summarize(kept, stale, unclean)["broken"]


def test_a_book_of_what_is_allowed(kept):
    kept.read([failed(10.2), failed(10.6), line("first_answer", 11.2, pid=3, leader="b", gap=1.5),
               line("calls", 12, pid=3, calls={"whoami": 5, "count": 6}),
               line("calls", 13, pid=3, calls={"whoami": 7, "count": 8})])
    told = chaos_report.summarize(kept, 0, 0)
    assert told["broken"] == []
    assert told["failed_unknown_after_a_kill"] == 2
    assert told["calls"] == {"whoami": 7, "count": 8}
    assert told["gaps"]["kill"]["worst"] == 1.5
    assert kept.leader() == ("b", 2)
    assert "killed                      1   gaps 1500.0 ms" in chaos_report.as_text(told)


@pytest.mark.parametrize("details", [
    {"method": "whoami"},
    {"method": "whoami", "error": "ResponseTimeoutError"},
])
def test_a_book_in_which_an_idempotent_call_failed(kept, details):
    kept.read([failed(10.2, **details)])
    assert broken(kept) == ["failed_idempotent"]


@pytest.mark.parametrize("details", [
    {"outcome": "not_sent"},
    {"error": "ResponseTimeoutError"},
    {"time": 9.9},  # before the kill
    {"leader": "b"},  # which was not killed
])
def test_a_book_in_which_another_call_failed_without_need(kept, details):
    kept.read([dict(failed(10.2), **details)])
    assert broken(kept) == ["failed_not_idempotent"]


def test_a_clean_leaving_excuses_no_failure(kept):
    kept.read([line("closed", 20, pid=2, leader="b"), line("made", 20.1, pid=3, leader="c")])
    kept.note_end(book.RESIGN, 19.9, 20.1)
    kept.read([failed(20.0, leader="b")])
    # That its process is killed later changes nothing.
    kept.note_end(book.KILL, 19.95, 20.1, pid=2)
    kept.read([failed(20.0, leader="b")])
    assert kept.failed["not idempotent"] == 2
    assert broken(kept) == ["failed_not_idempotent"]


def test_a_leader_that_was_killed_before_it_answered(kept):
    kept.read([line("closed", 20, pid=2, leader="b"), line("made", 20.1, pid=3, leader="c")])
    kept.note_end(book.KILL, 20.2, 20.3, pid=3)
    kept.read([failed(20.4, leader="b")])
    assert broken(kept) == []


def test_a_book_of_leaders_that_overlap(kept):
    kept.read([line("made", 12, pid=3, leader="c"), line("closed", 12.5, pid=2, leader="b")])
    assert broken(kept) == ["overlapping_leaders"]


def test_a_leader_that_was_made_before_the_kill_overlaps():
    kept = book.Book()
    kept.read([line("made", 1, leader="a"), line("made", 9.9, pid=2, leader="b")])
    kept.note_end(book.KILL, 10.0, 10.5, pid=1)
    assert kept.overlaps() == 1


def test_leaders_one_after_the_other_do_not_overlap(kept):
    kept.read([line("closed", 12, pid=2, leader="b"), line("made", 12.1, pid=3, leader="c"),
               line("closed", 13, pid=3, leader="c"), line("made", 13.1, pid=2, leader="d")])
    assert broken(kept) == []
    assert kept.leader() == ("d", 2)


def test_a_book_of_other_broken_promises(kept):
    kept.read([line("went_back", 12, key="k", leader="b", number=1, last=[2, "b"])])
    assert broken(kept) == ["values_went_back"]
    assert broken(kept, stale=1, unclean=1) == [
        "ended_with_an_error", "stale_listeners", "values_went_back"]


# -- what a member notes

class Pen(object):
    def __init__(self):
        self.lines = []

    def note(self, what, **details):
        self.lines.append(dict(details, what=what))


@pytest.mark.parametrize("values, went_back", [
    ([("a", 1), ("a", 2), ("b", 2), ("b", 5)], 0),  # the first of a new leader may be equal
    ([("a", 2), ("a", 1)], 1),
    ([("a", 2), ("a", 2)], 1),
    ([("a", 2), ("b", 1)], 1),
])
def test_a_member_notes_values_that_go_back(values, went_back):
    pen = Pen()
    watch = member.Watch(pen)
    for turn, (leader, number) in enumerate(values):
        watch.told("k", {"leader": leader, "number": number})
        watch.told("other", {"leader": "z", "number": turn})  # each key has its own numbers
    assert [one["what"] for one in pen.lines].count("went_back") == went_back
    assert watch.values["k"] == values[-1][::-1]


def test_a_member_counts_failures_that_it_does_not_note(monkeypatch):
    monkeypatch.setattr(member, "MAX_NOTED_FAILURES", 2)
    pen = Pen()
    watch = member.Watch(pen)
    for _ in range(5):
        watch.failed("count", "a", ValueError("no"))
    watch.note_calls()
    watch.note_calls()
    noted = [one for one in pen.lines if one["what"] == "failed"]
    assert [one["count"] for one in noted] == [1, 1, 3]
    assert {(one["method"], one["error"], one["leader"]) for one in noted} == {
        ("count", "ValueError", "a")}
