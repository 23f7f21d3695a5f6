"""zerorpc: an object behind a ZeroMQ socket of gevent's; the greenlets of a caller share one."""

from __future__ import absolute_import, division, print_function

import gevent
import zerorpc

from benchmarks.subjects import answer


class Source(object):
    """What the server holds."""

    def __init__(self, payload):
        self._answer = answer(payload)

    def get(self, key):
        return self._answer


def serve(port, payload):
    server = zerorpc.Server(Source(payload))
    server.bind("tcp://127.0.0.1:%d" % port)
    gevent.spawn(server.run)
    return server.close


def connect(port, payload):
    client = zerorpc.Client("tcp://127.0.0.1:%d" % port)
    return (lambda: client.get("key")), client.close
