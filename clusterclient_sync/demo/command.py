"""The demo's life: starts everything, runs the scenario, and ends everything, whatever happens."""

from __future__ import absolute_import, division, print_function

import json
import os
import platform
import shutil
import signal
import sys
import tempfile

import gevent
from gevent.event import Event

from clusterclient_sync._compat import monotonic
from clusterclient_sync.demo import findings as f
from clusterclient_sync.demo.load import Load
from clusterclient_sync.demo.places import child_environment, examples_directory
from clusterclient_sync.demo.ports import free_port
from clusterclient_sync.demo.processes import Processes, is_alive
from clusterclient_sync.demo.scenario import FIRST_VALUE, KEY, WORKERS, Scenario
from clusterclient_sync.demo.table import Table
from clusterclient_sync.demo.upstream import Upstream
from clusterclient_sync.demo.view import make_view
from clusterclient_sync.demo.web import Web
from clusterclient_sync.demo.workers import Workers

DEADLINE = 14.5    # seconds for the scenario; with the rest the demo stays under 20
STOP_GRACE = 3.0   # for the processes to end by themselves
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG_LINES = 40
INTERRUPTED = 128


def run(sharing, as_json=False, plain=False, stream=None):
    """Run the demo; returns the exit status.

    :param sharing: whether the workers share one client.
    :param as_json: print only one JSON document, at the end.
    :param plain: lines only, on a terminal too.
    """
    stream = stream or sys.stdout
    return Demo(sharing, make_view(stream, as_json, plain)).run(stream, as_json)


class Demo(object):
    """One demo, from the first process to the last."""

    def __init__(self, sharing, view):
        self._findings = f.Findings(sharing, WORKERS)
        self._view = view
        self._processes = Processes()
        self._upstream = Upstream()
        self._web = None
        self._workers = None
        self._scenario = None
        self._directory = None
        self._wake = Event()
        self._signal = None

    def run(self, stream, as_json):
        """Do it all and report to the stream; returns the exit status."""
        started = monotonic()
        handlers = [gevent.signal_handler(number, self._interrupt, number) for number in SIGNALS]
        self._directory = tempfile.mkdtemp(prefix="clusterclient_sync-demo-")
        try:
            work = gevent.spawn(self._work)
            work.rawlink(lambda _: self._wake.set())
            if not self._wake.wait(DEADLINE):
                self._findings.problem("the demo did not get through in %s s" % DEADLINE)
            work.kill()
            self._stop()
            self._findings.facts["seconds"] = round(monotonic() - started, 2)
            return self._report(stream, as_json)
        finally:
            self._processes.stop(STOP_GRACE)  # nothing is left to end, unless we failed above
            shutil.rmtree(self._directory, ignore_errors=True)
            for handler in handlers:
                handler.cancel()

    def _interrupt(self, number):
        self._signal = number
        self._wake.set()

    # Start

    def _work(self):
        try:
            self._start()
            self._scenario.run()
        except (f.DemoError, f.NotSeen) as error:
            self._findings.problem(str(error))
        except Exception as error:
            self._findings.problem("the demo itself failed: %s: %s" % (type(error).__name__, error))

    def _start(self):
        self._describe_versions()
        examples = examples_directory()
        with open(os.path.join(self._directory, "registry.log"), "ab") as log:
            self._upstream.start(self._processes, examples, child_environment(), log)
        self._upstream.set(KEY, FIRST_VALUE)
        self._upstream.watch()
        self._view.say("the registry server, process %d, listens at %s" % (
            self._upstream.pid, self._upstream.address))
        self._web = Web(os.path.join(self._directory, "gunicorn.log"))
        self._web.start(self._processes, examples, child_environment(
            REGISTRY_ADDRESS=self._upstream.address, REGISTRY_WATCH=KEY,
            REGISTRY_SHARING="1" if self._findings.sharing else "0",
            REGISTRY_CLUSTER_PORT=str(free_port())))
        self._view.say("gunicorn, process %d, listens at http://%s:%d and starts %d workers" % (
            (self._web.pid,) + self._web.address + (WORKERS,)))
        self._workers = Workers(self._web.address)
        self._workers.watch()
        self._scenario = Scenario(
            self._findings, self._upstream, self._workers,
            lambda key, values: Load(self._web.address, key, values), self._web.address,
            self._web.check, self._view.say)
        self._view.draw(Table(self._workers, self._scenario.load, self._upstream, self._killed))

    def _describe_versions(self):
        try:
            import gunicorn
        except ImportError:
            raise f.DemoError("The demo needs gunicorn: pip install 'clusterclient_sync[gunicorn]'")
        self._findings.facts.update(python=platform.python_version(),
                                    gevent=gevent.__version__, gunicorn=gunicorn.__version__)

    def _killed(self):
        return [self._findings.facts["killed"]] if "killed" in self._findings.facts else []

    # Stop

    def _stop(self):
        """End everything that was started, in bounded time, and see that it ended."""
        self._view.stop()
        if self._scenario is not None:
            self._scenario.load.stop()
        if self._workers is not None:
            self._workers.stop()
        self._findings.facts["upstream_connections_peak"] = self._upstream.peak
        self._upstream.close()
        unclean = self._processes.stop(STOP_GRACE)
        pids = [pid for pid in (self._upstream.pid, self._web and self._web.pid) if pid]
        pids += self._workers.ever() if self._workers is not None else []
        left = [pid for pid in pids if is_alive(pid)]
        self._findings.facts["processes"] = pids
        if not unclean and not left:
            self._findings.seen(f.NOTHING_LEFT)
        for pid in unclean:
            self._findings.problem("process %d had to be killed" % pid)
        for pid in left:
            self._findings.problem("process %d is still there" % pid)

    # Report

    def _report(self, stream, as_json):
        if self._signal is not None:
            return INTERRUPTED + self._signal
        missing = self._findings.not_seen()
        if as_json:
            stream.write(json.dumps(self._findings.document(), indent=2, sort_keys=True) + "\n")
        for line in missing:
            (sys.stderr if as_json else stream).write(line + "\n")
        if missing:
            self._show_logs(sys.stderr)
        else:
            self._view.say("all of it was seen, and no process is left")
        stream.flush()
        return 1 if missing else 0

    def _show_logs(self, stream):
        for name in sorted(os.listdir(self._directory)):
            with open(os.path.join(self._directory, name), "rb") as log:
                lines = log.read().decode("utf-8", "replace").splitlines()
            if lines:
                stream.write("--- the end of %s\n" % name)
                for line in lines[-LOG_LINES:]:
                    stream.write(line.encode("ascii", "replace").decode("ascii") + "\n")
