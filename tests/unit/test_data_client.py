from __future__ import absolute_import, division, print_function

import abc
import traceback

import gevent
import pytest
import six
from gevent.event import Event

from clusterclient_sync.data_client import DataClientBase
from clusterclient_sync.exceptions import (
    ClientClosedError,
    ClusterClientError,
    ResponseTimeoutError,
)

DEADLINE = 10


class Plain(DataClientBase):
    def __init__(self, address, retries=0):
        self.address = address  # and no super().__init__()
        self.retries = retries


class Slow(DataClientBase):
    """Its init waits for ``go``, then raises ``failure`` where there is one."""

    def __init__(self, failure=None):
        self.go = Event()
        self.entered = Event()
        self.failure = failure
        self.steps = ["constructor"]

    def init(self):
        self.entered.set()
        self.steps.append("init")
        try:
            self.go.wait(DEADLINE)
        finally:
            self.steps.append("end")
        if self.failure is not None:
            raise self.failure


def spawn_all(functions):
    return [gevent.spawn(function) for function in functions]


def join_all(greenlets):
    gevent.joinall(greenlets, timeout=DEADLINE)
    assert all(greenlet.dead for greenlet in greenlets)


def test_without_init_it_is_ready_at_once():
    client = Plain("a", retries=2)
    client.ready()
    client.ready(timeout=0)
    assert (client.address, client.retries) == ("a", 2)
    assert client._stop_init()


def test_events_work_without_the_constructor_of_the_base():
    seen = []
    client = Plain("a")
    client.on("data", seen.append)
    client.emit("data", 1)
    assert seen == [1]


def test_init_runs_after_the_whole_constructor_in_a_greenlet_of_its_own():
    class Derived(Slow):
        def __init__(self):
            super(Derived, self).__init__()
            self.steps.append("derived")

        def init(self):
            self.greenlet = gevent.getcurrent()
            super(Derived, self).init()

    client = Derived()
    assert client.steps == ["constructor", "derived"]
    client.go.set()
    client.ready(timeout=DEADLINE)
    assert client.steps == ["constructor", "derived", "init", "end"]
    assert client.greenlet is not gevent.getcurrent()
    assert client.greenlet.name == "Derived.init"
    client.ready(timeout=0)


def test_a_constructor_that_blocks_delays_init():
    class Blocking(Slow):
        def __init__(self, gate):
            super(Blocking, self).__init__()
            self.go.set()
            self.others = gevent.spawn(self.ready, DEADLINE)
            self.others_run = gevent.spawn(gate.wait, DEADLINE)
            self.others_run.join(DEADLINE)
            self.steps.append("constructed")

    gate = Event()
    making = gevent.spawn(Blocking, gate)
    gevent.spawn(gate.set)
    client = making.get(timeout=DEADLINE)
    client.ready(timeout=DEADLINE)
    assert client.steps == ["constructor", "constructed", "init", "end"]
    # The greenlet that asked inside the constructor was let go by the same start.
    client.others.get(timeout=DEADLINE)


def test_every_waiter_gets_what_init_raised_any_number_of_times(caplog):
    failure = ValueError("no server")
    client = Slow(failure)
    caught = []

    def wait():
        try:
            client.ready(timeout=DEADLINE)
        except ValueError as error:
            caught.append(error)

    waiters = spawn_all([wait] * 3)
    client.entered.wait(DEADLINE)
    client.go.set()
    join_all(waiters)
    assert caught == [failure] * 3 and caught[0] is failure
    for _ in range(2):
        with pytest.raises(ValueError) as info:
            client.ready()
        assert info.value is failure
        assert "init" in [frame[2] for frame in traceback.extract_tb(info.tb)]
    assert caplog.records == []


def test_a_failure_that_nobody_waits_for_is_logged(caplog):
    client = Slow(ValueError("no server"))
    client.go.set()
    client.entered.wait(DEADLINE)
    with pytest.raises(ValueError):
        client.ready(timeout=DEADLINE)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 1 and "init() of Slow failed" in messages[0]


@pytest.mark.parametrize("failure", [SystemExit(3), gevent.Timeout(1)])
def test_what_is_no_exception_reaches_the_waiter_too(failure):
    client = Slow(failure)
    client.go.set()
    with pytest.raises(type(failure)) as caught:
        client.ready(timeout=DEADLINE)
    assert caught.value is failure


def test_ready_in_time_or_a_timeout_and_it_may_be_called_again():
    client = Slow()
    with pytest.raises(ResponseTimeoutError) as caught:
        client.ready(timeout=0.01)
    assert (caught.value.timeout, caught.value.method) == (0.01, "ready")
    client.go.set()
    client.ready(timeout=DEADLINE)


def test_a_timeout_of_the_callers_own_passes_unchanged():
    client = Slow()
    with pytest.raises(gevent.Timeout) as caught:
        with gevent.Timeout(0.01) as mine:
            client.ready(timeout=DEADLINE)
    assert caught.value is mine
    client.go.set()
    client.ready(timeout=DEADLINE)


def test_stop_init_ends_it_and_every_waiter():
    client = Slow()
    waiter = gevent.spawn(client.ready)
    assert client.entered.wait(DEADLINE)
    assert client._stop_init(timeout=DEADLINE) is True
    waiter.join(DEADLINE)
    assert isinstance(waiter.exception, ClientClosedError)
    assert client.steps[-1] == "end"
    with pytest.raises(ClientClosedError):
        client.ready()
    assert client._stop_init() is True


def test_stop_init_before_it_began():
    client = Slow()
    assert client._stop_init(timeout=DEADLINE) is True
    with pytest.raises(ClientClosedError):
        client.ready(timeout=DEADLINE)
    assert client.steps == ["constructor"]


def test_stop_init_after_it_returned_changes_nothing():
    client = Slow()
    client.go.set()
    client.ready(timeout=DEADLINE)
    assert client._stop_init() is True
    client.ready()


def test_stop_init_inside_init_does_not_kill_its_own_greenlet():
    class Closing(Slow):
        def init(self):
            self.stopped = self._stop_init()
            self.steps.append("went on")
            self.entered.set()

    client = Closing()
    assert client.entered.wait(DEADLINE)
    assert client.stopped is False
    assert client.steps[-1] == "went on"
    with pytest.raises(ClientClosedError):
        client.ready(timeout=DEADLINE)


def test_an_init_that_holds_on_is_waited_for_no_longer_than_told():
    release = Event()

    class Holding(Slow):
        def init(self):
            self.entered.set()
            try:
                release.wait(DEADLINE)
            except gevent.GreenletExit:
                release.wait(DEADLINE)
                self.steps.append("cleaned up")

    client = Holding()
    client.entered.wait(DEADLINE)
    assert client._stop_init(timeout=0.01) is False
    release.set()
    assert client._stop_init(timeout=DEADLINE) is True
    assert client.steps[-1] == "cleaned up"


def test_an_init_that_somebody_killed_counts_as_closed():
    class Killed(Slow):
        def init(self):
            raise gevent.GreenletExit()

    with pytest.raises(ClientClosedError):
        Killed().ready(timeout=DEADLINE)


def test_ready_inside_init_or_the_constructor_does_not_wait_for_itself():
    class InInit(DataClientBase):
        def init(self):
            self.ready()

    class InConstructor(DataClientBase):
        def __init__(self):
            self.ready()

        def init(self):
            raise AssertionError("is not reached")

    with pytest.raises(ClusterClientError) as caught:
        InInit().ready(timeout=DEADLINE)
    assert "wait for itself" in str(caught.value)
    with pytest.raises(ClusterClientError):
        InConstructor()


def test_a_constructor_that_raises_lets_its_waiters_go_and_starts_no_init():
    made = []

    class Failing(Slow):
        def __init__(self):
            super(Failing, self).__init__()
            made.append(self)
            self.waiter = gevent.spawn(self.ready)
            waiting = gevent.spawn(lambda: None)
            waiting.join(DEADLINE)  # the waiter waits by now
            raise ValueError("constructor")

    with pytest.raises(ValueError):
        Failing()
    made[0].waiter.join(DEADLINE)
    assert isinstance(made[0].waiter.exception, ValueError)
    assert made[0].steps == ["constructor"]


def test_abstract_classes_can_be_mixed_in():
    class Port(six.with_metaclass(abc.ABCMeta, object)):
        @abc.abstractmethod
        def get(self):
            """To be there."""

    class Incomplete(DataClientBase, Port):
        pass

    class Complete(DataClientBase, Port):
        def get(self):
            return 1

    with pytest.raises(TypeError):
        Incomplete()
    assert Complete().get() == 1


def test_the_constructor_is_cooperative():
    class Mixin(object):
        def __init__(self, value):
            self.value = value

    class Client(DataClientBase, Mixin):
        def __init__(self, value):
            super(Client, self).__init__(value)

    assert Client(5).value == 5
    with pytest.raises(TypeError):
        DataClientBase("what for?")


def test_an_instance_that_is_given_twice_starts_again_once_it_is_through():
    class Only(DataClientBase):
        instance = None
        starts = 0

        def __new__(cls):
            if cls.instance is None:
                cls.instance = super(Only, cls).__new__(cls)
            return cls.instance

        def init(self):
            self.starts += 1

    client = Only()
    assert Only() is client
    client.ready(timeout=DEADLINE)
    assert client.starts == 1  # the first start was still under way
    Only().ready(timeout=DEADLINE)
    assert client.starts == 2


def test_a_new_that_gives_something_else_is_left_alone():
    class Other(DataClientBase):
        def __new__(cls):
            return 5

    assert Other() == 5
