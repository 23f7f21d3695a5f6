from typing import Any, Callable, Mapping

from typing_extensions import Self

from clusterclient_sync.client import ClusterClient

class Leader(ClusterClient):
    def __new__(
        cls,
        client_class: Callable[..., Any],
        *args: Any,
        cluster_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self: ...
    def __init__(
        self,
        client_class: Callable[..., Any],
        *args: Any,
        cluster_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None: ...

class Follower(ClusterClient):
    def __new__(
        cls,
        client_class: Callable[..., Any],
        *args: Any,
        cluster_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self: ...
    def __init__(
        self,
        client_class: Callable[..., Any],
        *args: Any,
        cluster_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None: ...
