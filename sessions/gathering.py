"""From parts in the journal (and an earlier recording) to material: the one way for finalizer and live reader."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from messages import Limits, read_archive, sniff_picture, unpack
from messages.batch import cut
from messages.uploads import parse_upload
from playhead.errors import Malformed, ObjectMissing
from sessions import recording
from sessions.material import Material
from sessions.part_reads import bodies
from sessions.parts import Part
from sessions.recording import Manifest, StoredFrame
from storage.objects import ObjectStore

#: so long reading keeps the event loop before others have their turn
TURN_S = 0.005


@dataclass(slots=True)
class Gathered:
    """A session's material and which parts and recording went into it."""

    material: Material = field(default_factory=Material)
    consumed: set[tuple[str, int]] = field(default_factory=set)
    recording: str = ""
    late_parts: int = 0
    unreadable: int = 0


class Gatherer:
    """Reads bytes of parts and recordings into material."""

    def __init__(self, objects: ObjectStore, limits: Limits) -> None:
        self._objects = objects
        self._limits = limits

    async def add_parts(
        self, gathered: Gathered, parts: Sequence[Part], *, late: bool = False, tolerant: bool = False
    ) -> None:
        """Add the parts that are not in yet.

        One that the journal no longer has raises ObjectMissing; `tolerant` counts it as unreadable instead.
        """
        wanted = [part for part in parts if part.key not in gathered.consumed]
        began = time.perf_counter()
        async for part, body in bodies(self._objects, wanted):
            if body is None:
                if not tolerant:
                    raise ObjectMissing(f"no object {part.segment_key}")
                gathered.unreadable += 1
            else:
                gathered.late_parts += late
                try:
                    self._add(gathered.material, part, body)
                except Malformed:
                    gathered.unreadable += 1
            gathered.consumed.add(part.key)
            if time.perf_counter() - began > TURN_S:
                await asyncio.sleep(0)
                began = time.perf_counter()

    def _add(self, material: Material, part: Part, body: bytes) -> None:
        if part.kind in ("batch", "late"):
            plain = unpack(body, self._limits.max_unpacked_bytes).data
            _, frames = cut(plain, self._limits)
            material.add_messages(frames, since_ms=part.since_ms, until_ms=part.until_ms)
            return
        for file in parse_upload(str(part.meta.get("content_type", "")), body).files:
            if sniff_picture(file.data) is None:
                try:
                    material.add_pictures(read_archive(file.data, self._limits).frames)
                except Malformed:
                    continue

    async def add_recording(
        self, gathered: Gathered, project_id: int, session_id: int, name: str, *, pictures: bool = True
    ) -> Manifest:
        """Add what an earlier version of the recording holds, its pictures too if wanted -> its manifest."""
        prefix = recording.prefix(project_id, session_id, name)
        manifest = Manifest.from_bytes(await self._objects.get(prefix + "manifest"))
        if manifest.blocks:
            content = await self._objects.get(prefix + "messages")
            indexes = recording.read_indexes(await self._objects.get(prefix + "indexes"))
            blocks = (content[b.offset : b.offset + b.length] for b in manifest.blocks)
            recording.absorb_messages(gathered.material, blocks, indexes)
        for number, frames in _by_object(manifest.frames if pictures else ()).items():
            content = await self._objects.get(f"{prefix}frames-{number}")
            recording.absorb_frames(gathered.material, frames, content)
        gathered.material.coverage.clear()
        gathered.material.coverage.update(manifest.coverage)
        gathered.late_parts += manifest.completeness.get("late_parts", 0)
        gathered.unreadable += manifest.completeness.get("unreadable_parts", 0)
        gathered.recording = name
        return manifest


def _by_object(frames: Iterable[StoredFrame]) -> dict[int, list[StoredFrame]]:
    grouped: dict[int, list[StoredFrame]] = {}
    for frame in frames:
        grouped.setdefault(frame.object_no, []).append(frame)
    return grouped
