"""gRPC for Python: a unary method behind a pool of threads; a caller's threads share a channel.

Bodies are JSON by the standard json: protocol buffers would need a dict to be taken apart first.
"""

from __future__ import absolute_import, division, print_function

import json
from concurrent import futures

import grpc

from benchmarks.subjects import answer

SERVICE, METHOD = "benchmarks.Source", "get"
THREADS = 16
READY_TIMEOUT = 20.0


def encode(value):
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def serve(port, payload):
    value = answer(payload)
    method = grpc.unary_unary_rpc_method_handler(
        lambda request, context: value, request_deserializer=json.loads,
        response_serializer=encode)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=THREADS))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),))
    server.add_insecure_port("127.0.0.1:%d" % port)
    server.start()
    return lambda: server.stop(None)


def connect(port, payload):
    channel = grpc.insecure_channel("127.0.0.1:%d" % port)
    grpc.channel_ready_future(channel).result(timeout=READY_TIMEOUT)
    get = channel.unary_unary("/%s/%s" % (SERVICE, METHOD), request_serializer=encode,
                              response_deserializer=json.loads)
    return (lambda: get("key")), channel.close
