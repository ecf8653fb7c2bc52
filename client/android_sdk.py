"""The Android SDK's own ways. Source: spec/openreplay-mobile.md 1.4, 1.5, 3.5, 3.6, 4.1 (release 1.1.10)."""

from __future__ import annotations

from typing import Any

from client.archives import Upload, android_upload
from client.sdk_model import Sdk
from messages import Layout
from messages.schema import MobilePerformanceEvent

MIB = 1024 * 1024
MAX_UPLOADS = 2
MAX_BACKOFF_MS = 30_000


class AndroidSdk(Sdk):
    """Keeps its token whatever happens, keeps archives on disk and sends them under any later token."""

    layout = Layout.ANDROID
    tracker_version = "1.0.10"
    start_content_type = "application/json; charset=utf-8"
    start_retries = 5
    archive_size = 10

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._backoff_ms = 0
        self._next_upload_ms = 0
        self._uploading = False
        self._battery: int | None = None

    def start_fields(self) -> dict[str, Any]:
        return {"platform": "android"}

    def shot_interval_ms(self) -> int:
        return 1000  # quality low at one frame per second; the server's fps and quality are ignored

    def pending(self) -> bool:
        return super().pending() or bool(self.phone.archives)

    def schedule_vitals(self) -> None:
        self.every(10_000, self._sample_often)
        self.every(30_000, self._sample_seldom)

    async def on_started(self, asked_ms: int) -> None:
        self.picture_base_ms = asked_ms
        device = self.phone.device
        await self.emit(MobilePerformanceEvent("physicalMemory", device.memory_kb * 1024))
        await self.emit(MobilePerformanceEvent("processorCount", device.processors))
        await self.emit(MobilePerformanceEvent("activeProcessorCount", device.processors))
        await self.flush()
        if self.phone.crash_file is not None:
            reply = await self.uplink.late(self.phone.crash_file, gzipped=True)
            if reply.ok:
                self.phone.crash_file = None
        await self._send_archives()

    async def on_tick(self) -> None:
        await self._send_archives()

    async def on_shot(self) -> None:
        if len(self.shots) >= (self.options.archive_size or self.archive_size):
            self._archive()
            await self._send_archives()

    async def on_background(self) -> None:
        await self.flush()
        self._archive()
        await self._send_archives()

    async def on_foreground(self) -> None:
        """Recording goes on."""

    async def on_unauthorized(self) -> None:
        """Nothing: the same token is used for the life of the process."""

    def _archive(self) -> None:
        shots = self.take_shots()
        if shots:
            self.phone.archives.append(android_upload(self.uplink.session_id, self.picture_base_ms, shots))

    async def _send_archives(self) -> None:
        """At most two at a time, oldest first; one global back-off of 1, 2, 4 … 30 s."""
        if self._uploading or self.clock() < self._next_upload_ms:
            return
        chosen = list(self.phone.archives)[:MAX_UPLOADS]
        if chosen:
            self._uploading = True
            await self.in_flight(self._upload(chosen))

    async def _upload(self, chosen: list[Upload]) -> None:
        try:
            for upload in chosen:
                reply = await self.uplink.images(upload)
                if not reply.ok:
                    self._backoff_ms = min(MAX_BACKOFF_MS, self._backoff_ms * 2 or 1_000)
                    self._next_upload_ms = self.clock() + self._backoff_ms
                    return
                self._backoff_ms = 0
                self.phone.archives.remove(upload)
        finally:
            self._uploading = False

    async def _sample_often(self) -> None:
        """Here mainThreadCPU is the ms that a fixed loop took, and memoryUsage is in MiB."""
        vitals, now_ms = self.script.vitals, self.now_ms()
        await self.emit(MobilePerformanceEvent("mainThreadCPU", 3 + vitals.cpu_percent(now_ms) // 8))
        used = vitals.memory_bytes(now_ms) * 8 // MIB  # of the heap, which is small
        await self.emit(MobilePerformanceEvent("memoryUsage", used))
        level = vitals.battery(now_ms)
        if self._battery is not None and level != self._battery:
            await self.emit(MobilePerformanceEvent("batteryLevel", level))
        self._battery = level

    async def _sample_seldom(self) -> None:
        vitals, now_ms = self.script.vitals, self.now_ms()
        for name, value in (
            ("fps", vitals.fps(now_ms)),
            ("thermalState", 1 if now_ms > 240_000 else 0),
            ("isLowPowerModeEnabled", int(vitals.low_power)),
            ("systemUptime", 86_400 + vitals.seed % 86_400 + now_ms // 1000),
        ):
            await self.emit(MobilePerformanceEvent(name, value))
