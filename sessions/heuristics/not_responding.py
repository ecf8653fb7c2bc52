"""App not responding: no heartbeat (touch, input, sample) for a minute while the app was in front.

Source: spec/openreplay-mobile.md section 7, its rule. Trackers sample every 5 to 30 s on the main thread; an app whose
trackers do not sample has no heartbeat that could fail, so nothing is found in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from messages.schema import (
    MobileClickEvent,
    MobileCrash,
    MobileInputEvent,
    MobilePerformanceEvent,
    MobileSwipeEvent,
)
from sessions.heuristics.finding import TITLE_CHARS, Finding, Timed
from sessions.heuristics.labels import shown_label
from sessions.heuristics.screens import shown_screen

MIN_GAP_MS: Final = 60_000
#: beyond this it is rather a device that slept, or its clock that was set
MAX_GAP_MS: Final = 30 * 60_000
#: what the main thread measures again and again: one of them shows that this app's tracker does
SAMPLES: Final = frozenset({"mainThreadCPU", "memoryUsage", "fps"})
#: a touch so shortly before the silence is what it followed
AFTER_TOUCH_MS: Final = 5_000

Confidence = Literal["high", "medium", "low"]


@dataclass(slots=True)
class _Watch:
    """What is known up to one message. `beat_ms` is none while none is due: in the background, after a crash."""

    beat_ms: int | None = None
    away: bool = False  # in the background
    sampled: bool = False
    touched_ms: int = 0
    label: str = ""
    screen: str = ""
    signs: int = 0  # of life since the last heartbeat: what other threads told


def not_responding(messages: Sequence[Timed]) -> Iterable[Finding]:
    """One finding per silence, at the last heartbeat before it."""
    watch = _Watch()
    for at_ms, message in messages:
        if isinstance(message, MobileCrash):
            watch.beat_ms = None
        elif isinstance(message, MobilePerformanceEvent) and message.name == "background":
            yield from _silence(watch, at_ms)
            watch.away = bool(message.value)
            watch.beat_ms, watch.signs = None if watch.away else at_ms, 0
        elif isinstance(
            message, MobileClickEvent | MobileInputEvent | MobileSwipeEvent | MobilePerformanceEvent
        ):
            yield from _silence(watch, at_ms)
            if not watch.away or not isinstance(message, MobilePerformanceEvent):
                _beat(watch, at_ms, message)
        else:
            watch.signs += 1
        watch.screen = shown_screen(message) or watch.screen
    if messages:
        yield from _silence(watch, messages[-1][0])


def _beat(
    watch: _Watch,
    at_ms: int,
    message: MobileClickEvent | MobileInputEvent | MobileSwipeEvent | MobilePerformanceEvent,
) -> None:
    watch.beat_ms, watch.away = at_ms, False  # who touches it has it in front
    watch.signs = 0
    if isinstance(message, MobilePerformanceEvent):
        watch.sampled = watch.sampled or message.name in SAMPLES
    else:
        watch.touched_ms, watch.label = at_ms, message.label


def _silence(watch: _Watch, until_ms: int) -> Iterable[Finding]:
    """The silence that ends now, if it was one."""
    if watch.beat_ms is None or not watch.sampled:
        return
    gap_ms = until_ms - watch.beat_ms
    if not MIN_GAP_MS <= gap_ms <= MAX_GAP_MS:
        return
    after = f" after {shown_label(watch.label)}" if watch.label else ""
    yield Finding(
        "anr",
        watch.beat_ms,
        f"No sign of life for {gap_ms // 1000} s{after}"[:TITLE_CHARS],
        f"{watch.screen}\0{watch.label}",
        {"gap_ms": gap_ms, "screen": watch.screen[:TITLE_CHARS], "confidence": _confidence(watch)},
    )


def _confidence(watch: _Watch) -> Confidence:
    """High: the process went on without its main thread. Medium: it followed a touch. Low: it may have slept."""
    if watch.signs:
        return "high"
    touched = watch.label and watch.beat_ms is not None and watch.beat_ms - watch.touched_ms <= AFTER_TOUCH_MS
    return "medium" if touched else "low"
