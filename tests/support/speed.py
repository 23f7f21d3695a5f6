"""Whether this Python has what the extra ``speed`` installs."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync import ConfigurationError
from clusterclient_sync.protocol import transcodes


def _reason():
    """Why it is not there, or nothing."""
    try:
        transcodes.named("msgpack")
    except ConfigurationError as error:
        return str(error)
    return ""


WHY_NOT = _reason()

needs_msgpack = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "it is there")
