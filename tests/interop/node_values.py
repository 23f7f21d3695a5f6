"""Values as JSON that keeps what JSON loses: the other side is ``values.js``."""

from __future__ import absolute_import, division, print_function

import base64
import binascii
import datetime
import struct

import six

from clusterclient_sync.exceptions import RemoteError

EPOCH = datetime.datetime(1970, 1, 1)
UNDEFINED = {"undefined": True}


def describe(value):
    """The description of a Python value, as JavaScript is to have it."""
    if value is None or isinstance(value, (bool, six.text_type)):
        return value
    if isinstance(value, six.integer_types + (float,)):
        return {"number": hex_of(value)}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, dict):
        return {"object": [[key, describe(item)] for key, item in value.items()]}
    if isinstance(value, datetime.datetime):
        return {"date": round((value - EPOCH).total_seconds() * 1000)}
    if isinstance(value, RemoteError):
        return {"error": [[key, describe(item)] for key, item in error_members(value).items()]}
    if isinstance(value, six.binary_type) and value.decode("ascii", "ignore").encode() == value:
        # A native literal of Python 2.
        return describe(value.decode("ascii")) if str is bytes else bytes_of(value)
    return bytes_of(bytes(value))


def bytes_of(data):
    """The description of bytes, also where Python 2 would take them for text."""
    return {"bytes": base64.b64encode(data).decode("ascii")}


def error_members(error):
    """What Node sees of an error."""
    members = {"message": error.message, "stack": error.stack, "name": error.name}
    members.update((key, item) for key, item in error.details().items() if item is not None)
    return {key: item for key, item in members.items() if key != "outcome"}


def hex_of(number):
    """The bits of a number as a double."""
    return binascii.hexlify(struct.pack(">d", number)).decode("ascii")


def comparable(description):
    """A description without the order of its members; every NaN is the same."""
    if isinstance(description, list):
        return [comparable(item) for item in description]
    if not isinstance(description, dict):
        return description
    (kind, content), = description.items()
    if kind in ("object", "error"):
        return kind, {key: comparable(item) for key, item in content}
    if kind == "number" and content[:3] in ("7ff", "fff") and content[3:] != "0" * 13:
        content = "NaN"
    return kind, content


def build(description):
    """The Python value that a description describes; ``undefined`` is None, whole numbers are
    integers."""
    if isinstance(description, list):
        return [build(item) for item in description]
    if not isinstance(description, dict):
        return description
    (kind, content), = description.items()
    if kind == "number":
        number, = struct.unpack(">d", binascii.unhexlify(content))
        return int(number) if number == number and number.is_integer() else number
    if kind == "bytes":
        return base64.b64decode(content)
    if kind == "date":
        return EPOCH + datetime.timedelta(milliseconds=content)
    if kind == "undefined":
        return None
    return {key: build(item) for key, item in content}
