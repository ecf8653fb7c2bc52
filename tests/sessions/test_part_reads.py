"""Parts are read whole and once, in few reads: neighbours together, never a whole segment for two parts."""

import os
from pathlib import Path

from sessions.part_reads import GAP_BYTES, READ_BYTES, bodies, plan
from sessions.parts import Part
from storage.objects_local import open_local

SEGMENTS = ("journal/one", "journal/two")


def part(segment: str, record: int, offset: int, length: int) -> Part:
    return Part(
        project_id=1,
        session_id=1,
        segment_key=segment,
        record=record,
        kind="batch",
        body_offset=offset,
        body_length=length,
        received_ms=0,
        meta={},
    )


def test_neighbours_come_in_one_read():
    parts = [part(SEGMENTS[0], n, 100 + n * 1000, 900) for n in (2, 0, 1)]
    [read] = plan(parts)
    assert (read.start, read.end) == (100, 3000)
    assert [each.record for each in read.parts] == [0, 1, 2]


def test_what_lies_far_apart_is_not_read_along():
    near = part(SEGMENTS[0], 0, 0, 10)
    far = part(SEGMENTS[0], 1, 10 + GAP_BYTES + 1, 10)
    other = part(SEGMENTS[1], 0, 20, 10)
    assert [(read.segment_key, read.start, read.end) for read in plan([other, far, near])] == [
        (SEGMENTS[0], 0, 10),
        (SEGMENTS[0], far.body_offset, far.body_offset + 10),
        (SEGMENTS[1], 20, 30),
    ]


def test_a_read_is_bounded_unless_one_part_is_larger():
    large = part(SEGMENTS[0], 0, 0, READ_BYTES + 1)
    rest = [part(SEGMENTS[0], n, READ_BYTES + n * 1_000_000, 1_000_000) for n in range(1, 9)]
    reads = list(plan([large, *rest]))
    assert reads[0].parts == [large]
    assert all(read.end - read.start <= READ_BYTES for read in reads[1:])
    assert [each.record for read in reads for each in read.parts] == list(range(9))


async def test_every_part_has_its_own_bytes_and_a_lost_segment_none(tmp_path: Path):
    content = os.urandom(500_000)
    parts = [part(SEGMENTS[0], n, n * 7_000, 900) for n in range(40)]
    parts += [part(SEGMENTS[0], 40, 480_000, 20_000), part(SEGMENTS[1], 0, 0, 10)]
    async with open_local(tmp_path) as objects:
        await objects.put(SEGMENTS[0], content)
        found = {each.key: body async for each, body in bodies(objects, reversed(parts))}
    assert found.pop(parts[-1].key) is None
    assert found == {
        each.key: content[each.body_offset : each.body_offset + each.body_length] for each in parts[:-1]
    }
