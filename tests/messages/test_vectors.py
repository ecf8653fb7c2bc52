"""The bytes of the SDKs themselves: every vector reads as its JSON says (tests/vectors/README.md)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from messages import (
    Layout,
    Limits,
    Message,
    encode,
    encode_batch,
    fields,
    frame_bytes,
    identity,
    name_of,
    read_archive,
    read_batch,
    sniff_unpack,
    walk,
)

VECTORS = Path(__file__).parent.parent / "vectors"
BATCHES = sorted(path.stem for path in (VECTORS / "mobile").glob("*.json"))
ARCHIVES = sorted(path.stem for path in (VECTORS / "images").glob("*.json"))
LIMITS = Limits()


def load(folder: str, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / folder / f"{name}.json").read_text("utf-8"))
    return loaded


def batch_bytes(name: str) -> bytes:
    return sniff_unpack((VECTORS / "mobile" / f"{name}.bin").read_bytes(), LIMITS.max_unpacked_bytes)


def layout_of(vector: dict[str, Any]) -> Layout:
    return Layout.ANDROID if "android-tracker" in vector["encoder"] else Layout.IOS


def matches(value: object, expected: object) -> bool:
    """Whether a field is what the JSON tells, cleaned."""
    if isinstance(expected, str):
        return value == expected.replace("\0", "")
    if isinstance(expected, dict):
        raw = str(value).encode()
        return {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} == expected
    return value == expected and type(value) is type(expected)


def test_all_vectors_are_here():
    assert len(BATCHES) == 12
    assert len(ARCHIVES) == 3


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_reads_as_its_json_says(name):
    vector = load("mobile", name)
    layout = layout_of(vector)
    batch = read_batch(batch_bytes(name), layout, LIMITS)
    expected = vector.get("by_length", vector["messages"])
    assert [(frame.type, frame.index, frame.timestamp) for frame in batch.walk.frames] == [
        (message["type"], message["index"], message["timestamp"]) for message in expected
    ]
    assert batch.walk.tail == vector.get("by_length_tail")
    read: dict[int, Message] = {frame.offset: message for frame, message in batch.messages}
    damaged = {problem.frame.offset: problem.reason for problem in batch.damaged}
    for frame, said in zip(batch.walk.frames, expected, strict=True):
        if "error" in said:
            assert damaged[frame.offset] == said["error"]
            continue
        message = read[frame.offset]
        truth = said.get("sent", said["fields"])
        assert len(frame.body) == said["length"]
        assert message.NAME == said["name"] == name_of(frame.type, layout)
        assert list(fields(message)) == list(truth)
        for key, value in fields(message).items():
            assert matches(value, truth[key]), (name, frame.index, key)


@pytest.mark.parametrize("name", [name for name in BATCHES if name[:2] not in ("07", "09", "10", "11")])
def test_our_encoder_writes_the_very_bytes_of_the_sdk(name):
    vector = load("mobile", name)
    layout = layout_of(vector)
    (head, meta), *rest = read_batch(batch_bytes(name), layout, LIMITS).messages
    framed = [encode(message, timestamp=frame.timestamp, layout=layout) for frame, message in rest]
    assert encode_batch(int(fields(meta)["FirstIndex"]), head.timestamp, framed) == batch_bytes(name)


@pytest.mark.parametrize("name", BATCHES)
def test_frames_are_written_again_as_they_came(name):
    body = batch_bytes(name)
    walked = walk(body, LIMITS)
    again = b"".join(frame_bytes(frame.type, frame.timestamp, frame.body) for frame in walked.frames)
    assert again == body[: walked.tail_offset]


def test_the_same_bytes_again_are_the_same_messages():
    first, again = (walk(batch_bytes(name), LIMITS) for name in ("04-ios-flush", "05-ios-flush-again"))
    assert {identity(f.type, f.timestamp, f.body) for f in first.frames} == {
        identity(f.type, f.timestamp, f.body) for f in again.frames
    }


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_gives_exactly_its_pictures(name):
    vector = load("images", name)
    archive = read_archive((VECTORS / "images" / vector["name"]).read_bytes(), LIMITS)
    assert archive.skipped == []
    assert [(p.at_ms, len(p.data), hashlib.sha256(p.data).hexdigest()) for p in archive.frames] == [
        (frame["timestamp"], frame["bytes"], frame["sha256"]) for frame in vector["frames"]
    ]
    assert {p.format for p in archive.frames} == {"webp" if "android" in name else "jpeg"}
