"""Node.js processes of a test: ``peer.js``, driven as ``support.members`` drives Python ones."""

from __future__ import absolute_import, division, print_function

import fcntl
import json
import os
import subprocess

import gevent

from clusterclient_sync._compat import monotonic
from node_values import build, describe
from support.members import Member
from support.processes import Child, Processes

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "peer.js")
OLDEST_NODE = 14  # that the npm package runs on


class NotHere(Exception):
    """Node.js or npm is not on this machine, or too old; the text says which."""


def version_of(command):
    """What ``command --version`` says."""
    try:
        process = subprocess.Popen([command, "--version"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError:
        raise NotHere("there is no %s on the PATH" % command)
    output = process.communicate()[0].decode("utf-8", "replace").strip()
    if process.returncode != 0:
        raise NotHere("%s --version fails" % command)
    return output


def check_node():
    """
    :raises NotHere: the tests cannot run.
    """
    told = version_of("node")
    if int(told.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise NotHere("node is %s, and cluster-client needs %d or later" % (told, OLDEST_NODE))
    version_of("npm")


def install():
    """Have ``npm ci`` make ``node_modules`` where it is not what the lock file says.

    Several test runs may want it at once; one makes it.
    """
    with open(os.path.join(HERE, "package-lock.json"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if packages("package-lock.json") != packages("node_modules", ".package-lock.json"):
            process = subprocess.Popen(
                ["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output = process.communicate()[0].decode("utf-8", "replace")
            assert process.returncode == 0, "npm ci failed in %s:\n%s" % (HERE, output)


def packages(*path):
    """Place and version of every package in a lock file; ``None`` where it is not there."""
    try:
        with open(os.path.join(HERE, *path)) as text:
            found = json.load(text)["packages"]
    except (IOError, OSError, ValueError, KeyError):
        return None
    return {place: package["version"] for place, package in found.items() if place}


class Node(Member):
    """One Node.js process with one or several clients; ``main`` where a command names none."""

    def create(self, port, client="main", config=None, json=False, **options):
        """Have it make a client; ``options`` are the npm package's."""
        self.do("create", client=client, options=dict(options, port=port), config=config,
                json=json)

    def join(self, port, client="main", **how):
        """The same, and wait until it is ready."""
        self.create(port, client, **how)
        self.do("ready", client=client)

    def call(self, name, *args, **how):
        """Call a method; the value as Python has it."""
        return build(self.begin_call(name, *args, **how).get())

    def begin_call(self, name, *args, **how):
        """Call a method (``how``: the command, and the client); returns at once."""
        return self.begin(how.get("do", "call"), client=how.get("client", "main"), name=name,
                          args=[describe(arg) for arg in args])

    def subscribe(self, registration, client="main", name="value"):
        """Subscribe; its values are told under ``name``."""
        self.do("subscribe", client=client, registration=describe(registration), name=name)

    def value(self, client="main", name="value"):
        """The next value that a listener got, as Python has it."""
        return build(self.raw_value(client, name))

    def raw_value(self, client="main", name="value"):
        """The same, as a description."""
        return self.child.expect("%s %s" % (client, name))["value"]

    def next_error(self, client="main"):
        """The next "error" event of a client: its text."""
        return self.child.expect(client + " error")["text"]

    def errors_so_far(self, client="main"):
        """The texts of a client's "error" events that were not taken."""
        return [news["text"] for news in self.child._events
                if news["event"] == client + " error"]

    @property
    def is_alive(self):
        """Whether it runs."""
        return self.child.returncode is None


class Nodes(Processes):
    """Starts Node.js processes and ends them all."""

    def start_node(self):
        """A process without clients."""
        child = Child(["node", SCRIPT], dict(os.environ), HERE)
        self.children.append(child)
        child.expect("started")
        return Node(child)


def printed(child, start):
    """Wait for a line that the child prints, and return the rest of it."""
    deadline = monotonic() + 20
    while True:
        for line in child.noise:
            if line.startswith(start):
                return line[len(start):].strip()
        assert monotonic() < deadline, "%r was not printed by %s" % (start, child.describe())
        gevent.sleep(0.01)
