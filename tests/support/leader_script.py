"""A process of real clients: leads as many clients as its test asks for, one after another.

Commands (see ``tests/contract/conftest.py``): ``make``, ``do``, ``drop``; each has an ``id`` and
is answered by the event ``answer-<id>``, with ``value`` or ``error``.
"""

from __future__ import absolute_import, division, print_function

import logging
import traceback

import gevent

from support import leaks, named
from support.recording import Recorder, build, recorders
from support.talk import commands, tell

clients = {}  # tag -> (client, what there was before it)


def make(tag, port, options, delegates=None):
    before = leaks.Snapshot()
    Recorder(tag).attach()
    arguments = {} if delegates is None else {"delegates": delegates}
    client = build(port, tag, options, **arguments)
    clients[tag] = client, before
    client.ready(10)
    return client.is_leader


def do(tag, name, args):
    return getattr(recorders[tag], name)(*args)


def close(tag):
    clients[tag][0].close()


def drop(tag):
    """What the client left behind after its close, and what ran in the hub that must not."""
    client, before = clients.pop(tag)
    recorders[tag].detach()
    client.close()
    del client
    bad, named.ran_in_hub[:] = list(named.ran_in_hub), []
    return leaks.wait_until_clean(before) + bad


def answer(id, function, args):
    try:
        tell("answer-%d" % id, value=function(*args))
    except BaseException:
        tell("answer-%d" % id, error=traceback.format_exc())


def main():
    logging.basicConfig()
    leaks.warm_up()
    tell("up")
    for command in commands():
        function = {"make": make, "do": do, "close": close, "drop": drop}[command["what"]]
        if function is do:  # may wait for what a later command brings about
            gevent.spawn(answer, command["id"], do, command["args"])
        else:
            answer(command["id"], function, command["args"])


if __name__ == "__main__":
    main()
