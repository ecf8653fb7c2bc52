"""Frames: cut by Length, numbered as the reference does, and never more than the batch holds."""

import gc
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages import Frame, Layout, Limits, encode, encode_batch, frame_bytes, identity, read_batch, walk
from messages.schema import MobileBatchMeta, MobileClickEvent, MobileLog
from messages.wire import uint
from tests.messages.samples import SAMPLES, any_message

AT = 1_748_764_800_000
LIMITS = Limits()

BATCHES = {
    layout: encode_batch(
        7,
        AT,
        [
            encode(message, timestamp=AT + place * 7, layout=layout)
            for place, (message, written) in enumerate(SAMPLES)
            if written is layout and not isinstance(message, MobileBatchMeta)
        ],
    )
    for layout in Layout
}


def test_the_batch_of_the_spec_is_written_and_read():
    """spec/openreplay-mobile.md 3.7 A."""
    raw = bytes.fromhex("6b 80d095ffbc31 01 00 64 85d095ffbc31 08 03427579 9601 ac02")
    tap = MobileClickEvent("Buy", 150, 300)
    assert encode_batch(0, 1_700_000_000_000, [encode(tap, timestamp=1_700_000_000_005)]) == raw
    walked = walk(raw, LIMITS)
    assert walked.frames == [
        Frame(107, 1_700_000_000_000, 0, b"\0", 0),
        Frame(100, 1_700_000_000_005, 1, raw[17:], 9),
    ]
    assert (walked.meta_ms, walked.tail, walked.tail_offset) == (1_700_000_000_000, None, len(raw))


@pytest.mark.parametrize("layout", list(Layout))
def test_every_sample_stands_in_its_batch(layout):
    batch = read_batch(BATCHES[layout], layout, LIMITS)
    expected = [m for m, written in SAMPLES if written is layout and not isinstance(m, MobileBatchMeta)]
    assert [message for _, message in batch.messages] == [MobileBatchMeta(7), *expected]
    assert batch.damaged == []
    assert [frame.index for frame, _ in batch.messages] == list(range(7, 8 + len(expected)))


@given(st.lists(any_message(), max_size=8), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_any_batch_comes_back(pairs, first, at):
    framed = [encode(message, timestamp=at, layout=layout) for message, layout in pairs]
    walked = walk(encode_batch(first, at, framed), LIMITS)
    assert walked.tail is None
    assert walked.meta_ms == at
    assert [frame_bytes(frame.type, frame.timestamp, frame.body) for frame in walked.frames[1:]] == framed


# -- index (spec 3.4 rule 2)


def test_without_a_batch_meta_messages_count_from_one():
    walked = walk(frame_bytes(103, AT, b"\0\0") * 3, LIMITS)
    assert [frame.index for frame in walked.frames] == [1, 2, 3]
    assert walked.meta_ms is None


def test_a_second_batch_meta_sets_the_index_but_not_the_clock():
    log = frame_bytes(103, AT, b"\0\0")
    walked = walk(encode_batch(10, AT, [log]) + encode_batch(90, AT + 5, [log]), LIMITS)
    assert [frame.index for frame in walked.frames] == [10, 11, 90, 91]
    assert walked.meta_ms == AT


def test_a_damaged_batch_meta_keeps_its_place():
    log = frame_bytes(103, AT, b"\0\0")
    for body in (b"", b"\x80", b"\xff" * 12):
        walked = walk(log + frame_bytes(107, AT, body) + log, LIMITS)
        assert [frame.index for frame in walked.frames] == [1, 2, 3]


def test_unknown_and_damaged_frames_keep_their_index():
    batch = read_batch(
        encode_batch(
            300,
            AT,
            [
                frame_bytes(99, AT, b"of a later version"),
                frame_bytes(103, AT, b"\x05ab"),
                frame_bytes(2**64 - 1, AT, b""),
                encode(MobileLog("info", "still here"), timestamp=AT),
            ],
        ),
        Layout.IOS,
        LIMITS,
    )
    assert [frame.index for frame in batch.walk.frames] == [300, 301, 302, 303, 304]
    assert [(damaged.frame.index, damaged.reason) for damaged in batch.damaged] == [
        (301, "unknown mobile type: 99"),
        (302, "MobileLog: body is not whole"),
        (303, f"unknown mobile type: {2**64 - 1}"),
    ]
    assert batch.messages[-1][1] == MobileLog("info", "still here")


# -- the end


@pytest.mark.parametrize("number", [90, 91, 110, 111, 0, 1, 22, 81, 112, 127])
def test_what_no_client_may_send_ends_the_batch_there(number):
    good = encode_batch(5, AT, [frame_bytes(103, AT, b"\0\0")])
    walked = walk(good + frame_bytes(number, AT, b"\x05") + frame_bytes(103, AT, b"\0\0"), LIMITS)
    assert len(walked.frames) == 2
    assert walked.tail == f"type {number} is not for clients"
    assert (walked.refused, walked.tail_offset) == (number, len(good))


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"\x80", "type is not whole"),
        (b"\xff" * 10 + b"\x01", "type: uint overflow"),
        (b"\x67", "timestamp is not whole"),
        (b"\x67" + b"\x80" * 12, "timestamp: uint overflow"),
        (b"\x67\x01", "length is not whole"),
        (b"\x67\x01\x80", "length is not whole"),
        (b"\x67\x01" + b"\xff" * 20, "length: uint overflow"),
        (b"\x67\x01\x03ab", "body is not whole"),
        (b"\x67\x01" + uint(2**64 - 1) + b"ab", "body is not whole"),
    ],
)
def test_a_tail_that_is_not_whole_leaves_what_precedes_it(tail, reason):
    good = encode_batch(5, AT, [frame_bytes(103, AT, b"\0\0")])
    walked = walk(good + tail, LIMITS)
    assert (walked.tail, walked.tail_offset) == (reason, len(good))
    assert len(walked.frames) == 2


def test_messages_beyond_the_limit_are_a_tail():
    log = frame_bytes(103, AT, b"\0\0")
    assert walk(log * 10, Limits(max_messages=10)).tail is None
    walked = walk(log * 11, Limits(max_messages=10))
    assert (len(walked.frames), walked.tail) == (10, "more than 10 messages")
    assert walked.tail_offset == 10 * len(log)


def test_an_empty_batch_has_no_frames():
    assert walk(b"", LIMITS).frames == []
    assert walk(b"", LIMITS).tail is None


@pytest.mark.parametrize("layout", list(Layout))
def test_a_batch_cut_at_any_byte_keeps_its_head(layout):
    whole = BATCHES[layout][:3_000]
    frames = walk(whole, LIMITS).frames
    for end in range(len(whole)):
        walked = walk(whole[:end], LIMITS)
        assert walked.frames == frames[: len(walked.frames)]
        assert walked.tail_offset + (walked.tail is not None) <= end
        fits = [frame for frame in frames if frame.offset < walked.tail_offset]
        assert len(walked.frames) == len(fits)


@pytest.mark.parametrize("layout", list(Layout))
def test_a_flipped_byte_loses_nothing_before_it(layout):
    whole = BATCHES[layout][:1_200]
    frames = walk(whole, LIMITS).frames
    for place in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            broken = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
            walked = read_batch(broken, layout, LIMITS).walk
            before = [frame for frame in frames if frame.offset + 12 + len(frame.body) <= place]
            assert walked.frames[: len(before)] == before


@given(st.binary(max_size=400), st.sampled_from(list(Layout)))
def test_any_bytes_are_a_batch_of_some_sort(body, layout):
    batch = read_batch(body, layout, LIMITS)
    assert len(batch.messages) + len(batch.damaged) == len(batch.walk.frames)
    assert sum(len(frame.body) for frame in batch.walk.frames) <= len(body)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_every_timestamp_is_read_as_written(times):
    body = b"".join(frame_bytes(103, at, b"\0\0") for at in times)
    assert [frame.timestamp for frame in walk(body, LIMITS).frames] == times


@given(st.lists(st.integers(AT - 40_000, AT + 40_000), min_size=1, max_size=50))
def test_neighbouring_timestamps_are_read_as_written(times):
    body = b"".join(frame_bytes(103, at, b"\0\0") for at in times)
    assert [frame.timestamp for frame in walk(body, LIMITS).frames] == times


# -- identity


def test_identity_is_of_the_content_alone():
    log = encode(MobileLog("info", "a"), timestamp=AT)
    first = walk(encode_batch(0, AT, [log]), LIMITS).frames[1]
    again = walk(encode_batch(900, AT + 5_000, [log, log]), LIMITS).frames[2]
    assert identity(*first[:2], first.body) == identity(*again[:2], again.body)
    assert len(identity(100, AT, b"")) == 16
    different = {identity(100, AT, b"a"), identity(101, AT, b"a"), identity(100, AT + 1, b"a")}
    assert len(different | {identity(100, AT, b"")}) == 4
    assert identity(2**64 - 1, 2**64 - 1, b"")


# -- cost


HOSTILE = {
    "empty frames": b"\x67\x01\x00",
    "long uints": b"\xe7" + b"\x80" * 8 + b"\x00" + b"\x80" * 9 + b"\x00" + b"\x80" * 9 + b"\x00",
    "batch metas": frame_bytes(107, AT, b"\xff" * 12),
    "bad text": frame_bytes(103, AT, b"\x40" + b"\xff" * 64 + b"\x00"),
    "android calls": frame_bytes(105, AT, b"\x01a" * 5 + b"\xff\xff\xff\xfe\x01"),
    "new timestamps": b"".join(frame_bytes(103, AT + (n << 14), b"\0\0") for n in range(500)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_takes_time_in_proportion_to_the_input(name):
    piece = HOSTILE[name]
    small = piece * (60_000 // len(piece))
    took = []
    for body in (small, small * 4):
        best = min(timed(body) for _ in range(3))
        took.append(best)
    assert took[1] < 4 * took[0] * 2 + 0.05
    assert took[1] < 4.0


def timed(body: bytes) -> float:
    gc.collect()
    gc.disable()  # it would look through everything that the run of tests holds
    try:
        begun = time.process_time()
        read_batch(body, Layout.ANDROID, LIMITS)
        return time.process_time() - begun
    finally:
        gc.enable()


def test_a_full_batch_of_the_smallest_messages_stays_small():
    body = frame_bytes(103, AT, b"\0\0") * 120_000
    tracemalloc.start()
    try:
        walked = walk(body, LIMITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(walked.frames) == LIMITS.max_messages
    assert peak < 40_000_000


def test_one_huge_string_is_not_held_many_times():
    body = b"\x04info" + uint(32_000_000) + b"\xff" * 32_000_000
    tracemalloc.start()
    try:
        batch = read_batch(frame_bytes(103, AT, body), Layout.IOS, LIMITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    [(_, message)] = batch.messages
    assert message.cut
    assert peak < 3 * len(body)
