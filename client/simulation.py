"""Many phones at once: who launches the app how often, on which clock, over which network.

Each phone has its own dice from the seed, so what it makes does not depend on the others.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from client.android_sdk import AndroidSdk
from client.devices import DEVICES, Platform
from client.ios_sdk import IosSdk
from client.phone import Phone
from client.report import Report
from client.scenario import Wishes, make_script
from client.script import Crash, Ending, Script
from client.sdk_model import Options, Sdk
from client.transport import Transport
from client.virtual_clock import VirtualClock

BETWEEN_LAUNCHES_MS = 20_000
SECOND_LAUNCH_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. `minutes`: length of a session; `speedup`: virtual per real seconds, inf: no waiting."""

    project_key: str
    sessions: int = 1
    platform: Platform | None = None
    minutes: float = 3.0
    speedup: float = math.inf
    seed: int = 1
    concurrency: int = 8
    screenshots: bool = True
    wishes: Wishes | None = None


@dataclass(slots=True)
class Visitor:
    """A phone and its launches."""

    phone: Phone
    scripts: list[Script]
    played_ms: int = 0

    @property
    def total_ms(self) -> int:
        """Virtual length of all launches."""
        return sum(script.duration_ms + BETWEEN_LAUNCHES_MS for script in self.scripts)


@dataclass(slots=True)
class Simulation:
    """A plan made concrete; `run` plays it, `report` and the counters may be read meanwhile."""

    plan: Plan
    visitors: list[Visitor]
    report: Report = field(default_factory=Report)
    launches_done: int = 0

    @classmethod
    def of(cls, plan: Plan) -> Simulation:
        """Hand out the plan's sessions to phones: after a crash, and now and then, one launches again."""
        dice = Random(f"plan/{plan.seed}")
        visitors: list[Visitor] = []
        left = plan.sessions
        while left > 0:
            visitor = _visitor(plan, len(visitors), left, dice)
            left -= len(visitor.scripts)
            visitors.append(visitor)
        return cls(plan, visitors)

    @property
    def played_share(self) -> float:
        """How much of the virtual time is over, 0..1."""
        total = sum(visitor.total_ms for visitor in self.visitors)
        return sum(visitor.played_ms for visitor in self.visitors) / total if total else 1.0

    async def run(self, transport: Transport, now_ms: Callable[[], int]) -> Report:
        """Play all launches, at most `concurrency` phones at a time."""
        gate = asyncio.Semaphore(self.plan.concurrency)

        async def play(visitor: Visitor) -> None:
            async with gate:
                # The device's clock reaches the present when the last launch ends.
                head_start = visitor.total_ms * (1 - 1 / self.plan.speedup)
                clock = VirtualClock(now_ms() - int(head_start), speedup=self.plan.speedup)
                await self.play(visitor, transport, clock)

        async with asyncio.TaskGroup() as tasks:
            for visitor in self.visitors:
                tasks.create_task(play(visitor))
        return self.report

    async def play(self, visitor: Visitor, transport: Transport, clock: VirtualClock) -> None:
        """One phone's launches, one after another."""
        options = Options(self.plan.project_key, screenshots=self.plan.screenshots)
        began_ms = clock()
        for script in visitor.scripts:
            await launch(visitor.phone, script, options, transport, clock, self.report)
            visitor.played_ms = min(visitor.total_ms, clock() - began_ms)
            self.launches_done += 1
            await clock.advance_to(clock() + BETWEEN_LAUNCHES_MS)
        visitor.played_ms = visitor.total_ms


async def launch(
    phone: Phone, script: Script, options: Options, transport: Transport, clock: VirtualClock, report: Report
) -> Sdk:
    """One launch of the app on `phone`, to the end of its process."""
    kind = IosSdk if phone.device.platform is Platform.IOS else AndroidSdk
    sdk = kind(phone, script, options, transport=transport, clock=clock, report=report)
    await sdk.run()
    return sdk


def _visitor(plan: Plan, number: int, left: int, dice: Random) -> Visitor:
    platform = plan.platform or (Platform.IOS, Platform.ANDROID)[number % 2]
    place = number if plan.platform else number // 2
    device = DEVICES[platform][place % len(DEVICES[platform])]
    seed = dice.getrandbits(31)
    script = make_script(device, seed, plan.minutes, plan.wishes)
    scripts = [script]
    unfinished = script.ending is Ending.KILLED or any(isinstance(step, Crash) for step in script.steps)
    if left > 1 and (unfinished or dice.random() < SECOND_LAUNCH_SHARE):
        scripts.append(make_script(device, seed + 1, plan.minutes * 0.6, Wishes(errors=dice.random() < 0.3)))
    return Visitor(Phone(device, Random(seed)), scripts)
