"""The same content, whatever way it came, is the same material and the same recording."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messages import Limits, Picture, encode, encode_batch, walk
from messages.schema import MobileClickEvent, MobileEvent, MobileLog
from sessions import recording
from sessions.building import build, objects_of
from sessions.material import MAX_RANGES, Material, merged_ranges
from sessions.model import new_session

START_MS = 1_700_000_000_000
JPEG = b"\xff\xd8\xff"


def sent(count: int, seed: int) -> list[bytes]:
    """Framed messages of one device in the order of its clock; some share a millisecond."""
    rng = random.Random(seed)
    at = START_MS
    framed = []
    for number in range(count):
        at += rng.choice([0, 1, 7])
        kind = rng.choice(
            [
                MobileClickEvent(f"b{number}", 1, 2),
                MobileLog("info", f"line {number % 3}"),
                MobileEvent("e", "{}"),
            ]
        )
        framed.append((at, encode(kind, timestamp=at)))
    return [body for _, body in framed]


def deliver(material: Material, batches: list[list[bytes]], first_index: int = 0) -> None:
    index = first_index
    for batch in batches:
        material.add_messages(walk(encode_batch(index, START_MS, batch), Limits()).frames)
        index += len(batch)


def stored(material: Material) -> dict[str, bytes]:
    built = build(new_session(1, 5), material)
    return dict(objects_of(built, material, 1000))


def content(material: Material) -> dict[str, bytes]:
    """What must not depend on the way of delivery."""
    return {
        name: data for name, data in stored(material).items() if name.split("-")[0] in ("messages", "frames")
    }


@given(st.integers(0, 2**32), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_order_and_duplicates_of_batches_do_not_matter(seed: int, size: int) -> None:
    messages = sent(40, seed)
    batches = [messages[i : i + size] for i in range(0, len(messages), size)]
    plain = Material()
    deliver(plain, batches)
    shuffled = Material()
    bodies = []
    index = 0
    for batch in batches:
        bodies.append(encode_batch(index, START_MS, batch))
        index += len(batch)
    rng = random.Random(seed)
    twice = bodies + rng.sample(bodies, len(bodies) // 2)
    rng.shuffle(twice)
    for body in twice:
        shuffled.add_messages(walk(body, Limits()).frames)
    assert stored(shuffled) == stored(plain)


def test_messages_sent_again_in_a_new_grouping_are_there_once() -> None:
    messages = sent(60, 3)
    whole = Material()
    deliver(whole, [messages])
    again = Material()
    deliver(again, [messages[:20], messages[20:45]])
    deliver(again, [messages[20:60]], first_index=45)
    deliver(again, [messages[:60]], first_index=200)
    assert len(again.messages) == len(whole.messages)
    assert sorted(e.body for e in again.sorted_messages()) == sorted(e.body for e in whole.sorted_messages())


def test_equal_messages_of_one_batch_are_all_kept() -> None:
    tap = encode(MobileClickEvent("Buy", 1, 2), timestamp=START_MS)
    material = Material()
    deliver(material, [[tap, tap, tap]])
    deliver(material, [[tap, tap]], first_index=9)
    assert len(material.messages) == 3


def test_late_data_added_to_a_recording_gives_the_recording_of_everything() -> None:
    messages = sent(5000, 11)
    pictures = [Picture(START_MS + i * 1000, "jpeg", JPEG + bytes([i // 2]) * 300) for i in range(20)]
    everything = Material()
    deliver(everything, [messages])
    everything.add_pictures(pictures)

    early = Material()
    deliver(early, [messages[:3000]])
    early.add_pictures(pictures[:10])
    objects = stored(early)
    manifest = recording.Manifest.from_bytes(objects["manifest"])
    again = Material()
    blocks = [objects["messages"][b.offset : b.offset + b.length] for b in manifest.blocks]
    recording.absorb_messages(again, blocks, recording.read_indexes(objects["indexes"]))
    for number in {f.object_no for f in manifest.frames}:
        frames = [f for f in manifest.frames if f.object_no == number]
        recording.absorb_frames(again, frames, objects[f"frames-{number}"])
    deliver(again, [messages[2500:]], first_index=2500)
    again.add_pictures(pictures[5:])
    assert content(again) == content(everything)
    for material in (everything, early, again):
        material.close()


def test_equal_pictures_are_stored_once_and_shown_at_each_time() -> None:
    material = Material()
    material.add_pictures([Picture(START_MS + i, "jpeg", JPEG + b"same") for i in range(10)])
    objects = stored(material)
    manifest = recording.Manifest.from_bytes(objects["manifest"])
    assert len(manifest.frames) == 10
    assert objects["frames-0"] == JPEG + b"same"
    material.close()


def test_messages_outside_the_span_of_a_part_are_left_out() -> None:
    messages = [encode(MobileEvent("e", str(i)), timestamp=START_MS + i) for i in range(10)]
    material = Material()
    frames = walk(encode_batch(0, START_MS, messages), Limits()).frames
    assert material.add_messages(frames, until_ms=START_MS + 4) == 4
    assert material.add_messages(frames, since_ms=START_MS + 4) == 6


def test_several_batches_in_one_body_are_what_they_are_in_bodies_of_their_own() -> None:
    """spec/openreplay-mobile.md 3.3, 3.4 rule 2, 9.2: a BatchMeta sets the index anew, and a message is counted within
    its batch."""
    messages = [encode(MobileEvent("e", str(i // 2)), timestamp=START_MS) for i in range(6)]
    batches = [encode_batch(40, START_MS, messages), encode_batch(0, START_MS, messages[:4])]
    apart, together = Material(), Material()
    for batch in batches:
        apart.add_messages(walk(batch, Limits()).frames)
    together.add_messages(walk(b"".join(batches), Limits()).frames)
    assert merged_ranges(together.coverage) == merged_ranges(apart.coverage) == [(1, 4), (41, 46)]
    assert together.messages == apart.messages
    assert len(together.messages) == 6


def test_indexes_that_jump_take_no_more_than_their_room() -> None:
    """A body of BatchMetas, each with an index far from the others, around one message that was seen before."""
    message = encode(MobileEvent("e", "1"), timestamp=START_MS)
    material = Material()
    batches = [encode_batch(10 * place, START_MS, [message]) for place in range(3 * MAX_RANGES)]
    assert material.add_messages(walk(b"".join(batches), Limits()).frames) == 1
    assert len(material.coverage) <= 2 * MAX_RANGES
    assert material.index_ranges() == [(10 * place + 1, 10 * place + 1) for place in range(MAX_RANGES)]


def test_indexes_that_come_in_any_order_are_joined() -> None:
    """First every other one, thousands of gaps, then those between."""
    message = encode(MobileEvent("e", "1"), timestamp=START_MS)
    places = [*range(0, 8_000, 2), *range(1, 8_000, 2)]
    material = Material()
    for some in (places[:4_000], places[4_000:]):
        batches = [encode_batch(place, START_MS, [message]) for place in some]
        material.add_messages(walk(b"".join(batches), Limits()).frames)
        told = recording.completeness(material, [], [])
        if some[0] == 0:
            assert (len(told["index_ranges"]), told["more_index_ranges"]) == (1_000, 3_000)
    assert (told["index_ranges"], told["more_index_ranges"]) == ([(1, 8_000)], 0)


@pytest.mark.parametrize(
    ("coverage", "joined"),
    [
        ([(0, 4), (5, 9)], [(0, 9)]),
        ([(0, 4), (6, 9)], [(0, 4), (6, 9)]),
        ([(3, 9), (0, 5)], [(0, 9)]),
        ([], []),
    ],
)
def test_index_ranges_are_joined_where_they_touch(coverage, joined) -> None:
    assert merged_ranges(coverage) == joined
