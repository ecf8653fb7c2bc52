"""A project: who may send, and by which rules. Snapshots are immutable and shared by all who read them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Final, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from projects.conditions import Condition, Text

Platform = Literal["ios", "android", "all"]
Secret = Annotated[Text, Field(max_length=200)]
_Name = Annotated[Text, Field(max_length=200)]
_Names = Annotated[tuple[_Name, ...], Field(max_length=1000)]


class _Options(BaseModel):
    """Immutable; an unknown member is refused on the way in (and ignored when read back, see from_row)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, values: Any) -> Any:
        """A member that is null says nothing."""
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if value is not None}
        return values


class HamustroOptions(_Options):
    """Rules of `/api/v1/track`: spec/hamustro.md. An empty secret is replaced by one made up.

    `assume_protobuf`: a request without a content type is protobuf. `max_skew_s`: how far a signed time may be from
    the server's clock; 0: never compared.
    """

    shared_secret: Secret = ""
    signature: Literal["required", "optional"] = "required"
    masked_ip: bool = False
    maintenance_key: Secret = ""  # empty: flushing is off
    trust_forwarded: bool = False
    assume_protobuf: bool = False
    max_skew_s: Annotated[int, Field(ge=0, le=10 * 366 * 86_400)] = 0


class SegmentOptions(_Options):
    """Rules of the webhooks: spec/segment-webhook.md 1.1, 2.2, 3.1. Empty secrets: not configured."""

    webhook_secret: Secret = ""
    signing_secret: Secret = ""
    allowed_channels: _Names = ("mobile",)
    allowed_actions: _Names = ("Track", "Screen")
    allowed_types: _Names = ("track",)
    disallowed_names: _Names = ()
    sources: Annotated[dict[_Name, _Name], Field(max_length=1000)] = Field(
        default={"analytics-android": "mobile", "analytics-ios": "mobile"}
    )
    accept_any_user: bool = False


class EventsOptions(_Options):
    """Rules of `/api/v1/events`: spec/event-service.md. `strict_categories` mirrors the project's member."""

    strict_categories: bool = False
    open: bool = False
    future_tolerance_s: Annotated[int, Field(ge=0, le=10 * 366 * 86_400)] = 300


class ProjectOptions(_Options):
    """What the `options` column holds."""

    hamustro: HamustroOptions = HamustroOptions()
    segment: SegmentOptions = SegmentOptions()
    events: EventsOptions = EventsOptions()
    conditions: Annotated[tuple[Condition, ...], Field(max_length=100)] = ()


_DEFAULTS: Final = ProjectOptions()


@dataclass(frozen=True, slots=True)
class Project:
    """One row of `projects`."""

    project_id: int
    project_key: str
    name: str
    platform: Platform = "all"
    active: bool = True
    sample_rate: int = 100  # %
    max_session_duration_ms: int = 7_200_000
    retention_days: int = 30
    frame_retention_days: int = 0  # of pictures; 0: as long as the session
    strict_categories: bool = False
    options: ProjectOptions = _DEFAULTS
    created_ms: int = 0
    updated_ms: int = 0

    def to_row(self) -> dict[str, Any]:
        """Column values; `options` as plain JSON values."""
        row: dict[str, Any] = {name: getattr(self, name) for name in COLUMNS}
        row["options"] = self.options.model_dump(mode="json")
        return row

    @classmethod
    def from_row(cls, row: Any) -> Self:
        """A project from column values; options of a newer version are ignored."""
        values = {name: row[name] for name in COLUMNS}
        options = ProjectOptions.model_validate(values["options"], extra="ignore")
        events = options.events.model_copy(update={"strict_categories": values["strict_categories"]})
        values["options"] = options.model_copy(update={"events": events})
        return cls(**values)

    def to_json(self) -> bytes:
        """For the shared cache."""
        return orjson.dumps(self.to_row())

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The reverse; raises ValueError or KeyError when it is not of this version."""
        return cls.from_row(orjson.loads(data))

    def records(self, platform: str) -> bool:
        """Whether sessions of this platform (`ios`, `android`) are taken."""
        return self.platform in ("all", platform)

    def rate_of(self, condition: str = "") -> int:
        """The sample rate in %, that of the named condition if the project has it."""
        rates = {each.name: each.capture_rate for each in self.options.conditions}
        return rates.get(condition, self.sample_rate)


COLUMNS: Final = tuple(each.name for each in fields(Project))
