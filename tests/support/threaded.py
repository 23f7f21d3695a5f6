"""What the programs of the tests of native threads begin with: a real client that blocks its thread.
"""

from __future__ import absolute_import, division, print_function

#: Arguments of the program: the port, and "patched" where gevent shall patch it.
PRELUDE = """
import sys
if "patched" in sys.argv:
    from gevent import monkey
    monkey.patch_all()
import logging
import os
import threading
import gevent
from clusterclient_sync import cluster, ClusterClientError
from clusterclient_sync._compat import native_lock, native_sleep, native_thread_id, start_thread
from support.gates import Event
from support.talk import commands, tell


class Meeting(object):
    # A real client for threads: it blocks them, and knows nothing of gevent.

    def __init__(self):
        self.present = 0
        self.most = 0
        self.lock = native_lock()
        self.listeners = {}

    def meet(self, count):
        # Return when so many are here at once.
        with self.lock:
            self.present += 1
            self.most = max(self.most, self.present)
        while self.most < count:
            native_sleep(0.001)
        with self.lock:
            self.present -= 1
        return native_thread_id()

    def let_go(self):
        self.most = 1000

    def echo(self, value):
        return value

    def fail(self):
        raise KeyError("told")

    def pid(self):
        return os.getpid()

    def subscribe(self, registration, listener):
        self.listeners[registration["k"]] = listener
        listener("first")

    def unsubscribe(self, registration, listener=None):
        self.listeners.pop(registration["k"], None)

    def push(self, key, value):
        self.listeners[key](value)

    def close(self):
        pass


def in_threads(count, function):
    # Run a function in native threads, and raise what one of them raised.
    errors, left = [], [count]

    def run(number):
        try:
            function(number)
        except BaseException as error:
            errors.append(error)
        finally:
            with lock:
                left[0] -= 1

    lock = native_lock()
    for number in range(count):
        start_thread(run, (number,))
    while left[0]:
        pause()
    if errors:
        raise errors[0]


def pause():
    gevent.sleep(0.001) if "patched" in sys.argv else native_sleep(0.001)


logging.basicConfig()
port = int(sys.argv[1])
"""
