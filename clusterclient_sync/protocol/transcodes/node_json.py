"""The transcode ``json`` as it is spoken with a Node.js peer that was given JSON.

The same, but that numbers which are not finite have no place: JavaScript's own JSON knows none, and
a Node process that reads ``NaN`` dies of it.
"""

from __future__ import absolute_import, division, print_function

import json

import six

from .json_text import JsonTranscode
from .values import Refused


class NodeJsonTranscode(JsonTranscode):
    """See the module.  Has no state."""

    #: Not "json": what was encoded for a Python peer is not for Node.
    name = "json for Node.js"

    def encode(self, value):
        """The value as bytes.

        :raises TranscodeError: it, or something in it, has no place in JSON; ``path`` says where.
        """
        data = super(NodeJsonTranscode, self).encode(value)
        if b"NaN" in data or b"Infinity" in data:  # mostly in text
            _check(data)
        return data


def _check(data):
    try:
        _refuse(json.loads(data.decode("ascii")))
    except Refused as refused:
        six.raise_from(refused.error("json to a Node.js peer"), None)


def _refuse(value):
    """Refuse the first number that is not finite, with its path."""
    if isinstance(value, float):
        if value - value != 0:
            raise Refused(u"it is a number that is not finite")
        return
    items = ()
    if isinstance(value, dict):
        items = sorted(value.items())
    elif isinstance(value, list):
        items = enumerate(value)
    for step, item in items:
        try:
            _refuse(item)
        except Refused as refused:
            raise refused.at(step)
