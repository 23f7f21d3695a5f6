"""What is true of every closed client."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync import ClientClosedError
from support.recording import TIMEOUT


def check_closed(client):
    """Everything but closing says that it is closed."""
    for use in (lambda: client.same(1), lambda: client.call("same", (1,)),
                lambda: client.same(1, callback=lambda error, value: None),
                lambda: client.touch("x"), lambda: client.publish({"dataId": "a"}),
                lambda: client.subscribe({"dataId": "a"}, len),
                lambda: client.unsubscribe({"dataId": "a"}, len),
                lambda: client.ready(TIMEOUT), lambda: client.resign()):
        with pytest.raises(ClientClosedError):
            use()
    assert client.is_leader is None


def check_real_client(subject):
    """The real client was closed once if the client had it, and not before its last user."""
    if not subject.has_own_real_client:
        assert subject.upstream.count("close") == 0
        subject.close_leader()
    assert subject.upstream.count("close") == 1
