"""A small picture of a session's last screen, for lists: made with its recording; for a live session from the
newest archive alone, without putting the session together.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
import xxhash

from cache.sized_cache import SizedCache
from messages import Limits, read_archive, sniff_picture
from messages.uploads import parse_upload
from playhead.errors import Malformed, NotFound, ObjectMissing
from sessions import parts as part_store
from sessions.material import Material
from sessions.model import Session
from sessions.parts import Part
from sessions.recording import prefix
from sessions.recording_index import FrameIndex
from storage.objects import ObjectStore
from storage.postgres import Database

NAME: Final = "poster.webp"
SIDE_PX: Final = 320
#: more than any screen has; a picture of a few bytes can claim thousands of millions
MAX_PIXELS: Final = 20_000_000
HELD_BYTES: Final = 16_000_000
_QUALITY: Final = 60
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF")
#: a damaged picture is passed over for the one before it, so often
_TRIES: Final = 3
#: pictures decoded at once: each takes a core and some megabytes
_AT_ONCE: Final = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Poster:
    """WebP, and what tells it from a later one."""

    content: bytes
    etag: str


def shrink(picture: bytes) -> bytes | None:
    """A picture as WebP, its long side SIDE_PX at most; None for one that cannot be decoded. Blocking.

    Never raises: what apps send must not keep anything from being recorded.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            image.draft("RGB", (SIDE_PX, SIDE_PX))  # JPEG: decoded at a fraction of its size
            image.thumbnail((SIDE_PX, SIDE_PX))
            out = io.BytesIO()
            image.convert("RGB").save(out, "WEBP", quality=_QUALITY)
            return out.getvalue()
    except Exception as problem:  # decoders raise whatever they like
        log.debug("poster_failed", error=type(problem).__name__)
        return None


async def poster_of(material: Material) -> bytes | None:
    """The poster of a session whose material this is; None without a picture that can be decoded."""
    pictures = {placed.digest: placed for placed in material.sorted_pictures()[-_TRIES:]}
    return await _first(material.picture_bytes(placed) for placed in reversed(pictures.values()))


class Posters:
    """Finds posters, or makes those that are missing; holds the last ones."""

    def __init__(self, db: Database, objects: ObjectStore, limits: Limits) -> None:
        self._db, self._objects, self._limits = db, objects, limits
        self._held: SizedCache[bytes] = SizedCache(size=lambda each: len(each) + 200, max_bytes=HELD_BYTES)
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def close(self) -> None:
        """Ends what is being made."""
        await self._held.close()

    async def live(self, session: Session) -> Poster | None:
        """From the newest archive that is not in a recording yet; None if there is none."""
        newest = await part_store.newest(
            self._db, session.project_id, session.session_id, "images", limit=_TRIES
        )
        if not newest:
            return None
        key = f"{session.session_id}/{newest[0].segment_key}/{newest[0].record}"
        return _poster(key, await self._held.get(key, lambda: self._from_parts(newest)))

    async def recorded(self, session: Session, frames: FrameIndex) -> Poster:
        """Of the recording. Raises NotFound, ObjectMissing when the recording is gone."""
        if not frames:
            raise NotFound("no picture of this replay")
        key = prefix(session.project_id, session.session_id, session.recording_name)
        return _poster(key, await self._held.get(key, lambda: self._stored(key, frames)))

    async def _stored(self, folder: str, frames: FrameIndex) -> bytes:
        try:
            return await self._objects.get(folder + NAME)
        except ObjectMissing:  # recorded before there were posters, or nothing could be decoded
            last = frames[len(frames) - 1]
            picture = await self._objects.get(
                f"{folder}frames-{last.object_no}", start=last.offset, length=last.length
            )
        async with self._free:
            return await _first([picture]) or b""

    async def _from_parts(self, newest: list[Part]) -> bytes:
        async with self._free:
            for part in newest:
                try:
                    body = await self._objects.get(
                        part.segment_key, start=part.body_offset, length=part.body_length
                    )
                except ObjectMissing:  # recorded meanwhile
                    continue
                found = await _first(await asyncio.to_thread(self._last_pictures, part, body))
                if found is not None:
                    return found
        return b""

    def _last_pictures(self, part: Part, body: bytes) -> list[bytes]:
        try:
            files = parse_upload(str(part.meta.get("content_type", "")), body).files
            archives = [read_archive(f.data, self._limits) for f in files if sniff_picture(f.data) is None]
        except Malformed:
            return []
        pictures = sorted((each for archive in archives for each in archive.frames), key=lambda p: p.at_ms)
        return [each.data for each in reversed(pictures[-_TRIES:])]


async def _first(pictures: Iterable[bytes]) -> bytes | None:
    """The first of these that can be decoded, as a poster."""
    for picture in pictures:
        made = await asyncio.to_thread(shrink, picture)
        if made is not None:
            return made
    return None


def _poster(key: str, content: bytes) -> Poster:
    if not content:
        raise NotFound("no picture of this replay")
    return Poster(content, xxhash.xxh3_128_hexdigest(key.encode()))
