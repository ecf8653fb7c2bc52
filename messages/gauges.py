"""What MobilePerformanceEvent (102) carries: its names, their units, who sends them and how often.

The unit may differ between the SDKs: Android's memoryUsage is in MiB, and its mainThreadCPU is no
percentage. Source: spec/openreplay-mobile.md 3.6.
"""

from __future__ import annotations

from dataclasses import dataclass

States = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One name: what Value is, and when each SDK sends it (empty: never).

    `unit` is one of `%`, `bytes`, `MiB`, `ms`, `s`, `frames/s`, `count`, `state`, or `event`: it happened, Value
    says nothing. The `android_…` members stand only where Android differs; `states` name the values of a state.
    """

    name: str
    title: str
    unit: str
    meaning: str
    ios: str
    android: str
    states: States = ()
    android_title: str = ""
    android_unit: str = ""
    android_meaning: str = ""
    android_states: States = ()

    @property
    def value(self) -> str:
        """Value in words, on both platforms."""
        android = self.android_meaning or _words(self.android_states)
        return (self.meaning or _words(self.states)) + (f"; Android: {android}" if android else "")


def _words(states: States) -> str:
    return ", ".join(f"{number} {word}" for number, word in states)


_ORIENTATIONS = (
    (0, "unknown"),
    (1, "portrait"),
    (2, "upside down"),
    (3, "landscape left"),
    (4, "landscape right"),
    (5, "face up"),
    (6, "face down"),
)
_NOTHING = "always 0: an event without a value"

GAUGES = (
    Gauge(
        "mainThreadCPU",
        "Main thread CPU",
        "%",
        "percent 0..100 of the first thread",
        "every 5 s",
        "every 10 s",
        android_title="Main thread load",
        android_unit="ms",
        android_meaning="ms that a fixed loop took",
    ),
    Gauge(
        "memoryUsage",
        "Memory used",
        "bytes",
        "bytes used",
        "every 10 s",
        "every 10 s",
        android_unit="MiB",
        android_meaning="MiB",
    ),
    Gauge("fps", "Frames per second", "frames/s", "frames per second, 0..120", "", "every 30 s"),
    Gauge(
        "background", "In background", "state", "", "on change", "on change", ((1, "left"), (0, "returned"))
    ),
    Gauge("batteryLevel", "Battery", "%", "percent 0..100", "on change", "on change"),
    Gauge(
        "batteryState",
        "Battery state",
        "state",
        "",
        "on change",
        "on change",
        ((0, "unknown"), (1, "unplugged"), (2, "charging"), (3, "full")),
    ),
    Gauge(
        "thermalState",
        "Thermal state",
        "state",
        "",
        "on change",
        "every 30 s",
        ((0, "nominal"), (1, "fair"), (2, "serious"), (3, "critical")),
    ),
    Gauge(
        "isLowPowerModeEnabled",
        "Low power mode",
        "state",
        "",
        "on change",
        "every 30 s",
        ((0, "off"), (1, "on")),
    ),
    Gauge(
        "orientation",
        "Orientation",
        "state",
        "",
        "on change",
        "on change",
        _ORIENTATIONS,
        android_states=((0, "portrait"), (3, "landscape")),
    ),
    Gauge("memoryWarning", "Memory warning", "event", _NOTHING, "when it happens", ""),
    Gauge("lowDiskSpace", "Low disk space", "event", _NOTHING, "when it happens", ""),
    Gauge("networkState", "Network", "state", "", "on change", "", ((0, "cellular"), (1, "Wi-Fi or wired"))),
    Gauge(
        "physicalMemory",
        "Physical memory",
        "bytes",
        "bytes",
        "in `/start` only",
        "at start",
        android_meaning="what the Java machine may use",
    ),
    Gauge("processorCount", "Processors", "count", "count", "in `/start` only", "at start"),
    Gauge("activeProcessorCount", "Active processors", "count", "count", "in `/start` only", "at start"),
    Gauge("systemUptime", "Uptime", "s", "s since boot", "in `/start` only", "every 30 s"),
)
