"""The examples with existing clients, kazoo's and redis-py's, run against the real servers."""

from __future__ import absolute_import, division, print_function

import os
import re

import pytest

from support.members import until
from support.processes import ROOT

EXAMPLES = os.path.join(ROOT, "examples")
#: The runtime is what each process chooses by itself.
ENVIRONMENT = {"CLUSTERCLIENT_RUNTIME": None, "CLUSTERCLIENT_PORT": None, "PYTHONUNBUFFERED": "1"}

pytestmark = pytest.mark.limit(90)


class RedisExample(object):
    """``redis_pubsub.py`` on a channel of the test's own."""

    script = "redis_pubsub.py"
    server_fixture = "redis_server"

    def __init__(self, server, name):
        self.server = server
        self.arguments = ["--redis", server.address, "--channel", name]

    def has_one_client(self, leader):
        """Whether all that the server has is one real client's: that of this process."""
        connections = self.server.connections()
        return (len(connections) <= 2  # the one for commands comes with the first of them
                and [one["sub"] != "0" for one in connections].count(True) == 1
                and {one["name"] for one in connections}
                == {"clusterclient-example-%d" % leader.pid})


class ZooKeeperExample(object):
    """``zookeeper.py`` on a node of the test's own."""

    script = "zookeeper.py"
    server_fixture = "zookeeper_server"

    def __init__(self, server, name):
        self.server = server
        self.arguments = ["--hosts", server.address, "--path", "/" + name]

    def has_one_client(self, leader):
        """Whether the server has one session: a dead leader's connection is gone."""
        return len(self.server.connections()) == 1


@pytest.fixture(
    scope="module", params=[RedisExample, ZooKeeperExample], ids=["redis", "zookeeper"])
def kind_and_server(request):
    """Of the module, as the servers are: what is there before a test is none of its leaks."""
    return request.param, request.getfixturevalue(request.param.server_fixture)


@pytest.fixture
def example(kind_and_server, port):
    """Each of the examples, with its server."""
    kind, server = kind_and_server
    yield kind(server, "test-%d" % port)
    until(lambda: not server.connections(), "all connections of the test end")


@pytest.fixture(params=["threads", "greenlets"])
def patching(request):
    """The arguments for plain processes, and for those that gevent has patched."""
    return ["--gevent"] if request.param == "greenlets" else []


def start(processes, example, port, *arguments):
    return processes.start(
        os.path.join(EXAMPLES, example.script), "--cluster-port", port,
        *(example.arguments + list(arguments)), env=ENVIRONMENT)


def see(worker, value):
    """Wait until a worker sees a value."""
    until(lambda: worker.expect("saw")["value"] == value, "%s sees %s" % (worker.pid, value))


def leader_of(workers):
    """The one that becomes the leader, of workers each of which gets a role now."""
    roles = [worker.expect("role")["role"] for worker in workers]
    assert sorted(roles) == ["follower"] * (len(workers) - 1) + ["leader"]
    return workers[roles.index("leader")]


def test_the_script_does_what_it_says_and_ends(example, patching, processes, port):
    script = start(processes, example, port, "--workers", "3", *patching)
    assert script.wait(timeout=60) == 0, script.describe()
    until(lambda: "done\n" in script.noise, "it says that it is done")
    text = "".join(script.noise)
    workers = dict(re.findall(r"^(worker \d) \((\d+)\)", text, re.M))
    killed, = re.findall(r"^-- (worker \d) \(\d+\) is killed$", text, re.M)
    before, after = re.findall(r"^-- .* sets (\S+)$", text, re.M)
    assert len(workers) == 3
    for worker in workers:
        values = re.findall(r"^%s .* sees (\S+)$" % worker, text, re.M)
        assert before in values
        assert (after in values) == (worker != killed)
    assert script.stderr_text() == ""


def test_several_processes_share_one_connection_also_after_a_kill(
        example, patching, processes, port):
    workers = [start(processes, example, port, "--worker", *patching) for _ in range(3)]
    for worker in workers:
        worker.expect("ready")
    leader = leader_of(workers)
    survivors = [worker for worker in workers if worker is not leader]
    survivors[0].send("one")
    for worker in workers:
        see(worker, "one")
    survivors[0].expect("changed")
    assert example.has_one_client(leader), example.server.connections()
    leader.kill()
    successor = leader_of(survivors)
    for worker in survivors:  # the new leader's first value
        see(worker, "one")
    until(lambda: example.has_one_client(successor), "the server has the successor's client only")
    successor.send("two")
    for worker in survivors:
        see(worker, "two")
    successor.expect("changed")
    assert example.has_one_client(successor), example.server.connections()
    for worker in survivors:
        worker.close_stdin()
    assert [worker.wait() for worker in survivors] == [0, 0], [
        worker.describe() for worker in survivors]


def test_a_leader_that_loses_its_redis_connections_misses_nothing(
        redis_server, patching, processes, port):
    example = RedisExample(redis_server, "test-%d" % port)
    worker = start(processes, example, port, "--worker", *patching)
    worker.expect("ready")
    see(worker, None)
    subscriber, = redis_server.subscribers()
    assert redis_server.ask("CLIENT KILL ID %s" % subscriber["id"]).startswith(":1")
    # As another host's client would, and maybe before the reader has a connection again.
    redis_server.ask("SET last:test-%d news" % port)
    redis_server.ask("PUBLISH test-%d news" % port)
    see(worker, "news")
    again, = redis_server.subscribers()
    assert again["id"] != subscriber["id"]
    worker.send("more")
    see(worker, "more")


ADAPTER = """
import sys
sys.path.insert(0, %r)
if "--gevent" in sys.argv:
    from gevent import monkey
    monkey.patch_all()
from support.talk import commands, tell
steps = commands()  # standard input would block all greenlets

def listener(name):
    return lambda value: tell("told", name=name, value=value)
""" % EXAMPLES

REDIS_ADAPTER = ADAPTER + """
from redis_pubsub import Redis
one = Redis(sys.argv[1])
first, second, third = listener("first"), listener("second"), listener("third")
registration = {"channel": sys.argv[2]}
one.publish(dict(registration, value="kept"))
one.subscribe(registration, first)
tell("subscribed")
next(steps)
# The channel is never without a listener long enough for the reader to notice, or it is.
one.unsubscribe(registration, first)
one.subscribe(registration, second)
one.subscribe(registration, third)
next(steps)
one.unsubscribe(registration)
one.publish(dict(registration, value="unheard"))
tell("got", value=one.get(sys.argv[2]))
one.close()
tell("closed")
"""


def test_the_redis_adapter_tells_every_listener_the_value_that_is_there(
        redis_server, patching, processes, port):
    script = processes.start(REDIS_ADAPTER, redis_server.address, "test-%d" % port, *patching,
                             env=ENVIRONMENT)
    script.expect("subscribed")
    assert script.expect("told") == {"event": "told", "name": "first", "value": "kept"}
    script.send(None)
    heard = set()
    until(lambda: heard.add(script.expect("told")["name"]) or heard >= {"second", "third"},
          "the later listeners are told")
    script.send(None)
    assert script.expect("got")["value"] == "unheard"
    script.expect("closed")
    assert script.wait() == 0
    assert not redis_server.connections()
    assert "unheard" not in script.describe().partition("events not taken")[2]


ZOOKEEPER_ADAPTER = ADAPTER + """
from zookeeper import ZooKeeper, start_kazoo
one, kazoo = ZooKeeper(sys.argv[1]), start_kazoo(sys.argv[1])
path = sys.argv[2]
names, data = listener("names"), listener("data")
children = {"path": path, "children": True}
one.subscribe(children, names)
tell("step")

def step(action, *args):
    next(steps)
    action(*args)
    tell("step")

step(kazoo.create, path)
step(kazoo.create, path + "/b")
step(kazoo.create, path + "/a")
step(kazoo.delete, path, -1, True)
step(kazoo.ensure_path, path + "/c")
step(one.unsubscribe, children, names)
step(kazoo.create, path + "/d")
step(one.subscribe, children, names)
step(kazoo.create, path + "/e")
next(steps)
one.close()
kazoo.stop()
kazoo.close()
tell("closed")
"""


def test_the_zookeeper_adapter_watches_children_of_a_node_that_comes_and_goes(
        zookeeper_server, patching, processes, port):
    script = processes.start(ZOOKEEPER_ADAPTER, zookeeper_server.address, "/test-%d" % port,
                             *patching, env=ENVIRONMENT)

    def next_step():
        script.expect("step")
        script.send(None)

    def told(names):
        assert script.expect("told")["value"] == names

    told(None)
    for names in ([], ["b"], ["a", "b"]):
        next_step()
        told(names)
    next_step()  # a recursive delete: kazoo may or may not show what is between
    until(lambda: script.expect("told")["value"] is None, "the node is gone")
    next_step()
    until(lambda: script.expect("told")["value"] == ["c"], "the new node's child")
    next_step()  # unsubscribe
    next_step()  # what is made now is not told ...
    next_step()
    told(["c", "d"])  # ... before it is subscribed again
    next_step()
    told(["c", "d", "e"])  # once: the first watch is over
    script.expect("step")
    script.send(None)
    script.expect("closed")
    assert script.wait() == 0
    assert "'told'" not in script.describe()


PLAIN = ADAPTER + """
from clusterclient_sync import TranscodeError
from kazoo.exceptions import BadVersionError, NoNodeError
from kazoo.protocol.states import ZnodeStat
from zookeeper import share_plain
path = sys.argv[2]
client = share_plain(sys.argv[1], int(sys.argv[3]))
client.ready(timeout=30)
tell("ready", is_leader=client.is_leader)
for command in steps:
    if command == "make":
        client.ensure_path(path)
        client.set(path, b"\\xff\\x00 data")
        client.create(path + "/here", bytearray(b"text"), ephemeral=True)
    data, stat = client.get(path)
    assert data == b"\\xff\\x00 data" and isinstance(data, bytes), repr(data)
    assert isinstance(stat, list) and ZnodeStat(*stat).numChildren == 1, stat
    assert client.get_children(path) == ["here"]
    here = ZnodeStat(*client.exists(path + "/here"))
    assert here.ephemeralOwner > 2 ** 53, here  # the session: too large for a float
    assert client.exists(path + "/not-here") is None
    for error, call in ((NoNodeError, lambda: client.get(path + "/not-here")),
                        (BadVersionError, lambda: client.set(path, b"\\xff", 77)),
                        (TranscodeError, lambda: client.get(path, watch=tell))):
        try:
            call()
        except error:
            pass
        else:
            raise AssertionError("no %s" % error)
    tell("done", stat=stat, owner=here.ephemeralOwner)
client.close()
"""


def test_a_plain_kazoo_client_is_shared_with_its_values_and_errors(
        zookeeper_server, patching, processes, port):
    scripts = [processes.start(PLAIN, zookeeper_server.address, "/test-%d" % port, port, *patching,
                               env=ENVIRONMENT) for _ in range(2)]
    roles = [script.expect("ready")["is_leader"] for script in scripts]
    assert sorted(roles) == [False, True]
    scripts[0].send("make")
    first = scripts[0].expect("done")
    scripts[1].send("look")
    assert scripts[1].expect("done") == first
    assert len(zookeeper_server.connections()) == 1
    for script in scripts:
        script.close_stdin()
    assert [script.wait() for script in scripts] == [0, 0], scripts[0].describe()
    until(lambda: not zookeeper_server.connections(), "the session ends with the clients")
