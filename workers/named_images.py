"""Hash-named pictures (README generation): content-addressed per project, uses counted across sessions.

Source: spec/openreplay-mobile.md section 2. The client's name is kept as an alias; the digest is our own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from storage.ledger import Fate
from storage.objects import ObjectStore
from workers.harvest import Item
from workers.reading import NamedPicture

MAX_NAME_CHARS = 200

# Both in key order; uses counts sessions, so only a new (image, session) pair adds to it.
ADD = """
WITH shown AS (
    SELECT DISTINCT ON (p, d, s) * FROM unnest($1::int[], $2::bytea[], $3::text[], $4::text[], $5::bigint[],
        $6::bigint[], $7::bigint[]) AS i(p, d, name, format, bytes, s, at_ms) ORDER BY p, d, s
), fresh AS (
    INSERT INTO image_uses (project_id, digest, session_id) SELECT p, d, s FROM shown
    ON CONFLICT DO NOTHING RETURNING project_id, digest
)
INSERT INTO images AS held (project_id, digest, name, format, bytes, uses, used_ms)
SELECT p, d, min(name), min(format), min(bytes),
       (SELECT count(*) FROM fresh WHERE fresh.project_id = p AND fresh.digest = d), max(at_ms)
FROM shown GROUP BY p, d ORDER BY p, d
ON CONFLICT (project_id, digest) DO UPDATE
SET uses = held.uses + excluded.uses, used_ms = greatest(held.used_ms, excluded.used_ms)
"""


def object_key(project_id: int, digest: bytes) -> str:
    """Where a hash-named picture lies."""
    return f"images/{project_id}/{digest.hex()}"


async def keep(objects: ObjectStore, project_id: int, picture: NamedPicture) -> None:
    """Store the picture's bytes (before its row is written)."""
    digest = hashlib.sha256(picture.data).digest()
    await objects.put(
        object_key(project_id, digest), picture.data, content_type=f"image/{picture.format}", if_absent=True
    )


async def insert(conn: Any, items: Sequence[Item]) -> None:
    """Count the uses of the stored records' pictures inside the caller's transaction."""
    rows = [
        (
            item.record.project_id,
            digest := hashlib.sha256(picture.data).digest(),
            clean_name(picture.name) or digest.hex(),
            picture.format,
            len(picture.data),
            item.target[1],
            item.record.received_us // 1000,
        )
        for item in items
        if item.fate is Fate.STORED and item.reading
        for picture in item.reading.named
    ]
    if rows:
        await conn.execute(ADD, *(list(column) for column in zip(*rows, strict=True)))


def clean_name(name: str) -> str:
    """A client's image name without path and control characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in name if c.isprintable())[:MAX_NAME_CHARS].strip(".")
