"""The messages of Hamustro, both layouts: one table of fields, from which protobuf classes are built at import.

Texts are declared as bytes and the environment as a number, since the collector takes broken UTF-8 and unknown
environments. Source: spec/hamustro.md 4.1, 4.2, 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto


class Kind(Enum):
    """How a field lies on the wire."""

    TEXT = FieldDescriptorProto.TYPE_BYTES
    UINT64 = FieldDescriptorProto.TYPE_UINT64
    UINT32 = FieldDescriptorProto.TYPE_UINT32
    BOOL = FieldDescriptorProto.TYPE_BOOL
    ENVIRONMENT = FieldDescriptorProto.TYPE_INT32
    MESSAGES = FieldDescriptorProto.TYPE_MESSAGE  # repeated


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


def _message(file: descriptor_pb2.FileDescriptorProto, name: str, fields: tuple[Field, ...]) -> None:
    """Adds a message, and those that it holds as `<name>_<field>`."""
    message = file.message_type.add(name=name)
    for each in fields:
        label = FieldDescriptorProto.LABEL_OPTIONAL  # what is required is checked by the reader
        if each.kind is Kind.MESSAGES:
            label = FieldDescriptorProto.LABEL_REPEATED
        field = message.field.add(name=each.name, number=each.number, label=label)
        field.type = each.kind.value
        if each.items:
            field.type_name = f".playhead.hamustro.{name}_{each.name}"
            _message(file, f"{name}_{each.name}", each.items)


def _classes() -> tuple[Any, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="playhead/hamustro.proto", package="playhead.hamustro", syntax="proto2"
    )
    _message(file, "Collection1", COLLECTION_1)
    _message(file, "Collection2", COLLECTION_2)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = ("Collection1", "Collection2")
    found = [pool.FindMessageTypeByName(f"playhead.hamustro.{name}") for name in names]
    first, second = (message_factory.GetMessageClass(each) for each in found)
    return first, second


#: protobuf classes of the two layouts
Collection1, Collection2 = _classes()
