"""What each subject is, in words; ``subjects`` has how it runs."""

from __future__ import absolute_import, division, print_function

OURS, OTHER, YARDSTICK = "this library", "another library", "a yardstick"

_ABOUT = {
    "cluster": "this library as it installs by default",
    "cluster_speed": "this library with the extra ``speed`` in both processes",
    "echo": "a bare gevent echo with a header of the same size and the standard json: a read and "
            "a write for each request",
    "echo_coalesced": "the same; a read takes what is there, the writes of a turn leave together",
    "echo_orjson": "the coalesced echo with orjson",
    "ping_pong": "as many bytes over plain blocking sockets, nothing encoded: the physical limit",
    "npm": "npm's cluster-client with its default transcode, Node.js at both ends",
    "npm_json": "the same with JSON as its transcode",
    "managers": "multiprocessing.managers of the standard library, native threads call",
    "rpyc": "RPyC, native threads call",
    "pyro5": "Pyro5, native threads call",
    "zerorpc": "zerorpc, over gevent and ZeroMQ",
    "grpc": "gRPC for Python, native threads call",
}
_YARDSTICKS = ("echo", "echo_coalesced", "echo_orjson", "ping_pong")


def about(name):
    """A subject in words."""
    return _ABOUT[name]


def kind(name):
    """Whether a row is ``OURS``, ``OTHER`` or a ``YARDSTICK``: a bare program that promises nothing
    and shows what the way there and back costs."""
    if name.startswith("cluster"):
        return OURS
    return YARDSTICK if name in _YARDSTICKS else OTHER
