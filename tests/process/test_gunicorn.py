"""Real gunicorn, with gevent workers, under constant load: who leads, who stops, what fails.

Each request makes an idempotent call of the one shared client.  What is told is counts: no request
fails, and there is one real client at a time.
"""

from __future__ import absolute_import, division, print_function

import os
import signal

import pytest

from support.gunicorns import HOOKS, hold_at_leader, install
from support.journal import Journal
from support.ports import free_port

pytestmark = pytest.mark.limit(90)


def check(server, load, journal, killed=()):
    """No request failed, and there was one real client at a time; ends the server."""
    load.more()
    assert load.stop() == []
    server.stop()
    return journal.assert_one_at_a_time(killed)


def one_at_a_time(journal, pids):
    """There was one real client at a time among these processes."""
    lives = [life for life in journal.lives() if life[0] in pids]
    assert lives
    for before, after in zip(lives, lives[1:]):
        assert before[2] is not None and before[2] <= after[1]


def test_workers_share_one_real_client_at_a_port_of_their_own(gunicorn, journal):
    server = gunicorn()
    workers = server.join()
    assert len({server.port_of(pid) for pid in workers}) == 1
    assert server.leader() in workers
    server.stop()
    assert server.child.returncode == 0
    journal.assert_one_at_a_time()


def test_two_applications_of_one_host_stay_apart(gunicorn, journal, tmpdir):
    other_journal = Journal(str(tmpdir.join("other journal")))
    server = gunicorn()
    workers = server.join()
    port = server.port_of(workers[0])
    # As one that a worker of the first one starts: it has that one's environment.
    other = gunicorn(name="other", journal=other_journal, env={
        "CLUSTERCLIENT_PORT": port, "CLUSTERCLIENT_SET_BY_GUNICORN": "1"})
    others = other.join()
    assert port not in {other.port_of(pid) for pid in others}
    assert server.leader() in workers and other.leader() in others
    server.stop()
    assert other.leader() in others
    other.stop()
    for each in (journal, other_journal):
        each.assert_one_at_a_time()


def test_reload(gunicorn, loaded, journal):
    server = gunicorn()
    old = server.join()
    load = loaded(server)
    load.until_answered_by(old)
    server.signal(signal.SIGHUP)
    new = server.join(known=old)
    server.wait_gone(old)
    load.until_answered_by(new)
    assert server.leader() in new
    assert {server.port_of(pid) for pid in new} == {server.port_of(old[0])}
    check(server, load, journal)


def test_reload_into_a_cluster_of_its_own(gunicorn, loaded, journal):
    server = gunicorn(install(share_on_reload=False))
    old = server.join()
    load = loaded(server)
    load.more()
    server.signal(signal.SIGHUP)
    new = server.join(known=old)
    server.wait_gone(old)
    load.until_answered_by(new)
    assert server.leader() in new
    ports = [{server.port_of(pid) for pid in workers} for workers in (old, new)]
    assert len(ports[0]) == len(ports[1]) == 1 and ports[0] != ports[1]
    load.more()
    assert load.stop() == []
    server.stop()
    for workers in (old, new):
        one_at_a_time(journal, workers)


@pytest.mark.parametrize("reloads", [False, True])
def test_upgrade_into_a_cluster_of_its_own(gunicorn, loaded, journal, reloads):
    server = gunicorn()
    old = server.join()
    load = loaded(server)
    if reloads:  # the configuration that was read then has seen our own environment
        server.signal(signal.SIGHUP)
        first, old = old, server.join(known=old)
        server.wait_gone(first)
    new = server.upgrade()
    load.until_answered_by(old + new)
    ports = [{server.port_of(pid) for pid in workers} for workers in (old, new)]
    assert len(ports[0]) == len(ports[1]) == 1 and ports[0] != ports[1]
    server.signal(signal.SIGTERM)
    assert server.child.wait() == 0
    load.until_answered_by(new)
    assert server.leader() in new
    load.more()
    assert load.stop() == []
    server.stop()
    for workers in (old, new):
        one_at_a_time(journal, workers)


@pytest.mark.parametrize("config", [
    install(share_on_upgrade=True), install(port=free_port())],
    ids=["by option", "by a fixed port"])
def test_upgrade_within_one_cluster(gunicorn, loaded, journal, config):
    server = gunicorn(config)
    old = server.join()
    load = loaded(server)
    new = server.upgrade()
    load.until_answered_by(old + new)
    assert server.leader() in old
    assert len({server.port_of(pid) for pid in old + new}) == 1
    server.signal(signal.SIGTERM)
    assert server.child.wait() == 0
    load.until_answered_by(new)
    assert server.leader() in new
    check(server, load, journal)


def test_an_upgrade_that_is_taken_back(gunicorn, loaded, journal):
    server = gunicorn(install(share_on_upgrade=True))
    old = server.join()
    load = loaded(server)
    new = server.upgrade()
    server.signal(signal.SIGTERM, server.masters[1])
    server.wait_gone(new)
    load.until_answered_by(old)
    assert server.leader() in old
    check(server, load, journal)


def test_a_storm_of_max_requests(gunicorn, loaded, journal):
    server = gunicorn(max_requests=20, max_requests_jitter=10)
    first = server.join()
    load = loaded(server)
    server.wait_gone(first)
    server.join(known=first)
    load.more(200)
    server.join()
    lives = check(server, load, journal)
    assert len(lives) > 1  # leadership moved
    assert len(load.by_worker) > server.workers


def test_a_leading_worker_that_is_told_to_stop_serves_its_last_request_as_a_follower(
        gunicorn, loaded, journal, greenlets):
    server = gunicorn()
    workers = server.join()
    load = loaded(server)
    leader, request = hold_at_leader(server, greenlets)
    os.kill(leader, signal.SIGTERM)
    answer = request.get(timeout=30)
    assert answer["pid"] == leader and answer["is_leader"] is False
    assert answer["leader"] in workers and answer["leader"] != leader
    server.wait_gone([leader])
    server.join(known=workers, count=1)
    lives = check(server, load, journal)
    assert [life[0] for life in lives][:2] == [leader, answer["leader"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_where_all_workers_stop_one_of_them_leads_to_the_end(
        gunicorn, journal, greenlets, number):
    server = gunicorn()
    workers = server.join()
    leader, request = hold_at_leader(server, greenlets)
    server.signal(number)
    answer = request.get(timeout=30)
    if number == signal.SIGHUP:
        server.join(known=workers)
    # Whoever still has something to do leads: this worker itself where all others have ended.
    assert answer["pid"] == leader and answer["leader"] in server.known
    assert journal.lines("closed", leader)
    server.stop()
    assert server.child.returncode == 0
    journal.assert_one_at_a_time()


def test_more_and_fewer_workers(gunicorn, loaded, journal):
    server = gunicorn(workers=2)
    first = server.join()
    load = loaded(server)
    server.signal(signal.SIGTTIN)
    third = server.join(known=first, count=1)
    load.until_answered_by(third)
    eldest = server.eldest()
    server.signal(signal.SIGTTOU)
    server.wait_gone([eldest])
    load.until_answered_by([pid for pid in first + third if pid != eldest])
    check(server, load, journal)


def test_a_killed_leader_takes_nothing_but_its_own_requests_along(gunicorn, loaded, journal):
    server = gunicorn()
    workers = server.join()
    load = loaded(server)
    load.until_answered_by(workers)
    leader = server.leader()
    os.kill(leader, signal.SIGKILL)
    server.join(known=workers, count=1)
    load.until_answered_by([pid for pid in server.known if pid != leader])
    load.more()
    # Each of the load's greenlets had at most one request under way.
    assert len(load.stop()) <= load.at_once
    server.stop()
    lives = journal.assert_one_at_a_time(killed=[leader])
    assert lives[0][0] == leader


OWN_HOOKS = """
import os
from support.talk import tell

def post_fork(server, worker):
    tell("their hook", name="post_fork", port=os.environ["CLUSTERCLIENT_PORT"])

def worker_exit(server, worker):
    from support.gunicorn_app import client
    tell("their hook", name="worker_exit", leader=client.whoami())

"""


def test_hooks_of_the_configuration_run_beside_ours(gunicorn, journal):
    server = gunicorn(OWN_HOOKS + install(), workers=1)
    worker = server.join()[0]
    news = server.child.expect("their hook")
    assert (news["name"], int(news["port"])) == ("post_fork", server.port_of(worker))
    server.stop()
    news = server.child.expect("their hook")
    # It could still make calls.
    assert (news["name"], news["leader"]) == ("worker_exit", worker)
    assert len(journal.assert_one_at_a_time()) > 0


def test_hooks_that_take_the_place_of_ours_are_warned_of(gunicorn):
    server = gunicorn(HOOKS + OWN_HOOKS, workers=1)
    server.join()
    assert "in place of ours (post_fork, worker_exit)" in server.log()
    server.stop()


def test_a_port_that_is_fixed_is_kept_and_found_in_the_environment(gunicorn, port):
    server = gunicorn(env={"CLUSTERCLIENT_PORT": port})
    workers = server.join()
    assert {server.port_of(pid) for pid in workers} == {port}
    server.stop()


def test_workers_of_a_daemon_that_stop_before_their_master(gunicorn, loaded, journal):
    """USR2, and WINCH for the old master: it stays, without workers, to be gone back to."""
    server = gunicorn(install(share_on_upgrade=True), daemon=True, enable_stdio_inheritance=True)
    assert server.child.wait() == 0  # it has gone into the background
    old = server.join()
    server.masters[0] = server.known[old[0]]["parent"]
    load = loaded(server)
    new = server.upgrade()
    load.until_answered_by(new)
    server.signal(signal.SIGWINCH)
    server.wait_gone(old)
    load.until_answered_by(new)
    assert server.leader() in new
    check(server, load, journal)
