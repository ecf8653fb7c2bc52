"""Tars made to harm: nothing leaves memory, nothing but pictures is kept, every refusal has its reason."""

import gzip
import time
import tracemalloc
import zlib

import pytest

from messages import Archive, Limits, Skip, read_archive
from playhead.errors import Malformed, TooMuch
from tests.messages.tars import FIRST, JPEG, entry, header, name_at, pax, special, tar_of

LIMITS = Limits()
END = bytes(1024)
GOOD = entry(name_at(1), JPEG)
LAST = entry(name_at(2), JPEG)


def read(data: bytes) -> Archive:
    return read_archive(data, LIMITS)


def times(archive: Archive) -> list[int]:
    return [frame.at_ms - FIRST for frame in archive.frames]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd_1.jpeg",
        f"/{name_at(0)}",
        "a/../../b_1.jpeg",
        "..\\..\\b_1.jpeg",
        "C:\\b_1.jpeg",
        "..",
        "/",
    ],
)
def test_paths_out_of_the_archive_are_refused_and_nothing_is_written(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for first in (entry(name, JPEG), pax(path=name) + entry(name_at(0), JPEG)):
        archive = read(first + GOOD + END)
        assert archive.skipped == [Skip(name, "a path out of the archive")]
        assert times(archive) == [1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (b"1", "hard link"),
        (b"2", "symbolic link"),
        (b"3", "character device"),
        (b"4", "block device"),
        (b"5", "folder"),
        (b"6", "fifo"),
        (b"S", "sparse file"),
        (b"V", "unknown kind of entry"),
        (b"\xff", "unknown kind of entry"),
    ],
)
def test_what_is_no_regular_file_is_refused(kind, reason):
    archive = read(GOOD + special(name_at(5), kind, link="/etc/passwd") + LAST + END)
    name = f"{name_at(5)}/" if kind == b"5" else name_at(5)
    assert archive.skipped == [Skip(name, reason)]
    assert times(archive) == [1, 2]


def test_the_size_of_a_link_is_not_believed():
    archive = read(GOOD + special(name_at(5), b"2", link="x", size=10**9) + LAST + END)
    assert times(archive) == [1, 2]


def test_sparse_files_of_pax_are_refused():
    keys = {"GNU__sparse__major": "1", "GNU__sparse__name": "x"}
    archive = read(pax(**keys) + entry(name_at(5), JPEG) + LAST + END)
    assert archive.skipped == [Skip(name_at(5), "sparse file")]
    assert times(archive) == [2]


def test_the_map_of_an_old_sparse_file_is_stepped_over():
    sparse = bytearray(entry(name_at(5), JPEG, b"S"))
    more = bytearray(512)
    sparse[482] = 1
    sparse[148:156] = b" " * 8
    sparse[148:156] = b"%06o\0 " % sum(sparse[:512])
    archive = read(bytes(sparse[:512]) + bytes(more) + bytes(sparse[512:]) + LAST + END)
    assert archive.skipped == [Skip(name_at(5), "sparse file")]
    assert times(archive) == [2]


@pytest.mark.parametrize(
    "size",
    [
        b"00000777777\0",
        b"77777777777\0",
        b"\x80" + b"\0" * 6 + b"\x7f" + b"\xff" * 4,
        b"\xbf" + b"\xff" * 11,
        b"\xff" * 12,
        b"\xff" * 11 + b"\xfe",
        b"-0000000001\0",
        b"0000000000x\0",
        b"9999999999 \0",
    ],
)
def test_sizes_that_lie_end_the_archive_and_keep_what_precedes(size):
    archive = read(GOOD + header(name_at(5), size) + JPEG + bytes(2048))
    assert times(archive) == [1]
    assert len(archive.skipped) == 1
    with pytest.raises(Malformed):
        read(header(name_at(5), size) + JPEG)


def test_sizes_in_base_256_and_with_blanks_are_read():
    for size in (b"\x80" + len(JPEG).to_bytes(11, "big"), b"        %03o " % len(JPEG)):
        assert times(read(header(name_at(5), size) + JPEG + bytes(-len(JPEG) % 512) + LAST + END)) == [5, 2]


@pytest.mark.parametrize("size", ["-1", "99999999999999999999", "9" * 5_000, "1e9", "٣"])
def test_a_pax_size_that_lies_ends_the_archive(size):
    archive = read(GOOD + pax(size=size) + entry(name_at(5), JPEG) + END)
    assert times(archive) == [1]
    assert archive.skipped


def test_a_pax_size_is_believed_where_it_is_right():
    real = header(name_at(5), b"00000000000\0") + JPEG + bytes(-len(JPEG) % 512)
    assert times(read(pax(size=str(len(JPEG))) + real + LAST + END)) == [5, 2]


@pytest.mark.parametrize(
    "records",
    [
        b"99999 path=x\n",
        b"5 a\n" * 3,
        b"0 path=x\n",
        b"path=x\n",
        b"-5 path=x\n",
        b"\xff" * 300,
        b"9" * 5_000,
        b"12 ",
    ],
)
def test_a_damaged_pax_header_raises_only_ours(records):
    try:
        archive = read(GOOD + entry("PaxHeader", records, b"x") + LAST + END)
    except Malformed:
        pytest.fail("the first picture is whole")
    assert times(archive)[0] == 1


def test_a_huge_pax_header_is_stepped_over_and_its_entry_refused():
    huge = entry("PaxHeader", b"20000000 comment=" + b"x" * 20_000_000, b"x")
    archive = read(gzip.compress(GOOD + huge + entry(name_at(5), JPEG) + LAST + END))
    assert times(archive) == [1, 2]
    assert archive.skipped == [Skip(name_at(5), "extended header of 20000017 bytes")]


def test_a_pax_header_of_100_mb_keeps_what_precedes():
    huge = entry("PaxHeader", b"x" * 100_000_000, b"x")
    archive = read(gzip.compress(GOOD + huge + LAST + END, 1))
    assert times(archive) == [1]
    assert [skip.reason for skip in archive.skipped] == [
        "tar entry is not whole",
        "more than 64000000 bytes unpacked",
    ]


def test_global_headers_and_long_link_names_do_not_touch_the_next_entry():
    for kind in (b"g", b"K"):
        archive = read(entry("x", b"20 path=/etc/passwd\n", kind) + GOOD + END)
        assert times(archive) == [1]
        assert archive.skipped == []


def test_a_long_name_of_gnu_is_read_and_bounded():
    assert times(
        read(entry("././@LongLink", b"a/" * 60 + name_at(9).encode() + b"\0", b"L") + GOOD + END)
    ) == [9]
    archive = read(entry("././@LongLink", b"a" * 1_000_000, b"L") + GOOD + END)
    assert archive.skipped == [Skip(name_at(1), "extended header of 1000000 bytes")]


def test_names_in_reports_are_short_and_printable():
    archive = read(tar_of(("a\x1b[31m\n" + "x" * 60, b"")) + END)
    assert archive.skipped[0].where.startswith("a?[31m?xx")
    long = read(pax(path="y" * 5_000) + GOOD + END)
    assert len(long.skipped[0].where) == 200


def test_twice_the_same_name_is_twice_a_picture():
    assert times(read(GOOD + GOOD + END)) == [1, 1]


def test_bytes_behind_the_end_are_told():
    archive = read(GOOD + END + LAST + END)
    assert times(archive) == [1]
    assert archive.skipped == [Skip("offset 1024", "bytes behind the end of the tar")]


def test_a_header_with_a_wrong_checksum_ends_the_archive():
    broken = bytearray(LAST)
    broken[0] ^= 1
    archive = read(GOOD + bytes(broken) + END)
    assert times(archive) == [1]
    assert archive.skipped == [Skip("offset 1024", "no tar header where one should be")]


def test_signed_checksums_of_old_tars_are_taken():
    old = bytearray(entry("ü_5.jpeg", JPEG))
    old[257:265] = bytes(8)
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % (sum(old[:512]) - 256 * sum(byte > 127 for byte in old[:512]))
    assert [frame.at_ms for frame in read(bytes(old) + END).frames] == [5]


@pytest.mark.parametrize("kind", [b"0", b"5", b"x", b"g"])
def test_many_empty_entries_are_cut_short(kind):
    body = GOOD + entry("empty", b"", kind) * 100_000
    tracemalloc.start()
    begun = time.process_time()
    try:
        archive = read(body)
        took = time.process_time() - begun
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert times(archive) == [1]
    assert archive.skipped[-1].reason == "more than 8000 headers in a tar"
    assert took < 2
    assert peak < 10_000_000


def test_a_million_empty_entries_of_a_few_kilobytes_are_cut_short():
    packer = zlib.compressobj(9, wbits=31)
    many = entry("empty", b"") * 1_000
    packed = b"".join([packer.compress(GOOD), *(packer.compress(many) for _ in range(1_000)), packer.flush()])
    archive = read(packed)
    assert times(archive) == [1]
    assert archive.skipped[-1] == Skip("gzip", "more than 64000000 bytes unpacked")


def test_only_empty_entries_are_too_much():
    with pytest.raises(TooMuch):
        read(entry("empty", b"") * 10_000)
