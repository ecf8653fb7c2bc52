"""Bounds on what a sender may make us hold; the values come from the settings of the same names."""

from __future__ import annotations

from dataclasses import dataclass

from playhead.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one batch and one archive of pictures."""

    max_unpacked_bytes: int = 64_000_000
    max_string_bytes: int = 1_048_576
    max_messages: int = 100_000
    max_frames: int = 2_000
    max_frame_bytes: int = 8_000_000

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings give."""
        return cls(
            max_unpacked_bytes=settings.max_unpacked_bytes,
            max_string_bytes=settings.max_string_bytes,
            max_messages=settings.max_messages,
            max_frames=settings.max_frames,
            max_frame_bytes=settings.max_frame_bytes,
        )
