"""Gunzip under bounds: by magic, all members, never more memory or time than the limit allows."""

import gzip
import time
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages import BrokenGzip, sniff_unpack
from messages.unpack import MAX_MEMBERS, unpack
from playhead.errors import Malformed, TooMuch

LIMIT = 4_000_000


@given(st.binary(max_size=2_000))
def test_a_gzip_body_is_unpacked_and_a_plain_one_is_left(data):
    assert sniff_unpack(gzip.compress(data), LIMIT) == data
    if data[:2] != b"\x1f\x8b":
        assert sniff_unpack(data, LIMIT) == data


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.integers(0, 20))
def test_all_members_are_read_and_zeros_may_pad_the_end(parts, zeros):
    body = b"".join(gzip.compress(part) for part in parts) + b"\0" * zeros
    assert sniff_unpack(body, LIMIT) == b"".join(parts)


def test_members_larger_than_a_chunk_are_read():
    parts = [bytes(range(256)) * 400, b"a" * 300_000, b"", b"end"]
    body = b"".join(gzip.compress(part, 0) for part in parts)
    assert sniff_unpack(body, LIMIT) == b"".join(parts)


def test_the_limit_is_exact():
    for size, body in ((LIMIT, gzip.compress(bytes(LIMIT))), (10, b"0123456789")):
        assert len(sniff_unpack(body, size)) == size
        with pytest.raises(TooMuch):
            sniff_unpack(body, size - 1)


def test_a_cut_stream_keeps_what_was_readable():
    data = bytes(range(256)) * 2_000
    body = gzip.compress(data, 1)
    with pytest.raises(BrokenGzip) as caught:
        sniff_unpack(body[: len(body) // 2], LIMIT)
    assert caught.value.partial
    assert data.startswith(caught.value.partial)
    assert isinstance(caught.value, Malformed)


def test_a_damaged_second_member_keeps_the_first():
    body = gzip.compress(b"first") + gzip.compress(b"second" * 100)[:-20]
    with pytest.raises(BrokenGzip) as caught:
        sniff_unpack(body, LIMIT)
    assert caught.value.partial.startswith(b"first")


def test_bytes_behind_the_end_are_told():
    with pytest.raises(BrokenGzip, match="behind the end") as caught:
        sniff_unpack(gzip.compress(b"all of it") + b"and more", LIMIT)
    assert caught.value.partial == b"all of it"


def test_a_body_cut_or_flipped_at_any_byte_raises_only_ours():
    body = gzip.compress(b"some text, some text, some more text" * 3)
    for place in range(len(body)):
        flipped = body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]
        for broken in (body[:place], flipped):
            with suppress(Malformed):
                sniff_unpack(broken, LIMIT)


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_magic_raise_only_ours(data):
    with suppress(Malformed):
        sniff_unpack(b"\x1f\x8b\x08\0" + data, LIMIT)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)]
    return b"".join([*parts, packer.flush()])


def test_a_bomb_is_refused_within_the_limit():
    body = bomb(400_000_000)
    many = gzip.compress(b"") + body
    for packed in (body, many):
        tracemalloc.start()
        begun = time.process_time()
        try:
            with pytest.raises(TooMuch):
                sniff_unpack(packed, LIMIT)
            took = time.process_time() - begun
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 * LIMIT + 1_500_000
        assert took < 0.5


def test_a_bomb_inside_a_gzip_stays_packed():
    inner = bomb(100_000_000)
    assert sniff_unpack(gzip.compress(inner), LIMIT) == inner


def test_many_small_members_cost_little():
    empty = gzip.compress(b"")
    assert sniff_unpack(empty * MAX_MEMBERS, LIMIT) == b""
    begun = time.process_time()
    with pytest.raises(TooMuch, match="members"):
        sniff_unpack(empty * 400_000, LIMIT)
    assert time.process_time() - begun < 0.5


def test_what_was_readable_stands_beside_the_fault():
    unpacked = unpack(gzip.compress(b"abc" * 1_000), 100)
    assert unpacked.data == (b"abc" * 34)[:101]
    assert isinstance(unpacked.fault, TooMuch)
