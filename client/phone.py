"""A phone with the app installed: what outlives the app's process."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from client.archives import Upload
from client.devices import Device, Platform
from client.report import SentMessage


@dataclass(frozen=True, slots=True)
class LateFile:
    """Bytes on disk for `/late`, and the messages inside."""

    body: bytes
    messages: tuple[SentMessage, ...]


@dataclass(slots=True)
class Phone:
    """Persisted state of one installation; `dice` drives everything random about it."""

    device: Device
    dice: Random
    user_uuid: str = ""
    timezone: str = "UTC+02:00"
    launches: int = 0
    #: iOS: the last batch, written when the app is left (`lateMessages.dat`)
    late_file: LateFile | None = None
    #: both: one bare crash message
    crash_file: LateFile | None = None
    #: Android: archives on disk, oldest first
    archives: deque[Upload] = field(default_factory=deque)

    def __post_init__(self) -> None:
        if not self.user_uuid:
            made = str(UUID(int=self.dice.getrandbits(128), version=4))
            self.user_uuid = made.upper() if self.device.platform is Platform.IOS else made
