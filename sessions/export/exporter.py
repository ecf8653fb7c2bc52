"""Opens exports: what can fail does so before the first byte, the rest is made piece by piece while it is sent."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import asdict, dataclass
from functools import partial
from typing import IO, Any, Final

import orjson

from playhead.errors import Overloaded, Unprocessable
from sessions.export.html_page import page_of
from sessions.export.plain_text import text_of
from sessions.export.video import Touch, Video, moments_of
from sessions.message_pages import MessageView
from sessions.model import Session
from sessions.replays import Replays

#: format -> content type; the file's name ends with the format, but for text
FORMATS: Final = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "mp4": "video/mp4",
}
_ENDINGS: Final = {"text": "txt"}
_CHUNK_BYTES: Final = 262_144
#: what a hostile app can make a video draw
_MAX_TOUCHES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Export:
    """One file; `chunks` is to be read to its end or closed."""

    filename: str
    content_type: str
    chunks: AsyncIterator[bytes]


class Exporter:
    """Makes files of replays; one video at a time, as each takes a core."""

    def __init__(self, replays: Replays, *, max_bytes: int, timeout_s: float) -> None:
        self._replays = replays
        self._max_bytes, self._timeout_s = max_bytes, timeout_s
        self._filming = asyncio.Lock()

    async def open(self, session: Session, format: str, project_key: str | None = None) -> Export:
        """A replay as one file. Raises Unprocessable (no pictures, too long), Overloaded."""
        replay = (await self._replays.get(session)).as_json(project_key)
        chunks = await self._chunks(session, format, replay)
        return Export(filename_of(session, format), FORMATS[format], chunks)

    async def _chunks(self, session: Session, format: str, replay: dict[str, Any]) -> AsyncIterator[bytes]:
        if format == "mp4":
            return _read(await self._film(session, replay))
        blocks = self._replays.blocks(session)
        if format == "json":
            return _json(replay, blocks)
        if format == "text":
            return text_of(replay, blocks)
        frames = await self._replays.album(session)
        read = partial(self._replays.frame, session)
        return page_of(replay, frames, read, blocks, max_bytes=self._max_bytes)

    async def _film(self, session: Session, replay: dict[str, Any]) -> IO[bytes]:
        if self._filming.locked():
            raise Overloaded("another video is being made", retry_after_s=15)
        async with self._filming:
            file = tempfile.TemporaryFile()  # noqa: SIM115 - read by the answer, gone when that is
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._shoot(session, replay, file)
                file.seek(0)
                return file
            except TimeoutError:
                file.close()
                raise Unprocessable(
                    f"making this video takes longer than {self._timeout_s:g} s", code="too_long"
                ) from None
            except BaseException:
                file.close()
                raise

    async def _shoot(self, session: Session, replay: dict[str, Any], file: IO[bytes]) -> None:
        """Pictures are read one by one; encoding has a thread of its own."""
        touches = await self._touches(session)
        times = list((await self._replays.album(session)).at_ms)
        device = (replay["device"]["width"], replay["device"]["height"])
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "video") as threads:
            run = partial(loop.run_in_executor, threads)
            video = await run(partial(Video, file, platform=replay["platform"], device=device))
            try:
                shown = -1
                for moment in moments_of(times, touches):
                    if moment.picture != shown:
                        shown = moment.picture
                        content, _ = await self._replays.frame(session, times[shown])
                        await run(video.show, content)
                    await run(video.write, moment.at_ms, moment.touches)
                    self._check_size(file)
                await run(video.finish)
                self._check_size(file)
            finally:
                await run(video.close)

    def _check_size(self, file: IO[bytes]) -> None:
        file.flush()
        if os.fstat(file.fileno()).st_size > self._max_bytes:
            raise Unprocessable(f"this video is larger than {self._max_bytes} bytes", code="too_long")

    async def _touches(self, session: Session) -> list[Touch]:
        found: list[Touch] = []
        async with aclosing(self._replays.blocks(session)) as blocks:
            async for block in blocks:
                found += [
                    Touch(each.timestamp_ms, each.fields["X"], each.fields["Y"])
                    for each in block
                    if each.type in (100, 106)
                ]
                if len(found) > _MAX_TOUCHES:
                    break
        return found[:_MAX_TOUCHES]


def filename_of(session: Session, format: str) -> str:
    """What the file is called unless somebody says otherwise."""
    return f"replay-{session.session_id}.{_ENDINGS.get(format, format)}"


async def _json(replay: dict[str, Any], blocks: AsyncIterator[list[MessageView]]) -> AsyncIterator[bytes]:
    comma = b""
    yield b'{"replay":' + orjson.dumps(replay) + b',"messages":[\n'
    async for block in blocks:
        if block:
            yield comma + b",\n".join(orjson.dumps(asdict(each)) for each in block)
            comma = b",\n"
    yield b"\n]}\n"


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
