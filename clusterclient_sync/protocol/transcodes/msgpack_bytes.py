"""The transcode ``msgpack``: what ``json`` takes and gives, in the bytes and at the speed of
MessagePack, by the library ``ormsgpack`` (the extra ``clusterclient-sync[speed]``).

ormsgpack writes what is plain: text, numbers up to 64 bits, booleans, None, binary, lists, tuples,
and dicts whose keys are text.  All else that it could write by itself (dates, enums, UUIDs,
dataclasses, subclasses) it is told to refuse.  What it refuses is written by the transcode ``json``
behind one byte that MessagePack never uses; so tags, large integers, names that are no text, errors
and their paths are the same in both by construction.

Not told apart from a value: one of ormsgpack's own ``Ext`` and ``Fragment``, which are bytes that
their maker answers for; and bytes that follow a value, which the frame around it does not leave.
"""

from __future__ import absolute_import, division, print_function

import importlib
import re

import six

from ...exceptions import TranscodeError
from ..errors import message_of
from .json_text import JsonTranscode

#: The first version of ormsgpack that serves.  Those before allocate what an array announces before
#: they have read it: five bytes of a peer's end the process.
OLDEST = (1, 13, 1)
_JSON_FOLLOWS = b"\xc1"


class MsgpackTranscode(object):
    """Encodes to and decodes from MessagePack; see the module.

    :raises ImportError: this process lacks ormsgpack, or has one that is too old.
    """

    name = "msgpack"

    def __init__(self):
        codec = _codec()
        self._pack = codec.packb
        self._unpack = codec.unpackb
        self._options = (
            codec.OPT_PASSTHROUGH_DATACLASS | codec.OPT_PASSTHROUGH_DATETIME
            | codec.OPT_PASSTHROUGH_ENUM | codec.OPT_PASSTHROUGH_SUBCLASS
            | codec.OPT_PASSTHROUGH_UUID)
        self._json = JsonTranscode()

    def encode(self, value):
        """The value as bytes.

        :raises TranscodeError: it, or something in it, has no place in JSON; ``path`` says where.
        """
        try:
            return self._pack(value, None, self._options)
        except MemoryError:
            raise
        except Exception:
            return _JSON_FOLLOWS + self._json.encode(value)

    def decode(self, data):
        """The value of which ``data`` (bytes) is the encoded form; no bytes at all are ``None``.

        :raises TranscodeError: it is anything else.
        """
        try:
            return self._unpack(data)
        except MemoryError:
            raise
        except Exception as error:
            return self._decode_other(data, error)

    def _decode_other(self, data, error):
        if not data:
            return None
        if data[:1] == _JSON_FOLLOWS and len(data) > 1:
            return self._json.decode(data[1:])
        six.raise_from(TranscodeError(u"The bytes received are not a value as msgpack has it: %s."
                                      % message_of(error)), error)


def _codec():
    codec = importlib.import_module("ormsgpack")
    version = getattr(codec, "__version__", "?")
    if tuple(int(digits) for digits in re.findall("[0-9]+", version)[:3]) < OLDEST:
        raise ImportError("ormsgpack %s is too old, %s is the first that serves"
                          % (version, ".".join(str(number) for number in OLDEST)))
    return codec
