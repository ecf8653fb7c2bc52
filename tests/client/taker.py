"""A server in a dictionary: takes what phones send, answers as the test asks, keeps everything it was given."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from client.report import Message
from client.transport import NetworkError, Reply, Request
from messages import Archive, Limits, Walk, read_archive, walk

Rule = Callable[[str, int], int | None]


@dataclass
class Taken:
    """One request as it came; `kind` is the last word of its path."""

    kind: str
    request: Request
    session: int
    status: int


@dataclass
class Taker:
    """`rule(kind, how many of that kind came before)`: a status, 0 silence, -1 a lost reply, None 200."""

    rule: Rule = lambda kind, n: None
    frames_support: bool = True
    fps: int = 1
    taken: list[Taken] = field(default_factory=list)
    sessions: int = 0

    async def send(self, request: Request) -> Reply:
        kind = request.path.rpartition("/")[2]
        status = self.rule(kind, len(self.of(kind)))
        session = int(request.headers.get("Authorization", "Bearer 0").split()[1])
        self.taken.append(Taken(kind, request, session, 200 if status in (None, -1) else status))
        if status in (0, -1):
            raise NetworkError("no answer")
        if status is not None:
            return Reply(status)
        return Reply(200, self._session(request) if kind == "start" else b"")

    def _session(self, request: Request) -> bytes:
        self.sessions += 1
        answer = {
            "token": str(1000 + self.sessions),
            "sessionID": str(1000 + self.sessions),
            "projectID": "1",
            "userUUID": json.loads(request.body)["userUUID"],
            "fps": self.fps,
            "quality": "low",
            "framesSupport": self.frames_support,
            "beaconSizeLimit": 1,
            "imagesHashList": None,
        }
        return json.dumps(answer).encode()

    def of(self, kind: str) -> list[Taken]:
        """Requests to `/start`, `/i`, `/late` or `/images`."""
        return [taken for taken in self.taken if taken.kind == kind]

    def batches(self, kind: str = "i") -> list[Walk]:
        """Bodies of that kind, cut into frames."""
        return [walk(plain(taken.request), Limits()) for taken in self.of(kind)]

    def stored(self, session: int) -> set[Message]:
        """What a server would hold: every message of accepted batches, once."""
        return {
            (frame.type, frame.timestamp, frame.body)
            for taken in self.of("i")
            if taken.session == session and taken.status == 200
            for frame in walk(plain(taken.request), Limits()).frames
            if frame.type != 107
        }


def plain(request: Request) -> bytes:
    """The body without its gzip."""
    return (
        gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body
    )


@dataclass
class Form:
    """A multipart upload: its values, the file's name and type, and the pictures in it."""

    values: dict[str, str]
    filename: str
    part_type: str
    archive: Archive
    tar: bool


def form(request: Request) -> Form:
    """Take an upload apart."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    values, filename, part_type, data = {}, "", "", b""
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, content = part[2:-2].partition(b"\r\n\r\n")
        name = re.search(rb'name="(\w+)"', head)
        assert name
        if file := re.search(rb'filename="([^"]+)"\r\nContent-Type: (\S+)', head):
            filename, part_type, data = file[1].decode(), file[2].decode(), content
        else:
            values[name[1].decode()] = content.decode()
    return Form(
        values, filename, part_type, read_archive(data, Limits()), gzip.decompress(data)[257:262] == b"ustar"
    )
