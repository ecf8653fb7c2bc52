"""Phones to pretend to be: what each SDK tells at `/start`. Source: spec/openreplay-mobile.md 1.4."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Platform(StrEnum):
    """Which SDK."""

    IOS = "ios"
    ANDROID = "android"


@dataclass(frozen=True, slots=True)
class Device:
    """One model. `width`, `height`: points (iOS) or dp (Android); `density`: pixels per dp, 1 for points."""

    platform: Platform
    model: str
    kind: str
    os_version: str
    width: int
    height: int
    density: float
    memory_kb: int
    processors: int
    user_agent: str

    @property
    def wire_size(self) -> tuple[int, int]:
        """Width and height in the unit that the SDK sends."""
        return (self.to_wire(self.width), self.to_wire(self.height))

    def to_wire(self, length: float) -> int:
        """A length in the SDK's unit: points stay, dp become pixels."""
        return max(0, int(length * self.density))


def _iphone(model: str, kind: str, os_version: str, size: tuple[int, int], memory_kb: int) -> Device:
    agent = "Shop/412 CFNetwork/1494.0.7 Darwin/23.4.0"
    return Device(Platform.IOS, model, kind, os_version, *size, 1.0, memory_kb, 6, agent)


def _android(model: str, os_version: str, size: tuple[int, int], density: float, heap_kb: int) -> Device:
    agent = f"Dalvik/2.1.0 (Linux; U; Android {os_version}; {model} Build/AP2A.240805.005)"
    return Device(Platform.ANDROID, model, "mobile", os_version, *size, density, heap_kb, 8, agent)


DEVICES: dict[Platform, tuple[Device, ...]] = {
    Platform.IOS: (
        _iphone("iPhone15,2", "iPhone 14 Pro", "17.4", (393, 852), 5_947_392),
        _iphone("iPhone14,5", "iPhone 13", "16.7.5", (390, 844), 3_911_680),
        _iphone("iPhone16,2", "iPhone 15 Pro Max", "17.5.1", (430, 932), 8_011_776),
        _iphone("iPhone14,6", "iPhone SE 3rd Gen", "17.2", (375, 667), 3_889_152),
    ),
    Platform.ANDROID: (
        _android("shiba", "14", (412, 915), 2.625, 262_144),
        _android("oriole", "13", (411, 914), 2.625, 262_144),
        _android("a52sxq", "12", (412, 914), 2.625, 262_144),
        _android("dm1q", "14", (360, 780), 3.0, 524_288),
    ),
}
