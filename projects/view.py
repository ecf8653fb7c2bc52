"""A project as the API shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from projects.conditions import Condition
from projects.encoded_ids import encode
from projects.model import EventsOptions, HamustroOptions, Platform, Project, SegmentOptions

Hidden = Annotated[str | None, Field(description="null: hidden from keys that may only read; empty: none")]


class HamustroView(HamustroOptions):
    """With secrets that can be hidden."""

    shared_secret: Hidden = None  # type: ignore[assignment]  # widened on purpose
    maintenance_key: Hidden = None  # type: ignore[assignment]


class SegmentView(SegmentOptions):
    """With secrets that can be hidden."""

    webhook_secret: Hidden = None  # type: ignore[assignment]
    signing_secret: Hidden = None  # type: ignore[assignment]


class ProjectView(BaseModel):
    """Body of `GET /api/v1/projects/{key}`."""

    model_config = ConfigDict(frozen=True)

    project_id: str
    encoded_id: Annotated[int, Field(description="what SDKs of 2021 send as projectID")]
    key: str
    name: str
    platform: Platform
    active: bool
    sample_rate: int
    max_session_duration_ms: int
    retention_days: int
    frame_retention_days: int
    strict_categories: bool
    hamustro: HamustroView
    segment: SegmentView
    events: EventsOptions
    conditions: tuple[Condition, ...]
    created_ms: int
    updated_ms: int


def view(project: Project, *, secrets: bool) -> ProjectView:
    """The project; its protocols' secrets only for who may write."""
    hamustro = project.options.hamustro.model_dump()
    segment = project.options.segment.model_dump()
    if not secrets:
        hamustro |= dict.fromkeys(("shared_secret", "maintenance_key"))
        segment |= dict.fromkeys(("webhook_secret", "signing_secret"))
    return ProjectView(
        project_id=str(project.project_id),
        encoded_id=encode(project.project_id),
        key=project.project_key,
        name=project.name,
        platform=project.platform,
        active=project.active,
        sample_rate=project.sample_rate,
        max_session_duration_ms=project.max_session_duration_ms,
        retention_days=project.retention_days,
        frame_retention_days=project.frame_retention_days,
        strict_categories=project.strict_categories,
        hamustro=HamustroView(**hamustro),
        segment=SegmentView(**segment),
        events=project.options.events,
        conditions=project.options.conditions,
        created_ms=project.created_ms,
        updated_ms=project.updated_ms,
    )
