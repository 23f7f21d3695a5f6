"""A forked child lets go of what is its parent's, and the parent does not notice."""

from __future__ import absolute_import, division, print_function

import fcntl
import gc
import os
import traceback

import gevent
import pytest

from clusterclient_sync import own_process
from clusterclient_sync.greenlets.deadlines import Deadlines
from clusterclient_sync.transport import fork_guard, sockets
from clusterclient_sync.transport.server import Limits, Server
from support.connections import Line, in_hub
from support.scripted import Recorder, connect, request, response, until

# Newer Pythons warn of every fork beside a thread, and the hub's pool may have one.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


@pytest.fixture
def line():
    made = Line()
    yield made
    made.end()


@pytest.fixture
def server():
    made = Server(sockets.listen("127.0.0.1", 0), Limits(2 ** 20, 100, 1000),
                  lambda connection, frame: True)
    yield made
    made.close()
    gevent.sleep(0)


def in_child(check):
    """Fork, and run this in the child; fails where it raised there."""
    source, sink = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            check()
        except BaseException:
            os.write(sink, traceback.format_exc().encode("utf-8"))
            os._exit(1)
        os._exit(0)
    os.close(sink)
    status = until(lambda: ended(pid))
    try:
        assert status[1] == 0, os.read(source, 65536).decode("utf-8")
    finally:
        os.close(source)


def ended(pid):
    found = os.waitpid(pid, os.WNOHANG)
    return found if found[0] else None


def is_open(fileno):
    try:
        os.fstat(fileno)
    except OSError:
        return False
    return True


class Owner(object):
    def __init__(self):
        self.abandoned = 0
        fork_guard.watch_over(self)

    def abandon(self):
        self.abandoned += 1


def test_owners_are_told_in_the_child_alone_and_only_while_they_own():
    owner, former = Owner(), Owner()
    fork_guard.forget(former)
    fork_guard.forget(former)

    def check():
        assert (owner.abandoned, former.abandoned) == (1, 0)

    in_child(check)
    assert owner.abandoned == 0
    fork_guard.forget(owner)


def test_owners_that_are_gone_are_not_kept_alive():
    before = len(fork_guard._owners)
    Owner()
    gc.collect()
    assert len(fork_guard._owners) == before


def test_a_childs_child_is_not_told_again():
    owner = Owner()

    def check():
        in_child(lambda: check_once(owner))

    in_child(check)
    fork_guard.forget(owner)


def check_once(owner):
    assert owner.abandoned == 1


def test_a_connection_is_closed_in_the_child_and_lives_on_in_the_parent(line):
    fileno = line.sock.fileno()

    def check():
        assert line.connection.is_closed
        assert not is_open(fileno)
        assert line.connection.send(b"from the child") == 0
        gevent.sleep(0.01)
        assert line.handler.errors == [] and line.handler.requests == []

    line.connection.send(request(1, {"type": "waits at the fork"}))
    in_child(check)
    assert not line.connection.is_closed
    assert line.peer.read_message().head == {"type": "waits at the fork"}
    line.peer.send(request(2, {}))
    line.handler.wait_for(1)


def test_the_parents_watchers_are_not_touched_by_the_childs_end(line):
    """The child shares the parent's poll set until its loop is made anew."""
    size = line.block()  # so that it waits to write, too
    in_child(lambda: gevent.sleep(0.01))
    line.peer.read(size)
    assert line.connection.outgoing_size == 0
    line.peer.send(request(1, {}))
    line.handler.wait_for(1)


def test_calls_that_wait_in_the_parent_get_their_answer(line):
    greenlet = gevent.spawn(line.connection.request, b"{}", (), 10 ** 9, 10)
    message = line.peer.read_message()
    in_child(lambda: gevent.sleep(0.01))
    line.peer.send(response(message.id, {}, b"answer"))
    assert greenlet.get(timeout=10).body == b"answer"


def test_a_server_is_closed_in_the_child_and_accepts_on_in_the_parent(server):
    fileno = server._acceptor.listener.fileno()
    before = connect(server.port)
    until(lambda: server._newcomers)

    def check():
        assert server.is_closed and not is_open(fileno)
        assert not server._newcomers
        gevent.sleep(0.01)

    in_child(check)
    channel = Recorder()
    server.add_channel("a", channel)
    register = request(1, {"type": "register_channel", "channelName": "a"})
    before.send(register)
    channel.wait_for(1)
    after = connect(server.port)
    after.send(register)
    channel.wait_for(2)
    before.close()
    after.close()
    until(lambda: len(channel.errors) == 2)


def test_when_the_parent_closes_the_port_is_free_though_the_child_lives(server):
    port = server.port
    (forked, tell_forked), (done, tell_done) = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        os.write(tell_forked, b"x")  # the hooks have run
        os.close(tell_done)
        os.read(done, 1)
        os._exit(0)
    try:
        os.read(forked, 1)
        server.close()
        sockets.listen("127.0.0.1", port).close()
    finally:
        for descriptor in (forked, tell_forked, done, tell_done):
            os.close(descriptor)
        until(lambda: ended(pid))


def test_deadlines_do_not_pass_in_the_child():
    deadlines = Deadlines(gevent.get_hub())

    class Item(object):
        slot = None
        count = 0

        def expire(self):
            self.count += 1

    item = Item()
    deadlines.add(item, 0)

    def check():
        gevent.sleep(0.03)
        assert item.count == 0

    in_child(check)
    until(lambda: item.count == 1)
    deadlines.close()


def test_programs_that_are_executed_inherit_no_socket(server):
    peer = connect(server.port)
    until(lambda: server._newcomers)
    connection, = server._newcomers
    client = sockets.connect("127.0.0.1", server.port, 10)
    for fileno in (server._acceptor.listener.fileno(), connection._sock.fileno(), client.fileno()):
        assert fcntl.fcntl(fileno, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    client.close()
    peer.close()
    until(lambda: not server._newcomers)


def test_in_the_hub_nothing_of_a_child_reaches_the_handler(line, monkeypatch):
    """Where no hook ran: the pid that was noted tells."""
    line.peer.send(request(1, {}))
    monkeypatch.setattr(own_process, "here", [-1])
    in_hub(line.connection.flush)
    monkeypatch.undo()
    assert line.connection.is_closed
    assert line.handler.requests == []
