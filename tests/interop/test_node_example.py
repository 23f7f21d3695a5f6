"""``examples/node``: a Node leader that gunicorn's Python workers join, run as the README says."""

from __future__ import absolute_import, division, print_function

import json
import os
import signal
import sys

import gevent.socket
import pytest

from node_peers import HERE, printed
from support.members import until
from support.ports import free_port
from support.processes import ROOT

EXAMPLES = os.path.join(ROOT, "examples")
pytestmark = pytest.mark.limit(90)


def ask(port, path, body=None):
    """``(status, answer)`` of the web application; status None while nobody listens."""
    method = "GET" if body is None else "POST"
    data = b"" if body is None else json.dumps(body).encode("ascii")
    head = "%s %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % (method, path, len(data))
    try:
        connection = gevent.socket.create_connection(("127.0.0.1", port), 5)
    except gevent.socket.error:
        return None, None
    try:
        connection.sendall(head.encode("ascii") + data)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    finally:
        connection.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body.decode("utf-8"))


def test_python_workers_join_the_node_leader_and_take_over(children, port):
    http_port = free_port()
    registry = children([sys.executable, os.path.join(EXAMPLES, "registry_server.py"),
                         "--port", "0"], {})
    address = "127.0.0.1:" + printed(registry, "127.0.0.1:")
    env = {"REGISTRY_ADDRESS": address, "REGISTRY_CLUSTER_PORT": str(port),
           "NODE_PATH": os.path.join(HERE, "node_modules")}
    node = children(["node", os.path.join(EXAMPLES, "node", "leader.js")], env)
    printed(node, "process %d is a leader" % node.pid)
    hello = "hello from Node.js, process %d" % node.pid
    printed(node, 'greeting is "%s"' % hello)
    gunicorn = children(
        [sys.executable, "-m", "gunicorn.app.wsgiapp",
         "--config", os.path.join(EXAMPLES, "gunicorn_conf.py"), "--chdir", EXAMPLES,
         "--workers", "2", "--bind", "127.0.0.1:%d" % http_port, "app:application"], env)

    until(lambda: ask(http_port, "/config/greeting")[0] == 200, "gunicorn is up")
    status, answer = ask(http_port, "/config/greeting")
    assert (status, answer["value"]) == (200, hello)
    status, answer = ask(http_port, "/status")
    assert (answer["is_leader"], answer["epoch"], answer["seen"]["value"]) == (False, None, hello)
    assert ask(http_port, "/config/nothing")[0] == 404
    assert ask(http_port, "/publish", {"key": "greeting", "value": "hello from Python"})[0] == 200
    printed(node, 'greeting is "hello from Python"')

    node.kill(signal.SIGTERM)
    assert node.wait() == 0
    until(lambda: ask(http_port, "/status")[1]["epoch"] is not None, "a worker leads")
    status, answer = ask(http_port, "/config/greeting")
    assert (status, answer["value"]) == (200, "hello from Python")
    gunicorn.kill(signal.SIGTERM)
    gunicorn.wait()
