"""Application values to bytes and back.

A transcode is an object with a ``name``, ``encode(value) -> bytes`` and ``decode(bytes) -> value``;
both raise a TranscodeError for what they do not take, and nothing else.  Ours:

``json_text``
    ``json``: what Python peers speak.  ``json_tags`` has the types that JSON lacks.
``serialize_json``
    ``serialize-json``: what Node speaks unless told otherwise.
``node_json``
    JSON as Node speaks it, where it was given that.
``msgpack_bytes``
    ``msgpack``: the same values as ``json``, faster, where a third-party library is installed.
``values``
    what they agree on.

A new one of ours goes beside them and into ``_BUILTINS``; a user's own comes through
:func:`named`.  What a client speaks, and in which order it likes to, is :func:`offered`.
"""

from __future__ import absolute_import, division, print_function

import types

import six

from ..._compat import qualified_name
from ...exceptions import ConfigurationError, TranscodeError
from ..errors import message_of
from .json_text import JsonTranscode
from .msgpack_bytes import MsgpackTranscode
from .node_json import NodeJsonTranscode
from .serialize_json import SerializeJsonTranscode

JSON = JsonTranscode()
SERIALIZE_JSON = SerializeJsonTranscode()
NODE_JSON = NodeJsonTranscode()
#: What a Node peer speaks that was not given a transcode of the user's.
OF_NODE = (SERIALIZE_JSON, NODE_JSON)

#: What the option says for JSON's text and nothing faster.
PLAIN_JSON = "plain-json"

_BUILTINS = {JSON.name: JSON, PLAIN_JSON: JSON, SERIALIZE_JSON.name: SERIALIZE_JSON}
_OURS = (JsonTranscode, SerializeJsonTranscode, MsgpackTranscode)

#: Those that every process has.
BUILTIN_NAMES = (JSON.name, SERIALIZE_JSON.name)
#: Those that the option ``transcode`` knows by name.
NAMES = (JSON.name, MsgpackTranscode.name, PLAIN_JSON, SERIALIZE_JSON.name)

# The transcode msgpack, or as text why this process has none, once somebody wanted it: the import
# takes its time, and a search that finds nothing need not be repeated.
_msgpack = []


def _find_msgpack():
    if not _msgpack:
        try:
            found = MsgpackTranscode()
        except Exception as error:  # an installation that is broken must harm nobody
            found = message_of(error)
        _msgpack.append(found)
    return _msgpack[0]


def named(name_or_object):
    """The transcode that an option means.

    :param name_or_object: one of :data:`NAMES`, or an object with ``encode(value)`` and
        ``decode(bytes)``.
    :raises ConfigurationError: it is neither, or ``"msgpack"`` where that is not installed.
    """
    if isinstance(name_or_object, six.string_types):
        if name_or_object in _BUILTINS:
            return _BUILTINS[name_or_object]
        if name_or_object == MsgpackTranscode.name:
            return _required_msgpack()
    elif isinstance(name_or_object, _OURS + (CustomTranscode,)):
        return name_or_object
    elif (callable(getattr(name_or_object, "encode", None))
          and callable(getattr(name_or_object, "decode", None))):
        return CustomTranscode(name_or_object)
    raise ConfigurationError("A transcode is %s, or an object with the methods encode(value) and "
                             "decode(bytes); this is %.100r."
                             % (" or ".join(repr(name) for name in NAMES), name_or_object))


def _required_msgpack():
    found = _find_msgpack()
    if isinstance(found, MsgpackTranscode):
        return found
    raise ConfigurationError(
        u'The transcode "msgpack" is not available here (%s): pip install '
        u"clusterclient-sync[speed], on Python 3.11 or newer." % found)


def offered(name_or_object):
    """The transcodes that a client with this option speaks, first the one that it likes best.

    For ``"json"`` that is msgpack where this process has it: the same values, faster.

    :param name_or_object: as :func:`named` takes it.
    :raises ConfigurationError: as there.
    """
    own = named(name_or_object)
    if isinstance(name_or_object, six.string_types) and name_or_object == JSON.name:
        found = _find_msgpack()
        own = found if isinstance(found, MsgpackTranscode) else own
    return [own] + [_BUILTINS[name] for name in BUILTIN_NAMES if name != own.name]


def for_node(transcode):
    """The same transcode, as it is spoken with a Node peer."""
    return NODE_JSON if transcode is JSON else transcode


class CustomTranscode(object):
    """A user's transcode, held to the contract of ours.

    ``name`` is the object's own where that is text, else where it or its class is found.  Two peers
    have the same transcode when it has the same name on both.
    """

    def __init__(self, transcode):
        self._transcode = transcode
        self.name = _name_of(transcode)

    def __repr__(self):
        return "CustomTranscode(%s)" % self.name

    def encode(self, value):
        """The value as bytes.

        :raises TranscodeError: the user's ``encode`` raised (that is the cause), or did not return
            bytes.
        """
        try:
            data = self._transcode.encode(value)
        except TranscodeError:
            raise
        except Exception as error:
            six.raise_from(TranscodeError(u"The transcode %s did not encode a value of type %s: %s"
                                          % (self.name, type(value).__name__, message_of(error))),
                           error)
        if not isinstance(data, six.binary_type):
            raise TranscodeError(u"encode of the transcode %s returned a value of type %s; return "
                                 u"bytes." % (self.name, type(data).__name__))
        return data

    def decode(self, data):
        """The value of which ``data`` is the encoded form.

        :raises TranscodeError: the user's ``decode`` raised; that is the cause.
        """
        try:
            return self._transcode.decode(data)
        except TranscodeError:
            raise
        except Exception as error:
            six.raise_from(TranscodeError(u"The transcode %s did not decode %d bytes: %s"
                                          % (self.name, len(data), message_of(error))), error)


def _name_of(transcode):
    name = getattr(transcode, "name", None)
    if isinstance(name, six.string_types) and name:
        return name
    if isinstance(transcode, types.ModuleType):
        return transcode.__name__
    cls = transcode if isinstance(transcode, six.class_types) else transcode.__class__
    return "%s.%s" % (cls.__module__, qualified_name(cls))
