"""What was sent, exactly: the claim that tests hold against what is stored."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Message = tuple[int, int, bytes]  # type, timestamp (ms, device), raw body
Picture = tuple[int, str]  # time (ms, device), SHA-256 (hex)


@dataclass(slots=True, eq=False)
class SentMessage:
    """One message as made; `deliveries`: session that must show it -> whether the server took it for that.

    That is the session whose token carried it, or, in late data, the one it arose in.
    """

    type: int
    timestamp: int
    body: bytes
    arose_in: int
    attempts: int = 0
    late: bool = False
    deliveries: dict[int, bool] = field(default_factory=dict)

    @property
    def content(self) -> Message:
        """What makes it the same message, whatever batch carries it."""
        return (self.type, self.timestamp, self.body)


@dataclass(slots=True, eq=False)
class SentPicture:
    """One screenshot; `session_id` is the one that its archive is named after."""

    at_ms: int
    sha256: str
    format: str
    bytes: int
    session_id: int
    attempts: int = 0
    acknowledged: int = 0

    @property
    def content(self) -> Picture:
        """Time and content."""
        return (self.at_ms, self.sha256)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it; status 0: no answer. `repeats`: items in it that were sent before."""

    kind: str
    session_id: int
    at_ms: int
    status: int
    bytes: int
    items: int = 0
    repeats: int = 0


@dataclass(slots=True)
class SessionReport:
    """One session that `/start` gave."""

    session_id: int
    project_key: str
    platform: str
    user_uuid: str
    device_start_ms: int
    launch: int
    crashed: bool = False
    exchanges: list[Exchange] = field(default_factory=list)

    def to_json(self, report: Report) -> dict[str, Any]:
        """Numbers and a digest of the acknowledged content, for `simulate --json`."""
        messages, pictures = report.acknowledged(self.session_id), report.pictures_of(self.session_id)
        return {
            "session_id": str(self.session_id),
            "platform": self.platform,
            "user_uuid": self.user_uuid,
            "device_start_ms": self.device_start_ms,
            "launch": self.launch,
            "crashed": self.crashed,
            "messages": messages.total(),
            "pictures": pictures.total(),
            "requests": len(self.exchanges),
            "repeated_items": sum(exchange.repeats for exchange in self.exchanges),
            "bytes": sum(exchange.bytes for exchange in self.exchanges),
            "failed_requests": sum(not 200 <= exchange.status < 300 for exchange in self.exchanges),
            "content_sha256": content_digest(messages),
        }


@dataclass(slots=True)
class Report:
    """Everything that simulated phones made and sent."""

    sessions: dict[int, SessionReport] = field(default_factory=dict)
    messages: list[SentMessage] = field(default_factory=list)
    pictures: list[SentPicture] = field(default_factory=list)
    #: statuses of starts that were not 2xx; 0: no answer
    refused_starts: Counter[int] = field(default_factory=Counter)

    def acknowledged(self, session_id: int) -> Counter[Message]:
        """Messages that the server took for this session at least once: it must show each exactly once."""
        return Counter(m.content for m in self.messages if m.deliveries.get(session_id))

    def attempted(self, session_id: int) -> Counter[Message]:
        """Messages sent at least once, answered or not: it may show no others."""
        return Counter(m.content for m in self.messages if session_id in m.deliveries)

    def pictures_of(self, session_id: int, *, acknowledged: bool = True) -> Counter[Picture]:
        """Pictures of this session that were acknowledged (else: tried) at least once."""
        return Counter(
            picture.content
            for picture in self.pictures
            if picture.session_id == session_id
            and (picture.acknowledged if acknowledged else picture.attempts)
        )

    def lost(self) -> list[SentMessage]:
        """Messages never acknowledged: dropped by the SDK, or still waiting when the process ended."""
        return [message for message in self.messages if not any(message.deliveries.values())]

    def merge(self, other: Report) -> None:
        """Take over another phone's report."""
        self.sessions.update(other.sessions)
        self.messages += other.messages
        self.pictures += other.pictures
        self.refused_starts += other.refused_starts

    def to_json(self) -> dict[str, Any]:
        """All numbers, JSON-able."""
        sessions = [session.to_json(self) for session in self.sessions.values()]
        return {
            "sessions": sessions,
            "messages": sum(session["messages"] for session in sessions),
            "pictures": sum(session["pictures"] for session in sessions),
            "requests": sum(session["requests"] for session in sessions),
            "failed_requests": sum(session["failed_requests"] for session in sessions),
            "lost_messages": len(self.lost()),
            "refused_starts": {str(status): count for status, count in self.refused_starts.items()},
        }


def content_digest(messages: Counter[Message]) -> str:
    """SHA-256 over the messages in order of time, type and body; equal exactly when the content is."""
    digest = hashlib.sha256()
    for type_, timestamp, body in sorted(messages.elements(), key=lambda m: (m[1], m[0], m[2])):
        digest.update(f"{type_} {timestamp} {len(body)}\n".encode())
        digest.update(body)
    return digest.hexdigest()
