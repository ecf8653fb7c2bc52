"""What the object store promises, held against both drivers. What only one can get wrong: next files."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playhead.errors import ObjectMissing
from playhead.settings import Settings
from storage.objects import MULTIPART_BYTES, ObjectInfo, ObjectStore, check_key, check_prefix, open_objects


@pytest.fixture(params=["local", "s3"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "local":
        values = {"objects_url": f"file://{tmp_path / 'a folder with 100% odd #signs'}"}
    else:
        values = request.getfixturevalue("s3").settings
        values["objects_url"] += "/some/prefix"
    async with open_objects(Settings.model_validate(values)) as store:
        yield store


async def keys_of(store: ObjectStore, prefix: str = "", after: str = "") -> list[str]:
    return [info.key async for info in store.list(prefix, after=after)]


async def test_an_object_comes_back_as_it_was(objects: ObjectStore) -> None:
    for body in (b"", b"x", bytes(range(256)) * 1000):
        assert await objects.put("a/b=1/c-d_e.bin", body)
        assert await objects.get("a/b=1/c-d_e.bin") == body


async def test_a_put_replaces(objects: ObjectStore) -> None:
    await objects.put("key", b"a longer first version")
    assert await objects.put("key", b"second")
    assert await objects.get("key") == b"second"


async def test_if_absent_keeps_what_is_there(objects: ObjectStore) -> None:
    assert await objects.put("a/key", b"first", if_absent=True) is True
    assert await objects.put("a/key", b"second", if_absent=True) is False
    assert await objects.get("a/key") == b"first"


async def test_of_many_conditional_puts_one_wins(objects: ObjectStore) -> None:
    bodies = [f"body {n}".encode() for n in range(10)]
    won = await asyncio.gather(*(objects.put("race", body, if_absent=True) for body in bodies))
    assert won.count(True) == 1
    assert await objects.get("race") == bodies[won.index(True)]


async def test_large_objects_go_in_parts(objects: ObjectStore) -> None:
    body = os.urandom(1_000_000) * 33 + b"end"
    assert len(body) > 2 * MULTIPART_BYTES
    assert await objects.put("large", body)
    assert await objects.get("large") == body
    assert await objects.get("large", start=-5) == body[-5:]
    assert await objects.put("large", b"small" * MULTIPART_BYTES, if_absent=True) is False
    assert await objects.get("large", start=0, length=4) == body[:4]


async def test_ranges(objects: ObjectStore) -> None:
    body = bytes(range(100))
    await objects.put("r", body)
    cases = [
        (0, None),
        (0, 10),
        (10, 20),
        (90, 50),
        (99, 1),
        (-1, None),
        (-30, 10),
        (-100, None),
        (-500, None),
    ]
    for start, length in cases:
        expected = body[start:] if length is None else body[start:][:length]
        assert await objects.get("r", start=start, length=length) == expected, (start, length)


async def test_a_range_behind_the_end_is_empty(objects: ObjectStore) -> None:
    await objects.put("r", b"12345")
    assert await objects.get("r", start=5) == b""
    assert await objects.get("r", start=500, length=3) == b""
    assert await objects.get("r", start=2, length=0) == b""
    await objects.put("empty", b"")
    assert await objects.get("empty", start=-8) == b""


async def test_a_missing_object_is_said_to_be_missing(objects: ObjectStore) -> None:
    await objects.put("a/b", b"x")
    for key in ("nothing", "a", "a/c", "a/b/c", "x/y/z"):
        with pytest.raises(ObjectMissing):
            await objects.get(key)
        with pytest.raises(ObjectMissing):
            await objects.get(key, start=3, length=0)


async def test_listing_is_in_the_order_of_keys(objects: ObjectStore) -> None:
    keys = [
        "a/b",
        "a/b0",
        "a/z/1",
        "a/z/2",
        "b",
        "c/1",
        "c/10/x",
        "c/2",
        "journal/2026/01/31/x",
        "journal/2026/02/1/x",
    ]
    for key in reversed(keys):
        await objects.put(key, key.encode())
    infos = [info async for info in objects.list("")]
    assert [info.key for info in infos] == sorted(keys)
    assert all(info.bytes == len(info.key) for info in infos)
    now_ms = time.time() * 1000
    assert all(isinstance(info, ObjectInfo) and abs(info.modified_ms - now_ms) < 60_000 for info in infos)


async def test_a_listing_can_begin_anywhere(objects: ObjectStore) -> None:
    keys = sorted(f"j/{day:02}/{hour:02}/{n}" for day in range(3) for hour in range(3) for n in range(3))
    await asyncio.gather(*(objects.put(key, b"x") for key in keys))
    await objects.put("other", b"x")
    prefixes = ("", "j", "j/", "j/0", "j/01", "j/01/", "j/01/0", "j/01/02/1", "nothing/", "j/9")
    for prefix in prefixes:
        for after in (
            "",
            "i",
            "j/",
            "j/00/02/2",
            "j/01/",
            "j/01/01/",
            "j/01/01/0",
            "j/01/02/zzz",
            "k",
            "zzz",
        ):
            expected = [k for k in [*keys, "other"] if k.startswith(prefix) and k > after]
            assert await keys_of(objects, prefix, after) == expected, (prefix, after)


async def test_a_listing_has_no_bound(objects: ObjectStore) -> None:
    keys = [f"many/{n:05}" for n in range(1100)]
    for begin in range(0, len(keys), 50):
        await asyncio.gather(*(objects.put(key, b"") for key in keys[begin : begin + 50]))
    assert await keys_of(objects, "many/") == keys
    await objects.delete(keys)
    assert await keys_of(objects, "many/") == []


async def test_a_listing_may_be_left_early(objects: ObjectStore) -> None:
    for n in range(3):
        await objects.put(f"k/{n}", b"")
    found = objects.list("k/")
    async for info in found:
        assert info.key == "k/0"
        break
    await found.aclose()  # type: ignore[attr-defined]


async def test_deleting_what_is_not_there_is_fine(objects: ObjectStore) -> None:
    await objects.put("d/1", b"x")
    await objects.put("d/2", b"x")
    await objects.delete(["d/1", "d/1", "d/none", "no/such/folder", "d/2/under-a-file"])
    await objects.delete([])
    assert await keys_of(objects) == ["d/2"]
    with pytest.raises(ObjectMissing):
        await objects.get("d/1")


async def test_check_says_nothing_when_all_is_well_and_leaves_nothing(objects: ObjectStore) -> None:
    await objects.check()
    assert await keys_of(objects) == []


BAD_KEYS = [
    "", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b", ".hidden", "a/.tmp/b",
    "a\\b", "a b", "ä", "a\0b", "a\n", "a?b", "a*b", "a%2e", "~", "C:x", "x" * 1001, "x" * 201, "a..b",
]  # fmt: skip


async def test_a_bad_key_is_refused_everywhere(objects: ObjectStore) -> None:
    for key in BAD_KEYS:
        for call in (objects.put(key, b"x"), objects.get(key), objects.delete(["fine", key])):
            with pytest.raises(ValueError, match="not an object key"):
                await call
    assert await keys_of(objects) == []


def test_keys_and_prefixes() -> None:
    assert check_key("journal/2026/01/01/00/1760000000000-node-1.seg")
    for prefix in ("", "a", "a/", "a/b", "a/b/"):
        assert check_prefix(prefix) == prefix
    for prefix in ("/", "../", "a//", "a/.", "a/../"):
        with pytest.raises(ValueError, match="not an object key"):
            check_prefix(prefix)
