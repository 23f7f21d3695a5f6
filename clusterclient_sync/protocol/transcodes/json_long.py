"""Long bytes and long texts in JSON, without the copies that the general way makes of them.

Both are what a large payload mostly is.  The general way holds such a value three to nine times at
once: as text, as its base64, and each of them as bytes.
"""

from __future__ import absolute_import, division, print_function

import base64
import binascii
import codecs
import re

#: Values from so many bytes on are worth a look.
LONG = 64 * 1024

_BEFORE = b'{"$type":"bytes","value":"'
_AFTER = b'"}'
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# What is left of tagged bytes when everything that base64 uses is taken out.
_FRAMES = [(_BEFORE + padding + _AFTER).translate(None, _ALPHABET)
           for padding in (b"", b"=", b"==")]
_special = re.compile(b"[\\x00-\\x1f\\x80-\\xff\\\\]").search


def encoded_bytes(value):
    """Bytes as ``json_tags`` has them."""
    return b"".join((_BEFORE, base64.b64encode(value), _AFTER))


def decoded(data):
    """``(True, value)`` where ``data`` is one long binary or plain ASCII text, else ``(False,
    None)``: that is for the general way, which also says what is wrong with it.
    """
    if data.startswith(_BEFORE):
        return _decoded_bytes(data)
    if data.startswith(b'"') and data.find(b'"', 1) == len(data) - 1 and not _special(data):
        return True, codecs.ascii_decode(memoryview(data)[1:-1])[0]
    return False, None


def _decoded_bytes(data):
    digits = len(data) - len(_BEFORE) - len(_AFTER)
    if digits % 4 or not data.endswith(_AFTER) or data.translate(None, _ALPHABET) not in _FRAMES:
        return False, None
    value = binascii.a2b_base64(memoryview(data)[len(_BEFORE):-len(_AFTER)])
    # Bits behind the last byte, and "=" inside: the general way refuses both.
    end = base64.b64encode(value[-(len(value) % 3 or 3):])
    if len(value) != digits // 4 * 3 - end.count(b"=") or not data.endswith(end + _AFTER):
        return False, None
    return True, value
