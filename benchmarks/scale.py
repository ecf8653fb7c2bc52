"""What 1, 100 and 10,000 sessions per second need, computed from what one of them was measured to cost.

    python -m benchmarks.scale [--append-ms 0.76] [--messages-per-s 52100] …

Prints the tables of docs/scale.md, where a test looks for them. Every option is a figure of docs/benchmarks.md; put in
those of your machine. All is linear in sessions per second; the page says where that ends.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

DAY_S = 86_400
MONTH_S = 30 * DAY_S
#: USD: GB stored for a month, a million writes, a million reads (S3 standard, us-east-1)
PER_GB_MONTH, PER_MILLION_WRITES, PER_MILLION_READS = 0.023, 5.0, 0.4
RATES = (1, 100, 10_000)
USED = 0.5  # of a core that is paid for
POSTGRES_ROWS_PER_S = 20_000  # event rows that one large server takes beside its reads
PREFIX_WRITES_PER_S = 3_500  # S3's own figure, per prefix


@dataclass(frozen=True, slots=True)
class Session:
    """The session that is assumed."""

    minutes: float = 3
    batches: int = 20
    batch_bytes: int = 10_000
    messages: int = 400
    events: int = 200
    archives: int = 18
    archive_bytes: int = 150_000
    objects: int = 6  # messages, indexes, timeline, pictures, poster, manifest

    @property
    def requests(self) -> int:
        """The start, batches, archives."""
        return 1 + self.batches + self.archives

    @property
    def bytes(self) -> int:
        """As sent."""
        return self.batches * self.batch_bytes + self.archives * self.archive_bytes

    @property
    def pictures(self) -> int:
        """One per second."""
        return int(self.minutes * 60)


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of docs/benchmarks.md, of one process on one core."""

    append_ms: float = 0.76  # of a core, one durable append of 4 kB through S3: bench_fleet, three processes
    journal_bytes_per_s: float = 626e6
    messages_per_s: float = 52_100  # from the journal to Postgres
    recording_s_per_message: float = 3.2 / 100_000
    recording_s_per_picture: float = 2.3 / 3_600
    row_bytes: float = 476  # in Postgres for each row of events, all tables and indexes: bench_fleet
    linger_ms: float = 100
    segment_bytes: float = 16e6


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one session: seconds of a core, requests to the object store."""

    session: Session
    measured: Measured

    @property
    def taking_in_s(self) -> float:
        """Its requests, and what its bytes add to those of 4 kB."""
        more = max(0, self.session.bytes - self.session.requests * 4_000)
        return (
            self.session.requests * self.measured.append_ms / 1000 + more / self.measured.journal_bytes_per_s
        )

    @property
    def processing_s(self) -> float:
        """From the journal to Postgres."""
        return self.session.messages / self.measured.messages_per_s

    @property
    def recording_s(self) -> float:
        """Parts to recording."""
        return (
            self.session.messages * self.measured.recording_s_per_message
            + self.session.pictures * self.measured.recording_s_per_picture
        )

    @property
    def working_s(self) -> float:
        """All that workers do."""
        return self.processing_s + self.recording_s

    @property
    def reads(self) -> int:
        """Each of its parts by range; segments are read once for many sessions."""
        return self.session.batches + self.session.archives


@dataclass(frozen=True, slots=True)
class Need:
    """What so many sessions begun per second need."""

    rate: float
    costs: Costs

    @property
    def bytes_per_s(self) -> float:
        """Coming in."""
        return self.rate * self.costs.session.bytes

    @property
    def http(self) -> int:
        """HTTP processes."""
        return math.ceil(self.rate * self.costs.taking_in_s / USED)

    @property
    def workers(self) -> int:
        """Worker processes."""
        return math.ceil(self.rate * self.costs.working_s / USED)

    @property
    def segments_per_s(self) -> float:
        """Journal objects on S3: one per linger and process under load, more when they fill earlier.

        At less than a request per linger a segment holds one request.
        """
        measured = self.costs.measured
        arrivals = self.rate * self.costs.session.requests
        by_time = min(arrivals, self.http * 1000 / measured.linger_ms)
        return max(by_time, self.bytes_per_s / measured.segment_bytes)

    @property
    def rows_per_s(self) -> float:
        """Rows of events."""
        return self.rate * self.costs.session.events

    @property
    def writes_per_s(self) -> float:
        """PUT: the journal's segments and the recordings' objects."""
        return self.segments_per_s + self.rate * self.costs.session.objects

    @property
    def reads_per_s(self) -> float:
        """GET: parts by range, each segment once."""
        return self.rate * self.costs.reads + self.segments_per_s

    @property
    def stored_bytes(self) -> float:
        """Recordings of 30 days; the journal is gone when they are made."""
        return self.bytes_per_s * MONTH_S

    @property
    def row_bytes(self) -> float:
        """Events of 30 days in Postgres."""
        return self.rows_per_s * MONTH_S * self.costs.measured.row_bytes

    @property
    def stored_usd(self) -> float:
        """A month of storage."""
        return self.stored_bytes / 1e9 * PER_GB_MONTH

    @property
    def writes_usd(self) -> float:
        """A month of writes."""
        return self.writes_per_s * MONTH_S / 1e6 * PER_MILLION_WRITES

    @property
    def reads_usd(self) -> float:
        """A month of reads."""
        return self.reads_per_s * MONTH_S / 1e6 * PER_MILLION_READS


def about(value: float) -> str:
    """Two digits that count: 7,531,000 -> 7.5 million."""
    for size, name in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if value >= size:
            return f"{_two(value / size)}{name}"
    return _two(value)


def _two(value: float) -> str:
    if value <= 0:
        return "0"
    digits = 1 - math.floor(math.log10(value))
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, digits)}f}".rstrip("0").rstrip(".") if digits > 0 else f"{rounded:,.0f}"


def size(count: float) -> str:
    """Bytes for people."""
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{_two(count / unit)} {name}"
    return f"{_two(count / 1e3)} kB"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cost_table(costs: Costs) -> str:
    """Of one session."""
    session, measured = costs.session, costs.measured

    def core(seconds: float) -> str:
        return f"{_two(seconds * 1000)} ms of a core"

    return table(
        ("cost of one session", "measured", "so"),
        [
            (
                f"taking {session.requests} requests in",
                f"{measured.append_ms:g} ms of a core for a durable append of 4 kB through S3; "
                f"{size(measured.journal_bytes_per_s)}/s into the journal",
                core(costs.taking_in_s),
            ),
            (
                f"processing {session.messages} messages",
                f"{measured.messages_per_s:,.0f} messages per second and worker",
                core(costs.processing_s),
            ),
            (
                "making the recording",
                f"{_two(measured.recording_s_per_message * 100_000)} s for 100,000 messages, "
                f"{_two(measured.recording_s_per_picture * 3_600)} s for 3,600 pictures",
                core(costs.recording_s),
            ),
            ("writes to the object store", "objects of the recording; its share of segments comes on top",
             f"{session.objects} requests"),
            ("reads from the object store", "each part by range", f"{costs.reads} requests"),
        ],
    )  # fmt: skip


def need_table(needs: Sequence[Need]) -> str:
    """One column for each size."""

    def row(name: str, cells: Iterator[str]) -> list[str]:
        return [name, *cells]

    prefixes = (max(1, math.ceil(n.segments_per_s / PREFIX_WRITES_PER_S)) for n in needs)
    rows = [
        row("requests", (f"{about(n.rate * n.costs.session.requests)}/s" for n in needs)),
        row("traffic in", (f"{size(n.bytes_per_s)}/s" for n in needs)),
        row("HTTP processes, cores half used", (about(n.http) for n in needs)),
        row("worker processes, cores half used", (about(n.workers) for n in needs)),
        row("rows of events", (f"{about(n.rows_per_s)}/s, {about(n.rows_per_s * DAY_S)} a day" for n in needs)),
        row("Postgres: events of 30 days", (size(n.row_bytes) for n in needs)),
        row(
            f"Postgres: servers at {POSTGRES_ROWS_PER_S:,} rows/s",
            (about(math.ceil(n.rows_per_s / POSTGRES_ROWS_PER_S)) for n in needs),
        ),
        row("object store: 30 days", (f"{size(n.stored_bytes)}, {about(n.stored_usd)} USD a month" for n in needs)),
        row("object store: segments of the journal", (f"{about(n.segments_per_s)}/s" for n in needs)),
        row("object store: prefixes for them", (str(count) for count in prefixes)),
        row("object store: writes", (f"{about(n.writes_per_s)}/s, {about(n.writes_usd)} USD a month" for n in needs)),
        row("object store: reads", (f"{about(n.reads_per_s)}/s, {about(n.reads_usd)} USD a month" for n in needs)),
    ]  # fmt: skip
    return table(("sessions begun per second", *(f"{n.rate:,}" for n in needs)), rows)


def tables(costs: Costs) -> tuple[str, str]:
    """Both tables of the page."""
    return cost_table(costs), need_table([Need(rate, costs) for rate in RATES])


def main() -> None:
    """Print both."""
    arguments = argparse.ArgumentParser(description=__doc__)
    for each in fields(Measured):
        option = "--" + each.name.replace("_", "-")
        arguments.add_argument(option, type=float, default=getattr(Measured(), each.name))
    measured = Measured(**vars(arguments.parse_args()))
    print("\n\n".join(tables(Costs(Session(), measured))))


if __name__ == "__main__":
    main()
