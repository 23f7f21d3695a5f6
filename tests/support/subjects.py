"""A client under test of each kind, and the levers of its real client.

Kinds: ``leader`` has the real client; ``follower`` follows a leader in another process; ``second``
follows a leader in this process; ``single`` shares a real client without a port.  ``threaded
leader`` and ``threaded follower`` are the same in native threads: the client lives in a hub of its
own, and so the test, whose hub is another, calls it from elsewhere.
"""

from __future__ import absolute_import, division, print_function

import itertools
import os

import pytest

from support import named
from support.recording import TIMEOUT, Recorder, build

#: The clients that live in the hub of whoever uses them.
GREENLET_KINDS = ("leader", "follower", "second", "single")
KINDS = GREENLET_KINDS + ("threaded leader", "threaded follower")
THREADED = "threaded "

_numbers = itertools.count(1)


def kinds(*names):
    """Run a test with these kinds of client only."""
    return pytest.mark.parametrize("kind", names, indirect=True)


class LeaderProcess(object):
    """Another process, which makes leaders."""

    def __init__(self, child):
        self._child = child
        self.pid = child.pid
        child.expect("up")

    def ask(self, what, *args, **how):
        """Have it do something; raises what went wrong there."""
        number = next(_numbers)
        self._child.send({"id": number, "what": what, "args": args})
        answer = self._child.expect("answer-%d" % number, how.get("timeout", TIMEOUT + 5))
        assert "error" not in answer, answer["error"]
        return answer["value"]


class Upstream(object):
    """The recorder of the real client, wherever that lives: ``upstream.count("subscribe")``."""

    def __init__(self, ask):
        self._ask = ask

    def __getattr__(self, name):
        return lambda *args, **kwargs: self._ask(name, *args, **kwargs)


class Subject(object):
    """A client under test, ``upstream`` (the recorder of its real client), and their port."""

    def __init__(self, kind, port, leader_process, options, own, delegates):
        self.is_threaded = kind.startswith(THREADED)
        self.kind = kind = kind.replace(THREADED, "")
        self.port = port
        self.tag = "%s-%d" % (kind, next(_numbers))
        self.pid = leader_process.pid if kind == "follower" else os.getpid()
        self._leader_process = leader_process
        self._options = options
        self._own = own
        self._delegates = delegates
        self._clients = []
        self._recorder = None
        self._has_leader = False
        if kind == "follower":
            self.upstream = Upstream(self._ask_leader)
        else:
            self._recorder = Recorder(self.tag).attach()
            self.upstream = self._recorder

    def _ask_leader(self, name, *args):
        return self._leader_process.ask("do", self.tag, name, args)

    def another(self, **options):
        """One more client of the same name in this process, with the same options and these."""
        return self._create(dict(self._own, **options))

    def _create(self, options):
        if self.kind == "single":
            options["single_mode"] = True
        if self.is_threaded:
            # The recording client is written for gevent.
            options.update(runtime="thread", real_client_runtime="greenlet")
        client = build(self.port, self.tag, dict(self._options, **options), self._delegates)
        self._clients.append(client)
        return client

    def lead(self):
        """Have a leader elsewhere, where this kind has one."""
        self._has_leader = True
        if self.kind == "follower":
            is_leader = self._leader_process.ask(
                "make", self.tag, self.port, self._options, self._delegates)
            assert is_leader is True
        elif self.kind == "second":
            self._create({}).ready(TIMEOUT)

    def begin(self):
        """Make the client under test; a follower's may have no leader yet."""
        if self.kind == "second" and not self._has_leader:
            self.lead()
        forced = {"is_leader": False} if self.kind in ("follower", "second") else {}
        self.client = self.another(**forced)

    def get_ready(self):
        """Have it lead or follow."""
        if not self._has_leader:
            self.lead()
        self.client.ready(TIMEOUT)
        assert self.client.is_leader is (self.kind in ("leader", "single"))

    def close_leader(self):
        """Close the client that leads, where that is another one."""
        if self.kind == "follower":
            self._leader_process.ask("close", self.tag)
        elif self.kind == "second":
            self._clients[0].close()

    @property
    def has_own_real_client(self):
        """Whether closing the client closes the real client."""
        return self.kind in ("leader", "single")

    def end(self):
        """Close all; returns what was left behind elsewhere, and what ran in a hub."""
        if self._recorder is not None:
            self._recorder.detach()
        for client in reversed(self._clients):
            client.close()
        left = []
        if self.kind == "follower" and self._has_leader:
            left = self._leader_process.ask("drop", self.tag)
        bad, named.ran_in_hub[:] = list(named.ran_in_hub), []
        return left + bad
