"""Session tokens: JWT (HS256) that `/start` gives and every append carries.

Claims: `sid` (session id, decimal text), `pid` (project id), `iat`, `exp` (s); ours also `uid` (user uuid),
`plt` (platform) and `dnr` (do not record).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson
from jwt.algorithms import HMACAlgorithm

from playhead.errors import Unauthorized
from sessions.ids import MAX_ID, SessionId

MAX_TOKEN_CHARS: Final = 4096
MAX_CLAIM_CHARS: Final = 200  # user uuid and platform taken from a token
MAX_PROJECT_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token with a good signature says; times in ms since the epoch."""

    session_id: SessionId
    project_id: int
    issued_ms: int
    expires_ms: int
    user_uuid: str
    platform: str
    record: bool

    def expired(self, now_ms: int) -> bool:
        """Whether the token has timed out at `now_ms`."""
        return now_ms >= self.expires_ms


class Tokens:
    """Signs with the first secret, verifies with all; remembers the claims of `entries` tokens."""

    def __init__(self, secrets: Sequence[str], clock: Callable[[], int], *, entries: int = 20_000) -> None:
        self._secrets = [secret.encode() for secret in secrets if secret]
        if not self._secrets:
            raise ValueError("at least one token secret is needed")
        self._clock = clock
        self._entries = entries
        self._claims: OrderedDict[str, Claims] = OrderedDict()
        self._jws = jwt.PyJWS(algorithms=["HS256"])
        self._jws.unregister_algorithm("HS256")
        self._jws.register_algorithm("HS256", _AnyLengthHmac(HMACAlgorithm.SHA256))

    def sign(
        self,
        session_id: int,
        project_id: int,
        *,
        lifetime_ms: int,
        now_ms: int | None = None,
        user_uuid: str = "",
        platform: str = "",
        record: bool = True,
    ) -> str:
        """A token that lives `lifetime_ms` from `now_ms` (the clock's time unless given)."""
        now_ms = self._clock() if now_ms is None else now_ms
        claims: dict[str, Any] = {
            "sid": str(session_id),
            "pid": project_id,
            "iat": now_ms // 1000,
            "exp": -(-(now_ms + lifetime_ms) // 1000),
            "uid": user_uuid,
            "plt": platform,
        }
        if not record:
            claims["dnr"] = True
        return self._jws.encode(orjson.dumps(claims), self._secrets[0], algorithm="HS256")

    def verify(self, token: str) -> Claims:
        """Claims of a token that we (or a holder of our secret) signed; a timed-out one verifies too.

        Raises Unauthorized: bad signature, another algorithm, too long, a claim missing or of no use.
        """
        known = self._claims.get(token)
        if known is not None:
            self._claims.move_to_end(token)
            return known
        claims = read_claims(self._payload(token))
        self._claims[token] = claims
        if len(self._claims) > self._entries:
            self._claims.popitem(last=False)
        return claims

    def _payload(self, token: str) -> bytes:
        """The signed bytes, by the first secret that fits."""
        if len(token) <= MAX_TOKEN_CHARS:
            for secret in self._secrets:
                try:
                    payload = self._jws.decode(token, secret, algorithms=["HS256"])
                except jwt.InvalidSignatureError:
                    continue
                except (jwt.PyJWTError, ValueError):  # ValueError: characters outside ASCII
                    break
                return bytes(payload)
        raise Unauthorized("this token was not signed here")


class _AnyLengthHmac(HMACAlgorithm):
    """HS256 without a warning per call about short secrets; `playhead doctor` says that once."""

    def check_key_length(self, key: Any) -> str | None:
        """No complaint."""
        return None


def read_claims(payload: bytes) -> Claims:
    """Claims out of signed JSON; only `sid`, `pid`, `iat`, `exp` are needed. Raises Unauthorized."""
    try:
        values = orjson.loads(payload)
        if not isinstance(values, dict):
            raise ValueError("not an object")
        return Claims(
            session_id=SessionId(_whole(values["sid"], MAX_ID)),
            project_id=_whole(values["pid"], MAX_PROJECT_ID),
            issued_ms=_ms(values["iat"]),
            expires_ms=_ms(values["exp"]),
            user_uuid=_text(values.get("uid")),
            platform=_text(values.get("plt")),
            record=values.get("dnr") is not True,
        )
    except (KeyError, ValueError) as problem:
        raise Unauthorized(f"this token lacks a usable claim: {problem}") from None


def _whole(value: object, most: int) -> int:
    """A positive whole number, as a number or decimal text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise ValueError("not a usable id")
    return value


def _ms(value: object) -> int:
    """Seconds since the epoch (whole or not) -> ms."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("not a time")
    return int(value * 1000)


def _text(value: object) -> str:
    """An optional claim; anything but text is as good as absent."""
    return value[:MAX_CLAIM_CHARS].replace("\0", "") if isinstance(value, str) else ""
