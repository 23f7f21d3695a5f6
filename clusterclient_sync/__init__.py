"""Many processes, one real client: share a connection to a remote server over a local port.

The public names are these; everything else may change.  See the README for what they do.
"""

from __future__ import absolute_import, division, print_function

from clusterclient_sync._version import __version__
from clusterclient_sync.api_client import APIClientBase
from clusterclient_sync.builder import ClientBuilder, cluster
from clusterclient_sync.client import ClusterClient
from clusterclient_sync.data_client import DataClientBase
from clusterclient_sync.exceptions import (
    ChannelNotFoundError,
    ClientClosedError,
    ClusterClientError,
    ConfigurationError,
    ConnectionClosedError,
    FrameTooLargeError,
    LeaderUnavailableError,
    PortOccupiedError,
    ProtocolError,
    RemoteError,
    ResponseTimeoutError,
    SubscribeTimeoutError,
    TranscodeError,
    outcome,
)
from clusterclient_sync.forced import Follower, Leader

__all__ = [
    "APIClientBase", "ChannelNotFoundError", "ClientBuilder", "ClientClosedError",
    "ClusterClient", "ClusterClientError", "ConfigurationError", "ConnectionClosedError",
    "DataClientBase", "Follower", "FrameTooLargeError", "Leader", "LeaderUnavailableError",
    "PortOccupiedError", "ProtocolError", "RemoteError", "ResponseTimeoutError",
    "SubscribeTimeoutError", "TranscodeError", "__version__", "cluster", "outcome",
]
