"""Links that open one replay alone, without an account. Source: interface section 5.

The token stands behind `#`, where no server and no log sees it; the player trades it for a cookie (sign_in.py).
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import access_models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import seen_session


async def share(call: Call) -> Response:
    """Make a link."""
    session = await seen_session(call.services.replays, call.caller, call.path("session_id"))
    wanted = await call.json(access_models.NewShare) if await call.body() else access_models.NewShare()
    token, ends_ms = await call.services.shares.create(
        session.project_id, session.session_id, ttl_ms=wanted.expires_in_s * 1000
    )
    url = f"{_address(call)}/replays/{session.session_id}#share={token}"
    return json_answer(access_models.NewShareOut(url=url, expires_ms=ends_ms), 201)


async def revoke(call: Call) -> Response:
    """End all links to the replay, and whoever is signed in by one."""
    session = await seen_session(call.services.replays, call.caller, call.path("session_id"))
    await call.services.shares.revoke(session.project_id, session.session_id)
    return Response(status_code=204)


def _address(call: Call) -> str:
    """Where browsers find this server: the public address, or the one that the caller used."""
    settings = call.services.settings
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if call.context.is_encrypted(call.request) else "http"
    return f"{scheme}://{call.header('host')}"


_PATH: Final = "/api/v1/replays/{session_id}/share"
_ID: Final = {"session_id": "the session's id, decimal"}

OPERATIONS: Final = (
    Operation(
        "POST",
        _PATH,
        "Make a link that opens this replay alone, without an account",
        "replays",
        Access.WRITE,
        (
            Reply(
                201,
                "the link, shown this once",
                access_models.NewShareOut,
                example={
                    "url": "https://replay.example.com/replays/3645366763814944769#share=…",
                    "expires_ms": 1_767_830_400_000,
                },
            ),
        ),
        handle=share,
        body=access_models.NewShare,
        body_example={"expires_in_s": 604_800},
        refusals=(400, 404, 409, 413, 415, 422, 503),
        parameters=_ID,
    ),
    Operation(
        "DELETE",
        _PATH,
        "Revoke all links to this replay",
        "replays",
        Access.WRITE,
        (Reply(204, "revoked, or there was none", content_type=""),),
        handle=revoke,
        refusals=(404, 503),
        parameters=_ID,
    ),
)
