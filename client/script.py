"""What happens in one life of an app's process: steps in time, before any SDK sees them.

Times are ms from the moment the SDK runs. The scenario writes scripts, the SDK model plays them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from client.scenes import Scene
from messages import Message


@dataclass(frozen=True, slots=True)
class Emit:
    """The app or a listener produces a message."""

    at_ms: int
    message: Message


@dataclass(frozen=True, slots=True)
class Show:
    """The screen changes."""

    at_ms: int
    scene: Scene


@dataclass(frozen=True, slots=True)
class Background:
    """The user leaves the app; it comes back after `away_ms`."""

    at_ms: int
    away_ms: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """The main thread is stuck: no samples, no pictures, no flush."""

    at_ms: int
    duration_ms: int


class CrashSend(Enum):
    """What becomes of the request that a dying process makes with its crash."""

    UNSENT = "it dies first; the file is left"
    UNSURE = "it arrives, but the process dies before the answer; the file is left"
    ANSWERED = "it is answered in time; the file is deleted"


@dataclass(frozen=True, slots=True)
class Crash:
    """An uncaught exception: the process ends here."""

    at_ms: int
    name: str
    reason: str
    stacktrace: str
    send: CrashSend


Step = Emit | Show | Background | Freeze | Crash


class Ending(Enum):
    """How a process ends that does not crash."""

    LEFT = "the user leaves the app, it is flushed, and the system ends it later"
    KILLED = "it is ended without notice: what waits in memory is gone"


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the device would measure at a moment; smooth curves with noise from `seed`."""

    seed: int
    processors: int
    memory_kb: int
    battery_percent: int = 90
    low_power: bool = False

    def cpu_percent(self, at_ms: int) -> int:
        """Main thread, 0..100."""
        return min(100, max(1, round(18 + 12 * math.sin(at_ms / 9_000 + self.seed) + self._noise(at_ms, 20))))

    def memory_bytes(self, at_ms: int) -> int:
        """In use: grows slowly, falls back now and then."""
        share = 0.04 + 0.05 * ((at_ms / 240_000) % 1) + self._noise(at_ms, 10) / 1000
        return int(self.memory_kb * 1024 * share)

    def battery(self, at_ms: int) -> int:
        """Percent; one less each two minutes."""
        return max(1, self.battery_percent - at_ms // 120_000)

    def fps(self, at_ms: int) -> int:
        """Frames per second of the app's drawing."""
        return max(12, 60 - round(self._noise(at_ms, 14)))

    def _noise(self, at_ms: int, most: float) -> float:
        mixed = (at_ms // 1000 * 2_654_435_761 + self.seed * 40_503) & 0xFFFF_FFFF
        return ((mixed >> 8) & 0xFFFF) / 0xFFFF * most


@dataclass(frozen=True, slots=True)
class Script:
    """One process: steps in order of time, up to `duration_ms`."""

    duration_ms: int
    steps: tuple[Step, ...]
    vitals: Vitals
    ending: Ending = Ending.LEFT
    metadata: dict[str, str] = field(default_factory=dict)
