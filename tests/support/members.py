"""The test's side of :mod:`support.cluster_member`."""

from __future__ import absolute_import, division, print_function

import itertools
import os

import gevent

from clusterclient_sync._compat import monotonic
from support.processes import TESTS, TIMEOUT

SCRIPT = os.path.join(TESTS, "support", "cluster_member.py")


class Failed(Exception):
    """A command ended with an error in the member: ``type``, ``text``, ``outcome``, ``details``
    and ``error_args`` are those of the error."""

    def __init__(self, error):
        super(Failed, self).__init__("%(type)s: %(text)s (%(outcome)s)" % error)
        self.type = error["type"]
        self.text = error["text"]
        self.outcome = error["outcome"]
        self.details = error["details"]
        self.error_args = error["args"]


class Pending(object):
    """A command under way."""

    def __init__(self, member, number):
        self._member = member
        self._number = number

    def get(self, timeout=TIMEOUT):
        """Its value; raises :class:`Failed`."""
        answer = self._member.child.expect("answer %d" % self._number, timeout)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["value"]


class Member(object):
    """One process with one or several clients; ``main`` where a command names no client."""

    def __init__(self, child):
        self.child = child
        self.pid = child.pid
        self._numbers = itertools.count()

    def begin(self, do, **details):
        """Have a command done; returns at once."""
        number = next(self._numbers)
        self.child.send(dict(details, do=do, number=number))
        return Pending(self, number)

    def do(self, do, **details):
        """Have a command done, and wait for its value; raises :class:`Failed`."""
        return self.begin(do, **details).get()

    def call(self, name, *args, **how):
        """Call a method of the client ``main`` (or ``client``), with ``timeout``."""
        return self.do("call", name=name, args=args, client=how.pop("client", "main"), **how)

    def leadership(self, client="main"):
        """The next news of who leads: ``(role, epoch, pid)``."""
        news = self.child.expect(client + " leader_change")
        return news["role"], news["epoch"], news["pid"]

    def value(self, client="main"):
        """The next value that the client's listener got."""
        return self.child.expect(client + " value")["value"]

    def value_like(self, wanted, client="main"):
        """Take values until this one came; the others before it are returned."""
        others = []
        while True:
            value = self.value(client)
            if value == wanted:
                return others
            others.append(value)

    def log(self):
        """What it has logged."""
        return self.child.stderr_text()


class Members(object):
    """Starts members that share a port and a journal.

    :param processes: the fixture.
    """

    def __init__(self, processes, port, journal):
        self.port = port
        self.journal = journal
        self._processes = processes

    def start(self, python=None, patched=False):
        """A member without clients."""
        return self.start_all(1, python, patched)[0]

    def start_all(self, count, python=None, patched=False):
        """So many members without clients; they start side by side."""
        arguments = ["--patched"] if patched else []
        children = [self._processes.start(SCRIPT, *arguments, python=python)
                    for _ in range(count)]
        for child in children:
            child.expect("started")
        return [Member(child) for child in children]

    def create(self, member, client="main", config=None, delegates=(), **options):
        """Have a member make a client of this port; it is not waited for."""
        options.setdefault("port", self.port)
        member.do("create", client=client, options=options, delegates=delegates,
                  config=dict({"journal": self.journal.path}, **(config or {})))

    def join(self, python=None, patched=False, **how):
        """A member with one client that is ready."""
        return self.join_all(1, python, patched, **how)[0]

    def join_all(self, count, python=None, patched=False, **how):
        """So many members with one client each; the first of them joins before the others."""
        joined = self.start_all(count, python, patched)
        client = how.get("client", "main")
        self.create(joined[0], **how)
        joined[0].do("ready", client=client)
        for member in joined[1:]:
            self.create(member, **how)
        for member in joined[1:]:
            member.do("ready", client=client)
        return joined


def until(condition, what, timeout=TIMEOUT):
    """Wait until ``condition()`` is true, and return what it gave."""
    deadline = monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if monotonic() > deadline:
            raise AssertionError("not within %g s: %s" % (timeout, what))
        gevent.sleep(0.005)


def leader_of(members, client="main"):
    """Wait until one of these members leads; return it."""
    def find():
        leading = [member for member in members if member.do("is_leader", client=client)]
        assert len(leading) < 2, "two leaders"
        return leading

    return until(find, "one of them leads")[0]
