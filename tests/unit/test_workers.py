"""Workers are used again; lanes keep their order."""

from __future__ import absolute_import, division, print_function

import gevent
import pytest
from gevent.event import Event
from greenlet import getcurrent

from clusterclient_sync.greenlets import workers
from clusterclient_sync.greenlets.waits import Wait
from clusterclient_sync.greenlets.workers import Lane, WorkerPool
from support.scripted import until


@pytest.fixture
def pool():
    made = WorkerPool(gevent.get_hub(), "tests")
    yield made
    made.close(1)


@pytest.fixture
def made(monkeypatch):
    """The workers that are made while the test runs."""
    found = []
    make = workers._Worker.__init__

    def counted(self, *args):
        make(self, *args)
        found.append(self)

    monkeypatch.setattr(workers._Worker, "__init__", counted)
    return found


def in_hub(function):
    """Call it in the hub, and return when that is done."""
    done = Event()

    def call():
        try:
            function()
        finally:
            done.set()

    gevent.get_hub().loop.run_callback(call)
    assert done.wait(10)


# -- the pool

def test_a_thousand_jobs_that_do_not_block_take_one_greenlet(pool, made):
    ran = []
    in_hub(lambda: [pool.run(lambda n=n: ran.append((n, getcurrent()))) for n in range(1000)])
    assert [number for number, _ in ran] == list(range(1000))
    assert len(made) == 1
    assert set(greenlet for _, greenlet in ran) == set(made)


def test_from_a_greenlet_jobs_run_at_the_next_turn_and_share_a_worker_too(pool, made):
    ran = []
    for number in range(1000):
        pool.run(lambda number=number: ran.append(number))
    assert ran == []
    until(lambda: len(ran) == 1000)
    assert ran == list(range(1000))
    assert len(made) == 1


def test_in_the_hub_a_job_runs_at_once_and_gives_way_when_it_blocks(pool):
    log = []
    go = Event()

    def job():
        log.append("begins")
        go.wait()
        log.append("ends")

    def both():
        pool.run(job)
        log.append("hub goes on")

    in_hub(both)
    assert log == ["begins", "hub goes on"]
    go.set()
    until(lambda: len(log) == 3)


def test_jobs_that_block_take_a_greenlet_each_and_those_are_used_again(pool, made):
    go = Event()
    ended = []

    def job():
        go.wait()
        ended.append(1)

    for _ in range(2):
        go.clear()
        in_hub(lambda: [pool.run(job) for _ in range(10)])
        go.set()
        until(lambda: len(ended) == 10)
        del ended[:]
    assert len(made) == 10


def burst(pool, number):
    """So many jobs that block all at once; then their workers are idle."""
    go = Event()
    in_hub(lambda: [pool.run(lambda: go.wait() and None) for _ in range(number)])
    go.set()
    until(lambda: len(pool.idle) == len(pool.workers))


def test_idle_workers_are_bounded(pool, made, monkeypatch):
    monkeypatch.setattr(workers, "_MAX_IDLE", 100)
    burst(pool, 200)
    assert len(pool.idle) == 100


def test_the_workers_of_a_burst_serve_the_next_one_and_go_when_there_is_none(
        pool, made, monkeypatch):
    burst(pool, 500)
    burst(pool, 500)
    assert len(made) == 500
    assert pool.trim_timer is not None
    pool._trim()
    assert len(pool.idle) == 500  # they worked since they were looked at first
    pool._trim()
    assert len(pool.idle) == workers._KEPT
    assert pool.trim_timer is None
    until(lambda: len(pool.workers) == workers._KEPT)
    assert sum(worker.dead for worker in made) == 500 - workers._KEPT


def test_of_idle_workers_those_stay_that_were_needed(pool, made):
    burst(pool, 500)
    pool._trim()
    pool.trim_soon()
    burst(pool, 200)
    pool._trim()
    assert len(pool.idle) == 200 + workers._KEPT
    burst(pool, 200 + workers._KEPT)
    assert len(made) == 500
    pool._drop_trim_timer()


def test_they_go_by_themselves(pool, monkeypatch):
    monkeypatch.setattr(workers, "_TRIM_INTERVAL", 0.01)
    burst(pool, 300)
    until(lambda: len(pool.workers) == workers._KEPT)
    assert pool.trim_timer is None
    assert not pool._idle_before  # nothing keeps those that went


def test_a_pool_that_is_closed_has_no_timer(pool):
    burst(pool, 100)
    assert pool.trim_timer is not None
    pool.close(1)
    assert pool.trim_timer is None


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(3), gevent.Timeout()])
def test_a_job_that_raises_is_logged_and_its_worker_goes_on(pool, made, caplog, error):
    ran = []

    def fail():
        raise error

    in_hub(lambda: [pool.run(fail), pool.run(lambda: ran.append(1))])
    assert ran == [1]
    assert len(made) == 1
    logged, = [record for record in caplog.records if record.exc_info]
    assert logged.exc_info[1] is error


def test_a_worker_that_is_killed_leaves_the_pool(pool, made):
    parked = []
    in_hub(lambda: pool.run(lambda: parked.append(getcurrent())))
    parked[0].kill()
    assert not pool.idle and not pool.workers
    in_hub(lambda: pool.run(lambda: parked.append(getcurrent())))
    assert len(made) == 2


def test_a_job_may_run_another_in_the_hub_meanwhile(pool):
    log = []
    go = Event()
    in_hub(lambda: pool.run(lambda: (go.wait(), log.append("first"))))
    in_hub(lambda: pool.run(lambda: log.append("second")))
    go.set()
    until(lambda: len(log) == 2)
    assert log == ["second", "first"]


# -- for a caller that waits

def call(pool, job):
    """A caller that waits for what its job resolves."""
    wait = Wait()
    pool.run_for_caller(lambda: job(wait), wait)
    if not wait.done:
        wait.block(pool.hub)
    return wait.value


def settle(value):
    def job(wait):
        wait.settle(value)
        return wait

    return job


def test_a_caller_goes_on_without_a_turn_of_the_loop(pool, made):
    turns = []
    watcher = pool.loop.run_callback(turns.append, 1)
    for number in range(workers._CALLS_PER_TURN - 1):
        assert call(pool, settle(number)) == number
    assert turns == [] and watcher
    assert len(made) == 1


def test_callers_that_never_block_give_way_after_a_number_of_calls(pool):
    turns = []
    pool.loop.run_callback(turns.append, 1)
    for number in range(workers._CALLS_PER_TURN + 1):
        call(pool, settle(number))
    assert turns == [1]


def test_a_caller_whose_job_blocks_waits_for_it(pool):
    go = Event()
    gevent.spawn(go.set)

    def job(wait):
        go.wait()
        wait.settle("value")
        return wait

    assert call(pool, job) == "value"


def test_callers_of_jobs_that_end_in_another_order_get_their_own(pool):
    events = [Event() for _ in range(20)]
    got = {}

    def caller(number):
        def job(wait):
            events[number].wait()
            wait.settle(number)
            return wait

        got[number] = call(pool, job)

    greenlets = [gevent.spawn(caller, number) for number in range(20)]
    gevent.sleep(0)
    for number in reversed(range(20)):
        events[number].set()
    gevent.joinall(greenlets, timeout=10)
    assert got == {number: number for number in range(20)}


def test_a_caller_that_is_killed_leaves_its_job_alone(pool):
    go, log = Event(), []

    def job(wait):
        go.wait()
        log.append("ended")
        wait.settle("value")
        return wait

    greenlet = gevent.spawn(call, pool, job)
    gevent.sleep(0)
    greenlet.kill()
    assert log == []
    go.set()
    until(lambda: log == ["ended"])
    assert call(pool, settle(2)) == 2


# -- closing

def test_close_ends_all(made):
    pool = WorkerPool(gevent.get_hub(), "tests")
    ended = []

    def job(event):
        try:
            event.wait()
            ended.append("finished")
        except gevent.GreenletExit:
            ended.append("killed")
            raise

    soon, never = Event(), Event()
    in_hub(lambda: [pool.run(lambda: job(soon)), pool.run(lambda: job(never)),
                    pool.run(lambda: None)])
    gevent.spawn(soon.set)
    pool.close(0.1)
    assert sorted(ended) == ["finished", "killed"]
    assert len(made) == 3 and all(worker.dead for worker in made)
    assert not pool.workers and not pool.idle


def test_close_spares_who_waits_for_it(made):
    pool = WorkerPool(gevent.get_hub(), "tests")
    log = []

    def job():
        pool.close(0.1, spared=[getcurrent()])
        log.append("closed from inside")

    in_hub(lambda: pool.run(job))
    until(lambda: log)
    until(lambda: made[0].dead)


def test_a_closed_pool_runs_nothing(made):
    pool = WorkerPool(gevent.get_hub(), "tests")
    pool.close(0)
    ran = []
    in_hub(lambda: pool.run(lambda: ran.append(1)))
    assert ran == [] and made == []


# -- lanes

def test_a_lane_keeps_the_order_though_jobs_block_and_raise(pool, caplog):
    lane = Lane(pool)
    done, running = [], []

    def job(number):
        assert not running
        running.append(number)
        if number % 3 == 0:
            gevent.sleep(0.001 if number % 2 else 0)
        running.pop()
        done.append(number)
        if number % 5 == 0:
            raise ValueError(number)

    for number in range(100):
        lane.submit(lambda number=number: job(number))
    assert len(lane) == 101  # the drain counts as one until it began
    until(lambda: len(done) == 100)
    assert done == list(range(100))
    assert len([record for record in caplog.records if record.exc_info]) == 20


def test_a_lane_takes_jobs_from_its_own_jobs_and_becomes_idle(pool):
    idle, done = [], []
    lane = Lane(pool, on_idle=lambda: idle.append(list(done)))

    def first():
        lane.submit(lambda: done.append("second"))
        done.append("first")

    lane.submit(first)
    until(lambda: idle)
    assert idle == [["first", "second"]]
    assert not lane.is_busy and len(lane) == 0
    lane.submit(lambda: done.append("third"))
    until(lambda: len(idle) == 2)


def test_two_lanes_do_not_wait_for_each_other(pool):
    go, done = Event(), []
    slow, fast = Lane(pool), Lane(pool)
    slow.submit(go.wait)
    slow.submit(lambda: done.append("slow"))
    fast.submit(lambda: done.append("fast"))
    until(lambda: done == ["fast"])
    go.set()
    until(lambda: done == ["fast", "slow"])


def test_a_lane_goes_on_after_a_job_that_ended_its_greenlet(pool):
    lane, done = Lane(pool), []

    def end():
        raise gevent.GreenletExit()

    for job in (end, lambda: done.append(1), lambda: done.append(2)):
        lane.submit(job)
    until(lambda: done == [1, 2])
