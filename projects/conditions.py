"""Conditions: when a device that only buffers shall begin to record, and what share of such sessions to keep.

The SDKs judge them; one filter that they cannot decode makes them drop all, so every member is always sent.
Source: spec/openreplay-mobile.md 1.4 (the answer's shape, `name` beside `type`), 5.6 (types and operators).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator


def storable(text: str) -> str:
    """Refuses the one character that Postgres cannot store."""
    if "\0" in text:
        raise ValueError("must not hold NUL")
    return text


Text = Annotated[str, AfterValidator(storable)]
_Word = Annotated[Text, Field(min_length=1, max_length=100)]
_Value = Annotated[Text, Field(max_length=1000)]


class ConditionFilter(BaseModel):
    """One test on what the app does; `filters` are the parts of a `network_message`: all must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: _Word
    operator: _Word = "isAny"
    value: Annotated[tuple[_Value, ...], Field(max_length=100)] = ()
    source: _Value | None = None
    filters: Annotated[tuple[ConditionFilter, ...], Field(max_length=20)] | None = None

    @field_validator("value", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        """A single value is a list of one, a number its decimal text: the SDKs read texts only."""
        values = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_text(each) for each in values)

    @field_validator("filters")
    @classmethod
    def _one_level(cls, filters: tuple[ConditionFilter, ...] | None) -> tuple[ConditionFilter, ...] | None:
        if filters and any(each.filters for each in filters):
            raise ValueError("filters of a filter cannot have filters")
        return filters


class Condition(BaseModel):
    """A named set of filters, one of which must hold; `condition_id` is given by the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    capture_rate: Annotated[int, Field(ge=0, le=100)] = 100
    filters: Annotated[tuple[ConditionFilter, ...], Field(max_length=50)] = ()
    condition_id: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


def numbered(conditions: Sequence[Condition], before: Sequence[Condition] = ()) -> tuple[Condition, ...]:
    """Every condition with an id of its own: the one it had (found by id, else by name) or a new one."""
    ids_by_name = {each.name: each.condition_id for each in before}
    known = set(ids_by_name.values())
    next_id = max(known, default=0) + 1
    taken: set[int] = set()
    result = []
    for each in conditions:
        wanted = each.condition_id if each.condition_id in known else ids_by_name.get(each.name, 0)
        if not wanted or wanted in taken:
            wanted, next_id = next_id, next_id + 1
        taken.add(wanted)
        result.append(each.model_copy(update={"condition_id": wanted}))
    return tuple(result)


def for_sdk(conditions: Iterable[Condition]) -> dict[str, Any]:
    """The body of `GET /v1/mobile/conditions/{project_id}`."""
    return {
        "conditions": [
            {
                "conditionId": each.condition_id,
                "name": each.name,
                "captureRate": each.capture_rate,
                "filters": [_filter_for_sdk(one) for one in each.filters],
            }
            for each in conditions
        ]
    }


def _filter_for_sdk(one: ConditionFilter) -> dict[str, Any]:
    """`type` for the SDKs, `name` as servers since November 2025 send; `source` and `filters` only if set."""
    shaped: dict[str, Any] = {
        "type": one.type,
        "name": one.type,
        "operator": one.operator,
        "value": list(one.value),
    }
    if one.source is not None:
        shaped["source"] = one.source
    if one.filters is not None:
        shaped["filters"] = [_filter_for_sdk(each) for each in one.filters]
    return shaped


def _text(value: Any) -> Any:
    """A number or truth value as the text that an SDK compares with; anything else unchanged."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else value
