"""The iOS SDK's own ways. Source: spec/openreplay-mobile.md 1.4, 1.5, 3.6, 4.1, 4.2 (release 1.0.22)."""

from __future__ import annotations

from collections import deque
from typing import Any

from client.archives import Upload, ios_upload
from client.outbox import Batch
from client.phone import LateFile
from client.sdk_model import Sdk
from client.transport import Reply
from messages import Layout
from messages.schema import MobilePerformanceEvent

ARCHIVE_BACKLOG = 200


class IosSdk(Sdk):
    """Restarts its session on 401, keeps the last batch in a file, throws away pictures when it is left."""

    layout = Layout.IOS
    tracker_version = "1.0.14"
    start_content_type = "application/json"
    start_retries = None
    archive_size = 20

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._uploads: deque[Upload] = deque()
        self._last_archive_ms = 0
        self._frames = False
        self._labelled = False
        self._restarting = False
        self._battery: int | None = None

    def start_fields(self) -> dict[str, Any]:
        return {}

    def shot_interval_ms(self) -> int:
        return 1000 // (self.uplink.session.fps if self.uplink.session else 1)

    def pending(self) -> bool:
        return super().pending() or bool(self._uploads)

    def schedule_vitals(self) -> None:
        self.every(5_000, self._sample_cpu)
        self.every(10_000, self._sample_memory)

    async def on_started(self, asked_ms: int) -> None:
        assert self.uplink.session is not None
        self.picture_base_ms = self.clock()
        self._frames = self._labelled = self.uplink.session.frames_support
        await self._listen()
        await self._send_late_files()

    async def _listen(self) -> None:
        await self._sample_cpu()
        await self._sample_memory()

    async def _send_late_files(self) -> None:
        for name in ("late_file", "crash_file"):
            file: LateFile | None = getattr(self.phone, name)
            if file is None:
                continue
            reply = await self.uplink.late(file, gzipped=False)
            if reply.ok:
                setattr(self.phone, name, None)
            elif reply.status == 401:
                await self.on_unauthorized()

    async def on_tick(self) -> None:
        """One archive goes with each flush."""
        if self._uploads:
            await self.in_flight(self._send_archive(self._uploads.popleft()))

    async def _send_archive(self, upload: Upload) -> None:
        reply = await self.uplink.images(upload)
        if not reply.ok:
            self._uploads.appendleft(upload)
            if reply.status == 401:
                await self.on_unauthorized()

    async def on_shot(self) -> None:
        if len(self.shots) >= (self.options.archive_size or self.archive_size):
            shots = self.take_shots()
            upload = ios_upload(
                self.uplink.session_id,
                self.picture_base_ms,
                self._last_archive_ms,
                shots,
                frames=self._frames,
                labelled=self._labelled,
            )
            self._last_archive_ms = shots[-1].sent.at_ms
            self._uploads.append(upload)
            while len(self._uploads) > ARCHIVE_BACKLOG:
                self._uploads.popleft()

    async def on_background(self) -> None:
        """The last batch also goes to a file, which its success removes; waiting pictures are dropped."""
        self.shots.clear()
        batch = self.outbox.next_batch(self.clock())
        if batch is not None:
            file = LateFile(batch.body, tuple(waiting.sent for waiting in batch.messages))
            self.phone.late_file = file
            await self.in_flight(self._deliver_last(batch, file))

    async def _deliver_last(self, batch: Batch, file: LateFile) -> None:
        reply: Reply = await self.uplink.batch(batch)
        if reply.ok:
            if self.phone.late_file is file:
                self.phone.late_file = None
            return
        self.outbox.requeue(batch)
        if reply.status == 401:
            await self.on_unauthorized()

    async def on_foreground(self) -> None:
        """The screenshot manager restarts in tar mode; its uploads go on calling themselves `frames`."""
        self._frames = False
        await self._listen()

    async def on_unauthorized(self) -> None:
        """Forget the token and start anew; what waits goes to the new session."""
        if not self._restarting:
            self._restarting = True
            try:
                await self.start_session()
            finally:
                self._restarting = False

    async def _sample_cpu(self) -> None:
        vitals, now_ms = self.script.vitals, self.now_ms()
        await self.emit(MobilePerformanceEvent("mainThreadCPU", vitals.cpu_percent(now_ms)))
        level = vitals.battery(now_ms)
        if self._battery is not None and level != self._battery:
            await self.emit(MobilePerformanceEvent("batteryLevel", level))
        self._battery = level

    async def _sample_memory(self) -> None:
        await self.emit(MobilePerformanceEvent("memoryUsage", self.script.vitals.memory_bytes(self.now_ms())))
