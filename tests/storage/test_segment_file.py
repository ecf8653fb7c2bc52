"""The segment's format: what is written comes back, and damage stays where it is."""

import contextlib
import random
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import Malformed
from storage.segment_file import (
    ERASED,
    HEADER_BYTES,
    MAGIC,
    TRAILER_BYTES,
    Damaged,
    Entry,
    Record,
    SegmentWriter,
    blank,
    encode,
    encode_segment,
    read_directory,
    read_record,
    read_records,
    recover,
    salvage,
    summarize,
    tail_length,
)


def record(number: int, *, kind: str = "batch", size: int = 20, project_id: int = 1) -> Record:
    body = random.Random(number).randbytes(size)
    return Record(kind, project_id, 1000 + number, 1_700_000_000_000_000 + number, {"n": number}, body)


def whole(items: Sequence[tuple[Entry, Record | Damaged]]) -> list[Record | Damaged]:
    return [found for _, found in items]


RECORDS = [
    record(0),
    record(1, kind="start", size=0),
    record(2, project_id=7, size=33),
    Record("events", 2, None, 5, {"text": "żółw", "list": [1, {"a": None}], "bytes": b"\0\xff"}, b"{}"),
]
SEGMENT = encode_segment(RECORDS)
ENTRIES = read_directory(SEGMENT, len(SEGMENT))

metas = st.dictionaries(
    st.text(max_size=8),
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    max_size=4,
)
any_record = st.builds(
    Record,
    kind=st.sampled_from(["start", "batch", "late", "images", "stray", "events", "expired"]),
    project_id=st.integers(1, 2**31 - 1),
    session_id=st.none() | st.integers(0, 2**63 - 1),
    received_us=st.integers(0, 2**53),
    meta=metas,
    body=st.binary(max_size=200),
)


@given(st.lists(any_record, max_size=8))
def test_what_was_written_is_read(records):
    data = encode_segment(records)
    assert whole(read_records(data)) == records
    assert [item[1] for item in recover(data)] == records


def test_the_directory_is_read_from_the_end_alone():
    tail = SEGMENT[-tail_length(SEGMENT[-TRAILER_BYTES:]) :]
    assert read_directory(tail, len(SEGMENT)) == ENTRIES
    with pytest.raises(Malformed):
        read_directory(tail[1:], len(SEGMENT))


def test_one_record_is_read_from_its_own_bytes():
    for entry, expected in zip(ENTRIES, RECORDS, strict=True):
        own = SEGMENT[entry.offset : entry.offset + entry.length]
        assert read_record(own, entry) == expected
        assert SEGMENT[entry.body_offset : entry.body_offset + entry.body_length] == expected.body
        with pytest.raises(Malformed):
            read_record(own[:-1], entry)


def test_truncation_at_every_byte_keeps_all_whole_records():
    for length in range(len(SEGMENT)):
        kept = [
            expected
            for entry, expected in zip(ENTRIES, RECORDS, strict=True)
            if entry.offset + entry.length <= length
        ]
        cut = SEGMENT[:length]
        assert [item[1] for item in recover(cut)] == kept
        if kept:
            assert whole(read_records(cut)) == kept
        else:
            with pytest.raises(Malformed):
                read_records(cut)


def test_every_flipped_byte_is_told_and_neighbours_survive():
    told = set()
    for place in range(len(SEGMENT)):
        for bits in (0x01, 0x80, 0xFF):
            data = bytearray(SEGMENT)
            data[place] ^= bits
            items = read_records(bytes(data))
            assert len(items) == len(RECORDS)
            for number, ((entry, found), expected) in enumerate(zip(items, RECORDS, strict=True)):
                assert entry == ENTRIES[number]
                if isinstance(found, Damaged):
                    assert entry.offset <= place < entry.offset + entry.length
                    told.add(place)
                else:
                    assert found == expected
    heads_and_bodies = {
        place for e in ENTRIES for place in range(e.offset + 24, e.offset + e.length)
    }  # 24: marker, lengths, checksum, which the directory repeats
    assert told == heads_and_bodies


def test_every_flipped_byte_of_an_unsealed_file_costs_at_most_its_own_record():
    unsealed = SEGMENT[: ENTRIES[-1].offset + ENTRIES[-1].length]
    for place in range(len(unsealed)):
        data = bytearray(unsealed)
        data[place] ^= 0x55
        expected = [
            r
            for entry, r in zip(ENTRIES, RECORDS, strict=True)
            if not entry.offset <= place < entry.offset + entry.length
        ]
        assert [item[1] for item in recover(bytes(data))] == expected


@pytest.mark.parametrize(
    "tail", [b"\0" * 5000, random.Random(1).randbytes(5000), encode_segment(RECORDS), b"PHSEGEND" * 9]
)
def test_recovery_passes_over_a_tail_that_is_not_ours(tail):
    unsealed = SEGMENT[: ENTRIES[-1].offset + ENTRIES[-1].length]
    assert [item[1] for item in recover(unsealed + tail)] == RECORDS


def test_a_forged_record_in_a_body_never_becomes_one():
    forged = encode_segment([record(9, project_id=666)])
    honest = record(0, size=0)
    data = bytearray(encode_segment([Record("batch", 1, 1, 1, {}, forged), honest]))
    struct.pack_into("<I", data, HEADER_BYTES + 8, 2**31)  # the outer record's length: scanning starts inside
    del data[-TRAILER_BYTES:]
    assert [item[1] for item in recover(bytes(data))] == [honest]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_malformed(data):
    for candidate in (data, MAGIC + data, SEGMENT[:40] + data, data + SEGMENT[-30:]):
        recover(candidate)
        for read in (read_records, lambda b: read_directory(b, len(b))):
            with contextlib.suppress(Malformed):
                read(candidate)


def test_salvage_seals_what_is_whole_in_place():
    end = ENTRIES[2].offset + ENTRIES[2].length
    data = SEGMENT[: end + 30] + b"\0" * 100  # the fourth record is torn
    writer = salvage(data)
    assert writer.end == end
    sealed = data[: writer.end] + writer.tail()
    assert whole(read_records(sealed)) == RECORDS[:3]
    summary = writer.summary("k", 1, len(sealed))
    assert summary == summarize("k", 1, len(sealed), read_directory(sealed, len(sealed)))
    assert summary.accepted == {1: 2, 7: 1}
    assert salvage(b"\0" * 4096).rows == []


def test_late_and_stray_records_make_a_segment_ordered():
    for kind in ("late", "stray"):
        entries = read_directory(data := encode_segment([record(0), record(1, kind=kind)]), len(data))
        assert summarize("k", 1, len(data), entries).ordered
    assert not summarize("k", 1, len(SEGMENT), ENTRIES).ordered


def test_the_announced_tail_is_never_too_small():
    writer = SegmentWriter()
    for number in range(300):
        writer.add([encode(record(number, project_id=number + 2**30))])
        assert len(writer.tail()) <= writer.tail_bytes


def test_meta_that_cannot_be_packed_is_refused():
    with pytest.raises(ValueError):
        encode(Record("batch", 1, 1, 1, {"x": object()}, b""))
    with pytest.raises(ValueError):
        encode(Record("batch", 1, 1, 1, {"x": 2**65}, b""))
    lone = Record("batch", 1, 1, 1, {"x": "\ud800"}, b"")  # lone surrogates come with JSON
    assert recover(encode_segment([lone]))[0][1] == lone


@given(st.lists(any_record, min_size=1, max_size=6), st.data())
def test_a_blanked_record_says_nothing_and_the_others_are_untouched(records, data) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(records) - 1)))
    kinds = {place: each.kind for place, each in enumerate(records)}
    segment = encode_segment(records)
    try:
        changed, count = blank(segment, lambda place, _: place in chosen)
    except Malformed:  # a kind shorter than any that exists leaves no room for the new head
        assert any(len(kinds[place]) < 4 for place in chosen)
        return
    assert count == len({place for place in chosen if kinds[place] != ERASED})
    before, after = read_records(segment), read_records(changed)
    assert [entry.offset for entry, _ in after] == [entry.offset for entry, _ in before]
    assert [entry.length for entry, _ in after] == [entry.length for entry, _ in before]
    for place, ((_, old), (_, new)) in enumerate(zip(before, after, strict=True)):
        assert isinstance(new, Record)
        if place in chosen and kinds[place] != ERASED:
            assert (new.kind, new.session_id) == (ERASED, None)
            assert not any(new.body)
            assert not any(b"".join(value or b"" for value in new.meta.values()))
        else:
            assert new == old
    assert recover(changed[:-1]) == [(entry, found) for entry, found in after]
    assert blank(changed, lambda place, _: place in chosen) == (changed, 0)
