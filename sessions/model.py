"""A session is one visit to one app: `Session` mirrors the table, `SessionStart` is what `/start` told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Self

from projects.user_keys import MAX_USER_ID
from sessions.ids import SessionId, started_ms

MAX_MS: Final = 253_402_300_799_999  # end of the year 9999; keeps sums of device times within a bigint
MAX_TEXT: Final = 1000  # characters of an attribute
MAX_USER_UUID: Final = 200  # user_uuid is part of an index
_INT4: Final = 2**31 - 1
_INT8: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SessionStart:
    """What a start record carries; `info` is the rest that `/start` told (performances …)."""

    platform: str = ""
    user_uuid: str = ""
    device_model: str = ""  # hardware id as sent
    device_name: str = ""  # marketing name
    device_type: str = ""
    os: str = ""
    os_version: str = ""
    memory_kb: int = 0
    width: int = 0
    height: int = 0
    tracker_version: str = ""
    revision: str = ""
    timezone: str = ""
    country: str = ""
    state: str = ""
    city: str = ""
    device_start_ms: int | None = None  # the device's clock at /start
    continues: int | None = None  # session id whose timed-out token this one follows
    legacy: bool = False
    info: dict[str, Any] = field(default_factory=dict)

    def to_meta(self) -> dict[str, Any]:
        """The meta of a journal record: what differs from the defaults, msgpack-able."""
        meta = asdict(self)
        return {name: value for name, value in meta.items() if value not in ("", 0, None, False, {})}

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Self:
        """The reverse; unknown members are ignored, values that the table cannot hold are made to fit."""
        known: dict[str, Any] = {}
        for name, fit in _START_FITS.items():
            if name in meta:
                known[name] = fit(meta[name])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Session:
    """One row of `sessions`; times are ms since the epoch, `device_*` by the device's clock."""

    project_id: int
    session_id: SessionId
    started_ms: int
    known: bool = False
    platform: str = ""
    user_uuid: str = ""
    user_id: str = ""
    anonymous_id: str = ""
    device_model: str = ""
    device_name: str = ""
    device_type: str = ""
    os: str = ""
    os_version: str = ""
    memory_kb: int = 0
    width: int = 0
    height: int = 0
    tracker_version: str = ""
    revision: str = ""
    timezone: str = ""
    country: str = ""
    state: str = ""
    city: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    start_info: dict[str, Any] = field(default_factory=dict)
    continues: int | None = None
    legacy: bool = False
    device_start_ms: int | None = None
    device_first_ms: int | None = None
    device_last_ms: int | None = None
    clock_offset_ms: int | None = None  # corrected = device + this
    first_received_ms: int | None = None
    last_received_ms: int | None = None
    duration_ms: int = 0
    messages: int = 0
    events: int = 0
    clicks: int = 0
    swipes: int = 0
    inputs: int = 0
    views: int = 0
    network: int = 0
    network_errors: int = 0
    logs: int = 0
    crashes: int = 0
    frames: int = 0
    bytes: int = 0
    issue_types: tuple[str, ...] = ()
    revision_no: int = 0
    recording: int = 0  # newest version in the object store; 0: none yet
    recording_name: str = ""  # the folder that holds it
    pinned: bool = False  # kept beyond retention, its pictures last to go
    frames_dropped_ms: int | None = None  # when its pictures were removed to make room
    due_ms: int | None = None  # when to finalize; None: recorded and nothing new since
    claimed_until_ms: int = 0
    attempts: int = 0

    @property
    def live(self) -> bool:
        """Whether data can still be on its way: nothing recorded yet, or newer data than the recording."""
        return self.recording == 0 or self.due_ms is not None

    def corrected_ms(self, device_ms: int) -> int:
        """A time of this session's device by the server's clock."""
        return min(max(device_ms + (self.clock_offset_ms or 0), -MAX_MS), MAX_MS)


COUNTERS: Final = (
    "messages",
    "events",
    "clicks",
    "swipes",
    "inputs",
    "views",
    "network",
    "network_errors",
    "logs",
    "crashes",
    "frames",
    "bytes",
)
COLUMNS: Final = tuple(each.name for each in fields(Session))


def new_session(project_id: int, session_id: int) -> Session:
    """A session that nothing is known of but its id."""
    return Session(project_id=project_id, session_id=SessionId(session_id), started_ms=started_ms(session_id))


def clean_text(value: object, most: int = MAX_TEXT) -> str:
    """Text that a column can hold: a string without NUL and lone surrogates, at most `most` characters."""
    if not isinstance(value, str):
        return ""
    return value[:most].replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def clean_json(value: Any, depth: int = 8) -> Any:
    """A JSON value that a jsonb column can hold; deeper than `depth` levels is dropped."""
    if isinstance(value, str):
        return clean_text(value, MAX_USER_ID)
    if isinstance(value, Mapping):
        pairs = value.items() if depth > 0 else ()
        return {clean_text(key): clean_json(item, depth - 1) for key, item in pairs if isinstance(key, str)}
    if isinstance(value, (list, tuple)):
        return [clean_json(item, depth - 1) for item in value] if depth > 0 else []
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) <= _INT8 else None
    return value if isinstance(value, (bool, float)) else None


def clamp_ms(value: int | None) -> int | None:
    """A device's time or difference of times, within what sums of the database can hold."""
    return None if value is None else max(-MAX_MS, min(value, MAX_MS))


def _text(value: object) -> str:
    return clean_text(value)


def _short(value: object) -> str:
    return clean_text(value, MAX_USER_UUID)


def _number(value: object, most: int) -> int:
    """A whole number between 0 and `most`; JSON may have made it a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return 0
    return int(max(0, min(value, most)))


def _info(value: object) -> dict[str, Any]:
    return dict(clean_json(value)) if isinstance(value, Mapping) else {}


_START_FITS: Final[dict[str, Callable[[Any], Any]]] = {
    "platform": _text,
    "user_uuid": _short,
    "device_model": _text,
    "device_name": _text,
    "device_type": _text,
    "os": _text,
    "os_version": _text,
    "memory_kb": lambda value: _number(value, _INT8),
    "width": lambda value: _number(value, _INT4),
    "height": lambda value: _number(value, _INT4),
    "tracker_version": _text,
    "revision": _text,
    "timezone": _text,
    "country": _text,
    "state": _text,
    "city": _text,
    "device_start_ms": lambda value: _number(value, MAX_MS) if value is not None else None,
    "continues": lambda value: (_number(value, _INT8) or None) if value is not None else None,
    "legacy": bool,
    "info": _info,
}
