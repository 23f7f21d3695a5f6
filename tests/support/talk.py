"""A child script's side of the talk with its test: one JSON object per line.

::

    from support.talk import commands, tell
    tell("ready", port=port)
    for command in commands():     # until the test closes the pipe or ends
        tell("answer", value=client.get_config(command["key"]))
"""

from __future__ import absolute_import, division, print_function

import json
import os

from gevent.fileobject import FileObject


def tell(event, **details):
    """Send one event; may be called from any greenlet."""
    details["event"] = event
    data = (json.dumps(details) + "\n").encode("ascii")
    while data:
        data = data[os.write(1, data):]


def commands():
    """Yield what the test sends, blocking only the greenlet that asks."""
    with FileObject(os.dup(0), "rb") as lines:
        for line in lines:
            yield json.loads(line.decode("ascii"))
