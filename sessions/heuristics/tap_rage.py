"""Tap rage: at least three taps on the same label, each within 300 ms of the one before.

Source: spec/openreplay-mobile.md section 7, its rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from messages.schema import MobileClickEvent
from sessions.heuristics.finding import TITLE_CHARS, Finding, Timed
from sessions.heuristics.labels import shown_label

MIN_TAPS = 3
MAX_GAP_MS = 300


def tap_rages(messages: Sequence[Timed]) -> Iterable[Finding]:
    """One finding per burst, at its first tap."""
    for label, times in _bursts(messages):
        if label and len(times) >= MIN_TAPS:
            yield Finding("tap_rage", times[0], shown_label(label)[:TITLE_CHARS], label, {"taps": len(times)})


def _bursts(messages: Sequence[Timed]) -> Iterator[tuple[str, list[int]]]:
    label, times = "", list[int]()
    for at_ms, message in messages:
        if not isinstance(message, MobileClickEvent):
            continue
        if times and (message.label != label or at_ms - times[-1] > MAX_GAP_MS):
            yield label, times
            times = []
        label = message.label
        times.append(at_ms)
    if times:
        yield label, times
