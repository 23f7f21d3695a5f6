"""Real gunicorn with ``sync`` and ``gthread`` workers, which gevent does not patch.

The application is the one that gevent workers run, unchanged; the client's hub is in a thread of
its own, which it chose by itself.
"""

from __future__ import absolute_import, division, print_function

import os
import signal

import gevent
import pytest

from support.gunicorns import hold_at_leader, install

pytestmark = pytest.mark.limit(90)

KINDS = {"sync": {"worker_class": "sync"}, "gthread": {"worker_class": "gthread", "threads": 4}}
AGENT = "support.gunicorn_app:make_agent"


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    """The settings that make workers of this kind."""
    return KINDS[request.param]


@pytest.fixture(params=[False, True], ids=["", "preloaded"])
def settings(request, kind):
    """The same, without and with ``preload_app``."""
    return dict(kind, preload_app=request.param)


def check(server, load, journal):
    """No request failed, and there was one real client at a time; ends the server."""
    load.more()
    assert load.stop() == []
    server.stop()
    assert "Traceback" not in server.log()
    return journal.assert_one_at_a_time()


def test_each_worker_calls_and_is_told_values(gunicorn, loaded, journal, settings):
    server = gunicorn(**settings)
    workers = server.join()
    load = loaded(server)
    load.until_answered_by(workers)
    leader = server.leader()
    assert leader in workers
    load.until_told_by(workers, {"first": leader})
    server.ask("/push/changed")
    load.until_told_by(workers, "changed")
    lives = check(server, load, journal)
    assert server.pid not in [life[0] for life in lives]
    assert server.child.returncode == 0


def test_threads_that_have_no_hub_call_at_once(gunicorn, journal):
    # The agent leads: all of these calls come from one follower.
    server = gunicorn(install(agent=AGENT), workers=1, **KINDS["gthread"])
    agent = server.child.expect("agent")["pid"]
    worker, = [pid for pid in server.join(2) if pid != agent]
    asked = [gevent.spawn(server.ask, "/together/4") for _ in range(4)]
    for one in asked:
        answer = one.get(timeout=30)
        assert (answer["pid"], answer["leader"], answer["is_leader"]) == (worker, agent, False)
        assert answer["has_hub"] is False
    server.stop()
    server.wait_gone([agent])
    assert [life[0] for life in journal.assert_one_at_a_time()] == [agent]


def test_a_leading_worker_that_is_told_to_stop_serves_its_last_request_as_a_follower(
        gunicorn, loaded, journal, greenlets, settings):
    server = gunicorn(**settings)
    workers = server.join()
    load = loaded(server)
    leader, request = hold_at_leader(server, greenlets)
    os.kill(leader, signal.SIGTERM)
    # It has one request under way, and so cannot have ended: it was told while it had.
    answer = request.get(timeout=30)
    assert answer["pid"] == leader and answer["is_leader"] is False
    assert answer["leader"] in workers and answer["leader"] != leader
    server.wait_gone([leader])
    new = server.join(known=workers, count=1)
    load.until_told_by([pid for pid in workers if pid != leader] + new,
                       {"first": answer["leader"]})
    lives = check(server, load, journal)
    assert [life[0] for life in lives][:2] == [leader, answer["leader"]]


def test_a_reload(gunicorn, loaded, journal, settings):
    server = gunicorn(**settings)
    old = server.join()
    load = loaded(server)
    load.until_answered_by(old)
    server.signal(signal.SIGHUP)
    new = server.join(known=old)
    server.wait_gone(old)
    load.until_answered_by(new)
    leader = server.leader()
    assert leader in new
    load.until_told_by(new, {"first": leader})
    check(server, load, journal)


def test_where_all_workers_stop_one_of_them_leads_to_the_end(gunicorn, journal, greenlets, kind):
    server = gunicorn(**kind)
    server.join()
    leader, request = hold_at_leader(server, greenlets)
    server.signal(signal.SIGTERM)
    answer = request.get(timeout=30)
    assert answer["pid"] == leader and answer["leader"] in server.known
    assert journal.lines("closed", leader)
    server.stop()
    assert server.child.returncode == 0
    assert "Traceback" not in server.log()
    journal.assert_one_at_a_time()
