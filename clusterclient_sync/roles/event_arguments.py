"""The arguments of the real client's events, the same in every process.

They go through a transcode, on the leader too, so that a handler gets the same whatever the role of
its process is.  An exception among them travels as errors of calls do.
"""

from __future__ import absolute_import, division, print_function

from ..protocol import errors, transcodes
from .invocation import dump

#: In an event's arguments an exception is a dict with this one member, the dumped error.
_ERROR = u"$clusterclient_sync_error"


def to_wire(args):
    """Arguments as a transcode takes them, exceptions included."""
    return [{_ERROR: dump(arg, transcodes.JSON)} if isinstance(arg, BaseException) else arg
            for arg in args]


def from_wire(values):
    """The other direction; values that are no list are no arguments."""
    if not isinstance(values, list):
        return []
    return [errors.load_error(value[_ERROR])
            if isinstance(value, dict) and list(value) == [_ERROR] else value for value in values]


def own_copy(args, transcode):
    """What a handler in the real client's own process gets.

    :raises TranscodeError: an argument cannot be sent.
    """
    return from_wire(transcode.decode(transcode.encode(to_wire(args))))
