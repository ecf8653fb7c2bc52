"""What may be said of a project when it is made or changed, and what comes of it. Pure.

Members of an options group that are not given stay as they are; a list replaces the list. An empty
`hamustro.shared_secret` is replaced by a new one, any other empty secret means none.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Annotated, Any, Final, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from playhead.errors import Detail, InvalidBody, ValidationFailed
from projects.conditions import Condition, numbered
from projects.model import (
    EventsOptions,
    HamustroOptions,
    Platform,
    Project,
    ProjectOptions,
    SegmentOptions,
)

KEY_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
MAX_DURATION_MS: Final = 366 * 86_400_000
_KEY_BYTES: Final = 15  # 20 characters
_SECRET_BYTES: Final = 24


def _clean_name(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable():
        raise ValueError("1 to 200 printable characters")
    return name


def _url_safe(key: str) -> str:
    if not KEY_PATTERN.fullmatch(key):
        raise ValueError("1 to 64 of A-Z a-z 0-9 . _ ~ -, a letter or digit first")
    return key


Name = Annotated[str, Field(max_length=200), AfterValidator(_clean_name)]
Key = Annotated[str, AfterValidator(_url_safe)]
Conditions = Annotated[tuple[Condition, ...], Field(max_length=100)]


class ProjectChanges(BaseModel):
    """Body of `PATCH /api/v1/projects/{key}`; what is absent or null stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    platform: Platform | None = None
    active: bool | None = None
    sample_rate: Annotated[int, Field(ge=0, le=100, description="% of users recorded")] | None = None
    max_session_duration_ms: Annotated[int, Field(ge=1000, le=MAX_DURATION_MS)] | None = None
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    frame_retention_days: (
        Annotated[int, Field(ge=0, le=36_500, description="0: as long as the session")] | None
    ) = None
    strict_categories: bool | None = None
    hamustro: HamustroOptions | None = None
    segment: SegmentOptions | None = None
    events: EventsOptions | None = None
    conditions: Conditions | None = None


class ProjectCreate(ProjectChanges):
    """Body of `POST /api/v1/projects`; a key is made up if none is given."""

    name: Name
    key: Key | None = None


Body = TypeVar("Body", bound=BaseModel)


def parse_create(values: object, *, strict: bool = True) -> ProjectCreate:
    """Checks a JSON value; not `strict`: texts stand for numbers and truth values (command line).

    Raises InvalidBody, ValidationFailed with all problems as details.
    """
    return _parse(ProjectCreate, values, strict)


def parse_changes(values: object, *, strict: bool = True) -> ProjectChanges:
    """As parse_create, for changes."""
    return _parse(ProjectChanges, values, strict)


def made(wanted: ProjectCreate, now_ms: int) -> Project:
    """A new project (its id is still 0) with the secrets of its protocols."""
    key = wanted.key or new_key()
    bare = Project(project_id=0, project_key=key, name=wanted.name, created_ms=now_ms)
    return changed(bare, wanted, now_ms)


def changed(project: Project, changes: ProjectChanges, now_ms: int) -> Project:
    """The project after the changes. Raises ValidationFailed when they contradict each other."""
    plain = {
        name: value
        for name in (
            "name",
            "platform",
            "active",
            "sample_rate",
            "max_session_duration_ms",
            "retention_days",
            "frame_retention_days",
        )
        if (value := getattr(changes, name)) is not None
    }
    strict = _strict_categories(project, changes)
    options = ProjectOptions(
        hamustro=_with_secret(_merged(project.options.hamustro, changes.hamustro)),
        segment=_merged(project.options.segment, changes.segment),
        events=_merged(project.options.events, changes.events).model_copy(
            update={"strict_categories": strict}
        ),
        conditions=project.options.conditions
        if changes.conditions is None
        else numbered(changes.conditions, project.options.conditions),
    )
    return replace(project, **plain, strict_categories=strict, options=options, updated_ms=now_ms)


def new_key() -> str:
    """20 url-safe characters; never a dash first, which commands would take for an option."""
    while not KEY_PATTERN.fullmatch(key := secrets.token_urlsafe(_KEY_BYTES)):
        pass
    return key


Group = TypeVar("Group", bound=BaseModel)


def _merged(old: Group, new: Group | None) -> Group:
    """`old` with those members of `new` that were given."""
    if new is None:
        return old
    return old.model_copy(update={name: getattr(new, name) for name in new.model_fields_set})


def _with_secret(options: HamustroOptions) -> HamustroOptions:
    if options.shared_secret:
        return options
    return options.model_copy(update={"shared_secret": secrets.token_urlsafe(_SECRET_BYTES)})


def _strict_categories(project: Project, changes: ProjectChanges) -> bool:
    """One switch under two names: `strict_categories` and `events.strict_categories`."""
    given = {changes.strict_categories}
    if changes.events is not None and "strict_categories" in changes.events.model_fields_set:
        given.add(changes.events.strict_categories)
    given.discard(None)
    if len(given) > 1:
        text = "contradicts strict_categories"
        raise ValidationFailed(details=[Detail("events.strict_categories", "invalid_value", text)])
    return next((value for value in given if value is not None), project.strict_categories)


def _parse(model: type[Body], values: object, strict: bool) -> Body:
    if not isinstance(values, dict):
        raise InvalidBody("a JSON object is needed")
    try:
        return model.model_validate_json(orjson.dumps(values), strict=strict)
    except orjson.JSONEncodeError as problem:
        raise InvalidBody(str(problem)) from None
    except ValidationError as problem:
        details = [_detail(error) for error in problem.errors(include_url=False)]
        names = ", ".join(each.field for each in details)
        raise ValidationFailed(f"not usable: {names}", details=details) from None


def _detail(error: Any) -> Detail:
    """pydantic's error in our words; the codes are those of spec/event-service.md section 4."""
    kind = str(error["type"])
    if kind == "missing":
        code = "missing_field"
    elif kind == "extra_forbidden":
        code = "unexpected_field"
    else:
        code = "invalid_type" if kind.endswith(("_type", "_parsing")) else "invalid_value"
    said = str(error["msg"]).removeprefix("Value error, ")
    return Detail(".".join(str(place) for place in error["loc"]), code, said)
