"""Burst of network errors: five calls or more to one host failed, each within ten seconds of the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from messages.schema import IOSNetworkCall, MobileNetworkCall
from sessions.heuristics.finding import TITLE_CHARS, Finding, Timed

MIN_CALLS: Final = 5
MAX_GAP_MS: Final = 10_000


@dataclass(slots=True)
class _Run:
    """Failed calls to one host since `first_ms`, and those that went well among them."""

    first_ms: int
    last_ms: int
    statuses: Counter[int] = field(default_factory=Counter)
    successes: int = 0
    since: int = 0  # successes after the last failure: the burst may be over


def network_error_bursts(messages: Sequence[Timed]) -> Iterable[Finding]:
    """One finding per burst and host, at its first failed call. A failure is a status of 0 or from 400 on."""
    runs: dict[str, _Run] = {}
    for at_ms, message in messages:
        if not isinstance(message, MobileNetworkCall | IOSNetworkCall):
            continue
        host = _host(message.url)
        run = runs.get(host)
        if run is not None and (at_ms - run.last_ms > MAX_GAP_MS or run.since > run.statuses.total()):
            yield from _burst(host, runs.pop(host))
            run = None
        if message.status and message.status < 400:
            if run is not None:
                run.since += 1
            continue
        run = runs.setdefault(host, run or _Run(at_ms, at_ms))
        run.last_ms = at_ms
        run.successes, run.since = run.successes + run.since, 0
        run.statuses[message.status] += 1
    for host, run in runs.items():
        yield from _burst(host, run)


def _burst(host: str, run: _Run) -> Iterable[Finding]:
    calls = run.statuses.total()
    if calls < MIN_CALLS or run.successes > calls:
        return
    statuses = {str(status): count for status, count in sorted(run.statuses.items())}
    yield Finding(
        "network_error_burst",
        run.first_ms,
        f"{calls} failed calls to {host or 'an address without host'}"[:TITLE_CHARS],
        host,
        {"calls": calls, "statuses": statuses, "span_ms": run.last_ms - run.first_ms},
    )


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:TITLE_CHARS]
    except ValueError:
        return ""
