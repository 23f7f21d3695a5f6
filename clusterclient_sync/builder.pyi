from typing import Any, Callable, Mapping, Sequence

from clusterclient_sync.client import ClusterClient

class ClientBuilder:
    def __init__(
        self,
        client_class: Callable[..., Any],
        options: Mapping[str, Any] | None = None,
        base: type[ClusterClient] = ...,
    ) -> None: ...
    def delegate(self, name: str, to: str = "invoke", **how: Any) -> ClientBuilder: ...
    def override(self, name: str, value: Any) -> ClientBuilder: ...
    def create(self, *args: Any, **kwargs: Any) -> ClusterClient: ...

class _Cluster:
    def __call__(self, client_class: Callable[..., Any], **options: Any) -> ClientBuilder: ...
    def close(self, client: ClusterClient, timeout: float | None = None) -> None: ...

cluster: _Cluster

def fingerprint(
    make: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str: ...
