"""One greenlet waits for one result, and may be killed at any moment."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest

from clusterclient_sync._compat import monotonic
from clusterclient_sync.greenlets.deadlines import Deadlines
from clusterclient_sync.greenlets.waits import DeadlinePassed, Wait, wait_until


@pytest.fixture
def hub():
    return gevent.get_hub()


@pytest.fixture
def deadlines(hub):
    made = Deadlines(hub)
    yield made
    made.close()


class Waiter(object):
    """A greenlet that waits twice, one after the other, and notes what it got."""

    def __init__(self, hub):
        self.first, self.second = Wait(), Wait()
        self.got = []
        self.greenlet = gevent.spawn(self._run, hub)
        gevent.sleep(0)
        assert self.first.greenlet is self.greenlet

    def _run(self, hub):
        for wait in (self.first, self.second):
            try:
                wait.block(hub)
                self.got.append(wait.value)
            except Boom as error:
                self.got.append(error)

    def join(self):
        self.greenlet.join(timeout=10)
        assert self.greenlet.dead


class Boom(Exception):
    pass


def from_hub(function):
    """Call it in the hub; returns when the loop has turned."""
    gevent.get_hub().loop.run_callback(function)
    gevent.sleep(0)


def test_a_result_that_is_there_already_does_not_block(hub):
    wait = Wait()
    wait.resolve(5)
    wait.block(hub)
    assert wait.result() == 5


def test_result_raises_the_error():
    wait = Wait()
    error = Boom()
    wait.resolve(error=error)
    with pytest.raises(Boom) as caught:
        wait.result()
    assert caught.value is error


def test_in_the_hub_the_waiter_runs_at_once(hub):
    waiter = Waiter(hub)
    seen = []

    def resolve():
        waiter.first.resolve("a")
        seen.append(list(waiter.got))
        waiter.second.resolve("b")
        seen.append(list(waiter.got))

    from_hub(resolve)
    assert seen == [["a"], ["a", "b"]]
    waiter.join()


def test_elsewhere_it_runs_at_the_next_turn(hub):
    waiter = Waiter(hub)
    waiter.first.resolve("a")
    assert waiter.got == []
    gevent.sleep(0)
    assert waiter.got == ["a"]
    waiter.second.resolve("b")
    waiter.join()


def test_only_the_first_result_counts(hub):
    waiter = Waiter(hub)
    waiter.first.resolve("a")
    waiter.first.resolve("late")
    waiter.first.settle("later")
    waiter.second.settle("b")
    waiter.second.settle("late")
    waiter.join()
    assert waiter.got == ["a", "b"]


def test_switches_by_others_do_not_end_it(hub):
    waiter = Waiter(hub)
    from_hub(lambda: waiter.greenlet.switch("nothing"))
    assert waiter.got == []
    waiter.first.resolve("a")
    waiter.second.resolve("b")
    waiter.join()
    assert waiter.got == ["a", "b"]


@pytest.mark.parametrize("order", ["kill first", "result first"])
def test_killed_in_the_turn_of_the_result_no_later_wait_gets_it(hub, order):
    waiter = Waiter(hub)
    if order == "kill first":
        waiter.greenlet.kill(Boom("killed"), block=False)
        waiter.first.resolve("a")
    else:
        waiter.first.resolve("a")
        waiter.greenlet.kill(Boom("killed"), block=False)
    gevent.sleep(0)
    gevent.sleep(0)
    assert waiter.second.greenlet is waiter.greenlet or waiter.greenlet.dead
    waiter.second.resolve("b")
    waiter.join()
    # The exception passes unchanged, in whichever of the two it was raised; values never move.
    boom = [one for one in waiter.got if isinstance(one, Boom)]
    assert len(boom) == 1 and str(boom[0]) == "killed"
    assert waiter.got in ([boom[0], "b"], ["a", boom[0]])


def test_a_timeout_of_the_users_passes_and_the_late_result_is_dropped(hub):
    wait, later = Wait(), Wait()
    with gevent.Timeout(0.001) as timer:
        with pytest.raises(gevent.Timeout) as caught:
            wait.block(hub)
        assert caught.value is timer
    wait.resolve("late")
    hub.loop.run_callback(later.resolve, "own")
    later.block(hub)
    assert later.value == "own"


def test_wait_until_tells_whether_it_was_in_time(hub, deadlines):
    in_time, late, forever = Wait(), Wait(), Wait()
    hub.loop.run_callback(in_time.resolve, 1)
    assert wait_until(in_time, deadlines, monotonic() + 10, hub) is True
    started = monotonic()
    assert wait_until(late, deadlines, started + 0.03, hub) is False
    assert monotonic() >= started + 0.03
    hub.loop.run_callback(forever.resolve, 2)
    assert wait_until(forever, deadlines, None, hub) is True
    assert forever.value == 2


def test_wait_until_leaves_a_dead_wait_and_no_deadline_behind(hub, deadlines):
    wait = Wait()
    with gevent.Timeout(0.001, False):
        wait_until(wait, deadlines, monotonic() + 10, hub)
    assert wait.done and wait.slot is None and wait.greenlet is None
    wait.resolve("late")
    assert wait.value is None


def test_an_expired_wait_has_that_as_its_error(hub):
    wait = Wait()
    wait.expire()
    assert isinstance(wait.error, DeadlinePassed)
