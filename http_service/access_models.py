"""Bodies and answers of sign-in, sign-out and links to one replay."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from http_service.models import Shape

Secret = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class SignIn(Shape):
    """One of the three."""

    key: Secret | None = Field(None, description="admin key or API key")
    code: Secret | None = Field(None, description="of a one-time link")
    share: Secret | None = Field(None, description="of a link to one replay")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.key, self.code, self.share].count(None) != 2:
            raise ValueError("give one of `key`, `code` and `share`")
        return self


class NewShare(Shape):
    """A link to make."""

    expires_in_s: Annotated[int, Field(ge=60, le=366 * 86_400)] = Field(
        7 * 86_400, description="how long it is good, s"
    )


class MeOut(Shape):
    """Who calls; `project` is the key of the only project seen, null for the admin; `replay` the only replay,
    null but for the role `share`.
    """

    admin: bool
    role: Literal["admin", "write", "read", "share"]
    project: str | None
    replay: str | None = None


class NewShareOut(Shape):
    """A link that opens one replay; it is shown this once."""

    url: str
    expires_ms: int
