"""The messages of Hamustro, both layouts: one table of fields; ingest/hamustro_protobuf.py makes classes of it.

Texts are declared as bytes and the environment as a number, since the collector takes broken UTF-8 and unknown
environments. Source: spec/hamustro.md 4.1, 4.2, 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """How a field lies on the wire: the numbers of `FieldDescriptorProto.Type` in protobuf's descriptor.proto."""

    TEXT = 12  # TYPE_BYTES
    UINT64 = 4
    UINT32 = 13
    BOOL = 8
    ENVIRONMENT = 5  # TYPE_INT32
    MESSAGES = 11  # repeated


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `items` are the fields of a repeated message."""

    number: int
    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    items: tuple[Field, ...] = ()


ENVIRONMENTS: Final = (
    "PRODUCTION",
    "GENERAL_AVAILABILITY",
    "RELEASE_TO_MARKETING",
    "RELEASE_CANDIDATE",
    "BETA",
    "ALPHA",
    "WEEKLY",
    "NIGHTLY",
    "STAGING",
    "QUALITY_ASSURANCE",
    "TESTING",
    "DEVELOPMENT",
)

_HEAD: Final = (
    Field(1, "device_id", required=True),
    Field(2, "client_id", required=True),
    Field(3, "session", required=True),
    Field(4, "system_version", required=True),
    Field(5, "product_version", required=True),
)
_EVENT: Final = (
    Field(1, "at", Kind.UINT64, required=True),
    Field(2, "event", required=True),
    Field(3, "nr", Kind.UINT32, required=True),
)
_PAYLOAD_1: Final = (
    *_EVENT,
    Field(4, "user_id", Kind.UINT32),
    Field(5, "ip"),
    Field(6, "parameters"),
    Field(7, "is_testing", Kind.BOOL),
)
#: the layout of early 2016
COLLECTION_1: Final = (
    *_HEAD,
    Field(6, "system"),
    Field(7, "product_git_hash"),
    Field(8, "payloads", Kind.MESSAGES, items=_PAYLOAD_1),
)
_PARAMETER: Final = (Field(1, "name", required=True), Field(2, "value", required=True))
_PAYLOAD_2: Final = (
    *_EVENT,
    Field(4, "timezone"),
    Field(5, "tenant_id"),
    Field(6, "user_id"),
    Field(7, "ip"),
    Field(8, "country"),
    Field(9, "parameters", Kind.MESSAGES, items=_PARAMETER),
)
#: the layout of December 2016 and later
COLLECTION_2: Final = (
    *_HEAD,
    Field(6, "env", Kind.ENVIRONMENT, required=True),
    Field(7, "device_make"),
    Field(8, "device_model"),
    Field(9, "system"),
    Field(10, "system_language"),
    Field(11, "browser"),
    Field(12, "browser_version"),
    Field(13, "product_git_hash"),
    Field(14, "product_language"),
    Field(15, "payloads", Kind.MESSAGES, items=_PAYLOAD_2),
)
