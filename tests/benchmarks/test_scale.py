"""The page of what a load needs shows what benchmarks/scale.py computes, and that follows its figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.scale import RATES, Costs, Measured, Need, Session, about, size, tables

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_page_shows_the_tables_of_the_program() -> None:
    """If not: put in what `python -m benchmarks.scale` prints."""
    text = PAGE.read_text("utf-8")
    for table in tables(Costs(Session(), Measured())):
        assert table in text


def test_twice_the_speed_is_half_the_machines_and_the_rows_stay() -> None:
    slow = Measured()
    fast = replace(
        slow, messages_per_s=slow.messages_per_s * 2, recording_s_per_message=0, recording_s_per_picture=0
    )
    before = Need(10_000, Costs(Session(), replace(fast, messages_per_s=slow.messages_per_s)))
    after = Need(10_000, Costs(Session(), fast))
    assert before.workers in (2 * after.workers - 1, 2 * after.workers)  # whole ones
    assert before.rows_per_s == after.rows_per_s == 10_000 * Session().events


def test_segments_come_by_time_until_they_are_full_before() -> None:
    costs = Costs(Session(), Measured())
    one, _, many = (Need(rate, costs) for rate in RATES)
    assert one.segments_per_s == 10  # one process, ten lingers a second
    assert Need(0.01, costs).segments_per_s == 0.39  # a request at a time
    assert many.segments_per_s == max(many.http * 10, many.bytes_per_s / 16e6)


def test_figures_are_told_with_two_digits() -> None:
    assert [about(value) for value in (0.123, 1, 15.6, 99.9, 3_900, 390_000, 7_531_000, 1.7e12)] == [
        "0.12", "1", "16", "100", "3,900", "390,000", "7.5 million", "1.7 trillion",
    ]  # fmt: skip
    assert [size(value) for value in (2_900, 2.9e6, 7.5e12, 75e15)] == ["2.9 kB", "2.9 MB", "7.5 TB", "75 PB"]
