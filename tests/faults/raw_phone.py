"""A phone led by hand: a test says which messages go out with which times, indexes and headers; all is noted."""

from __future__ import annotations

import contextlib
import gzip
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

from client.archives import Shot, android_upload
from client.report import SentPicture
from client.screens import sha256_of
from client.transport import HttpTransport, NetworkError, Reply, Request, Transport, open_http_client
from messages import Layout, Message, encode, encode_batch, fields
from tests.faults import content
from tests.faults.book import Book, Item, message_item, now_ms, picture_item, session_item


class RawPhone:
    """One session of one device. Every method returns the answer's status, 0 if none came."""

    def __init__(self, transport: Transport, project: str, book: Book, *, name: str = "") -> None:
        self._transport = transport
        self._project = project
        self._book = book
        self.name = name or uuid.uuid4().hex
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, self.name))
        self.session_id = ""
        self.token = ""
        self.made = 0
        self.index = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str, project: str, book: Book, *, name: str = "") -> AsyncIterator[RawPhone]:
        """With connections of its own."""
        async with open_http_client() as client:
            yield cls(HttpTransport(client, url), project, book, name=name)

    async def start(self, device_ms: int | None = None, **more: Any) -> int:
        """`/start` at that time of the device; `more`: further or other members of the body."""
        body: dict[str, Any] = {
            "projectKey": self._project, "trackerVersion": "1.0.22", "platform": "ios", "userUUID": self.uuid,
            "timestamp": now_ms() if device_ms is None else device_ms, "userDevice": "iPhone15,2",
            "width": 390, "height": 844, **more,
        }  # fmt: skip
        number = await self._book.tried("start", "")
        reply = await self._send("/v1/mobile/start", json.dumps(body).encode(), {})
        items = []
        if reply.ok:
            told = json.loads(reply.body)
            self.session_id, self.token = told["sessionID"], told["token"]
            items = [session_item(self.session_id)]
        await self._book.answered(number, reply.status, items)
        return reply.status

    async def say(self, count: int) -> int:
        """That many new messages of now in one batch."""
        return await self.batch(self.messages(count))

    def messages(
        self, count: int, device_ms: int | None = None, step_ms: int = 1
    ) -> list[tuple[int, Message]]:
        """New messages with their times."""
        first_ms = now_ms() if device_ms is None else device_ms
        made = []
        for number in range(count):
            self.made += 1
            made.append((first_ms + number * step_ms, content.message(f"{self.name}.{self.made}")))
        return made

    async def batch(
        self,
        messages: Sequence[tuple[int, Message]],
        *,
        meta_ms: int | None = None,
        path: str = "/v1/mobile/i",
        session: str = "",
    ) -> int:
        """Send (device time, message) pairs under the next index. `session`: where they belong, if not here."""
        framed = [encode(message, timestamp=at_ms, layout=Layout.IOS) for at_ms, message in messages]
        body = encode_batch(self.index, now_ms() if meta_ms is None else meta_ms, framed)
        self.index += len(messages)
        kind = "late" if path.endswith("late") else "batch"
        items = [
            message_item(session or self.session_id, message.TYPE, at_ms, fields(message))
            for at_ms, message in messages
        ]
        return await self.post(kind, path, gzip.compress(body, 1), items)

    async def show(self, count: int, device_ms: int | None = None) -> int:
        """An archive of that many new pictures, a millisecond apart."""
        first_ms = now_ms() if device_ms is None else device_ms
        shots, items = [], []
        for at_ms in range(first_ms, first_ms + count):
            self.made += 1
            data = content.picture(f"{self.name}.{self.made}")
            sent = SentPicture(at_ms, sha256_of(data), "jpeg", len(data), int(self.session_id))
            shots.append(Shot(sent, data))
            items.append(picture_item(self.session_id, at_ms, sent.sha256))
        upload = android_upload(int(self.session_id), first_ms, shots)
        content_type, body = upload.form(self._project, Random(self.made))
        return await self.post("images", "/v1/mobile/images", body, items, {"Content-Type": content_type})

    async def post(
        self,
        kind: str,
        path: str,
        body: bytes,
        items: Sequence[Item],
        headers: dict[str, str] | None = None,
    ) -> int:
        """Any bytes under this session's token; `items`: what must be there after a 2xx."""
        number = await self._book.tried(kind, self.session_id, items)
        reply = await self._send(path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
        await self._book.answered(number, reply.status, items)
        return reply.status

    async def _send(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        agent = {"User-Agent": "Shop/412 CFNetwork/1494.0.7 Darwin/23.4.0"}
        try:
            return await self._transport.send(Request("POST", path, agent | headers, body))
        except NetworkError:
            return Reply(0)
