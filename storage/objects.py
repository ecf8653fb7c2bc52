"""The object store: what it promises (`ObjectStore`), the keys it takes, and its driver (`open_objects`).

Drivers are mechanism: storage/objects_local.py and storage/objects_s3.py. One suite holds both of them to the
promises below: tests/storage/test_objects.py.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from playhead.errors import ObjectMissing, StorageUnavailable
from playhead.settings import Settings

MULTIPART_BYTES = 16_000_000  # larger objects go to S3 in parts of this size
_CHARACTERS = re.compile(r"[A-Za-z0-9._/=-]*")
_MAX_KEY = 1000


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as listed; `modified_ms` by the store's clock."""

    key: str
    bytes: int
    modified_ms: int


class ObjectStore(Protocol):
    """Whole objects under keys.

    Every call ends in bounded time. It raises StorageUnavailable with the reason when the store cannot be
    written or read, ValueError for a bad key. No key may be a folder of another one.
    """

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> bool:
        """Store the object, durably before this returns; readers see the old one, or all of the new one.

        False: if_absent was set and there is an object already, which stays.
        """

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start` (negative: from the end), fewer where the object ends.

        Raises ObjectMissing.
        """

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove any number of objects; absent ones are fine."""

    def list(self, prefix: str, *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """Objects whose key begins with `prefix` and is greater than `after`, in the order of keys.

        `after` is a key, or a folder with its slash: some servers (SeaweedFS) leave out a folder that is named
        without. They also put "a/b" before "a-b", so no folder's name should begin its neighbour's.
        """

    async def check(self) -> None:
        """Write, read and delete a small object; raises StorageUnavailable with what did not work."""


def check_key(key: str) -> str:
    """The key if it is one: `[A-Za-z0-9._/=-]`, no part empty or begun with a dot. Raises ValueError."""
    if len(key) > _MAX_KEY or not _CHARACTERS.fullmatch(key) or ".." in key:
        raise ValueError(f"not an object key: {key[:200]!r}")
    if any(not part or part[0] == "." or len(part) > 200 for part in key.split("/")):
        raise ValueError(f"not an object key: {key[:200]!r}")
    return key


def check_prefix(prefix: str) -> str:
    """The prefix if keys can begin so. Raises ValueError."""
    check_key(prefix + "x" if not prefix or prefix.endswith("/") else prefix)
    return prefix


async def probe(objects: ObjectStore) -> None:
    """What `check` does in every driver."""
    key = f"check/{secrets.token_hex(8)}"
    await objects.put(key, key.encode())
    try:
        if await objects.get(key) != key.encode():
            raise StorageUnavailable("storage gives back other bytes than were written")
    except ObjectMissing as problem:
        raise StorageUnavailable("storage has lost an object that it had just taken") from problem
    finally:
        await objects.delete([key])


@asynccontextmanager
async def open_objects(settings: Settings) -> AsyncIterator[ObjectStore]:
    """The object store that the settings name. A store that is away now stops no start: see `check`."""
    location = settings.objects_location
    if location.startswith("file://"):
        from storage.objects_local import open_local

        # Taken as it stands, so that a path may hold spaces and per cent signs.
        async with open_local(Path(location.removeprefix("file://"))) as local:
            yield local
        return
    from storage.objects_s3 import open_s3

    place = urlsplit(location)
    async with open_s3(
        place.netloc,
        prefix=place.path.strip("/"),
        endpoint_url=settings.s3_endpoint_url,
        region=settings.s3_region,
    ) as s3:
        yield s3
