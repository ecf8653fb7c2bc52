"""The requests of one process, as the SDKs put them, and the notes of what came of each."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from client.archives import Upload
from client.outbox import Batch
from client.phone import LateFile, Phone
from client.report import Exchange, Report, SentMessage, SessionReport
from client.transport import NetworkError, Reply, Request, Transport
from client.virtual_clock import VirtualClock

OCTETS = "application/octet-stream"
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Started:
    """A good answer to `/start`."""

    session_id: int
    token: str
    project_id: str
    frames_support: bool
    fps: int

    @staticmethod
    def read(reply: Reply) -> tuple[Started, str] | None:
        """(session, userUUID), or None where the iOS decoder would fail on a missing or odd member."""
        try:
            answer = json.loads(reply.body)
            fps = min(99, max(1, int(answer["fps"])))
            session = Started(
                int(answer["sessionID"]),
                str(answer["token"]),
                str(answer["projectID"]),
                bool(answer.get("framesSupport")),
                fps,
            )
            return session, str(answer["userUUID"])
        except (KeyError, TypeError, ValueError):
            return None


class Uplink:
    """Sends under the session's token; `session` is None until `/start` was answered well."""

    def __init__(
        self, phone: Phone, project_key: str, transport: Transport, clock: VirtualClock, report: Report
    ) -> None:
        self._phone = phone
        self._project_key = project_key
        self._transport = transport
        self._clock = clock
        self._report = report
        self.session: Started | None = None

    @property
    def session_id(self) -> int:
        """The session whose token is used; 0 before there is one."""
        return self.session.session_id if self.session else 0

    async def start(self, body: bytes, content_type: str) -> Reply:
        """`/start`; never compressed."""
        headers = {"Content-Type": content_type, "User-Agent": self._phone.device.user_agent}
        return await self._send(Request("POST", "/v1/mobile/start", headers, body))

    def adopt(self, session: Started, device_start_ms: int) -> None:
        """Use this session from now on."""
        self.session = session
        self._report.sessions[session.session_id] = SessionReport(
            session.session_id,
            self._project_key,
            self._phone.device.platform,
            self._phone.user_uuid,
            device_start_ms,
            self._phone.launches,
        )

    async def batch(self, batch: Batch, kind: str = "batch") -> Reply:
        """`/i`, gzip'd."""
        session_id = self.session_id
        messages = [waiting.sent for waiting in batch.messages]
        repeats = _note_attempt(messages, lambda _: session_id)
        body = gzip.compress(batch.body, GZIP_LEVEL, mtime=0)
        reply = await self._post(
            kind, "/v1/mobile/i", self._headers(OCTETS, gzipped=True), body, messages, repeats
        )
        if reply.ok:
            for sent in messages:
                sent.deliveries[session_id] = True
        return reply

    async def late(self, file: LateFile, *, gzipped: bool) -> Reply:
        """`/late`: a file of an earlier life under today's token; it belongs to the session it arose in."""
        repeats = _note_attempt(file.messages, lambda sent: sent.arose_in)
        headers = self._headers(OCTETS if gzipped else "", gzipped=gzipped)
        body = gzip.compress(file.body, GZIP_LEVEL, mtime=0) if gzipped else file.body
        reply = await self._post("late", "/v1/mobile/late", headers, body, file.messages, repeats)
        for sent in file.messages:
            sent.late = True
            if reply.ok:
                sent.deliveries[sent.arose_in] = True
        return reply

    async def images(self, upload: Upload) -> Reply:
        """`/images` under today's token, whatever session the archive is named after."""
        repeats = sum(shot.attempts > 0 for shot in upload.shots)
        for shot in upload.shots:
            shot.attempts += 1
        content_type, body = upload.form(self._project_key, self._phone.dice)
        headers = self._headers(content_type, gzipped=False)
        reply = await self._post("images", "/v1/mobile/images", headers, body, upload.shots, repeats)
        for shot in upload.shots:
            shot.acknowledged += reply.ok
        return reply

    def _headers(self, content_type: str, *, gzipped: bool) -> dict[str, str]:
        assert self.session is not None
        found = {"Authorization": f"Bearer {self.session.token}", "User-Agent": self._phone.device.user_agent}
        if content_type:
            found["Content-Type"] = content_type
        if gzipped:
            found["Content-Encoding"] = "gzip"
        return found

    async def _post(
        self,
        kind: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        items: Iterable[object],
        repeats: int,
    ) -> Reply:
        session_id = self.session_id
        reply = await self._send(Request("POST", path, headers, body))
        note = Exchange(kind, session_id, self._clock(), reply.status, len(body), len(list(items)), repeats)
        self._report.sessions[session_id].exchanges.append(note)
        return reply

    async def _send(self, request: Request) -> Reply:
        """Status 0: no answer came."""
        try:
            return await self._transport.send(request)
        except NetworkError:
            return Reply(0)


def _note_attempt(messages: Iterable[SentMessage], session_of: Callable[[SentMessage], int]) -> int:
    """Count one attempt for each -> how many had been tried before."""
    repeats = 0
    for sent in messages:
        repeats += sent.attempts > 0
        sent.attempts += 1
        sent.deliveries.setdefault(session_of(sent), False)
    return repeats
