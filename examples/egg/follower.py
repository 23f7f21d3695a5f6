"""A Python process beside an Egg.js application: it follows Egg's agent and never leads.

    python examples/egg/follower.py KEY

``Store`` is the class that the agent gives to ``agent.cluster(Store)``.  Its methods are never run
in Python, so they only tell what there is: their names, and the places of their arguments.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

from clusterclient_sync import cluster


class Store(object):
    def get_config(self, data_id, group="default"):
        """``getConfig(dataId, group)`` in JavaScript."""

    def subscribe(self, registration, listener):
        """In both languages."""

    def close(self):
        """Only ever called where a process leads: not here."""


def make_client(port):
    # is_leader=False: a port that Python holds ends the start of Egg's agent for good.
    return cluster(Store, port=port, is_leader=False, remote_names="camelCase").create()


def main(key):
    with make_client(int(os.environ.get("EGG_CLUSTER_PORT", "7777"))) as client:
        client.ready()  # waits for the agent
        print("Egg's agent says: %r" % (client.get_config(key, group="python"),))


if __name__ == "__main__":
    main(sys.argv[1])
