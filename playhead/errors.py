"""Everything that Playhead raises on purpose.

PlayheadError
├── Refused                  the caller's fault; the message is shown to the caller
│   ├── InvalidBody          not JSON, not an object, not multipart where that was promised
│   ├── ValidationFailed     well-formed, but a value breaks a rule; `details` say which
│   ├── Unauthorized         no credential, an unknown one, or a signature that is not ours
│   │   └── TokenTimedOut    ours, but timed out: the SDK should start a new session
│   ├── Forbidden            known, but not allowed
│   │   └── SampledOut       this session is not recorded
│   ├── NotFound             nothing of that name, or not the caller's
│   ├── MethodNotAllowed     the route exists, the method does not
│   ├── Conflict             contradicts what is stored
│   ├── TooLarge             over a limit on size
│   ├── UnsupportedMedia     wrong Content-Type
│   ├── Unprocessable        undecodable value where a protocol asks for 422
│   └── UpgradeRequired      the tracker is too old
├── Unavailable              not now; a retry can help (`retry_after_s`)
│   ├── Overloaded           a bounded queue is full
│   ├── RateLimited          this caller asks too often
│   ├── StorageUnavailable   the object store refuses or does not answer
│   │   └── StorageFull      the disk is full: no new sessions
│   └── DatabaseUnavailable  Postgres refuses or does not answer
├── ObjectMissing            no object under that key
├── Malformed                bytes that break their format; never leaves the worker as an answer
│   └── TooMuch              a bound on unpacked size or count was passed
├── AlreadyRunning           another process has this data directory
└── BadSettings              settings that stop the start; `faults` lists all of them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One problem of a refused request; `field` is a dotted path or a parameter's name."""

    field: str
    code: str
    message: str


class PlayheadError(Exception):
    """Base of all; `code` is the stable word in the JSON answer and in logs."""

    code = "internal_error"

    def __init__(self, message: str = "", *, code: str | None = None, details: Sequence[Detail] = ()) -> None:
        super().__init__(message or type(self).__doc__ or self.code)
        if code is not None:
            self.code = code
        self.details = tuple(details)


class Refused(PlayheadError):
    """The request was refused."""

    code = "refused"


class InvalidBody(Refused):
    """The body could not be read."""

    code = "invalid_body"


class ValidationFailed(Refused):
    """A value breaks a rule."""

    code = "validation_failed"


class Unauthorized(Refused):
    """No valid credential."""

    code = "unauthorized"


class TokenTimedOut(Unauthorized):
    """The session token timed out; start a new session."""

    code = "token_timed_out"


class Forbidden(Refused):
    """This credential may not do that."""

    code = "forbidden"


class SampledOut(Forbidden):
    """This session is not recorded."""

    code = "sampled_out"


class NotFound(Refused):
    """Nothing here under that name."""

    code = "not_found"


class MethodNotAllowed(Refused):
    """This route does not take that method."""

    code = "method_not_allowed"


class Conflict(Refused):
    """This contradicts what is stored."""

    code = "conflict"


class TooLarge(Refused):
    """The request is over a size limit."""

    code = "payload_too_large"


class UnsupportedMedia(Refused):
    """This Content-Type is not taken here."""

    code = "unsupported_media_type"


class Unprocessable(Refused):
    """A value could not be decoded."""

    code = "unprocessable"


class UpgradeRequired(Refused):
    """This tracker version is too old."""

    code = "upgrade_required"


class Unavailable(PlayheadError):
    """Not now; try again."""

    code = "unavailable"

    def __init__(self, message: str = "", *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(Unavailable):
    """Too much is in flight; try again."""

    code = "overloaded"


class RateLimited(Unavailable):
    """Too many requests; wait and try again."""

    code = "rate_limited"


class StorageUnavailable(Unavailable):
    """The object store cannot be written or read."""

    code = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """The disk is full."""

    code = "storage_full"


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"


class ObjectMissing(PlayheadError):
    """No object under that key."""

    code = "object_missing"


class Malformed(PlayheadError):
    """Bytes that break their format."""

    code = "malformed"


class TooMuch(Malformed):
    """More than a bound allows."""

    code = "too_much"


class AlreadyRunning(PlayheadError):
    """Another Playhead uses this data directory."""

    code = "already_running"


class BadSettings(PlayheadError):
    """The settings cannot be used."""

    code = "bad_settings"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)
