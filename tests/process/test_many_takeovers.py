"""A process that wins and loses leadership a thousand times keeps nothing of it.

The environment's ``CLUSTERCLIENT_TAKEOVERS`` gives another number of times.
"""

from __future__ import absolute_import, division, print_function

import gc
import json
import os

import gevent
import pytest

from clusterclient_sync.protocol import decoder
from support import leaks, raw_peer, usage
from support.modelled import Actor, Upstream
from support.scripted import until

TAKEOVERS = int(os.environ.get("CLUSTERCLIENT_TAKEOVERS", 1000))
#: After so many, all that is made once has been made.
WARM = TAKEOVERS // 10
TIMEOUT = 20


class Rival(object):
    """A leader that is not the library: serves the port until it is closed."""

    def __init__(self, port, epoch):
        self._hello = dict(raw_peer.hello(epoch=epoch, can=["epoch", "quiet_push"]),
                           transcode="json")
        self._server = raw_peer.RawServer(port)
        self._greenlets = [gevent.spawn(self._accept)]

    def _accept(self):
        while True:
            connection = self._server.accept()
            self._greenlets.append(gevent.spawn(self._serve, connection))

    def _serve(self, connection):
        while True:
            request = connection.read()
            if request is None:
                return
            type = request.head.get("type")
            if type == "register_channel":
                connection.respond(request, {"type": "register_channel_res",
                                             "clusterclient_sync": self._hello},
                                   b'{"success":true}')
            elif type == "invoke" and not request.head["oneway"]:
                connection.respond(request, {"type": "invoke_result", "success": True}, b'"rival"')

    def close(self):
        gevent.killall(self._greenlets)
        self._server.close()


class Usage(object):
    """What this process has in use, once nothing is going on."""

    def __init__(self):
        decoder._parsed.clear()  # connection objects that are kept: bounded, but not the same
        for _ in range(3):
            gc.collect()
            gevent.sleep(0)
        self.descriptors = usage.descriptors(os.getpid())
        self.greenlets = len(leaks.living_greenlets())
        self.objects = len(gc.get_objects())
        self.memory = usage.memory(os.getpid())

    def __repr__(self):
        return json.dumps(vars(self), sort_keys=True)


def take_over(number, port, upstream, actors):
    """Leadership goes to a rival and comes back; calls and subscriptions work at each of them."""
    near = actors[0]
    near.client.resign()
    rival = Rival(port, near.client.epoch + 1)
    try:
        for actor in actors:
            assert actor.client.call("repeatable", ("a", 0), timeout=TIMEOUT) == "rival"
            assert actor.client.is_leader is False
    finally:
        rival.close()
    for actor in actors:
        token = "%s %d" % (actor, number)
        assert actor.client.call("repeatable", (token, 1), timeout=TIMEOUT) == "did " + token
    assert near.client.is_leader is True
    upstream.change("k")
    until(lambda: all(actor.listenings["k"].is_current for actor in actors))
    for actor in actors:
        del actor.listenings["k"].values[:-1]
    upstream.runs.clear()


@pytest.mark.limit(180)
def test_nothing_is_kept_of_a_thousand_takeovers(port):
    upstream = Upstream()
    near = Actor("near", upstream, port)
    near.client.ready(TIMEOUT)
    actors = [near, Actor("far", upstream, port, is_leader=False)]
    try:
        for actor in actors:
            actor.subscribe("k")
            actor.publish()
        for number in range(TAKEOVERS):
            take_over(number, port, upstream, actors)
            if number + 1 == WARM:
                before = Usage()
        after = Usage()
        assert not upstream.broken_promises
        until(lambda: not [text for actor in actors for text in actor.unfinished()])
    finally:
        for actor in actors:
            actor.close()
            actor.finish()
    print(before, after)
    assert after.descriptors == before.descriptors
    assert after.greenlets <= before.greenlets
    assert after.objects - before.objects < (TAKEOVERS - WARM) / 2
    assert after.memory - before.memory < 8
