"""Which users are recorded: one answer per project, user and day, whatever is retried.

Source: spec/openreplay-mobile.md 9.3, "Sampling is re-rolled on each retry".
"""

from __future__ import annotations

from datetime import UTC, datetime

import xxhash

_SCALE = 1 << 64


def sampled_in(project_id: int, user_key: str, day: str, rate: float) -> bool:
    """Whether `user_key` is recorded on `day` at `rate` %: 0 never, 100 always, monotone."""
    place = xxhash.xxh3_64_intdigest(f"{project_id}\0{day}\0{user_key}".encode("utf-8", "replace"))
    return place * 100 < rate * _SCALE


def day_of(now_ms: int) -> str:
    """The UTC day that `sampled_in` takes: "2026-01-31"."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
