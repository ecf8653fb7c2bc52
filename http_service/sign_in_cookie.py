"""The cookie that keeps a browser signed in; scripts cannot read it, other sites' pages cannot send it."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

NAME: Final = "playhead_session"


def token_of(request: Request) -> str:
    """The cookie's token, empty if there is none."""
    return request.cookies.get(NAME, "")


def hand_out(response: Response, token: str, *, max_age_s: int, secure: bool) -> None:
    """The browser keeps the token for so long."""
    response.set_cookie(
        NAME, token, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="strict"
    )


def take_back(response: Response, *, secure: bool) -> None:
    """The browser forgets it."""
    response.delete_cookie(NAME, path="/", secure=secure, httponly=True, samesite="strict")
