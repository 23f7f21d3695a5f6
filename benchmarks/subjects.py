"""Who is measured.  A subject has two functions:

``serve(port, payload) -> (port, close)``
    serve on the port until ``close()``; answers are dicts of about ``payload`` characters of JSON.
``connect(port, payload) -> (call, close)``
    ``call()`` asks once over this process's one connection, and returns the dict.

An ``owns_port`` subject takes port 0; the others have to be told one.
"""

from __future__ import absolute_import, division, print_function

import json

PAD = "lorem ipsum dolor "


def answer(payload):
    """The dict that every call returns: about so many characters of JSON, of several types."""
    value = {"id": 12345, "weight": 0.75, "enabled": True, "name": ""}
    missing = payload - len(json.dumps(value, separators=(",", ":")))
    if missing > 0:
        value["name"] = (PAD * (missing // len(PAD) + 1))[:missing]
    return value


def named(name):
    """The subject's module; only the processes that serve or call import it."""
    if name == "cluster":
        from benchmarks import cluster_subject
        return cluster_subject
    from benchmarks import echo
    return {"echo": echo.PLAIN, "echo_coalesced": echo.COALESCED}[name]


NAMES = ("cluster", "echo", "echo_coalesced")
TITLES = {"cluster": "cluster", "echo": "echo", "echo_coalesced": "echo, coalesced"}
