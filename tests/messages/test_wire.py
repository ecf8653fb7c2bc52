"""Primitives: the examples of the spec, every border, nothing beyond 64 bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.wire import MAX_UINT, clean_text, int32, only_zeros, read_uint, string, uint
from playhead.errors import Malformed

# spec/openreplay-mobile.md 3.1
EXAMPLES = [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (MAX_UINT, "ff" * 9 + "01")]


@pytest.mark.parametrize(("value", "encoded"), EXAMPLES)
def test_uint_of_the_spec_goes_both_ways(value, encoded):
    assert uint(value).hex() == encoded
    assert read_uint(bytes.fromhex(encoded), 0) == (value, len(encoded) // 2)


@given(st.integers(0, MAX_UINT), st.binary(max_size=5))
def test_uint_comes_back_with_the_offset_behind_it(value, before):
    encoded = uint(value)
    assert read_uint(before + encoded + b"\x80", len(before)) == (value, len(before) + len(encoded))


@pytest.mark.parametrize("encoded", ["8000", "80808080808080808000", "ff00"])
def test_longer_forms_than_needed_are_taken(encoded):
    raw = bytes.fromhex(encoded)
    assert read_uint(raw, 0) == (raw[0] & 0x7F, len(raw))


@pytest.mark.parametrize("encoded", ["ff" * 9 + "02", "80" * 10 + "01", "ff" * 20, "80" * 9 + "81"])
def test_a_uint_beyond_64_bits_is_refused(encoded):
    with pytest.raises(Malformed, match="uint overflow"):
        read_uint(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize("encoded", ["", "80", "ff" * 9])
def test_a_uint_that_ends_too_early_is_an_index_error(encoded):
    with pytest.raises(IndexError):
        read_uint(bytes.fromhex(encoded), 0)


@pytest.mark.parametrize("value", [-1, MAX_UINT + 1])
def test_numbers_that_do_not_fit_are_not_written(value):
    with pytest.raises(ValueError):
        uint(value)
    with pytest.raises(ValueError):
        int32(value * 2**40)


@pytest.mark.parametrize(
    ("raw", "limit", "text", "cut"),
    [
        (b"plain", 10, "plain", False),
        (b"a\0b\0", 10, "ab", False),
        (b"\xff\xfea", 10, "\ufffd\ufffda", False),
        ("é".encode() * 3, 6, "ééé", False),
        ("é".encode() * 3, 5, "éé", True),
        ("👍".encode() * 2, 7, "👍", True),
        ("👍".encode(), 3, "", True),
        (b"\x80" * 10, 5, "\ufffd\ufffd", True),
        (b"\xed\xa0\x80", 10, "\ufffd" * 3, False),
    ],
)
def test_text_is_cleaned_and_cut_between_characters(raw, limit, text, cut):
    assert clean_text(b"??" + raw + b"!", 2, 2 + len(raw), limit) == (text, cut)


@given(st.binary(max_size=64), st.integers(0, 70))
def test_any_bytes_become_text_that_every_store_takes(raw, limit):
    text, cut = clean_text(raw, 0, len(raw), limit)
    assert "\0" not in text
    text.encode("utf-8")
    assert cut == (len(raw) > limit)


def test_lone_surrogates_are_written_as_question_marks():
    assert string("a\ud800b") == b"\x03a?b"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_only_zeros_sees_every_byte(size):
    assert only_zeros(b"x" + bytes(size), 1)
    if size:
        for place in {0, size // 2, size - 1}:
            data = bytearray(size + 1)
            data[1 + place] = 1
            assert not only_zeros(bytes(data), 1)
