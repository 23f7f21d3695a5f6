"""The program that measures the parts of a call, each alone: ``python stage_probe.py ROUNDS CALLS``.

Says what each part takes in each round as JSON: name -> seconds for one.  In a process of its own,
in whose hub the parts run as they do in a call, over the library's own functions.
"""

from __future__ import absolute_import, division, print_function

import json
import socket
import sys

import gevent
from gevent.event import Event

from benchmarks.subjects import answer
from clusterclient_sync._compat import monotonic
from clusterclient_sync.greenlets.waits import Wait
from clusterclient_sync.greenlets.workers import WorkerPool
from clusterclient_sync.protocol import frames, messages
from clusterclient_sync.protocol.decoder import FrameDecoder
from clusterclient_sync.protocol.transcodes import JSON

PAYLOAD = 100
AT_ONCE = 100
_HEAD = messages.invoke("get", 1)
_RESULT = messages.invoke_result(True, 1)


def request(number=1):
    """A request's frame, as the follower makes it of encoded arguments."""
    return frames.encode(
        frames.REQUEST, number, 3000, _HEAD, messages.pack_arguments([_ARGUMENT]))


def response(number=1):
    """An answer's frame, as the leader makes it."""
    return frames.encode(frames.RESPONSE, number, 3000, _RESULT, (_ENCODED,))


_VALUE = answer(PAYLOAD)
_ARGUMENT = JSON.encode("key")
_ENCODED = JSON.encode(_VALUE)
_BODY = b"".join(messages.pack_arguments([_ARGUMENT]))


def decode_frames(data, count):
    """All frames out of what one read brought."""
    decoder = FrameDecoder(2 ** 26)
    decoder.feed(data)
    found = 0
    while decoder.next_frame() is not None:
        found += 1
    assert found == count


def switches(number):
    """A caller that waits, and goes on, and waits again: so many times."""
    hub = gevent.get_hub()
    waits = [Wait() for _ in range(number)]
    caller = gevent.spawn(lambda: [wait.block(hub) for wait in waits])
    gevent.sleep(0)

    def resolve():
        for wait in waits:
            wait.resolve_in_hub(None)

    started = in_hub(resolve)
    caller.join()
    return started


def in_hub(function):
    """Run it in the hub; how long that took."""
    done, took = Event(), []

    def run():
        started = monotonic()
        try:
            function()
            took.append(monotonic() - started)
        finally:
            done.set()

    gevent.get_hub().loop.run_callback(run)
    done.wait()
    return took[0]


def repeated(function, *args):
    """A part that is a function: so many times in a row."""
    def run(number):
        def many():
            for _ in range(number):
                function(*args)

        return in_hub(many)

    return run


def gathered(data, count):
    """Frames come gathered: so many in one read."""
    run = repeated(decode_frames, data, count)
    return lambda number: run(-(-number // count)) * number / (-(-number // count) * count)


def through_sockets(size):
    """``send`` and ``recv`` of so many bytes, over loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    one = socket.create_connection(listener.getsockname())
    other, _ = listener.accept()
    listener.close()
    data = b"x" * size

    def run(number):
        started = monotonic()
        for _ in range(number):
            one.sendall(data)
            left = size
            while left:
                left -= len(other.recv(left))
        return monotonic() - started

    return run


def stages():
    """Name -> a function that does the part so many times and says how long it took."""
    pool = WorkerPool(gevent.get_hub(), "stages")
    of_requests = b"".join(request(number) for number in range(1, AT_ONCE + 1))
    of_responses = b"".join(response(number) for number in range(1, AT_ONCE + 1))
    return [
        ("encode_argument", repeated(JSON.encode, "key")),
        ("frame_request", repeated(request)),
        ("split_request", gathered(of_requests, AT_ONCE)),
        ("switch_worker", repeated(pool.run_in_hub, lambda: None)),
        ("decode_argument", repeated(
            lambda: JSON.decode(messages.unpack_arguments(_BODY, 1)[0]))),
        ("encode_result", repeated(JSON.encode, _VALUE)),
        ("frame_response", repeated(response)),
        ("split_response", gathered(of_responses, AT_ONCE)),
        ("switch_caller", switches),
        ("decode_result", repeated(JSON.decode, _ENCODED)),
        ("sockets_one", through_sockets(len(request()))),
        ("sockets_all", through_sockets(len(of_requests))),
    ]


def main(rounds, number):
    measured = {}
    parts = stages()
    for _ in range(rounds):
        for name, run in parts:
            measured.setdefault(name, []).append(run(number) / number)
    print(json.dumps(measured))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
