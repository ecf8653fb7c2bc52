"""Bodies, parameters and answers of the reading and managing routes, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from projects import ProjectView
from sessions.search import SORTS

MAX_MS = 2**53
Role = Literal["read", "write"]
Ms = Annotated[int, Field(ge=-MAX_MS, le=MAX_MS)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Limit = Annotated[int, Field(ge=1, le=1000)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Sort = Literal["newest", "oldest", "longest", "shortest", "most_events", "fewest_events"]
assert set(SORTS) == set(Sort.__args__)  # type: ignore[attr-defined]


class Shape(BaseModel):
    """Base of all: members that are not named here are refused, in requests and (in tests) in answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# -- requests


class NewApiKey(Shape):
    """An API key to make."""

    role: Role = "read"


class ReplayChanges(Shape):
    """What may be changed of a replay."""

    pinned: bool


class ReplayQuery(Shape):
    """Filters of the replay list; all must match."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="project key; may be left out"
    )
    from_ms: Ms | None = Field(None, description="started at or after")
    to_ms: Ms | None = Field(None, description="started at or before")
    platform: Text | None = Field(None, description="`ios` or `android`")
    user_id: Text | None = None
    user_uuid: Text | None = None
    anonymous_id: Text | None = None
    device: Text | None = Field(None, description="hardware id or marketing name")
    os: Text | None = None
    country: Text | None = Field(None, description="ISO code")
    tracker_version: Text | None = None
    app_version: Text | None = None
    min_duration_ms: Annotated[int, Field(ge=0, le=MAX_MS)] | None = None
    max_duration_ms: Annotated[int, Field(ge=0, le=MAX_MS)] | None = None
    issue: Text | None = Field(None, description="`crash`, `tap_rage`, `anr` …")
    event: Text | None = Field(None, description="name of an event that happened")
    view: Text | None = Field(None, description="screen that was seen")
    url: Text | None = Field(None, description="part of a URL that was called")
    text: Text | None = Field(None, description="part of anything that the session can be found by")
    metadata: dict[str, Text] = Field(default_factory=dict, description="`metadata.KEY=VALUE`")
    sort: Sort = "newest"
    limit: Limit = 50
    cursor: Cursor | None = Field(
        None,
        description="`next_cursor` of the page before. While there is one, the list goes on, even after a page that is "
        "not full: with several filters, a page ends after so many sessions have been looked at",
    )


class ExportQuery(Shape):
    """As what kind of file."""

    format: Literal["json", "text", "html", "mp4"] = Field(
        description="`json`: the replay and its messages; `text`: what happened, to read; `html`: a page that plays "
        "without a network; `mp4`: a video"
    )


class SuggestionQuery(Shape):
    """Which values of a filter."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="project key; may be left out"
    )
    field: Text = Field(
        description="a filter of the replay list, `url`, `metadata` (its keys) or `metadata.KEY`"
    )
    prefix: Annotated[str, StringConstraints(max_length=1000)] = Field(
        "", description="what the value begins with, whatever the case"
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class FrameQuery(Shape):
    """How a picture is named."""

    clock: Literal["corrected", "device"] = Field(
        "corrected",
        description="which clock `at_ms` is of; by the device's (`frames.t` of the timeline) a picture keeps its "
        "address while the session is live and its correction moves",
    )


class OpeningQuery(Shape):
    """The moment that a session is opened at."""

    t: Annotated[int, Field(ge=0, le=999_999_999_999)] | None = Field(
        None,
        description="ms since the session's start, as `?t=` of the player; without it the first picture, if that was "
        "taken within three seconds",
    )


class MessageQuery(Shape):
    """Which messages of a replay."""

    type: Annotated[str, StringConstraints(pattern=r"^\d{1,3}(,\d{1,3})*$", max_length=400)] | None = Field(
        None, description="message numbers, comma-separated"
    )
    from_ms: Ms | None = None
    to_ms: Ms | None = None
    limit: Limit = 100
    cursor: Cursor | None = None


class WholeListQuery(Shape):
    """A page of a list that is short enough to be had whole."""

    limit: Limit | None = Field(None, description="without it all that there are")
    cursor: Annotated[str, StringConstraints(pattern=r"^-?\d{1,18}$")] | None = Field(
        None, description="`next_cursor` of the page before"
    )


class PageQuery(Shape):
    """A page of a list."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    limit: Limit = 50
    cursor: Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")] | None = None


class ErasureQuery(PageQuery):
    """A page of erasures; the cursor is a session's id."""

    cursor: Annotated[str, StringConstraints(pattern=r"^\d{1,19}$")] | None = None


# -- answers


class ErrorDetail(Shape):
    """One problem; `field` is a dotted path or a parameter's name."""

    field: str
    code: str
    message: str


class ErrorBody(Shape):
    """What went wrong."""

    code: str
    message: str
    details: list[ErrorDetail] = []


class Error(Shape):
    """The one shape of every refusal."""

    error: ErrorBody


class ProjectsOut(Shape):
    projects: list[ProjectView]
    next_cursor: str | None


class ApiKeyOut(Shape):
    """An API key without its secret."""

    id: str
    role: Role
    created_ms: int
    revoked_ms: int | None = None


class NewApiKeyOut(ApiKeyOut):
    """The only time that the secret is shown."""

    secret: str


class ApiKeysOut(Shape):
    api_keys: list[ApiKeyOut]
    next_cursor: str | None


class UserOut(Shape):
    uuid: str | None
    id: str | None
    anonymous_id: str | None


class DeviceOut(Shape):
    model: str
    name: str
    type: str
    os: str
    os_version: str
    memory_kb: int
    width: int
    height: int


class AppOut(Shape):
    tracker_version: str
    revision: str


class GeoOut(Shape):
    country: str
    state: str
    city: str


class CountsOut(Shape):
    messages: int
    events: int
    clicks: int
    swipes: int
    inputs: int
    views: int
    network: int
    network_errors: int
    logs: int
    crashes: int
    frames: int
    bytes: int


class IssueOut(Shape):
    """A finding; in lists only its type."""

    type: str
    at_ms: int | None = None
    title: str | None = None
    detail: dict[str, Any] | None = None


class ReplayOut(Shape):
    """One recorded session; times are corrected ones, by the server's clock."""

    session_id: str
    project: str | None
    status: Literal["live", "ready"]
    platform: str
    started_ms: int
    duration_ms: int
    received_ms: int | None
    clock_offset_ms: int
    user: UserOut
    device: DeviceOut
    app: AppOut
    geo: GeoOut
    timezone: str
    metadata: dict[str, str]
    counts: CountsOut
    issues: list[IssueOut]
    pinned: bool
    continues: str | None
    completeness: dict[str, Any] | None = None


class ReplaysOut(Shape):
    replays: list[ReplayOut]
    next_cursor: str | None


class SuggestionOut(Shape):
    """A value that exists; `count`: sessions that have it, counted up to 100, absent for keys of metadata."""

    value: str
    count: int | None = None


class SuggestionsOut(Shape):
    values: list[SuggestionOut]


class MessageOut(Shape):
    """One message of the wire format; `timestamp_ms` is the corrected time."""

    index: int
    type: int
    name: str
    timestamp_ms: int
    device_timestamp_ms: int
    fields: dict[str, Any]


class MessagesOut(Shape):
    messages: list[MessageOut]
    next_cursor: str | None


class FrameOut(Shape):
    at_ms: int
    bytes: int
    format: str


class FramesOut(Shape):
    frames: list[FrameOut]
    next_cursor: str | None


class CollectedOut(Shape):
    """`truncated`: more events belong to the session than its track `collected` shows."""

    truncated: bool


class TimelineOut(BaseModel):
    """Columns by track in device time, the frame index, findings, and the replay's own data.

    The track `collected` holds events of other protocols that name the session or its user; their `i` is -1.
    """

    replay: ReplayOut
    collected: CollectedOut
    version: int
    tracks: dict[str, dict[str, list[Any]]]
    frames: dict[str, list[Any]]
    issues: list[dict[str, Any]]
    completeness: dict[str, Any]


class DeadLetterOut(Shape):
    """A record that could not be processed; never its content."""

    id: str
    project_id: str
    session_id: str | None
    kind: str
    reason: str
    detail: dict[str, Any]
    segment: str
    record: int
    bytes: int
    received_ms: int
    created_ms: int
    retried_ms: int | None


class DeadLettersOut(Shape):
    dead_letters: list[DeadLetterOut]
    next_cursor: str | None


class ErasureOut(Shape):
    """An erased session: what went by store, what came for it since, and since when the journal is clear of it."""

    session_id: str
    erased_ms: int
    removed: dict[str, int]
    late_records: int
    journal_records: int
    cleared_ms: int | None


class ErasuresOut(Shape):
    erasures: list[ErasureOut]
    next_cursor: str | None


class AliveOut(Shape):
    status: Literal["ok"]


class UpOut(Shape):
    up: Literal[True]


class DependencyOut(Shape):
    """`up`, `down`, or `off` where it is not configured; `detail` says why, `mend` what helps if it is down."""

    state: Literal["up", "down", "off"]
    detail: str = ""
    mend: str = ""


class ReadyOut(Shape):
    """`ready`; `degraded`: what comes is kept, but something is away; `unavailable`: nothing can be kept;
    `stopping`: send no more.
    """

    status: Literal["ready", "degraded", "unavailable", "stopping"]
    dependencies: dict[str, DependencyOut]


class StartOut(Shape):
    """What a tracker needs to send."""

    token: str
    imagesHashList: list[str]
    userUUID: str
    beaconSizeLimit: int
    sessionID: str
    quality: Literal["low", "standard", "high"]
    fps: int
    projectID: str
    framesSupport: bool


class StartIn(BaseModel):
    """A start request; unknown members are kept, numbers may be floats or text."""

    model_config = ConfigDict(extra="allow")

    projectKey: str | None = None
    projectID: int | float | str | None = Field(None, description="encoded id (README generation)")
    token: str | None = None
    trackerVersion: str | None = None
    revID: str | None = None
    userUUID: str | None = None
    userOSVersion: str | None = None
    userDevice: str | None = None
    userDeviceType: str | float | None = None
    timestamp: float | str | None = None
    timezone: str | None = None
    deviceMemory: float | str | None = None
    doNotRecord: bool | None = None
    condition: str | None = None
    platform: str | None = None
    width: float | str | None = None
    height: float | str | None = None
    performances: Any = None


class ConditionsOut(BaseModel):
    """Conditions as both SDKs parse them."""

    conditions: list[dict[str, Any]]
