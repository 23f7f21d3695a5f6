from clusterclient_sync._version import __version__ as __version__
from clusterclient_sync.api_client import APIClientBase as APIClientBase
from clusterclient_sync.builder import ClientBuilder as ClientBuilder, cluster as cluster
from clusterclient_sync.client import ClusterClient as ClusterClient
from clusterclient_sync.data_client import DataClientBase as DataClientBase
from clusterclient_sync.exceptions import (
    ChannelNotFoundError as ChannelNotFoundError,
    ClientClosedError as ClientClosedError,
    ClusterClientError as ClusterClientError,
    ConfigurationError as ConfigurationError,
    ConnectionClosedError as ConnectionClosedError,
    FrameTooLargeError as FrameTooLargeError,
    LeaderUnavailableError as LeaderUnavailableError,
    PortOccupiedError as PortOccupiedError,
    ProtocolError as ProtocolError,
    RemoteError as RemoteError,
    ResponseTimeoutError as ResponseTimeoutError,
    SubscribeTimeoutError as SubscribeTimeoutError,
    TranscodeError as TranscodeError,
    outcome as outcome,
)
from clusterclient_sync.forced import Follower as Follower, Leader as Leader

__all__ = [
    "APIClientBase", "ChannelNotFoundError", "ClientBuilder", "ClientClosedError",
    "ClusterClient", "ClusterClientError", "ConfigurationError", "ConnectionClosedError",
    "DataClientBase", "Follower", "FrameTooLargeError", "Leader", "LeaderUnavailableError",
    "PortOccupiedError", "ProtocolError", "RemoteError", "ResponseTimeoutError",
    "SubscribeTimeoutError", "TranscodeError", "__version__", "cluster", "outcome",
]
