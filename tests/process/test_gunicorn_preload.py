"""gunicorn with ``preload_app``: clients that were made in the master live in its workers."""

from __future__ import absolute_import, division, print_function

import os
import signal

import pytest

pytestmark = pytest.mark.limit(90)


def test_clients_of_a_preloaded_application_join_in_the_workers(gunicorn, loaded, journal):
    # At import the application lets other greenlets run: the client's own may not join there.
    server = gunicorn(preload_app=True, env={"TEST_YIELDS_AT_IMPORT": "1"})
    workers = server.join()
    assert server.child.expect("made")["pid"] == server.pid
    load = loaded(server)
    load.until_answered_by(workers)
    leader = server.leader()
    assert leader in workers
    os.kill(leader, signal.SIGTERM)
    server.wait_gone([leader])
    new = server.join(known=workers, count=1)
    load.until_answered_by(new)
    server.signal(signal.SIGHUP)
    server.wait_gone([pid for pid in workers if pid != leader] + new)
    server.join(known=workers + new)
    load.more()
    assert load.stop() == []
    server.stop()
    lives = journal.assert_one_at_a_time()
    assert server.pid not in [life[0] for life in lives]
