"""Reading and writing the wire format, on the batches of the SDKs: `python -m benchmarks.bench_codec`.

Prints the best of several rounds, with the machine and the size of the data.
"""

from __future__ import annotations

import gzip
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from messages import (
    Layout,
    Limits,
    decode,
    encode,
    fields,
    identity,
    read_archive,
    read_batch,
    sniff_unpack,
    walk,
)
from messages.schema import MobileClickEvent, MobileNetworkCall

VECTORS = Path(__file__).resolve().parent.parent / "tests" / "vectors"
LIMITS = Limits()
ROUNDS = 15
ROUND_S = 0.05


def best(work: Callable[[], object]) -> float:
    """Seconds of one call: the fastest of several rounds, each long enough for the clock."""
    work()
    calls = 1
    while _timed(work, calls) < ROUND_S:
        calls *= 2
    return min(_timed(work, calls) for _ in range(ROUNDS)) / calls


def _timed(work: Callable[[], object], calls: int) -> float:
    begun = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - begun


def main() -> None:
    """Prints the figures."""
    print(f"{platform.machine()}, Python {sys.version.split()[0]}")
    body = (VECTORS / "mobile" / "04-ios-flush.bin").read_bytes()
    frames = walk(body, LIMITS).frames
    messages = [decode(frame.type, frame.body) for frame in frames]
    packed = gzip.compress(body, mtime=0)
    count = len(frames)
    print(f"an ordinary flush: {count} messages, {len(body)} bytes, {len(packed)} packed\n")

    def decode_all() -> None:
        for frame in frames:
            decode(frame.type, frame.body, Layout.IOS)

    def identify_all() -> None:
        for frame in frames:
            identity(frame.type, frame.timestamp, frame.body)

    works: list[tuple[str, Callable[[], object]]] = [
        ("unpack", lambda: sniff_unpack(packed, LIMITS.max_unpacked_bytes)),
        ("walk", lambda: walk(body, LIMITS)),
        ("decode", decode_all),
        ("read_batch (walk and decode)", lambda: read_batch(body, Layout.IOS, LIMITS)),
        ("identity", identify_all),
        ("fields", lambda: [fields(message) for message in messages]),
        ("encode", lambda: [encode(message, timestamp=1_748_765_000_000) for message in messages]),
    ]
    for name, work in works:
        each = best(work) / count
        print(f"{name:32} {each * 1e6:6.2f} µs a message {1 / each:12,.0f} messages/s")
    print()
    _print_bodies()
    for path in sorted((VECTORS / "images").glob("*gz")):
        data = path.read_bytes()
        took = best(lambda data=data: read_archive(data, LIMITS))  # type: ignore[misc]
        print(f"read_archive {path.name:24} {len(data):8,} bytes {took * 1e6:8.0f} µs")


def _print_bodies() -> None:
    """One body at a time."""
    call = MobileNetworkCall("request", "GET", "https://example.com/a", "{}", "{}", 200, 120)
    click = MobileClickEvent("UIButton 'Pay'", 120, 640)
    for name, message, layout in [
        ("click (string, 2 uints)", click, Layout.IOS),
        ("network call, iOS", call, Layout.IOS),
        ("network call, Android", call, Layout.ANDROID),
    ]:
        [frame] = walk(encode(message, timestamp=1, layout=layout), LIMITS).frames
        took = best(lambda frame=frame, layout=layout: decode(frame.type, frame.body, layout))  # type: ignore[misc]
        print(f"decode {name:25} {took * 1e6:6.2f} µs")
    print()


if __name__ == "__main__":
    main()
