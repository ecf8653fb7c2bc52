"""What MobilePerformanceEvent (102) carries: its names, their units, who sends them and how often.

The unit may differ between the SDKs: Android's memoryUsage is in MiB, and its mainThreadCPU is no
percentage. Source: spec/openreplay-mobile.md 3.6.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gauge:
    """One name: meaning of Value with its unit, and when each SDK sends it (empty: never)."""

    name: str
    value: str
    ios: str
    android: str


_ORIENTATIONS = (
    "0 unknown, 1 portrait, 2 upside down, 3 landscape left, 4 landscape right, 5 face up, 6 face down;"
    " Android: 0 portrait, 3 landscape"
)

GAUGES = (
    Gauge(
        "mainThreadCPU",
        "percent 0..100 of the first thread; Android: ms that a fixed loop took",
        "every 5 s",
        "every 10 s",
    ),
    Gauge("memoryUsage", "bytes used; Android: MiB", "every 10 s", "every 10 s"),
    Gauge("fps", "frames per second, 0..120", "", "every 30 s"),
    Gauge("background", "1 left, 0 returned", "on change", "on change"),
    Gauge("batteryLevel", "percent 0..100", "on change", "on change"),
    Gauge("batteryState", "0 unknown, 1 unplugged, 2 charging, 3 full", "on change", "on change"),
    Gauge("thermalState", "0 nominal, 1 fair, 2 serious, 3 critical", "on change", "every 30 s"),
    Gauge("isLowPowerModeEnabled", "0, 1", "on change", "every 30 s"),
    Gauge("orientation", _ORIENTATIONS, "on change", "on change"),
    Gauge("memoryWarning", "always 0: an event without a value", "when it happens", ""),
    Gauge("lowDiskSpace", "always 0: an event without a value", "when it happens", ""),
    Gauge("networkState", "0 cellular, 1 Wi-Fi or wired", "on change", ""),
    Gauge("physicalMemory", "bytes; Android: what the Java machine may use", "in `/start` only", "at start"),
    Gauge("processorCount", "count", "in `/start` only", "at start"),
    Gauge("activeProcessorCount", "count", "in `/start` only", "at start"),
    Gauge("systemUptime", "s since boot", "in `/start` only", "every 30 s"),
)
