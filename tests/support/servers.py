"""Real redis and ZooKeeper servers for a test: from Debian's packages, on ports of their own.

Each is started in the foreground, in a folder of its own, and ended by its pid.
"""

from __future__ import absolute_import, division, print_function

import contextlib
import importlib
import os
import re
import sys

import gevent.socket

from support.members import until
from support.ports import free_port
from support.processes import Child, environment

ZOOKEEPER_JAR = "/usr/share/java/zookeeper.jar"
#: Short, since a test's server lives for seconds.
JAVA_OPTIONS = ("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
ZOOKEEPER_CONFIG = """\
tickTime=2000
dataDir={folder}
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=srvr,cons
"""


class NotHere(Exception):
    """A server, or its Python client, is not on this machine; the text says which."""


def find(program):
    """The path of a program.

    :raises NotHere: it is not on the PATH.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK):
            return path
    raise NotHere("there is no %s on the PATH" % program)


def check_importable(module):
    """
    :raises NotHere: this Python lacks the module.
    """
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise NotHere("this Python has no %s: %s" % (module, error))


class Server(object):
    """A server at 127.0.0.1; ``port`` and ``address`` say where."""

    #: What it is called.
    name = None

    def __init__(self, folder):
        self.port = free_port()
        self.address = "127.0.0.1:%d" % self.port
        self.child = Child(self.command(str(folder)), environment(sys.executable, {}), str(folder))
        try:
            until(self.answers, "%s answers" % self.name)
        except BaseException:
            self.close()
            raise

    def command(self, folder):
        """The program and its arguments."""
        raise NotImplementedError

    def answers(self):
        """Whether it serves."""
        raise NotImplementedError

    def ask(self, text):
        """What it says to a command, up to the end of the connection."""
        connection = gevent.socket.create_connection(("127.0.0.1", self.port), timeout=5)
        with contextlib.closing(connection):
            connection.sendall(text.encode("ascii"))
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        return said.decode("utf-8")

    def close(self):
        """End it."""
        self.child.end()


class RedisServer(Server):
    """redis, which keeps nothing on disk."""

    name = "redis"
    package = "redis"

    @staticmethod
    def check():
        """
        :raises NotHere: it cannot run here.
        """
        find("redis-server")

    def command(self, folder):
        return [find("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1",
                "--save", "", "--appendonly", "no", "--dir", folder]

    def ask(self, text):
        return super(RedisServer, self).ask("%s\r\nQUIT\r\n" % text)

    def answers(self):
        try:
            return self.ask("PING").startswith("+PONG")
        except (IOError, OSError):
            return False

    def connections(self):
        """The members of each connection, but the asking one, as dicts of text."""
        found = [dict(re.findall(r"([\w-]+)=(\S*)", line))
                 for line in self.ask("CLIENT LIST").splitlines() if "addr=" in line]
        return [one for one in found if one["name"]]

    def subscribers(self):
        """Those of them that are subscribed."""
        return [one for one in self.connections() if int(one["sub"])]


class ZooKeeperServer(Server):
    """A single ZooKeeper."""

    name = "ZooKeeper"
    package = "kazoo"

    @staticmethod
    def check():
        """
        :raises NotHere: it cannot run here.
        """
        find("java")
        if not os.path.exists(ZOOKEEPER_JAR):
            raise NotHere("there is no %s" % ZOOKEEPER_JAR)

    def command(self, folder):
        config = os.path.join(folder, "zoo.cfg")
        with open(config, "w") as text:
            text.write(ZOOKEEPER_CONFIG.format(folder=os.path.join(folder, "data"), port=self.port))
        return [find("java")] + list(JAVA_OPTIONS) + [
            "-cp", ZOOKEEPER_JAR, "org.apache.zookeeper.server.ZooKeeperServerMain", config]

    def answers(self):
        try:
            return "Mode: standalone" in self.ask("srvr")
        except (IOError, OSError):
            return False

    def connections(self):
        """A line for each connection that has a session."""
        return [line for line in self.ask("cons").splitlines() if "sid=0x" in line]
