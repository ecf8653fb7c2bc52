"""Phones that behave as the SDKs do (client/sdk_model.py) and note in the book what they try and what is answered."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Iterable
from random import Random

from client.android_sdk import AndroidSdk
from client.archives import Shot, Upload, picture_format
from client.devices import Platform
from client.ios_sdk import IosSdk
from client.outbox import Batch
from client.phone import LateFile, Phone
from client.report import Report, SentMessage, SentPicture
from client.screens import sha256_of
from client.sdk_model import Options, Sdk
from client.transport import Reply, Request, Transport
from client.uplink import Started, Uplink
from client.virtual_clock import VirtualClock
from messages import Layout, decode, fields
from tests.faults import content
from tests.faults.book import Book, Item, message_item, now_ms, picture_item, session_item

SHOT_MS = 2_500  # seldom, so that the judge has the time to look at each


class NotingUplink(Uplink):
    """An uplink with a witness: what may be stored is written down before, what must be after."""

    def __init__(self, inner: Uplink, book: Book, layout: Layout) -> None:
        self.__dict__.update(inner.__dict__)
        self._book = book
        self._layout = layout

    async def start(self, body: bytes, content_type: str) -> Reply:
        number = await self._book.tried("start", "")
        reply = await super().start(body, content_type)
        answer = Started.read(reply) if reply.ok else None
        items = [session_item(str(answer[0].session_id))] if answer else []
        await self._book.answered(number, reply.status, items)
        return reply

    async def batch(self, batch: Batch, kind: str = "batch") -> Reply:
        messages = [waiting.sent for waiting in batch.messages]
        while True:
            session = self.session_id
            items = self._items(messages, lambda _, session=session: session)  # type: ignore[misc]
            number = await self._book.tried("batch", str(session), items)
            if session == self.session_id:  # no new one meanwhile
                break
        reply = await super().batch(batch, kind)
        await self._book.answered(number, reply.status, items)
        return reply

    async def late(self, file: LateFile, *, gzipped: bool) -> Reply:
        own = self.session_id
        items = self._items(file.messages, lambda sent: sent.arose_in)
        number = await self._book.tried(
            "late", str(own), [*items, *self._items(file.messages, lambda _: own)]
        )
        reply = await super().late(file, gzipped=gzipped)
        await self._book.answered(number, reply.status, items, or_in=str(own))
        return reply

    async def images(self, upload: Upload) -> Reply:
        items = [picture_item(str(upload.session_id), shot.at_ms, shot.sha256) for shot in upload.shots]
        number = await self._book.tried("images", str(self.session_id), items)
        reply = await super().images(upload)
        await self._book.answered(number, reply.status, items)
        return reply

    def _items(self, messages: Iterable[SentMessage], session_of: Callable[[SentMessage], int]) -> list[Item]:
        return [
            message_item(
                str(session_of(sent)),
                sent.type,
                sent.timestamp,
                fields(decode(sent.type, sent.body, self._layout)),
            )
            for sent in messages
        ]


class _SeededPictures(Sdk):
    """Pictures of noise: drawing real ones would take the machine away from what is tested."""

    def shot_interval_ms(self) -> int:
        return SHOT_MS

    async def _take_shot(self) -> None:
        form = picture_format(self.phone.device.platform)
        data = content.picture(f"{self.phone.user_uuid}/{self.clock()}", form)
        sent = SentPicture(self.clock(), sha256_of(data), form, len(data), self.uplink.session_id)
        self.report.pictures.append(sent)
        self.shots.append(Shot(sent, data))
        await self.on_shot()


class _Iphone(_SeededPictures, IosSdk):
    pass


class _Android(_SeededPictures, AndroidSdk):
    pass


class LyingTransport:
    """Headers that lie, as phones behind proxies have them: gzip that is not told, and gzip that is none."""

    def __init__(self, inner: Transport, dice: Random) -> None:
        self._inner = inner
        self._dice = dice

    async def send(self, request: Request) -> Reply:
        headers, body = dict(request.headers), request.body
        roll = self._dice.random()
        if headers.get("Content-Encoding") == "gzip" and roll < 0.2:
            if roll < 0.1:
                del headers["Content-Encoding"]
            elif roll < 0.15:
                body = gzip.decompress(body)
            else:
                headers["Content-Type"] = "text/plain; charset=latin-1"
        return await self._inner.send(Request(request.method, request.path, headers, body))


class Visitor:
    """One phone and its launches, one after another, until it is told to stop."""

    def __init__(self, seed: str, number: int, project_key: str, book: Book, speedup: float) -> None:
        self.number = number
        self._seed = seed
        self._dice = Random(f"{seed}/phone/{number}")
        self._phone = Phone(content.device(number), self._dice)
        self._project_key = project_key
        self._book = book
        self._speedup = speedup
        self._ended_ms = 0  # by the device's clock

    async def live(self, transport: Transport, enough: asyncio.Event) -> None:
        """Launch after launch; the last one goes on to its end."""
        lying = LyingTransport(transport, Random(f"{self._seed}/lies/{self.number}"))
        await asyncio.sleep(self._dice.random() * 0.5)
        while not enough.is_set():
            await self._launch(lying)

    async def _launch(self, transport: Transport) -> None:
        phone = self._phone
        script = content.visit(f"{self._seed}.{self.number}.{phone.launches + 1}")
        # the device's clock reaches the present when the script is over, if nothing holds it up
        start_ms = now_ms() - int(script.duration_ms * (1 - 1 / self._speedup))
        clock = VirtualClock(max(start_ms, self._ended_ms + 1_000), speedup=self._speedup)
        options = Options(
            self._project_key,
            archive_size=self._dice.choice((0, 3, 10)),
            patience_ms=int(30_000 * self._speedup),
            overlap=self.number % 4 > 1,
        )
        ios = phone.device.platform is Platform.IOS
        kind = _Iphone if ios else _Android
        sdk = kind(phone, script, options, transport=transport, clock=clock, report=Report())
        sdk.uplink = NotingUplink(sdk.uplink, self._book, sdk.layout)
        await sdk.run()
        self._ended_ms = clock()
