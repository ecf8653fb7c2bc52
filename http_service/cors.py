"""Cross-origin headers of the ingest routes. Source: spec/openreplay-mobile.md 1.1."""

from __future__ import annotations

from typing import Final

Header = tuple[bytes, bytes]


def preflight(*own: str) -> tuple[Header, ...]:
    """What a browser hears that asks whether it may send; `own`: further headers that the route reads."""
    names = ",".join(("Content-Type", "Authorization", "Content-Encoding", *own))
    return (
        (b"access-control-allow-methods", b"POST, GET, PUT, PATCH, DELETE, OPTIONS"),
        (b"access-control-allow-headers", names.encode()),
        (b"cache-control", b"max-age=86400"),
        (b"content-length", b"0"),
    )


PREFLIGHT: Final = preflight()


class Cors:
    """By the setting: `*` or one origin always, of several the asking one if it is among them, empty none."""

    def __init__(self, origins: str) -> None:
        self._listed = tuple(part.strip().encode() for part in origins.split(",") if part.strip())

    def headers(self, origin: bytes | None = None) -> tuple[Header, ...]:
        """The headers of an answer to a request with this `Origin`."""
        if not self._listed:
            return ()
        if len(self._listed) == 1:
            return ((b"access-control-allow-origin", self._listed[0]),)
        if origin in self._listed:
            return ((b"access-control-allow-origin", origin or b""), (b"vary", b"Origin"))
        return ((b"vary", b"Origin"),)
