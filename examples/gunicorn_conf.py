"""gunicorn's settings for ``app.py``: four gevent workers, each with the shared client.

The client is started in ``post_worker_init`` and nowhere earlier: when the module is imported, and
in ``post_fork``, gevent's hub is still the one that the worker is about to replace.
"""

from __future__ import absolute_import, division, print_function

import os

from clusterclient_sync.integrations.gunicorn import install

bind = "127.0.0.1:8000"
workers = 4
worker_class = "gevent"
graceful_timeout = 5
# gunicorn 25 and later would open a socket for its control program in the home directory.
# Earlier ones do not know the setting and pass over it.
control_socket_disable = True


def post_worker_init(worker):
    from app import application

    application.start()


def worker_exit(server, worker):
    from app import application

    application.stop()


# Last: these hooks and those of the library are called both.  A worker that leads and is told to
# stop resigns at once.  The application says itself where its workers meet.
install(globals(), port=int(os.environ.get("REGISTRY_CLUSTER_PORT", "7777")))
