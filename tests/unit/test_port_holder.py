"""Who holds a port, where the system tells."""

from __future__ import absolute_import, division, print_function

import os
import sys

import pytest

from clusterclient_sync.election import port_holder
from clusterclient_sync.transport import sockets

on_linux = pytest.mark.skipif(
    not os.path.exists("/proc/net/tcp"), reason="only /proc tells who holds a port")

SCRIPT = """
import socket, sys
from support.talk import commands, tell
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1)
tell("listening")
for _ in commands():
    pass
"""


@on_linux
def test_this_process_finds_itself(port):
    assert port_holder.find(port) == port_holder.NOBODY_KNOWN
    listener = sockets.listen("127.0.0.1", port)
    try:
        assert port_holder.find(port).pid == os.getpid()
    finally:
        listener.close()


@on_linux
def test_another_process_is_found_with_its_command(processes, port):
    child = processes.start(SCRIPT, port)
    child.expect("listening")
    holder = port_holder.find(port)
    assert holder.pid == child.pid
    assert holder.command.startswith(sys.executable) and len(holder.command) <= 200
    assert port_holder.describe(holder) == "pid %d (%s)" % (child.pid, holder.command)


@on_linux
def test_a_connection_is_no_holder(port):
    listener = sockets.listen("127.0.0.1", port)
    client = sockets.connect("127.0.0.1", port, 10)
    own = client.getsockname()[1]
    try:
        assert port_holder.find(own) == port_holder.NOBODY_KNOWN
    finally:
        client.close()
        listener.close()


def test_where_nobody_tells_nobody_is_known(monkeypatch):
    for error in (OSError("no"), IOError("no"), ValueError("no")):
        def fail(port, error=error):
            raise error

        monkeypatch.setattr(port_holder, "_listening_inodes", fail)
        assert port_holder.find(80) == port_holder.NOBODY_KNOWN
    assert "does not name" in port_holder.describe(port_holder.NOBODY_KNOWN)
