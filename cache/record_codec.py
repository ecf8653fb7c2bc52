"""Flat dataclasses in the shared cache, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Generic, TypeVar

import orjson

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")


class RecordCodec(Generic[R]):
    """Codec of one dataclass whose members are JSON values; `decode` raises ValueError or TypeError for another's."""

    def __init__(self, kind: type[R]) -> None:
        self._kind = kind

    def encode(self, value: R) -> bytes:
        """Record -> JSON object."""
        return orjson.dumps(asdict(value))

    def decode(self, data: bytes) -> R:
        """JSON object -> record."""
        return self._kind(**orjson.loads(data))
