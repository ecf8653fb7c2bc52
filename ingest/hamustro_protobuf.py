"""Protobuf classes of both Hamustro layouts, made from ingest/hamustro_schema.py at import.

Imported with the first protobuf body: the library would stay in the memory of every HTTP process otherwise.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError

from ingest.hamustro_schema import COLLECTION_1, COLLECTION_2, Field, Kind
from playhead.errors import InvalidBody


def _message(file: descriptor_pb2.FileDescriptorProto, name: str, fields: tuple[Field, ...]) -> None:
    """Adds a message, and those that it holds as `<name>_<field>`."""
    message = file.message_type.add(name=name)
    for each in fields:
        label = FieldDescriptorProto.LABEL_OPTIONAL  # what is required is checked by the reader
        if each.kind is Kind.MESSAGES:
            label = FieldDescriptorProto.LABEL_REPEATED
        field = message.field.add(name=each.name, number=each.number, label=label)
        field.type = FieldDescriptorProto.Type.ValueType(each.kind.value)
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


def parsed(kind: Any, body: bytes) -> Any:
    """A body as a message of one of these classes. Raises InvalidBody."""
    try:
        return kind.FromString(body)
    except DecodeError as problem:
        raise InvalidBody(f"protobuf: {problem}") from None
