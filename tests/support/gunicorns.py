"""A real gunicorn with :mod:`support.gunicorn_app`, and the load on it."""

from __future__ import absolute_import, division, print_function

import collections
import os
import re
import signal

import gevent

from clusterclient_sync.demo.http_request import ConnectionLost, request
from clusterclient_sync.demo.processes import is_alive
from support.leaks import parent_of
from support.members import until
from support.ports import free_port
from support.processes import TESTS, TIMEOUT

SCRIPT = os.path.join(TESTS, "support", "run_gunicorn.py")
HOOKS = "from clusterclient_sync.integrations.gunicorn import *\n"
#: gunicorn 25 and later would open a socket for its control program in the home directory.
COMMON = "control_socket_disable = True\nworker_class = 'gevent'\n"


def install(**options):
    """A configuration with these options."""
    told = ", ".join("%s=%r" % item for item in sorted(options.items()))
    return ("from clusterclient_sync.integrations.gunicorn import install\n"
            "install(globals(), %s)\n" % told)


class Gunicorn(object):
    """One master and its workers.

    :param folder: a ``py.path`` folder of its own for the configuration.
    :param config: the configuration's text.
    :param settings: gunicorn's settings besides, by name.
    """

    def __init__(self, processes, folder, journal, config=HOOKS, env=None, **settings):
        self.path = folder.ensure(dir=True).join("gunicorn.conf.py")
        self.address = ("127.0.0.1", free_port())
        self.workers = settings.setdefault("workers", 3)
        self.known = collections.OrderedDict()  # pid of a client's process -> its last news
        self.masters = []
        settings.setdefault("graceful_timeout", 10)
        self._settings = "".join("%s = %r\n" % item for item in sorted(settings.items()))
        self.configure(config)
        self.child = processes.start(
            SCRIPT, "--config", self.path, "--bind", "%s:%d" % self.address, "--log-level", "info",
            "support.gunicorn_app:application",
            # The runtime is what each worker chooses by itself.
            env=dict({"TEST_JOURNAL": journal.path, "CLUSTERCLIENT_PORT": None,
                      "CLUSTERCLIENT_RUNTIME": None}, **(env or {})))
        self.masters.append(self.child.pid)

    def configure(self, config):
        """Write the configuration that is read at the start, and again at a HUP or USR2."""
        self.path.write(COMMON + self._settings + config)

    @property
    def pid(self):
        """Of the master that was started first."""
        return self.masters[0]

    def signal(self, number, pid=None):
        """Send a signal, to the first master where no pid is given."""
        os.kill(self.pid if pid is None else pid, number)

    # What its processes tell ----------------------------------------------------------------

    def next_role(self):
        """The next news of a client's role."""
        news = self.child.expect("role")
        self.known[news["pid"]] = news
        return news

    def join(self, count=None, parent=None, known=()):
        """Wait until so many processes have a role; returns their pids.

        :param parent: only the children of this process count.
        :param known: these do not count.
        """
        def found():
            return [pid for pid, news in self.known.items()
                    if pid not in known and parent in (None, news["parent"]) and is_alive(pid)]

        while len(found()) < (self.workers if count is None else count):
            self.next_role()
        return found()

    def eldest(self):
        """The pid of the worker that gunicorn started first."""
        return int(re.search(r"Booting worker with pid: (\d+)", self.log()).group(1))

    def leader(self):
        """The pid of the process that leads now, as a request is told."""
        return self.ask()["leader"]

    def port_of(self, pid):
        """The port at which a client's process met the others."""
        return self.known[pid]["port"]

    def ask(self, path="/"):
        """What a worker answers."""
        try:
            answer = request(self.address, path, timeout=TIMEOUT)
        except ConnectionLost as error:
            raise AssertionError("%s: %s" % (error, self.child.describe()))
        assert answer.status == 200, self.child.describe()
        return answer.body

    def log(self):
        """What was logged."""
        return self.child.stderr_text()

    # Ends -----------------------------------------------------------------------------------

    def wait_gone(self, pids):
        """Wait until these processes have ended."""
        try:
            until(lambda: not any(map(is_alive, pids)), "%r have ended" % (list(pids),))
        except AssertionError as failure:
            raise AssertionError("%s\n%s" % (failure, self.child.describe()))

    def upgrade(self):
        """USR2: start a second master beside the first; returns the pids of its workers."""
        before = set(self.known)
        self.signal(signal.SIGUSR2)
        workers = self.join(2 * self.workers)
        found = [pid for pid in workers if pid not in before]
        self.masters.append(self.known[found[0]]["parent"])
        return found

    def stop(self):
        """End it as an operator would, the youngest master first; nothing is left."""
        for pid in reversed(self.masters):
            if is_alive(pid):
                os.kill(pid, signal.SIGTERM)
                self.wait_gone([pid])
        self.child.wait()
        self.wait_gone(self.known)

    def close(self):
        """End what a failing test left."""
        left = list(self.known) + self._silent_workers()
        for pid in self.masters + left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.wait_gone(left)

    def _silent_workers(self):
        """Those that are still a master's, and maybe never told anything."""
        booted = re.findall(r"Booting worker with pid: (\d+)", self.log())
        return [pid for pid in map(int, booted) if is_alive(pid) and parent_of(pid) in self.masters]


class Load(object):
    """Requests without end, each on a connection of its own, from a few greenlets."""

    def __init__(self, gunicorn, greenlets=4):
        self.answered = 0
        self.by_worker = collections.Counter()
        self.last_answers = {}  # a worker's pid -> what it answered last
        self.failures = []
        self.at_once = greenlets
        self._gunicorn = gunicorn
        self._is_over = False
        self._greenlets = [gevent.spawn(self._run) for _ in range(greenlets)]

    def _run(self):
        while not self._is_over:
            try:
                answer = request(self._gunicorn.address, "/", timeout=TIMEOUT)
            except ConnectionLost as error:
                self.failures.append(str(error))
            else:
                if answer.status != 200:
                    self.failures.append("status %d" % answer.status)
                else:
                    self.answered += 1
                    self.by_worker[answer.body["pid"]] += 1
                    self.last_answers[answer.body["pid"]] = answer.body
            gevent.sleep(0.002)

    def more(self, count=60):
        """Wait until so many more were answered."""
        goal = self.answered + count
        until(lambda: self.answered >= goal, "%d more requests are answered" % count)

    def until_answered_by(self, pids):
        """Wait until each of these workers answered since now."""
        before = dict(self.by_worker)
        until(lambda: all(self.by_worker[pid] > before.get(pid, 0) for pid in pids),
              "all of %r answer" % (pids,))

    def until_told_by(self, pids, value):
        """Wait until each of these workers answers that its listener was told this last."""
        until(lambda: all(self.last_answers.get(pid, {}).get("told") == value for pid in pids),
              "all of %r were told %r" % (pids, value))

    def stop(self):
        """Send no more; returns what failed."""
        self._is_over = True
        gevent.joinall(self._greenlets)
        return self.failures

    close = stop


def hold_at_leader(server, closing_greenlets):
    """Have a request under way in the leading worker: ``(its pid, the request's greenlet)``."""
    while True:
        request = gevent.spawn(server.ask, "/hold")
        closing_greenlets.append(request)
        news = server.child.expect("holding")
        if news["is_leader"]:
            return news["pid"], request
