"""Signing in to the player and out, and who is signed in. Source: interface sections 2 and 5."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import access_models, origins, sign_in_cookie
from http_service.auth import Access, Caller, caller_of
from http_service.operations import Call, Operation, Reply, json_answer
from playhead import telemetry
from playhead.errors import Unauthorized

_log = telemetry.logger("http_service.sign_in")


async def sign_in(call: Call) -> Response:
    """Give a key, a one-time code or a link's token, get a cookie."""
    settings = call.services.settings
    origins.refuse_other_sites(call.request, settings.public_url, browser=False)
    wanted = await call.json(access_models.SignIn)
    with call.context.attempts.counted(call.context.client_address(call.request)):
        token, caller = await _begin(call, wanted)
    _log.info(
        "signed_in", role=caller.role, project_id=caller.project_id, by=next(iter(wanted.model_fields_set))
    )
    answer = json_answer(await _me(call, caller))
    sign_in_cookie.hand_out(
        answer,
        token,
        max_age_s=settings.sign_in_ttl_h * 3600,
        secure=call.context.is_encrypted(call.request),
    )
    return answer


async def sign_out(call: Call) -> Response:
    """End the sign-in of the cookie, here and on the server; fine without one."""
    token = sign_in_cookie.token_of(call.request)
    if token:
        origins.refuse_other_sites(call.request, call.services.settings.public_url)
        await call.services.sign_ins.end(token)
    answer = Response(status_code=204)
    sign_in_cookie.take_back(answer, secure=call.context.is_encrypted(call.request))
    return answer


async def me(call: Call) -> Response:
    """Who calls."""
    return json_answer(await _me(call, call.caller))


async def _begin(call: Call, wanted: access_models.SignIn) -> tuple[str, Caller]:
    """A new sign-in -> (token, who that is). Raises Unauthorized."""
    sign_ins = call.services.sign_ins
    if wanted.code is not None:
        found = await sign_ins.by_code(wanted.code)
        problem = "this link has been used or is too old; `playhead sign-in` makes a new one"
    elif wanted.share is not None:
        found = await sign_ins.by_share(wanted.share)
        problem = "this link has been revoked or is too old"
    else:
        found = await sign_ins.by_key(wanted.key or "")
        problem = "this key is not known"
    if found is None:
        raise Unauthorized(problem)
    token, grant = found
    return token, caller_of(grant)


async def _me(call: Call, caller: Caller) -> access_models.MeOut:
    project = None
    if caller.project_id is not None:
        project = await call.services.projects.find_by_id(caller.project_id)
    return access_models.MeOut(
        admin=caller.admin,
        role=caller.role,
        project=project.project_key if project is not None else None,
        replay=None if caller.session_id is None else str(caller.session_id),
    )


_ME: Final = {"admin": False, "role": "read", "project": "shop-ios"}

OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/sign-in",
        "Sign a browser in to the player",
        "sign-in",
        Access.PUBLIC,
        (Reply(200, "who is signed in; the cookie `playhead_session`", access_models.MeOut, example=_ME),),
        handle=sign_in,
        body=access_models.SignIn,
        body_example={"key": "phk_…"},
        description="The cookie stands for the key on all routes but ingest; requests that change something must then "
        "come from a page of this server. Wrong tries are limited by client address.",
        refusals=(400, 401, 403, 413, 415, 422, 429, 503),
    ),
    Operation(
        "POST",
        "/api/v1/sign-out",
        "Sign a browser out",
        "sign-in",
        Access.PUBLIC,
        (Reply(204, "signed out, or nobody was signed in", content_type=""),),
        handle=sign_out,
        refusals=(403, 503),
    ),
    Operation(
        "GET",
        "/api/v1/me",
        "Read who calls",
        "sign-in",
        Access.READ,
        (Reply(200, "the caller", access_models.MeOut, example=_ME),),
        handle=me,
        shared=True,
        refusals=(503,),
    ),
)
