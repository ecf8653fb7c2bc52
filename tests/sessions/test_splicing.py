"""A timeline with another beginning: to every gzip reader the same text as if it had been compressed anew."""

from __future__ import annotations

import gzip
import random

import orjson
import pytest

from sessions import splicing

MEMBERS = orjson.dumps({"replay": {"user": 'a"tracks":{'}, "collected": {"truncated": False}})
TRACK = b'"collected":{"t":[1]}'


def text(rows: int) -> bytes:
    rng = random.Random(rows)
    tracks = {"taps": {"t": [rng.randrange(10**12) for _ in range(rows)]}} if rows else {}
    return orjson.dumps({"version": 1, "tracks": tracks, "frames": {"t": []}})


@pytest.mark.parametrize("track", [b"", TRACK])
@pytest.mark.parametrize("rows", [0, 1, 70_000])
def test_a_spliced_timeline_reads_like_one_made_anew(rows: int, track: bytes) -> None:
    plain = text(rows)
    stored = splicing.pack(plain)
    assert gzip.decompress(stored) == plain
    spliced = gzip.decompress(splicing.splice(stored, MEMBERS, track))  # checks the checksum, too
    assert spliced == splicing.insert(plain, MEMBERS, track)
    value = orjson.loads(plain)
    added = orjson.loads(b"{" + track + b"}")
    assert orjson.loads(spliced) == orjson.loads(MEMBERS) | value | {"tracks": added | value["tracks"]}


@pytest.mark.parametrize("level", [0, 1, 6])
def test_recordings_of_before_are_read_too(level: int) -> None:
    plain = text(1000)
    spliced = splicing.splice(gzip.compress(plain, level, mtime=0), MEMBERS, TRACK)
    assert gzip.decompress(spliced) == splicing.insert(plain, MEMBERS, TRACK)


def test_what_is_stored_depends_on_the_text_alone() -> None:
    assert splicing.pack(text(100)) == splicing.pack(text(100))
