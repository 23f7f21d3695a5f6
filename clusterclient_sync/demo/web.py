"""The gunicorn that the demo drives."""

from __future__ import absolute_import, division, print_function

import os
import re
import sys

import gevent

from clusterclient_sync._compat import monotonic
from clusterclient_sync.demo.findings import DemoError

# Every gunicorn that works here says so at level INFO; with port 0 it is the only one to know.
LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
INTERVAL = 0.02
START_TIMEOUT = 8.0


class Web(object):
    """A gunicorn with the example application; ``address`` and ``pid`` once it is started.

    :param log_path: where it and its workers write what they have to say.
    """

    def __init__(self, log_path):
        self.address = None
        self.pid = None
        self._process = None
        self._log_path = log_path

    def start(self, processes, examples, environment):
        """Start it and wait until it listens."""
        with open(self._log_path, "ab") as log:
            self._process = processes.start(
                [sys.executable, "-m", "gunicorn.app.wsgiapp",
                 "--config", os.path.join(examples, "gunicorn_conf.py"), "--chdir", examples,
                 "--bind", "127.0.0.1:0", "--log-level", "info", "app:application"],
                stdout=log, stderr=log, env=environment)
        self.pid = self._process.pid
        deadline = monotonic() + START_TIMEOUT
        while self.address is None:
            self.check()
            if monotonic() > deadline:
                raise DemoError("gunicorn did not listen within %s s" % START_TIMEOUT)
            found = LISTENING.search(self.log())
            if found:
                self.address = ("127.0.0.1", int(found.group(1)))
            else:
                gevent.sleep(INTERVAL)

    def check(self):
        """Raise ``DemoError`` when gunicorn has ended."""
        if self._process.poll() is not None:
            raise DemoError("gunicorn ended with status %s" % self._process.returncode)

    def log(self):
        """What was written so far."""
        with open(self._log_path, "rb") as log:
            return log.read().decode("utf-8", "replace")
