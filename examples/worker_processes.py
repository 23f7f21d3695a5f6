"""What ``zookeeper.py`` and ``redis_pubsub.py`` have in common: they start workers and kill one.

:func:`main` is both sides.  The parent starts the workers, has one of them change what all of them
watch, kills the one that leads, has another change it again, and ends the rest.  A worker, the same
script with ``--worker`` behind, makes its client, prints each thing that happens to it as a line of
JSON, and does what it is told on its standard input: each line is a new value, as JSON.  It ends
when its input does.

A worker's line is ``{"event": EVENT, "pid": PID, ...}``:

===========  =============  ======================================================================
event        with           what happened
===========  =============  ======================================================================
``role``     ``role``       it is ``leader`` or ``follower`` now
``ready``                   it is one of both for the first time
``saw``      ``value``      what its subscription told
``changed``                 it has given a value that it was told to the server
===========  =============  ======================================================================
"""

from __future__ import absolute_import, division, print_function

import json
import os
import select
import signal
import subprocess
import sys
import threading

from six.moves import queue

_PATIENCE = 30  # seconds for whatever is waited for


def patch_where_wanted():
    """With ``--gevent`` a worker is a process of gevent's: call this before other imports.

    What this module imports itself is patched in place.
    """
    if "--gevent" in sys.argv and "--worker" in sys.argv:
        from gevent import monkey
        monkey.patch_all()


def is_patched():
    """Whether this is a process of gevent's."""
    # Here, and in nobody's names: a module that has something of gevent's among them counts as
    # written for gevent, and then its cluster clients use the hub of its own thread.
    from gevent import monkey
    return monkey.is_module_patched("threading")


def main(parser, make_client, watch, change):
    """Be the parent or a worker, as the command line says.

    :param parser: an ``argparse.ArgumentParser`` with the example's own options.
    :param make_client: ``make_client(options)`` gives a cluster client.
    :param watch: ``watch(client, options, tell)`` has ``tell(text)`` called with each value.
    :param change: ``change(client, options, text)`` sets the value.
    """
    parser.add_argument("--workers", type=int, default=3, help="processes, at least 2 (3)")
    parser.add_argument("--cluster-port", type=int, default=7777, metavar="PORT",
                        help="where the workers meet (7777)")
    parser.add_argument("--gevent", action="store_true", help="have gevent patch the workers")
    parser.add_argument("--worker", action="store_true", help="be one of them")
    options = parser.parse_args()
    if options.worker:
        _work(make_client(options), options, watch, change)
    elif options.workers < 2:
        parser.error("--workers: one of them will be killed, so at least 2")
    else:
        sys.exit(_parent(options.workers))


# -- a worker

def _work(client, options, watch, change):
    client.on("leader_change", lambda role, epoch, pid: _say("role", role=role))
    client.on("error", lambda error: print("worker %d: %s" % (os.getpid(), error), file=sys.stderr))
    try:
        watch(client, options, lambda value: _say("saw", value=value))
        client.ready(timeout=_PATIENCE)
        _say("ready")
        for text in _input_lines():
            change(client, options, text)
            _say("changed")
    finally:
        client.close()


def _say(event, **members):
    line = json.dumps(dict(members, event=event, pid=os.getpid())) + "\n"
    # At once and in one piece: listeners and handlers run side by side.
    os.write(1, line.encode("ascii"))


def _input_lines():
    # Reading sys.stdin would block all greenlets of a patched process; its select does not.
    rest = b""
    while True:
        select.select([0], [], [])
        data = os.read(0, 65536)
        if not data:
            return
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield json.loads(line.decode("utf-8"))


# -- the parent

class _Failed(Exception):
    """The workers did not do what they should; the text says what."""


class _Worker(object):
    """One process, its lines, and what is known of it."""

    def __init__(self, number, news):
        self.name = "worker %d" % number
        self.is_ready = False
        self.is_over = False
        self.role = None
        self.changes = 0  # that it was told and has not made yet
        self.seen = []
        self.process = subprocess.Popen(
            [sys.executable] + sys.argv + ["--worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.name += " (%d)" % self.process.pid
        self._news = news

    def read(self):
        """In a thread of its own: hand over each line, and ``None`` at the end."""
        for line in iter(self.process.stdout.readline, b""):
            self._news.put((self, json.loads(line.decode("utf-8"))))
        self._news.put((self, None))

    def take(self, message):
        """Remember, and print, what it said."""
        event = message["event"]
        if event == "role":
            self.role = message["role"]
            print("%s is the %s" % (self.name, self.role))
        elif event == "saw":
            self.seen.append(message["value"])
            print("%s sees %s" % (self.name, message["value"]))
        elif event == "ready":
            self.is_ready = True
        elif event == "changed":
            self.changes -= 1

    def change(self, value):
        """Have it set the value."""
        print("-- %s sets %s" % (self.name, value))
        self.changes += 1
        self.process.stdin.write((json.dumps(value) + "\n").encode("ascii"))
        self.process.stdin.flush()


class _Workers(object):
    """All workers that live."""

    def __init__(self, count):
        self._is_ending = False
        self._news = queue.Queue()
        self.living = [_Worker(number + 1, self._news) for number in range(count)]
        self._threads = [threading.Thread(target=worker.read) for worker in self.living]
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def wait(self, what, is_so):
        """Take what the workers say until ``is_so()``."""
        while not is_so():
            try:
                worker, message = self._news.get(timeout=_PATIENCE)
            except queue.Empty:
                raise _Failed("waited for %s, and nothing happened for %d s" % (what, _PATIENCE))
            if message is not None:
                worker.take(message)
            else:
                worker.is_over = True
            if worker.is_over and worker in self.living and not self._is_ending:
                raise _Failed("%s ended while waiting for %s" % (worker.name, what))
            sys.stdout.flush()

    def led_by(self):
        """The one that leads, or ``None`` where none does."""
        leaders = [worker for worker in self.living if worker.role == "leader"]
        return leaders[0] if leaders else None

    def kill(self, worker):
        """End one as a crash would."""
        print("-- %s is killed" % worker.name)
        self.living.remove(worker)
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()

    def change_and_see(self, value):
        """Have one change the value, a follower where there is one, until all have seen it."""
        sorted(self.living, key=lambda worker: worker.role == "leader")[0].change(value)
        self.wait("all to see %s" % value,
                  lambda: all(value in worker.seen and not worker.changes
                              for worker in self.living))

    def end(self):
        """Let them go; returns their exit statuses."""
        self._is_ending = True
        for worker in self.living:
            worker.process.stdin.close()
        self.wait("all to end", lambda: all(worker.is_over for worker in self.living))
        return [worker.process.wait() for worker in self.living]

    def end_at_once(self):
        """Whatever happened, none stays behind."""
        for worker in self.living:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


def _parent(count):
    run = os.urandom(3)  # so that a value of an earlier run is not taken for one of this
    first, second = ["%s-%02x%02x%02x" % ((text,) + tuple(bytearray(run)))
                     for text in ("before", "after")]
    workers = _Workers(count)
    try:
        workers.wait("all to be ready, and one to lead",
                     lambda: all(worker.is_ready for worker in workers.living)
                     and workers.led_by())
        workers.change_and_see(first)
        workers.kill(workers.led_by())
        workers.wait("another to lead", workers.led_by)
        workers.change_and_see(second)
        statuses = workers.end()
        print("done" if not any(statuses) else "workers ended with %s" % statuses)
        return int(any(statuses))
    except _Failed as failure:
        print("failed: %s" % failure, file=sys.stderr)
        return 1
    finally:
        workers.end_at_once()
