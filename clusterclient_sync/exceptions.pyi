from typing import Any, ClassVar, Literal, Sequence, TypeVar

_Outcome = Literal["not_sent", "failed", "unknown"]
_E = TypeVar("_E", bound=BaseException)

NOT_SENT: Literal["not_sent"]
FAILED: Literal["failed"]
UNKNOWN: Literal["unknown"]

class ClusterClientError(Exception):
    detail_names: ClassVar[tuple[str, ...]]
    message: str
    outcome: _Outcome | None
    def __init__(self, message: str = "", **details: Any) -> None: ...
    def details(self) -> dict[str, Any]: ...

class ConfigurationError(ClusterClientError): ...
class ProtocolError(ClusterClientError): ...

class FrameTooLargeError(ProtocolError):
    size: int | None
    limit: int | None

class TranscodeError(ClusterClientError):
    path: str | None

class ConnectionClosedError(ClusterClientError):
    address: Any

class ResponseTimeoutError(ClusterClientError):
    timeout: float | None
    method: str | None
    leader_pid: int | None

class LeaderUnavailableError(ClusterClientError):
    address: Any
    holder_pid: int | None
    holder_command: str | None

class PortOccupiedError(LeaderUnavailableError): ...

class ChannelNotFoundError(ClusterClientError):
    channel: str | None
    owner_pid: int | None
    channels: Sequence[str] | None

class SubscribeTimeoutError(ClusterClientError):
    registration: Any
    timeout: float | None

class ClientClosedError(ClusterClientError): ...

class RemoteError(ClusterClientError):
    name: str | None
    code: str | int | None
    stack: str | None

def outcome(error: BaseException) -> _Outcome | None: ...
def set_outcome(error: _E, value: _Outcome | None) -> _E: ...
