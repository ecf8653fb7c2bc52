"""All benchmarks, one after another."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "bench_codec",
    "bench_journal",
    "bench_append",
    "bench_processing",
    "bench_visible",
    "bench_timeline",
    "bench_player",
    "bench_browser",
    "bench_events",
    "bench_event_sessions",
    "bench_search",
    "bench_fleet",
    "bench_idle",
)


def main() -> None:
    """Run each with its defaults."""
    sys.argv = sys.argv[:1]
    for name in NAMES:
        print(f"\n== python -m benchmarks.{name}")
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
