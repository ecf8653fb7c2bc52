"""A model of the mobile SDKs: one process of an app with the tracker in it, from `/start` to its end.

Here is what both share; `ios_sdk.py` and `android_sdk.py` hold what differs. Bytes and reactions are those of
the public SDKs (spec/openreplay-mobile.md 1.4, 1.5, 3.5, 4). Time is virtual and the network is a Transport:
with the same seeds and answers the same is sent.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, ClassVar

from client.agenda import Action, Agenda
from client.archives import Shot, picture_format
from client.outbox import Batch, Outbox, Waiting
from client.phone import LateFile, Phone
from client.report import Report, SentMessage, SentPicture
from client.scenes import Scene
from client.screens import draw, sha256_of
from client.script import Background, Crash, CrashSend, Emit, Ending, Freeze, Script, Show, Step
from client.transport import Transport
from client.uplink import Started, Uplink
from client.virtual_clock import VirtualClock
from messages import Layout, Limits, Message, encode, frame_bytes, walk
from messages.schema import MobileCrash, MobilePerformanceEvent

FLUSH_MS = 5_000
START_RETRY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Options:
    """How the app configured its tracker. `patience_ms`: how long it stays open to get rid of what waits.

    `overlap`: several requests at once, as the real ones do; then the order depends on the network.
    """

    project_key: str
    tracker_version: str = ""
    screenshots: bool = True
    archive_size: int = 0
    patience_ms: int = 60_000
    overlap: bool = False


class Sdk(ABC):
    """One launch of the app on `phone`; `run` plays the script."""

    layout: ClassVar[Layout]
    tracker_version: ClassVar[str]
    start_content_type: ClassVar[str]
    start_retries: ClassVar[int | None]  # None: for ever, here until the script is over
    archive_size: ClassVar[int]

    def __init__(
        self,
        phone: Phone,
        script: Script,
        options: Options,
        *,
        transport: Transport,
        clock: VirtualClock,
        report: Report,
    ) -> None:
        self.phone = phone
        self.script = script
        self.options = options
        self.clock = clock
        self.report = report
        self.uplink = Uplink(phone, options.project_key, transport, clock, report)
        self.agenda = Agenda(clock)
        self.outbox = Outbox(bounded=self.layout is Layout.IOS)
        self.shots: list[Shot] = []
        self.picture_base_ms = 0  # first part of a picture's name in a tar
        self._scene: Scene | None = None
        self._active = True
        self._frozen_until_ms = 0
        self._origin_ms = 0
        self._last_sent: dict[tuple[int, bytes], int] = {}
        self._tasks: asyncio.TaskGroup | None = None

    # -- what differs between the SDKs

    @abstractmethod
    def start_fields(self) -> dict[str, Any]:
        """Members of the `/start` body that only this SDK sends."""

    @abstractmethod
    def shot_interval_ms(self) -> int:
        """Time between screenshots."""

    @abstractmethod
    def schedule_vitals(self) -> None:
        """Put the performance listeners on the agenda."""

    @abstractmethod
    async def on_started(self, asked_ms: int) -> None:
        """A session was given (asked for at `asked_ms`): listeners go on, late data are sent."""

    @abstractmethod
    async def on_tick(self) -> None:
        """Every 5 s in the foreground, after the messages were flushed."""

    @abstractmethod
    async def on_shot(self) -> None:
        """A screenshot was added to `shots`."""

    @abstractmethod
    async def on_background(self) -> None:
        """The app left the screen."""

    @abstractmethod
    async def on_foreground(self) -> None:
        """The app is back."""

    @abstractmethod
    async def on_unauthorized(self) -> None:
        """401 for a batch or an archive."""

    def pending(self) -> bool:
        """Whether something waits that the SDK would still send."""
        return len(self.outbox) > 0

    # -- the life of the process

    async def run(self) -> None:
        """From launch to the end of the process."""
        self.phone.launches += 1
        if self.options.overlap:
            async with asyncio.TaskGroup() as self._tasks:
                await self._live()
        else:
            await self._live()

    async def _live(self) -> None:
        if not await self.start_session():
            return
        self._origin_ms = self.clock()
        for step in self.script.steps:
            self.agenda.at(self._origin_ms + step.at_ms, self._player(step))
        self.schedule_vitals()
        self.every(FLUSH_MS, self._tick)
        if self.options.screenshots:
            self.every(self.shot_interval_ms(), self._take_shot)
        await self.agenda.follow(self._origin_ms + self.script.duration_ms)
        if not self.agenda.closed:
            await self._end()

    async def _end(self) -> None:
        if self.script.ending is Ending.KILLED:
            self.agenda.closed = True
            return
        deadline = self.clock() + self.options.patience_ms
        while self.pending() and self.clock() < deadline and not self.agenda.closed:
            await self.agenda.follow(min(deadline, self.clock() + FLUSH_MS))
        if not self.agenda.closed:
            await self._leave()
            self.agenda.closed = True

    def now_ms(self) -> int:
        """ms since the listeners went on."""
        return self.clock() - self._origin_ms

    def every(self, interval_ms: int, action: Action) -> None:
        """Repeat while the app is in the foreground and its main thread runs."""
        self.agenda.every(
            interval_ms, action, unless=lambda: not self._active or self.clock() < self._frozen_until_ms
        )

    def _player(self, step: Step) -> Action:
        async def play() -> None:
            match step:
                case Emit(message=message):
                    if self._active:
                        await self.emit(message)
                case Show(scene=scene):
                    self._scene = scene
                case Background(away_ms=away_ms):
                    await self._leave()
                    self.agenda.at(self.clock() + away_ms, self._return)
                case Freeze(duration_ms=duration_ms):
                    self._frozen_until_ms = self.clock() + duration_ms
                case Crash():
                    await self._crash(step)

        return play

    async def _leave(self) -> None:
        if self._active:
            await self.emit(MobilePerformanceEvent("background", 1))
            self._active = False
            await self.on_background()

    async def _return(self) -> None:
        if not self._active:
            self._active = True
            await self.emit(MobilePerformanceEvent("background", 0))
            await self.on_foreground()

    async def _crash(self, crash: Crash) -> None:
        """The message goes to a file and, while dying, alone to `/i`; everything in memory is gone."""
        self.agenda.closed = True
        self.report.sessions[self.uplink.session_id].crashed = True
        sent = self._record(MobileCrash(crash.name, crash.reason, crash.stacktrace))
        framed = frame_bytes(sent.type, sent.timestamp, sent.body)
        self.phone.crash_file = LateFile(framed, (sent,))
        if crash.send is not CrashSend.UNSENT:
            reply = await self.uplink.batch(Batch(framed, [Waiting(sent, framed)]), "crash")
            if crash.send is CrashSend.ANSWERED and reply.ok:
                self.phone.crash_file = None

    # -- /start

    async def start_session(self) -> bool:
        """Ask for a session, after 5 s again with the same body; False: the SDK gave up, or the user left."""
        body = json.dumps(self._start_body()).encode()
        asked_ms = self.clock()
        for retry in itertools.count():
            reply = await self.uplink.start(body, self.start_content_type)
            if reply.ok:
                answer = Started.read(reply)
                if answer is None:
                    return False  # the SDK cannot read it: no retry, no session
                await self._adopt(*answer, asked_ms)
                return True
            self.report.refused_starts[reply.status] += 1
            if self.clock() - asked_ms >= self.script.duration_ms or retry == self.start_retries:
                break
            await self.clock.advance_to(self.clock() + START_RETRY_MS)
        return False

    async def _adopt(self, session: Started, user_uuid: str, asked_ms: int) -> None:
        self.phone.user_uuid = user_uuid
        self.uplink.adopt(session, asked_ms)
        await self.on_started(asked_ms)

    def _start_body(self) -> dict[str, Any]:
        device, vitals = self.phone.device, self.script.vitals
        width, height = device.wire_size
        performances = {
            "physicalMemory": device.memory_kb * 1024,
            "processorCount": device.processors,
            "activeProcessorCount": device.processors,
            "systemUptime": 86_400 + vitals.seed % 86_400,
            "isLowPowerModeEnabled": int(vitals.low_power),
            "thermalState": 0,
            "batteryLevel": vitals.battery(0),
            "batteryState": 1,
            "orientation": 1,
        }
        return {
            "projectKey": self.options.project_key,
            "trackerVersion": self.options.tracker_version or self.tracker_version,
            "revID": "N/A",
            "userUUID": self.phone.user_uuid,
            "userOSVersion": device.os_version,
            "userDevice": device.model,
            "userDeviceType": device.kind,
            "timestamp": self.clock(),
            "timezone": self.phone.timezone,
            "deviceMemory": device.memory_kb,
            "doNotRecord": False,
            "width": width,
            "height": height,
            "performances": performances,
            **self.start_fields(),
        }

    # -- messages and pictures

    async def emit(self, message: Message) -> None:
        """A message of now enters the row; a full row is flushed before its time."""
        self.outbox.add(self._record(message))
        if self.outbox.overfull:
            await self.flush()

    def _record(self, message: Message) -> SentMessage:
        """Encode at the clock's time; the same content twice in a millisecond moves to the next free one."""
        frame = walk(encode(message, timestamp=self.clock(), layout=self.layout), Limits()).frames[0]
        content = (frame.type, frame.body)
        timestamp = max(self.clock(), self._last_sent.get(content, 0) + 1)
        self._last_sent[content] = timestamp
        sent = SentMessage(frame.type, timestamp, frame.body, self.uplink.session_id)
        self.report.messages.append(sent)
        return sent

    async def _tick(self) -> None:
        await self.flush()
        await self.on_tick()

    async def flush(self) -> None:
        """Send the head of the row; what fails goes back there."""
        batch = self.outbox.next_batch(self.clock())
        if batch is not None:
            await self.in_flight(self.deliver(batch))

    async def deliver(self, batch: Batch) -> None:
        """Send one batch and take the answer as the SDK does."""
        reply = await self.uplink.batch(batch)
        if not reply.ok:
            self.outbox.requeue(batch)
            if reply.status == 401:
                await self.on_unauthorized()

    async def in_flight(self, sending: Awaitable[None]) -> None:
        """Wait for it, or with `overlap` go on meanwhile."""
        if self._tasks is None:
            await sending
        else:
            self._tasks.create_task(_awaited(sending))

    async def _take_shot(self) -> None:
        if self._scene is None:
            return
        device = self.phone.device
        form = picture_format(device.platform)
        data = await asyncio.to_thread(draw, self._scene, device.width, device.height, form)
        sent = SentPicture(self.clock(), sha256_of(data), form, len(data), self.uplink.session_id)
        self.report.pictures.append(sent)
        self.shots.append(Shot(sent, data))
        await self.on_shot()

    def take_shots(self) -> list[Shot]:
        """Empty the buffer for an archive; its pictures bear the name of today's session."""
        shots, self.shots = self.shots, []
        for shot in shots:
            shot.sent.session_id = self.uplink.session_id
        return shots


async def _awaited(sending: Awaitable[None]) -> None:
    await sending
