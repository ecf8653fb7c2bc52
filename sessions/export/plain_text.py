"""A replay as a text that people read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

from sessions.export.words import Chronicle, Line, printable, since
from sessions.message_pages import MessageView

_MORE_LINES = 200


async def text_of(replay: dict[str, Any], blocks: AsyncIterator[list[MessageView]]) -> AsyncIterator[bytes]:
    """`replay` as the API shows it, and its messages in order."""
    yield "".join(f"{line}\n" for line in heading(replay)).encode()
    chronicle, start_ms = Chronicle(replay["platform"]), replay["started_ms"]
    async for block in blocks:
        lines = (chronicle.line_of(message) for message in block)
        yield "".join(_told(line, start_ms) for line in lines if line is not None).encode()


def facts(replay: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of the session, (name, value) without what is not."""
    device, user, geo, app = replay["device"], replay["user"], replay["geo"], replay["app"]
    rows = [
        ("Replay", replay["session_id"]),
        ("Project", replay["project"]),
        ("Started", _utc(replay["started_ms"])),
        ("Lasted", since(replay["duration_ms"], 0)),
        ("User", user["id"] or user["anonymous_id"] or user["uuid"]),
        ("Device", " ".join(filter(None, (device["name"] or device["model"], device["type"])))),
        ("System", f"{device['os']} {device['os_version']}".strip()),
        ("App", app["revision"]),
        ("Tracker", app["tracker_version"]),
        ("Place", ", ".join(filter(None, (geo["city"], geo["state"], geo["country"])))),
        ("Clock", f"the device's, corrected by {replay['clock_offset_ms']} ms"),
        *((f"Metadata {key}", value) for key, value in sorted(replay["metadata"].items())),
        *(("Issue", _issue(each, replay["started_ms"])) for each in replay["issues"]),
    ]
    return ((name, str(value)) for name, value in rows if value)


def heading(replay: dict[str, Any]) -> Iterator[str]:
    """The facts as lines, then an empty one."""
    for name, value in facts(replay):
        yield f"{printable(name):<12} {printable(value)}"
    yield ""


def _told(line: Line, start_ms: int) -> str:
    told = f"{since(line.at_ms, start_ms):>12}  {line.kind:<8}  {printable(line.text)}\n"
    more = line.more.splitlines()
    for each in more[:_MORE_LINES]:
        told += f"{'':>24}{printable(each)}\n"
    if len(more) > _MORE_LINES:
        told += f"{'':>24}… {len(more) - _MORE_LINES} more lines\n"
    return told


def _issue(issue: dict[str, Any], start_ms: int) -> str:
    when = "" if issue.get("at_ms") is None else f" at {since(issue['at_ms'], start_ms)}"
    return f"{issue['type']}{when}: {issue.get('title') or ''}"


def _utc(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return str(at_ms)
