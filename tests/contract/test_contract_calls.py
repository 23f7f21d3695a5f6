"""Calls: timeouts, concurrency, and callers that are killed in the turn of their answer."""

from __future__ import absolute_import, division, print_function

import random

import gevent
import pytest

from clusterclient_sync import ResponseTimeoutError, outcome
from clusterclient_sync._compat import monotonic
from support.gates import Event
from support.recording import TIMEOUT
from support.subjects import kinds

ANSWERS = 1000


def run_delay():
    """Seconds for which this thread was ready to run and the system ran others; Linux tells."""
    try:
        with open("/proc/self/schedstat") as line:
            return int(line.read().split()[1]) / 1e9
    except (IOError, OSError):
        return 0.0


class Clock(object):
    """How long something took, next to a plain timer of the loop that ran beside it.

    On a busy machine the loop itself is late, and after it the system may run others; what counts
    is how much later a call is.
    """

    def __init__(self, seconds):
        self.seconds = seconds
        self._began = monotonic()
        self._timer = gevent.spawn(self._run)

    def _run(self):
        gevent.sleep(self.seconds)
        return monotonic(), run_delay()

    def check(self):
        """To be called when it is over."""
        # Read before the timer's greenlet may run: both may end in one turn, in either order.
        ended, delayed = monotonic(), run_delay()
        timer_ended, timer_delayed = self._timer.get(timeout=TIMEOUT)
        assert ended - self._began >= self.seconds
        late = ended - max(timer_ended, self._began + self.seconds)
        assert late - max(0, delayed - timer_delayed) <= max(0.02, self.seconds * 0.05)


@pytest.mark.parametrize("seconds", (0.03, 0.3, 0.6))
def test_the_timeout_of_one_call_is_exact(subject, seconds):
    clock = Clock(seconds)
    with pytest.raises(ResponseTimeoutError) as caught:
        subject.client.call("wait", ("gate",), timeout=seconds)
    clock.check()
    error = caught.value
    assert (error.timeout, error.method) == (seconds, "wait")
    assert (outcome(error), error.leader_pid) == ("unknown", subject.pid)


def test_a_method_may_have_a_timeout_of_its_own(subject):
    clock = Clock(0.2)
    with pytest.raises(ResponseTimeoutError) as caught:
        subject.client.quick("gate")
    clock.check()
    assert caught.value.timeout == 0.2
    with pytest.raises(ResponseTimeoutError) as caught:
        subject.client.call("quick", ("gate",), timeout=0.1)
    assert caught.value.timeout == 0.1


def test_the_option_is_the_timeout_of_all_others(make):
    client = make(response_timeout=0.15).client
    with pytest.raises(ResponseTimeoutError) as caught:
        client.wait("gate")
    assert caught.value.timeout == 0.15


def test_a_timeout_abandons_the_call_and_lets_the_method_go_on(subject):
    with pytest.raises(ResponseTimeoutError):
        subject.client.call("wait", ("gate",), timeout=0.1)
    assert subject.upstream.count("waited") == 0
    subject.upstream.open("gate")
    assert subject.upstream.wait_for("waited") == ["gate"]
    line, = subject.upstream.wait_for_log("after its caller's timeout")
    assert "wait" in line


@kinds("follower")
def test_the_timeout_of_a_call_that_waits_for_a_leader(make):
    subject = make(ready=False)
    clock = Clock(0.2)
    with pytest.raises(Exception) as caught:
        subject.client.call("same", (1,), timeout=0.2)
    clock.check()
    assert outcome(caught.value) == "not_sent"
    waiting = gevent.spawn(subject.client.call, "same", (2,), timeout=TIMEOUT)
    subject.get_ready()
    assert waiting.get(timeout=TIMEOUT) == 2
    assert subject.upstream.count("same") == 1


def test_a_late_answer_is_nobodys(subject):
    """Each call that timed out is answered late, under others that wait for theirs."""
    client = subject.client
    for number in range(10):
        with pytest.raises(ResponseTimeoutError):
            client.call("wait", ("late-%d" % number,), timeout=0.01)
    waiting = [gevent.spawn(client.wait, "in-time-%d" % number) for number in range(10)]
    subject.upstream.wait_for("waiting", 20)
    for number in range(10):
        subject.upstream.open("late-%d" % number)
    subject.upstream.wait_for("waited", 10)
    assert client.same("mine") == "mine"
    for number in range(10):
        subject.upstream.open("in-time-%d" % number)
    assert [greenlet.get(timeout=TIMEOUT) for greenlet in waiting] == [
        "in-time-%d" % number for number in range(10)]


def test_a_thousand_concurrent_calls_each_get_their_own_answer(make):
    client = make(response_timeout=30).client
    callers = [gevent.spawn(client.shuffled, number, ANSWERS) for number in range(ANSWERS)]
    gevent.joinall(callers, timeout=30)
    assert [caller.value for caller in callers] == list(range(ANSWERS))


def test_a_call_that_blocks_holds_up_no_other(subject):
    blocked = gevent.spawn(subject.client.wait, "gate")
    subject.upstream.wait_for("waiting")
    assert [subject.client.same(number) for number in range(100)] == list(range(100))
    assert not blocked.ready()
    subject.upstream.open("gate")
    assert blocked.get(timeout=TIMEOUT) == "gate"


# -- killed callers

class Interruption(gevent.Timeout):
    """Made by the test, to be told from any other."""


@pytest.mark.parametrize("exception", (gevent.GreenletExit, Interruption))
def test_a_caller_that_is_killed_in_the_turn_of_its_answer(subject, exception):
    """Two calls return in one turn, and the caller that goes on first kills the other."""
    client, upstream = subject.client, subject.upstream
    killer = exception()
    ends, both_ended = [], Event()
    callers = []

    def call(other):
        try:
            value = client.wait("gate")
            if not ends:
                ends.append("first")
                callers[other].kill(killer, block=False)
                return
            gevent.sleep(0)  # the kill comes here at the latest
            ends.append(value)
        except exception as raised:
            ends.append(raised)
        finally:
            if len(ends) == 2:
                both_ended.set()
        # No wait of this greenlet ends by what was meant for the one before.
        ends.append(client.same("after"))
        Event().wait(0.01)
        ends.append(client.same("after all"))

    callers.append(gevent.spawn(call, 1))
    callers.append(gevent.spawn(call, 0))
    upstream.wait_for("waiting", 2)
    upstream.open("gate")
    assert both_ended.wait(TIMEOUT)
    gevent.joinall(callers, timeout=TIMEOUT)
    assert ends == ["first", killer, "after", "after all"]
    assert client.same(1) == 1


def test_a_killed_caller_leaves_its_method_alone(subject):
    caller = gevent.spawn(subject.client.wait, "gate")
    subject.upstream.wait_for("waiting")
    caller.kill()
    assert isinstance(caller.value, gevent.GreenletExit)
    assert subject.upstream.count("waited") == 0
    subject.upstream.open("gate")
    assert subject.upstream.wait_for("waited") == ["gate"]
    assert subject.client.same(1) == 1


@pytest.mark.parametrize("where", ("in another call", "in a wait of its own"))
def test_the_answer_of_an_interrupted_call_ends_no_other_wait(subject, where):
    """It comes while the same greenlet waits for something else."""
    client, upstream = subject.client, subject.upstream
    has_come = Event()
    with pytest.raises(Interruption):
        with Interruption(0.05):
            client.wait("first")

    def let_it_come():
        upstream.open("first")
        upstream.wait_for("waited")
        client.same(1)  # goes the same way, behind it
        has_come.set()
        upstream.open("second")

    helper = gevent.spawn(let_it_come)
    if where == "in another call":
        assert client.wait("second") == "second"
    else:
        assert has_come.wait(TIMEOUT)
    assert has_come.is_set()
    helper.get(timeout=TIMEOUT)
    assert client.same("after") == "after"


def test_timeouts_of_the_user_at_any_moment_of_a_call(client):
    """Moments that lie before, in and after the turn of the answer."""
    began = monotonic()
    client.same(0)
    longest = 2 * (monotonic() - began)
    for number in range(300):
        timeout = Interruption.start_new(random.uniform(0, longest))
        try:
            assert client.same(number) == number
        except Interruption as raised:
            assert raised is timeout
            timeout.close()
            Event().wait(0.001)  # in which the answer comes
        finally:
            timeout.close()
        if number % 10 == 0:
            assert client.call("echo", (number,)) == [[number], {}]
            gevent.sleep(0)
    assert client.same("last") == "last"


def test_a_timeout_around_a_call_passes_unchanged(subject):
    with pytest.raises(Interruption) as caught:
        with Interruption(0.05) as timeout:
            subject.client.wait("gate")
    assert caught.value is timeout
    with Interruption(0.05, False):
        subject.client.wait("gate")
        assert False, "the call returned"
    assert subject.client.same(1) == 1
