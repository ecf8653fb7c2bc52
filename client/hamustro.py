"""A client of the Hamustro collector that loses nothing: events wait in a file until the collector has them.

    with HamustroClient(url, secret, device, client, "10.10", "1.1.2", env=Environment.BETA, path="q.db") as client:
        client.track("Client.CreateUser", {"plan": "gold"})

With `env` it speaks the newest layout, without it that of early 2016. Source: spec/hamustro.md 3, 5, 9.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from client.hamustro_queue import Queue, Unsent

#: of one request, well below what collectors take
MOST_PER_REQUEST: Final = 1000
MOST_BYTES: Final = 1_000_000
_TRACK: Final = "/api/v1/track"
#: what may be said beyond the required, by layout; the collector would refuse the whole request for anything else
_EVENT_MEMBERS: Final = {
    1: {"ip", "user_id", "is_testing"},
    2: {"ip", "user_id", "tenant_id", "timezone", "country"},
}
_MEMBERS: Final = {
    1: {"system", "product_git_hash"},
    2: {
        *("device_make", "device_model", "system", "system_language", "browser", "browser_version"),
        *("product_git_hash", "product_language"),
    },
}
_MOST_USER: Final = 2**32 - 1


class Environment(IntEnum):
    """Where the product runs."""

    PRODUCTION = 0
    GENERAL_AVAILABILITY = 1
    RELEASE_TO_MARKETING = 2
    RELEASE_CANDIDATE = 3
    BETA = 4
    ALPHA = 5
    WEEKLY = 6
    NIGHTLY = 7
    STAGING = 8
    QUALITY_ASSURANCE = 9
    TESTING = 10
    DEVELOPMENT = 11


class HamustroClient:
    """Keeps events and sends them when one is tracked and enough wait, or the last sending is long ago.

    `collector_url` is the collector's base address or that of `/api/v1/track`. `queue_size` in events,
    `queue_retention` in minutes; `path` names the file that holds what is not sent; `more` are further fields of
    the collection (`system`, `browser`, …). Nothing is ever raised for the network's sake.
    """

    def __init__(
        self,
        collector_url: str,
        shared_secret_key: str,
        device_id: str,
        client_id: str,
        system_version: str,
        product_version: str,
        *,
        path: str | Path,
        env: Environment | None = None,
        queue_size: int = 20,
        queue_retention: float = 1440,
        more: Mapping[str, str] | None = None,
        timeout_s: float = 10,
        clock: Callable[[], float] = time.time,
        http: httpx.Client | None = None,
    ) -> None:
        for name, value in (("collector_url", collector_url), ("shared_secret_key", shared_secret_key)):
            if not value:
                raise ValueError(f"{name} is needed")
        self._layout = 1 if env is None else 2
        _check(more or {}, _MEMBERS[self._layout])
        url = collector_url.rstrip("/")
        self._url = url if url.endswith(_TRACK) else url + _TRACK
        self._secret = shared_secret_key
        self._fields = _collection(device_id, client_id, system_version, product_version, env, more or {})
        self._queue_size, self._retention_s = queue_size, queue_retention * 60
        self._clock = clock
        self._timeout_s = timeout_s
        self._headers: dict[str, str] = {}
        self._http = http or httpx.Client()
        self._queue = Queue(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the client; what is not sent stays in the file."""
        self._http.close()
        self._queue.close()

    @property
    def session(self) -> str:
        """The session identifier of this device, client and versions."""
        return str(self._fields["session"])

    @property
    def unsent(self) -> int:
        """Events that the collector does not have yet."""
        return self._queue.count()

    def set_headers(self, headers: Mapping[str, str]) -> None:
        """Further headers of every request."""
        self._headers = dict(headers)

    def set_user(self, user_id: str | int | None) -> None:
        """Whose events follow; kept over restarts. A number in the layout of 2016, else ValueError."""
        text = "" if user_id is None else str(user_id)
        self._check_user(text)
        self._queue.set("user_id", text)

    def set_tenant(self, tenant_id: str | None) -> None:
        """Which tenant's events follow; kept over restarts (newest layout)."""
        self._queue.set("tenant_id", tenant_id or "")

    def track(self, event: str, parameters: Mapping[str, str] | str = "", **more: Any) -> int:
        """Keeps an event and sends what waits, if it is time to -> the event's serial number in its session.

        `parameters` are pairs, in the layout of 2016 a text; `more` are further members of the payload (`ip`,
        `timezone`, `country`; `is_testing`), ValueError for others. It is safe when this returns, sent or not.
        """
        _check(more, _EVENT_MEMBERS[self._layout])
        self._check_user(str(more.get("user_id", "")))
        payload: dict[str, Any] = {"at": int(self._clock()), "event": str(event), **more}
        payload |= self._parameters(parameters)
        if user_id := self._queue.get("user_id"):
            payload.setdefault("user_id", user_id)
        if "user_id" in payload:
            payload["user_id"] = str(payload["user_id"])
        if self._layout == 2 and (tenant_id := self._queue.get("tenant_id")):
            payload.setdefault("tenant_id", tenant_id)
        if len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")) > MOST_BYTES:
            raise ValueError(f"an event holds at most {MOST_BYTES} bytes")
        nr = self._queue.add(self._fields, payload)
        if self._is_time():
            self.send()
        return nr

    def send(self) -> bool:
        """Sends what waits, one request a session -> whether nothing is left. Whoever else is sending goes on alone."""
        now_s = self._clock()
        if not self._queue.lease(now_s, now_s + 4 * self._timeout_s):
            return False
        try:
            while self._send_some():
                pass
        finally:
            self._queue.give_back()
        return self._queue.count() == 0

    def _parameters(self, parameters: Mapping[str, str] | str) -> dict[str, Any]:
        """The member `parameters` as the layout wants it; none if there are none."""
        if not parameters:
            return {}
        if self._layout == 1:
            text = parameters if isinstance(parameters, str) else json.dumps(dict(parameters), sort_keys=True)
            return {"parameters": text}
        if isinstance(parameters, str):
            raise ValueError("parameters must be pairs")
        return {"parameters": [{"name": str(name), "value": str(parameters[name])} for name in parameters]}

    def _check_user(self, user_id: str) -> None:
        number = user_id.isascii() and user_id.isdecimal() and int(user_id[:11]) <= _MOST_USER
        if self._layout == 1 and user_id and not number:
            raise ValueError("in this layout a user is a number of 32 bits")

    def _is_time(self) -> bool:
        last_s = self._queue.last_sync_s()
        if last_s is None or self._queue.count() >= self._queue_size:
            return True
        return last_s < self._clock() - self._retention_s

    def _send_some(self) -> bool:
        """A request for every collection that has events -> whether it is worth going on."""
        progress = False
        for unsent in self._queue.unsent(MOST_PER_REQUEST, MOST_BYTES):
            self._queue.set("sending_until_s", repr(self._clock() + 4 * self._timeout_s))
            try:
                taken = self._deliver(unsent)
            except httpx.HTTPError:
                return False  # the others would fare no better
            if taken:
                self._queue.sent(unsent, self._clock())
                progress = progress or unsent.more
        return progress

    def _deliver(self, unsent: Unsent) -> bool:
        """One request -> whether the collector took it: 200 alone counts."""
        collection = {**unsent.fields, "payloads": unsent.payloads}
        body = json.dumps(collection, ensure_ascii=False).encode("utf-8", "replace")
        moment = str(int(self._clock()))
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "X-Hamustro-Time": moment,
            "X-Hamustro-Signature": signature(body, moment, self._secret),
        }
        answer = self._http.post(self._url, content=body, headers=headers, timeout=self._timeout_s)
        return answer.status_code == 200


def signature(body: bytes, moment: str, secret: str) -> str:
    """The signature of a body sent with the time `moment`."""
    inner = hashlib.md5(body, usedforsecurity=False).hexdigest()
    digest = hashlib.sha256(f"{moment}|{inner}|{secret}".encode()).digest()
    return base64.b64encode(digest).decode()


def _check(given: Mapping[str, Any], known: set[str]) -> None:
    """Raises ValueError for a member that the collector does not know, or of another type than it wants."""
    for name, value in given.items():
        wanted: type = bool if name == "is_testing" else str
        if name not in known or not (isinstance(value, wanted) or name == "user_id"):
            raise ValueError(f"{name} is not known in this layout, or no {wanted.__name__}")


def _collection(
    device_id: str,
    client_id: str,
    system_version: str,
    product_version: str,
    env: Environment | None,
    more: Mapping[str, str],
) -> dict[str, Any]:
    """The collection's fields; the device is hashed once, before anything else, and the session is of the hash."""
    device = hashlib.sha256(device_id.encode()).hexdigest()
    parts = [device, client_id, system_version, product_version]
    if env is not None:
        parts.append(str(int(env)))
    session = hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()
    fields: dict[str, Any] = {
        **more,
        "device_id": device,
        "client_id": client_id,
        "session": session,
        "system_version": system_version,
        "product_version": product_version,
    }
    return fields if env is None else {**fields, "env": env.name}
