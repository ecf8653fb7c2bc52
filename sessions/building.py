"""From material to what is stored or shown: decoded messages, summary, findings, manifest, timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from messages import Layout, Message, decode
from playhead.errors import Malformed
from sessions import recording, splicing
from sessions.facts import Summary, fact_of, layout_of
from sessions.gathering import Gathered
from sessions.heuristics import Finding, find_issues
from sessions.material import Entry, Material
from sessions.model import Session
from sessions.recording import Manifest, StoredFrame
from sessions.timeline import timeline_of


@dataclass(slots=True)
class Built:
    """A session's recording before it is stored; `decoded` is (place, device ms, message) in order."""

    entries: list[Entry]
    decoded: list[tuple[int, int, Message]]
    summary: Summary
    findings: list[Finding]
    completeness: dict[str, Any]
    layout: Layout


def build(session: Session, material: Material, gathered: Gathered | None = None) -> Built:
    """Decode and fold everything of a session. What cannot be decoded stays in `entries` alone."""
    layout = layout_of(session.platform, session.legacy)
    entries = material.sorted_messages()
    decoded: list[tuple[int, int, Message]] = []
    summary = Summary()
    for place, entry in enumerate(entries):
        try:
            message = decode(entry.type, entry.body, layout)
        except Malformed:
            continue
        decoded.append((place, entry.timestamp, message))
    summary.fold(fact_of(message) for _, _, message in decoded)
    findings = find_issues([(at_ms, message) for _, at_ms, message in decoded])
    for finding in findings:
        summary.add_term("issue", finding.type)
    complete = recording.completeness(material, entries, material.sorted_pictures())
    if session.frames_dropped_ms is not None:
        complete["frames_dropped_ms"] = session.frames_dropped_ms
    if gathered is not None:
        complete |= {"late_parts": gathered.late_parts, "unreadable_parts": gathered.unreadable}
    return Built(entries, decoded, summary, findings, complete, layout)


def objects_of(built: Built, material: Material, object_bytes: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of a recording's objects, one at a time; the manifest last."""
    frames: list[StoredFrame] = []
    for number, (content, index) in enumerate(recording.frame_objects(material, object_bytes)):
        frames.extend(index)
        yield f"frames-{number}", content
    messages, blocks = recording.message_blocks(built.entries)
    yield "messages", messages
    yield "indexes", recording.pack_indexes(built.entries)
    timeline = timeline_of(built.decoded, frames, built.findings, built.completeness)
    yield "timeline", splicing.pack(orjson.dumps(timeline))
    manifest = Manifest(
        layout=str(built.layout),
        blocks=blocks,
        frames=frames,
        coverage=material.index_ranges(),
        completeness=built.completeness,
        counts=counts_of(built),
    )
    yield "manifest", manifest.to_bytes()


def counts_of(built: Built) -> dict[str, int]:
    """The replay's counters, frames included."""
    return {**built.summary.counters, "frames": built.completeness["frames"]}
