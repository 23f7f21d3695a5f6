"""The agent beside a real gunicorn's workers: it leads, they follow, whatever becomes of it."""

from __future__ import absolute_import, division, print_function

import os
import signal

import pytest

from clusterclient_sync.demo.processes import is_alive
from support.gunicorns import install
from support.members import until

pytestmark = pytest.mark.limit(90)

AGENT = "support.gunicorn_app:make_agent"


def join(server, known=()):
    """Wait for the workers and the agent; returns ``(the agent's pid, the workers' pids)``."""
    pids = server.join(server.workers + 1, known=known)
    agent = server.child.expect("agent")
    assert agent["pid"] in pids
    assert agent["parent"] != server.pid  # gunicorn would take it for a worker
    return agent["pid"], [pid for pid in pids if pid != agent["pid"]]


def next_agent(server):
    """Wait until another agent leads; returns its pid."""
    pid = server.child.expect("agent")["pid"]
    while pid not in server.known:
        server.next_role()
    return pid


def check(server, load, journal, agents, killed=()):
    """No request failed, and only agents ever led, one after the other; ends the server."""
    load.more()
    assert load.stop() == []
    server.stop()
    server.wait_gone(agents)
    lives = journal.assert_one_at_a_time(killed)
    assert [life[0] for life in lives] == agents


def test_it_leads_survives_errors_and_ends_with_its_master(gunicorn, loaded, journal):
    server = gunicorn(install(agent=AGENT))
    agent, workers = join(server)
    assert {news["role"] for pid, news in server.known.items() if pid in workers} == {"follower"}
    until(lambda: "nobody catches this" in server.log(), "the error is logged")
    load = loaded(server)
    load.until_answered_by(workers)
    assert server.leader() == agent
    check(server, load, journal, [agent])
    assert server.child.returncode == 0


def test_it_is_started_again_when_it_dies(gunicorn, loaded, journal):
    server = gunicorn(install(agent=AGENT))
    agent, workers = join(server)
    load = loaded(server)
    load.until_answered_by(workers)
    os.kill(agent, signal.SIGKILL)
    second = next_agent(server)
    load.until_answered_by(workers)
    os.kill(second, signal.SIGTERM)
    third = next_agent(server)
    load.until_answered_by(workers)
    check(server, load, journal, [agent, second, third], killed=[agent])


def test_a_reload_replaces_it(gunicorn, loaded, journal):
    server = gunicorn(install(agent=AGENT))
    agent, workers = join(server)
    load = loaded(server)
    load.more()
    server.signal(signal.SIGHUP)
    second, new = join(server, known=[agent] + workers)
    server.wait_gone([agent] + workers)
    load.until_answered_by(new)
    check(server, load, journal, [agent, second])


def test_one_whose_new_code_is_broken_does_not_replace_it(gunicorn, loaded, journal):
    server = gunicorn(install(agent=AGENT))
    agent, workers = join(server)
    load = loaded(server)
    server.configure(install(agent="support.gunicorn_app:there_is_none"))
    server.signal(signal.SIGHUP)
    new = server.join(known=[agent] + workers)
    until(lambda: server.log().count("there_is_none cannot be imported") > 1, "it is tried again")
    load.until_answered_by(new)
    assert server.leader() == agent
    # With the next version all is well again.
    server.configure(install(agent=AGENT))
    server.signal(signal.SIGHUP)
    second = next_agent(server)
    server.wait_gone([agent])
    check(server, load, journal, [agent, second])


def test_a_reload_into_a_cluster_of_its_own_has_an_agent_of_its_own(gunicorn, loaded, journal):
    server = gunicorn(install(agent=AGENT, share_on_reload=False))
    agent, workers = join(server)
    load = loaded(server)
    load.more()
    server.signal(signal.SIGHUP)
    second, new = join(server, known=[agent] + workers)
    assert server.port_of(second) != server.port_of(agent)
    server.wait_gone([agent] + workers)
    load.until_answered_by(new)
    assert server.leader() == second
    load.more()
    assert load.stop() == []
    server.stop()
    server.wait_gone([second])


@pytest.mark.parametrize("shares", [True, False])
def test_an_upgrade(gunicorn, loaded, journal, shares):
    server = gunicorn(install(agent=AGENT, share_on_upgrade=shares))
    agent, workers = join(server)
    load = loaded(server)
    server.signal(signal.SIGUSR2)
    new = server.join(known=[agent] + workers, count=server.workers + (0 if shares else 1))
    second = None if shares else server.child.expect("agent")["pid"]
    new = [pid for pid in new if pid != second]
    server.masters.append(server.known[new[0]]["parent"])
    load.until_answered_by(workers + new)
    assert server.known[new[0]]["leader"] == (agent if shares else second)
    server.signal(signal.SIGTERM)
    assert server.child.wait() == 0
    server.wait_gone([agent])
    second = second or next_agent(server)
    load.until_answered_by(new)
    assert server.leader() == second
    load.more()
    assert load.stop() == []
    server.stop()
    server.wait_gone([second])
    if shares:
        journal.assert_one_at_a_time()


def test_it_ends_with_a_killed_master(gunicorn):
    server = gunicorn(install(agent=AGENT))
    agent, workers = join(server)
    keeper = server.known[agent]["parent"]
    server.signal(signal.SIGKILL)
    server.wait_gone([agent, keeper] + workers)


def test_it_leads_on_without_its_keeper(gunicorn, loaded, journal):
    server = gunicorn(install(agent=AGENT))
    agent, workers = join(server)
    load = loaded(server)
    os.kill(server.known[agent]["parent"], signal.SIGKILL)
    load.until_answered_by(workers)
    assert is_alive(agent) and server.leader() == agent
    check(server, load, journal, [agent])


def test_its_exit_status_means_nothing_to_gunicorn(gunicorn, journal):
    server = gunicorn(install(agent="support.gunicorn_app:exit_3"))
    until(lambda: server.log().count("with status 3; it is started again") > 2, "it dies again")
    assert server.child.returncode is None
    server.configure(install(agent=AGENT))
    server.signal(signal.SIGHUP)
    agent = next_agent(server)
    server.join(server.workers + 1)
    assert server.leader() == agent
    server.stop()
    assert [life[0] for life in journal.assert_one_at_a_time()] == [agent]


def test_where_another_leads_it_tries_until_it_can(gunicorn, raw_server, port):
    server = gunicorn(install(agent=AGENT, port=port))
    until(lambda: server.log().count("The agent cannot lead") > 1, "it is tried again")
    raw_server.close()
    server.join(server.workers + 1)
    assert server.known[server.leader()]["parent"] != server.pid
    server.stop()
