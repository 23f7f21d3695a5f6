from __future__ import absolute_import, division, print_function

import logging

import gevent
import pytest

from clusterclient_sync.events import EventEmitter


class Forgetful(EventEmitter):
    """Calls no constructor, and has names of its own where the emitter might keep its state."""

    def __init__(self):
        self.entries = self.taps = self.state = None


@pytest.fixture(params=[EventEmitter, Forgetful])
def emitter(request):
    return request.param()


def recorder():
    calls = []

    def handler(*args):
        calls.append(args)

    handler.calls = calls
    return handler


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


def test_handlers_get_the_arguments_in_order(emitter):
    seen = []
    emitter.on("a", lambda *args: seen.append((1, args)))
    emitter.on("a", lambda *args: seen.append((2, args)))
    emitter.on("b", lambda *args: seen.append((3, args)))
    assert emitter.emit("a", "x", 7) is True
    assert seen == [(1, ("x", 7)), (2, ("x", 7))]
    assert emitter.emit("nobody") is False


def test_two_emitters_share_nothing():
    one, two = EventEmitter(), EventEmitter()
    one.on("a", recorder())
    assert two.handlers("a") == []


def test_on_gives_the_handler_back_and_decorates(emitter):
    handler = recorder()
    assert emitter.on("a", handler) is handler

    @emitter.on("b")
    def decorated(value):
        handler(value)

    @emitter.once("b")
    def decorated_once(value):
        handler(value)

    assert emitter.handlers("b") == [decorated, decorated_once]
    emitter.emit("b", 1)
    emitter.emit("b", 2)
    assert handler.calls == [(1,), (1,), (2,)]


def test_once_is_once_also_when_its_event_comes_again_inside(emitter):
    seen = []

    def handler(value):
        seen.append(value)
        if value < 3:
            emitter.emit("a", value + 1)

    emitter.once("a", handler)
    emitter.on("a", lambda value: emitter.emit("a", value + 1) if value < 3 else None)
    emitter.emit("a", 1)
    assert seen == [1]
    assert len(emitter.handlers("a")) == 1


def test_once_that_is_taken_back_before_its_turn_is_not_called(emitter):
    later = recorder()
    emitter.on("a", lambda: emitter.off("a", later))
    emitter.once("a", later)
    emitter.emit("a")
    assert later.calls == []


def test_off_compares_by_equality(emitter):
    class Listener(object):
        def __init__(self):
            self.calls = 0

        def handle(self):
            self.calls += 1

    listener = Listener()
    emitter.on("a", listener.handle)
    emitter.on("a", listener.handle)
    emitter.emit("a")
    assert listener.calls == 2
    emitter.off("a", listener.handle)
    emitter.emit("a")
    assert listener.calls == 2
    assert emitter.handlers("a") == []


def test_off_without_a_handler_forgets_all_of_the_event_only(emitter):
    kept = recorder()
    emitter.on("a", recorder())
    emitter.once("a", recorder())
    emitter.on("b", kept)
    emitter.off("a")
    assert emitter.handlers("a") == []
    assert emitter.handlers("b") == [kept]
    emitter.off("a", kept)
    emitter.off("unknown")


def test_a_handler_that_comes_during_an_event_counts_from_the_next(emitter):
    late = recorder()
    emitter.once("a", lambda: emitter.on("a", late))
    emitter.emit("a")
    assert late.calls == []
    emitter.emit("a")
    assert late.calls == [()]


def test_a_handler_that_raises_is_logged_and_emitted_and_the_others_run(emitter, caplog):
    boom = ValueError("boom")
    after, errors = recorder(), recorder()

    def raising():
        raise boom

    emitter.on("a", raising)
    emitter.on("a", after)
    emitter.on("error", errors)
    emitter.emit("a")
    assert after.calls == [()]
    assert errors.calls == [(boom,)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "'a'" in messages(caplog)[0] and caplog.records[0].exc_info[1] is boom


def test_a_raising_error_handler_is_only_logged(emitter, caplog):
    after = recorder()
    calls = []

    def raising(error):
        calls.append(error)
        raise KeyError("again")

    emitter.on("error", raising)
    emitter.on("error", after)
    emitter.emit("error", 1)
    assert (calls, after.calls) == ([1], [(1,)])
    assert len(caplog.records) == 1


def test_an_error_that_nobody_handles_is_a_warning(emitter, caplog):
    assert emitter.emit("error", ValueError("lost")) is False
    assert [(record.levelno, record.name) for record in caplog.records] == [
        (logging.WARNING, "clusterclient_sync.events")]
    assert "lost" in messages(caplog)[0]


def test_a_raising_handler_without_an_error_handler_is_logged_once(emitter, caplog):
    emitter.on("a", lambda: 1 // 0)
    emitter.emit("a")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("passing", [gevent.GreenletExit, KeyboardInterrupt, gevent.Timeout])
def test_what_is_not_the_handlers_passes(emitter, passing):
    def raising():
        raise passing()

    emitter.on("a", raising)
    with pytest.raises(passing):
        emitter.emit("a")


def test_a_tap_sees_every_event_before_its_handlers(emitter, caplog):
    seen = []

    def tap(name, args):
        seen.append((name, args))

    emitter.on("a", lambda: seen.append("handler"))
    assert emitter.tap(tap) is tap
    emitter.emit("a")
    emitter.emit("b", 1, 2)
    emitter.emit("error", 3)
    emitter.untap(tap)
    emitter.emit("a")
    assert seen == [("a", ()), "handler", ("b", (1, 2)), ("error", (3,)), "handler"]


def test_a_tap_sees_the_error_of_a_handler(emitter, caplog):
    seen = recorder()
    emitter.on("a", lambda: 1 // 0)
    emitter.tap(seen)
    emitter.emit("a")
    (name, args) = seen.calls[-1]
    assert name == "error" and isinstance(args[0], ZeroDivisionError)


def test_a_tap_that_raises_disturbs_nobody(emitter, caplog):
    handler = recorder()

    def tap(name, args):
        raise ValueError("tap")

    emitter.tap(tap)
    emitter.on("a", handler)
    emitter.emit("a")
    assert handler.calls == [()]
    assert "tap" in messages(caplog)[0]


def test_what_cannot_be_called_is_no_handler(emitter):
    for register in (emitter.on, emitter.once):
        with pytest.raises(TypeError):
            register("a", "handler")
    with pytest.raises(TypeError):
        emitter.tap("tap")


def test_handlers_is_a_copy(emitter):
    emitter.on("a", recorder())
    emitter.handlers("a").pop()
    assert len(emitter.handlers("a")) == 1
