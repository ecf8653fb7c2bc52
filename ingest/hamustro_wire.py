"""Bodies of Hamustro, protobuf or JSON of either layout, to one `Collection`. Source: spec/hamustro.md 4.3 to 4.5."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ingest.hamustro_schema import COLLECTION_1, COLLECTION_2, ENVIRONMENTS, Field, Kind
from ingest.json_bodies import read_json
from playhead.errors import InvalidBody, TooLarge

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,19}", re.A)
#: events of one request, and parameters of one event
MAX_ITEMS: Final = 20_000
_MOST: Final = {Kind.UINT64: 2**64 - 1, Kind.UINT32: 2**32 - 1}
_INT4: Final = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Collection:
    """A decoded collection: its fields that were sent, texts as the bytes of the wire."""

    layout: int
    fields: dict[str, Any]

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """The events, each its fields that were sent."""
        found: list[dict[str, Any]] = self.fields.get("payloads", [])
        return found

    def shared_bytes(self) -> int:
        """How large the texts of the collection itself are."""
        return sum(len(value) for value in self.fields.values() if isinstance(value, bytes))

    def session_fits(self) -> bool:
        """Whether `session` is what the formula of section 5 gives."""
        names = ("device_id", "client_id", "system_version", "product_version")
        parts = [self.fields[name] for name in names]
        if self.layout == 2:
            parts.append(str(self.fields["env"]).encode())
        wanted = hashlib.md5(b":".join(parts), usedforsecurity=False).hexdigest()
        return bool(self.fields["session"] == wanted.encode())


def read_protobuf(body: bytes) -> Collection:
    """A protobuf body. Raises InvalidBody: cut or damaged, a required field missing at any level; TooLarge."""
    from ingest.hamustro_protobuf import Collection1, Collection2, parsed

    second = parsed(Collection2, body)
    if second.HasField("env"):  # field 6 came as a varint
        return Collection(2, _taken(second, COLLECTION_2))
    if second.payloads:
        raise InvalidBody("env is missing")
    return Collection(1, _taken(parsed(Collection1, body), COLLECTION_1))


def read_json_collection(body: bytes) -> Collection:
    """A JSON body by the mapping of 4.5. Raises InvalidBody, TooLarge."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise InvalidBody("the body is not a JSON object")
    if value.get("env") is not None:
        return Collection(2, _mapped(value, COLLECTION_2))
    return Collection(1, _mapped(value, COLLECTION_1))


def _taken(message: Any, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The fields of a protobuf message that are there."""
    taken: dict[str, Any] = {}
    for each in fields:
        if each.kind is Kind.MESSAGES:
            taken[each.name] = [_taken(item, each.items) for item in _bounded(getattr(message, each.name))]
        elif message.HasField(each.name):
            taken[each.name] = getattr(message, each.name)
        elif each.required:
            raise InvalidBody(f"{each.name} is missing")
    return taken


def _mapped(value: Any, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The fields of a JSON object that are there and not null."""
    if not isinstance(value, dict):
        raise InvalidBody("an object is needed")
    left = dict(value)
    mapped: dict[str, Any] = {}
    for each in fields:
        found = left.pop(each.name, None)
        camel = _camel(each.name)
        if camel in left:  # given under both names, this one counts
            found = left.pop(camel)
        if found is not None:
            mapped[each.name] = _value(found, each)
        elif each.required:
            raise InvalidBody(f"{each.name} is missing")
    if left:
        raise InvalidBody("a member is not known")  # its name may be the sender's data, and this is logged
    return mapped


def _bounded(items: Sequence[Any]) -> Sequence[Any]:
    if len(items) > MAX_ITEMS:
        raise TooLarge(f"more than {MAX_ITEMS} items")
    return items


def _value(value: Any, field: Field) -> Any:
    """One JSON value as its field wants it."""
    if field.kind is Kind.MESSAGES:
        if isinstance(value, list):
            return [_mapped(item, field.items) for item in _bounded(value)]
    elif field.kind is Kind.TEXT:
        if isinstance(value, str):
            return _LONE.sub("\ufffd", value).encode()
    elif field.kind is Kind.BOOL:
        if isinstance(value, bool):
            return value
    elif field.kind is Kind.ENVIRONMENT:
        if isinstance(value, str) and value in ENVIRONMENTS:
            return ENVIRONMENTS.index(value)
        if type(value) is int and value in _INT4:
            return value
    else:
        number = int(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
        if type(number) is int and 0 <= number <= _MOST[field.kind]:
            return number
    raise InvalidBody(f"{field.name} has a value of the wrong type or range")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_LONE: Final = re.compile("[\ud800-\udfff]")
