"""The JSON that peers exchange beside application values: connection objects, plain answers."""

from __future__ import absolute_import, division, print_function

import json

import six

from .._compat import INT_PARSING_IS_BOUNDED, RecursionFailure
from .transcodes.json_tags import bounded_int

# Where Python has no bound of its own, a number without end would keep the hub for minutes.
_decoder = json.JSONDecoder(parse_int=None if INT_PARSING_IS_BOUNDED else bounded_int)


def parse(data):
    """The value in these bytes of a peer.

    :raises ValueError: they are not JSON.
    """
    try:
        return _decoder.decode(data.decode("utf-8"))
    except RecursionFailure as error:
        six.raise_from(ValueError("it is nested too deeply"), error)
