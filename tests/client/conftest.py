"""A phone, a script, and one call to play them against a Taker."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from client.devices import DEVICES, Platform
from client.phone import Phone
from client.report import Report
from client.scenes import Scene
from client.script import Emit, Ending, Script, Show, Step, Vitals
from client.sdk_model import Options, Sdk
from client.simulation import launch
from client.transport import Transport
from client.virtual_clock import VirtualClock
from messages.schema import MobileClickEvent

START_MS = 1_750_000_000_000
VITALS = Vitals(seed=7, processors=6, memory_kb=4_000_000)


class Player:
    """One phone, used again and again; its clock and report go on."""

    def __init__(self, platform: Platform) -> None:
        self.phone = Phone(DEVICES[platform][0], Random(5))
        self.clock = VirtualClock(START_MS)
        self.report = Report()

    async def play(self, transport: Transport, script: Script, **options: object) -> Sdk:
        """One launch."""
        chosen = Options("key", **options)  # type: ignore[arg-type]
        return await launch(self.phone, script, chosen, transport, self.clock, self.report)


def taps(seconds: int, *, every_ms: int = 1_000, label: str = "UIButton 'Buy'") -> list[Step]:
    """A screen and a tap each second."""
    shown: list[Step] = [Show(0, Scene("shop", "Home"))]
    return shown + [
        Emit(at_ms, MobileClickEvent(f"{label} {at_ms}", 10, 20))
        for at_ms in range(500, seconds * 1000, every_ms)
    ]


def script(steps: Sequence[Step], seconds: int, ending: Ending = Ending.LEFT) -> Script:
    """Steps as a script."""
    return Script(seconds * 1000, tuple(steps), VITALS, ending)


@pytest.fixture
def iphone() -> Player:
    return Player(Platform.IOS)


@pytest.fixture
def android() -> Player:
    return Player(Platform.ANDROID)
