"""Posters: small whatever comes, and nothing that comes can do harm."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from cache.sized_cache import SizedCache
from messages import Picture
from sessions.material import Material
from sessions.posters import MAX_PIXELS, SIDE_PX, poster_of, shrink


def picture(form: str, size: tuple[int, int], mode: str = "RGB", colour: Any = (200, 10, 10)) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form)
    return out.getvalue()


def opened(content: bytes | None) -> Image.Image:
    assert content is not None
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (picture("JPEG", (1179, 2556)), (148, 320)),
        (picture("PNG", (2556, 1179)), (320, 148)),
        (picture("WEBP", (800, 800)), (320, 320)),
        (picture("PNG", (40, 80), "RGBA", (1, 2, 3, 4)), (40, 80)),
        (picture("PNG", (640, 320), "P", 3), (320, 160)),
        (picture("JPEG", (640, 320), "L", 3), (320, 160)),
        (picture("PNG", (1, 3000)), (1, 320)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_screen_of_any_shape_and_format_becomes_small(content: bytes, size: tuple[int, int]) -> None:
    small = opened(shrink(content))
    assert small.format == "WEBP"
    assert max(small.size) <= SIDE_PX
    assert abs(small.width - size[0]) <= 1 and abs(small.height - size[1]) <= 1


JPEG = picture("JPEG", (400, 800))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        JPEG[: len(JPEG) // 2],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        picture("GIF", (9, 9), "P", 1),
        picture("TIFF", (9, 9)),
        png_that_claims(100_000, 100_000),
        png_that_claims(5000, MAX_PIXELS // 5000 + 1),
        png_that_claims(2**31 - 1, 2**31 - 1),
        png_that_claims(0, 0),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_what_is_none_is_passed_over(content: bytes) -> None:
    assert shrink(content) is None


async def test_it_is_of_the_last_screen_that_can_be_decoded() -> None:
    material = Material()
    red, blue = picture("JPEG", (9, 9)), picture("PNG", (9, 9), colour=(0, 0, 250))
    assert await poster_of(material) is None
    material.add_pictures(
        [Picture(3, "png", blue), Picture(1, "jpeg", red), Picture(4, "jpeg", b"\xff\xd8\xff")]
    )
    assert opened(await poster_of(material)).convert("RGB").getpixel((4, 4))[2] > 200  # type: ignore[index]
    material.add_pictures([Picture(5, "jpeg", JPEG)])
    assert opened(await poster_of(material)).size == (160, 320)
    material.close()


async def test_what_is_held_is_made_once_and_bounded() -> None:
    held: SizedCache[bytes] = SizedCache(size=len, max_bytes=100)
    made: list[str] = []

    async def make(key: str, size: int) -> bytes:
        made.append(key)
        await asyncio.sleep(0)
        if size < 0:
            raise ValueError(key)
        return bytes(size)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(held.get("a", lambda: make("a", 60)))
    assert made == ["a"]
    gone = asyncio.create_task(held.get("b", lambda: make("b", 30)))
    stays = asyncio.create_task(held.get("b", lambda: make("b", 30)))
    await asyncio.sleep(0)
    gone.cancel()
    assert len(await stays) == 30
    assert (held.held_bytes, made) == (90, ["a", "b"])
    await held.get("a", lambda: make("a", 60))  # read last, so b goes
    await held.get("c", lambda: make("c", 40))
    assert (held.held_bytes, len(held), made) == (100, 2, ["a", "b", "c"])
    await held.get("huge", lambda: make("huge", 101))
    assert held.held_bytes == 0
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            await held.get("bad", lambda: make("bad", -1))
    assert made[-2:] == ["bad", "bad"]
    await held.close()
