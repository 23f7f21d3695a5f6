"""The workers' side: what each of them says of itself at ``/status``."""

from __future__ import absolute_import, division, print_function

import gevent

from clusterclient_sync.demo.http_request import ConnectionLost, request

INTERVAL = 0.05
AT_ONCE = 6  # more than there are workers, so that none is left out for long


class Worker(object):
    """What one worker told last."""

    def __init__(self, status):
        self._status = status
        self.pid = status["pid"]
        self.is_leader = status["is_leader"]
        self.epoch = status["epoch"]
        self.seen = status["seen"]
        self.counters = status["counters"]

    @property
    def role(self):
        """``leader``, ``follower``, ``-`` while it is neither, or ``on its own``."""
        if not self._status["sharing"]:
            return "on its own"
        return {True: "leader", False: "follower"}.get(self.is_leader, "-")

    def became(self, role, since):
        """When it first got a role after ``since``, by the monotonic clock, or ``None``."""
        for change in self._status["changes"]:
            if change["role"] == role and change["at"] >= since:
                return change["at"]
        return None

    def saw(self, value):
        """When its subscription got ``value``, if that is the last one that it got, else ``None``.

        The clock is the host's monotonic one, which all processes of the host share.
        """
        if self.seen is not None and self.seen["value"] == value:
            return self.seen["at"]
        return None


class Workers(object):
    """Keeps asking ``/status``; nobody chooses which worker answers."""

    def __init__(self, address):
        self._address = address
        self._killed = set()
        self._known = {}
        self._ever = set()
        self._greenlets = []

    def watch(self):
        """Keep asking from now on."""
        self._greenlets = [gevent.spawn(self._watch) for _ in range(AT_ONCE)]

    def stop(self):
        """Ask no more."""
        gevent.killall(self._greenlets)

    def alive(self):
        """The last of every worker that was seen and not killed, by pid."""
        return [self._known[pid] for pid in sorted(self._known)]

    def leaders(self):
        """Those that say they lead."""
        return [worker for worker in self.alive() if worker.is_leader]

    def ever(self):
        """The pids of all that were ever seen."""
        return sorted(self._ever)

    def killed(self, pid):
        """Forget a worker that was killed, and what it told and is still on its way."""
        self._killed.add(pid)
        self._known.pop(pid, None)

    def _watch(self):
        while True:
            try:
                response = request(self._address, "/status")
            except ConnectionLost:
                pass  # the killed worker had it; requests that count are those of the load
            else:
                if response.status == 200:
                    self._note(Worker(response.body))
            gevent.sleep(INTERVAL)

    def _note(self, worker):
        self._ever.add(worker.pid)
        if worker.pid not in self._killed:
            self._known[worker.pid] = worker
