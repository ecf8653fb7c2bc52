"""Slow screen: it appeared three seconds or more after the tap that asked for it, most of them spent on the network.

Without a call that explains the wait the screen may as well have come by itself, so nothing is said then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from messages.schema import (
    IOSNetworkCall,
    MobileClickEvent,
    MobileGraphQL,
    MobileInputEvent,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileSwipeEvent,
)
from sessions.heuristics.finding import TITLE_CHARS, Finding, Timed
from sessions.heuristics.labels import shown_label
from sessions.heuristics.screens import shown_screen

MIN_WAIT_MS: Final = 3_000
#: beyond this the screen is hardly what that tap asked for
MAX_WAIT_MS: Final = 30_000


@dataclass(slots=True)
class _Wait:
    """A tap that nothing has answered yet; calls as (begin, end), by their end."""

    at_ms: int
    label: str
    calls: list[tuple[int, int]] = field(default_factory=list)

    def on_network_ms(self, until_ms: int) -> int:
        """How long at least one call was under way between the tap and then."""
        total, covered = 0, self.at_ms
        for begin, end in sorted(self.calls):
            begin, end = max(begin, covered), min(end, until_ms)
            if end > begin:
                total += end - begin
                covered = end
        return total


def slow_screens(messages: Sequence[Timed]) -> Iterable[Finding]:
    """One finding per screen that was waited for, at the tap. Another touch, input or the background ends the wait."""
    wait: _Wait | None = None
    for at_ms, message in messages:
        screen = shown_screen(message)
        if screen:
            if wait is not None:
                yield from _slow(wait, at_ms, screen)
            wait = None
        elif isinstance(message, MobileClickEvent):
            wait = _Wait(at_ms, message.label)
        elif _ends_wait(message):
            wait = None
        elif wait is not None and isinstance(message, MobileNetworkCall | IOSNetworkCall | MobileGraphQL):
            wait.calls.append((at_ms - message.duration, at_ms))


def _ends_wait(message: object) -> bool:
    if isinstance(message, MobilePerformanceEvent):
        return message.name == "background"
    return isinstance(message, MobileInputEvent | MobileSwipeEvent)


def _slow(wait: _Wait, at_ms: int, screen: str) -> Iterable[Finding]:
    wait_ms = at_ms - wait.at_ms
    if not MIN_WAIT_MS <= wait_ms <= MAX_WAIT_MS:
        return
    on_network_ms = wait.on_network_ms(at_ms)
    if on_network_ms * 2 < wait_ms:
        return
    after = f" after {shown_label(wait.label)}" if wait.label else ""
    yield Finding(
        "slow_screen",
        wait.at_ms,
        f"{screen} took {wait_ms / 1000:.1f} s{after}"[:TITLE_CHARS],
        screen,
        {"wait_ms": wait_ms, "on_network_ms": on_network_ms, "screen": screen[:TITLE_CHARS]},
    )
