"""Archives of screenshots: told apart by content, broken ones keep what is whole before the fault."""

import gzip
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages import Archive, Limits, Picture, Skip, read_archive, sniff_picture
from playhead.errors import Malformed, TooMuch
from tests.messages.tars import AVIF, FIRST, JPEG, PNG, WEBP, chain, name_at, tar_of

LIMITS = Limits()
PICTURES = [(FIRST + place, JPEG + bytes([place])) for place in range(3)]
CHAIN = chain(*PICTURES)
TAR = tar_of(*((name_at(at - FIRST), data) for at, data in PICTURES))
KEPT = [Picture(at, "jpeg", data) for at, data in PICTURES]


def read(data: bytes, **limits: int) -> Archive:
    return read_archive(data, Limits(**limits))


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (JPEG, "jpeg"),
        (WEBP, "webp"),
        (PNG, "png"),
        (AVIF, "avif"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"RIFF\0\0\0\0WEBP", "webp"),
        (b"\x89PNG", "png"),
        (b"RIFF", None),
        (b"\x89PN", None),
    ],
)
def test_pictures_are_known_by_their_bytes(data, format):
    """spec/openreplay-mobile.md 4.1: no more is asked than the bytes that it names."""
    assert sniff_picture(data) == format


@pytest.mark.parametrize(
    "data", [b"", b"<svg onload=alert(1)>", b"<html>", b"GIF89a" + b"x" * 50, b"\xff\xd8"]
)
def test_nothing_else_is_a_picture(data):
    assert sniff_picture(data) is None
    assert read(tar_of((name_at(0), data))).skipped == [Skip(name_at(0), "not a picture")]
    assert read(chain((FIRST, data))).skipped == [Skip("frame 0", "not a picture")]


@pytest.mark.parametrize("data", [CHAIN, TAR], ids=["chain", "tar"])
def test_an_archive_is_read_packed_or_plain(data):
    assert read(data) == read(gzip.compress(data)) == Archive(KEPT, [])


def test_the_frame_of_the_spec_is_read():
    """spec/openreplay-mobile.md 3.7 D."""
    archive = read(bytes.fromhex("0068e5cf8b010000 03000000 ffd8ff"))
    assert archive.frames == [Picture(1_700_000_000_000, "jpeg", b"\xff\xd8\xff")]


def test_an_empty_archive_holds_nothing():
    for empty in (b"", gzip.compress(b""), tar_of(), bytes(512)):
        assert read(empty) == Archive()


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_dialect_of_tar_is_read(format):
    long = f"{'folder/' * 40}{name_at(5)}"
    entries = [(name_at(0), JPEG), *([(long, PNG)] if format != tarfile.USTAR_FORMAT else [])]
    archive = read(tar_of(*entries, format=format))
    assert [frame.at_ms - FIRST for frame in archive.frames] == [0, 5][: len(entries)]
    assert archive.skipped == []


@pytest.mark.parametrize(
    ("name", "at"),
    [
        (name_at(7), FIRST + 7),
        (f"./{name_at(7)}", FIRST + 7),
        ("screens/1_1_7.JPG", 7),
        ("unknown_7.webp", 7),
        ("_18446744073709551615.avif", 2**64 - 1),
    ],
)
def test_the_time_stands_behind_the_last_underscore(name, at):
    assert read(tar_of((name, WEBP))).frames == [Picture(at, "webp", WEBP)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("000012.jpeg", "no time in the name"),  # the first iOS releases counted only
        ("1_1_.jpeg", "no time in the name"),
        ("1_1_-5.jpeg", "no time in the name"),
        ("1_1_٣.jpeg", "no time in the name"),
        ("1_1_" + "9" * 21 + ".jpeg", "no time in the name"),
        ("1_1_5", "not the name of a picture"),
        ("1_1_5.svg", "not the name of a picture"),
        ("1_1_5.jpeg.exe", "not the name of a picture"),
    ],
)
def test_names_without_a_time_are_told(name, reason):
    archive = read(tar_of((name, JPEG), (name_at(0), JPEG), format=tarfile.PAX_FORMAT))
    assert archive.skipped == [Skip(name, reason)]
    assert len(archive.frames) == 1


def test_a_picture_over_the_limit_is_told_and_its_neighbours_kept():
    big = JPEG + bytes(1_000)
    for data in (
        chain((1, JPEG), (2, big), (3, JPEG)),
        tar_of(("_1.png", JPEG), ("_2.png", big), ("_3.png", JPEG)),
    ):
        archive = read(data, max_frame_bytes=500)
        assert [frame.at_ms for frame in archive.frames] == [1, 3]
        assert [skip.reason for skip in archive.skipped] == ["larger than 500 bytes"]


def test_pictures_beyond_the_limit_are_told():
    for data in (CHAIN, TAR):
        assert read(data, max_frames=3) == Archive(KEPT, [])
        archive = read(data, max_frames=2)
        assert archive.frames == KEPT[:2]
        assert [skip.reason for skip in archive.skipped] == ["more than 2 frames"]


# -- cut and damaged


@pytest.mark.parametrize("data", [CHAIN, TAR], ids=["chain", "tar"])
def test_an_archive_cut_at_any_byte_keeps_the_whole_pictures_before(data):
    ends = [data.index(picture) + len(picture) for _, picture in PICTURES]
    for end in range(len(data)):
        whole = sum(end >= place for place in ends)
        try:
            archive = read(data[:end])
        except Malformed:
            assert whole == 0
            continue
        assert archive.frames == KEPT[:whole]
        if end < ends[-1] and end > 0 and not archive.skipped:
            # the cut fell between two pictures: nothing tells that there were more
            assert data is TAR or end in ends


@pytest.mark.parametrize("data", [CHAIN, TAR], ids=["chain", "tar"])
def test_a_cut_gzip_keeps_the_whole_pictures_before(data):
    packed = gzip.compress(data, 0)
    archive = read(packed[: 30 + data.index(PICTURES[1][1]) + len(PICTURES[1][1])])
    assert archive.frames == KEPT[:2]
    assert Skip("gzip", "gzip stream is cut or damaged") in archive.skipped


def test_a_chain_broken_in_the_middle_keeps_what_precedes():
    broken = chain(PICTURES[0]) + b"\0" * 8 + b"\xff\xff\xff\xff" + JPEG
    archive = read(broken)
    assert archive.frames == KEPT[:1]
    assert archive.skipped == [Skip("frame 1", "data is not whole")]


def test_a_chain_that_ends_inside_a_header_keeps_what_precedes():
    archive = read(CHAIN + b"\x01\x02")
    assert archive.frames == KEPT
    assert archive.skipped == [Skip("frame 3", "header is not whole")]


def test_bytes_that_are_no_archive_are_malformed():
    for data in (JPEG, b"hello", b"{}" * 1_000, gzip.compress(b"not an archive at all")):
        with pytest.raises(Malformed):
            read(data)


@pytest.mark.parametrize("data", [CHAIN, TAR, gzip.compress(CHAIN, 0)], ids=["chain", "tar", "packed"])
def test_a_flipped_byte_raises_only_ours_and_never_adds_pictures(data):
    for place in range(min(len(data), 2_600)):
        for flip in (0x01, 0x80, 0xFF):
            broken = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
            try:
                archive = read(broken)
            except Malformed:
                continue
            assert len(archive.frames) <= 3
            assert all(sniff_picture(frame.data) for frame in archive.frames)


@given(st.binary(max_size=1_500), st.booleans())
def test_any_bytes_raise_only_ours(data, tar):
    body = TAR[:512] + data if tar else data
    try:
        archive = read(body)
    except Malformed:
        return
    assert sum(len(frame.data) for frame in archive.frames) <= len(body)


# -- bombs


def test_a_bomb_with_nothing_in_front_is_refused():
    for bomb in (bytes(50_000_000), CHAIN[:12] + bytes(50_000_000)):
        with pytest.raises(TooMuch):
            read(gzip.compress(bomb), max_unpacked_bytes=1_000_000, max_frames=10)


def test_pictures_in_front_of_a_bomb_are_kept():
    for data in (
        CHAIN + chain((5, JPEG + bytes(20_000_000))),
        TAR[:-1024] + tar_of((name_at(9), bytes(20_000_000))),
    ):
        archive = read(gzip.compress(data), max_unpacked_bytes=1_000_000)
        assert archive.frames[:3] == KEPT
        assert Skip("gzip", "more than 1000000 bytes unpacked") in archive.skipped
