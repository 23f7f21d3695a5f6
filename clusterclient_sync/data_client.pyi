import abc
import logging
from typing import Any

from clusterclient_sync.events import EventEmitter

logger: logging.Logger

class _StartsAfterConstruction(abc.ABCMeta):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any: ...

class DataClientBase(EventEmitter, metaclass=_StartsAfterConstruction):
    def ready(self, timeout: float | None = None) -> None: ...
    def _stop_init(self, timeout: float | None = None) -> bool: ...
