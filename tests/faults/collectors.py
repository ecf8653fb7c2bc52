"""Senders of events by other protocols, with everything noted in the book. What fails is sent again, in new groups."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from random import Random
from typing import Any, ClassVar

from client.transport import NetworkError, Reply, Request, Transport
from tests.faults import content
from tests.faults.book import Book, Item, event_item


class Sender(ABC):
    """One application server."""

    source: ClassVar[str]

    def __init__(self, seed: str, number: int, project_key: str, book: Book) -> None:
        self._name = f"{seed}.{self.source}.{number}"
        self._dice = Random(self._name)
        self._project_key = project_key
        self._book = book
        self._made = 0
        self._queue: list[str] = []

    async def live(self, transport: Transport, enough: asyncio.Event) -> None:
        """Send until told to stop, then what is left."""
        while not enough.is_set() or self._queue:
            if not enough.is_set():
                for _ in range(self._dice.randint(1, 20)):
                    self._made += 1
                    self._queue.append(f"{self._name}.{self._made}")
            if not await self._send(transport):
                await asyncio.sleep(0.3)
            await asyncio.sleep(self._dice.random() * 0.4)

    async def _send(self, transport: Transport) -> bool:
        ids, self._queue = self._queue[:50], self._queue[50:]
        if not ids:
            return True
        items = [self.item(id) for id in ids]
        number = await self._book.tried(self.source, "", items)
        try:
            reply = await transport.send(self.request(ids))
        except NetworkError:
            reply = Reply(0)
        await self._book.answered(number, reply.status, items)
        if not reply.ok:
            self._queue = ids + self._queue
        return reply.ok

    @abstractmethod
    def request(self, ids: list[str]) -> Request:
        """These events in one request."""

    @classmethod
    @abstractmethod
    def seen(cls, event: dict[str, Any]) -> Item:
        """An event as `GET /api/v1/events` shows it."""

    @classmethod
    @abstractmethod
    def item(cls, id: str) -> Item:
        """The event of this id as it must be shown."""


def at(id: str) -> datetime:
    """A time of the last hour or so that belongs to the id."""
    return datetime.fromtimestamp(1_760_000_000 + Random(f"{id}/at").randrange(3_600_000) / 1000, UTC)


class JsonSender(Sender):
    """`POST /api/v1/events`. Source: spec/event-service.md 4."""

    source = "json"

    def request(self, ids: list[str]) -> Request:
        events = [{"id": id, **content.event(id), "timestamp": at(id).isoformat()} for id in ids]
        headers = {"X-Project-Key": self._project_key, "Content-Type": "application/json"}
        return Request("POST", "/api/v1/events", headers, json.dumps({"events": events}).encode())

    @classmethod
    def seen(cls, event: dict[str, Any]) -> Item:
        return event_item(
            cls.source,
            event["id"],
            {name: event[name] for name in ("session_id", "category", "name", "data")},
        )

    @classmethod
    def item(cls, id: str) -> Item:
        return event_item(cls.source, id, content.event(id))


class SegmentSender(Sender):
    """`POST /v1/batch`. Source: spec/segment-webhook.md 3.4."""

    source = "segment"

    def request(self, ids: list[str]) -> Request:
        messages = []
        for id in ids:
            event = content.event(id)
            messages.append(
                {
                    "type": "track",
                    "messageId": id,
                    "userId": event["session_id"],
                    "event": event["name"],
                    "properties": event["data"],
                    "timestamp": at(id).isoformat(),
                }
            )
        body = {"batch": messages, "writeKey": self._project_key, "sentAt": datetime.now(UTC).isoformat()}
        return Request("POST", "/v1/batch", {"Content-Type": "application/json"}, json.dumps(body).encode())

    @classmethod
    def seen(cls, event: dict[str, Any]) -> Item:
        data = event["data"]
        shown = {"user": data["userId"], "name": event["name"], "properties": data["properties"]}
        return event_item(cls.source, data["messageId"], shown)

    @classmethod
    def item(cls, id: str) -> Item:
        event = content.event(id)
        shown = {"user": event["session_id"], "name": event["name"], "properties": event["data"]}
        return event_item(cls.source, id, shown)


SENDERS: dict[str, type[Sender]] = {sender.source: sender for sender in (JsonSender, SegmentSender)}
