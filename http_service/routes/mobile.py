"""The mobile SDKs: `/start` and conditions here, the append routes in hot.py. Source: spec/openreplay-mobile.md 1."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import models
from http_service.auth import Access
from http_service.hot import PATHS, Kind, bearer
from http_service.operations import Call, Operation, Reply, json_answer
from ingest.funnel import accept
from ingest.mobile import (
    StartBody,
    parse_start,
    require_agent,
    require_version,
    sampling_key,
    session_start,
    user_uuid_for,
)
from playhead import telemetry
from playhead.errors import (
    Forbidden,
    InvalidBody,
    NotFound,
    SampledOut,
    StorageFull,
    Unauthorized,
    Unavailable,
)
from projects import Project, sampled_in
from projects.conditions import for_sdk
from projects.encoded_ids import decode
from projects.sampling import day_of
from sessions.ids import SessionId
from sessions.tokens import Claims
from storage.disk import Level
from storage.segment_file import Record

_started = telemetry.counter("playhead_sessions_started_total")


async def start(call: Call) -> Response:
    """Begin a session, in the order of checks of spec 1.4: body, key, project, version, token, sampling, agent."""
    legacy = call.request.scope["path"].startswith("/v1/ios/")
    raw = await call.body()
    body = parse_start(raw, legacy=legacy)
    project = await _project(call, body)
    if not legacy:  # trackers of 2023 count their versions otherwise
        require_version(body.tracker_version, call.services.settings.min_tracker_version)
    address = call.context.client_address(call.request)
    call.context.rates.start(address=address, project_id=project.project_id, user_uuid=body.user_uuid)
    claims = _continued(call, body, project)
    if claims is not None:
        return await _answer(call, project, body.token, claims.session_id, claims.user_uuid or body.user_uuid)
    now_ms = call.services.clock()
    level = call.services.disk.level()
    if level is Level.HARD:
        raise StorageFull("no room for new sessions", retry_after_s=60)
    rate: float = project.rate_of(body.condition)
    if level:
        rate = rate * call.services.settings.disk_soft_sample_percent / 100
    if not sampled_in(project.project_id, sampling_key(body), day_of(now_ms), rate):
        raise SampledOut("cancel")
    require_agent(call.header("user-agent"))
    user_uuid = user_uuid_for(body.user_uuid)
    session_id = call.context.session_ids.new(now_ms)
    token = call.services.tokens.sign(
        session_id,
        project.project_id,
        lifetime_ms=project.max_session_duration_ms,
        now_ms=now_ms,
        user_uuid=user_uuid,
        platform=body.platform,
        record=not body.do_not_record,
    )
    if not body.do_not_record:
        place = call.context.geo.place(address)
        meta = session_start(body, user_uuid, place).to_meta()
        record = Record("start", project.project_id, session_id, call.context.arrivals(), meta, raw)
        await accept(record, journal=call.services.journal)
    _started.labels(body.platform if body.platform in {"ios", "android"} else "other").inc()
    return await _answer(call, project, token, session_id, user_uuid)


async def conditions(call: Call) -> Response:
    """Conditions of the token's project; a timed-out token will do, another project's finds nothing."""
    claims = call.services.tokens.verify(bearer(call.header("authorization").encode("latin-1")))
    text = call.path("project_id")
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise InvalidBody("the project id must be a number", code="invalid_project_id")
    if int(text) != claims.project_id:
        raise NotFound("no project with this id")
    project = await call.services.projects.by_id(claims.project_id)
    if not project.active:
        raise NotFound("no project with this id")
    return json_answer(for_sdk(project.options.conditions))


async def _project(call: Call, body: StartBody) -> Project:
    """The active project that the body names. Raises Forbidden (none named), Unprocessable, NotFound."""
    projects = call.services.projects
    if body.project_key is not None:
        return await projects.by_key(body.project_key)
    if body.encoded_project_id is None:
        raise Forbidden("projectKey is missing", code="missing_project_key")
    project = await projects.by_id(decode(body.encoded_project_id))
    if not project.active:
        raise NotFound("no project with this id")
    return project


def _continued(call: Call, body: StartBody, project: Project) -> Claims | None:
    """The claims of a token in the body that is still good for this project (spec 5.3)."""
    if not body.token:
        return None
    try:
        claims = call.services.tokens.verify(body.token)
    except Unauthorized:
        return None
    if claims.expired(call.services.clock()) or claims.project_id != project.project_id:
        return None
    return claims


async def _answer(
    call: Call, project: Project, token: str, session_id: SessionId, user_uuid: str
) -> Response:
    settings, saving = call.services.settings, bool(call.services.disk.level())
    try:
        images = await call.services.projects.frequent_images(project.project_id)
    except Unavailable:  # the session has begun; a list that only saves uploads must not undo that
        images = ()
    return json_answer(
        {
            "token": token,
            "imagesHashList": list(images),
            "userUUID": user_uuid_for(user_uuid),
            "beaconSizeLimit": settings.max_batch_bytes,
            "sessionID": str(session_id),
            "quality": "low" if saving else settings.mobile_quality,
            "fps": 1 if saving else settings.mobile_fps,
            "projectID": str(project.project_id),
            "framesSupport": settings.frames_support,
        }
    )


_START_EXAMPLE: Final = {
    "projectKey": "demo",
    "trackerVersion": "1.0.14",
    "revID": "42",
    "userUUID": "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
    "userOSVersion": "17.4",
    "userDevice": "iPhone15,2",
    "userDeviceType": "iPhone 14 Pro",
    "timestamp": 1_767_225_600_000,
    "timezone": "UTC+02:00",
    "deviceMemory": 6_000_000,
    "width": 393,
    "height": 852,
    "performances": {"processorCount": 6, "batteryLevel": 80},
}
_START_ANSWER: Final = {
    "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
    "imagesHashList": [],
    "userUUID": "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
    "beaconSizeLimit": 8_000_000,
    "sessionID": "3645366763814944769",
    "quality": "standard",
    "fps": 1,
    "projectID": "1",
    "framesSupport": True,
}
_SUMMARIES: Final[dict[Kind, str]] = {
    "batch": "Send a batch of messages",
    "late": "Send messages of an earlier run of the app, timed-out token allowed",
    "images": "Send an archive of screenshots",
}


def _start(path: str, refusals: tuple[int, ...]) -> Operation:
    return Operation(
        "POST",
        path,
        "Start a session",
        "mobile trackers",
        Access.PUBLIC,
        (Reply(200, "the session's token and settings", models.StartOut, example=_START_ANSWER),),
        handle=start,
        body=models.StartIn,
        body_example=_START_EXAMPLE,
        ingest=True,
        refusals=refusals,
    )


def _append(path: str, kind: Kind) -> Operation:
    return Operation(
        "POST",
        path,
        _SUMMARIES[kind],
        "mobile trackers",
        Access.TRACKER,
        (Reply(200, "durable; the body is empty", content_type=""),),
        body_type="multipart/form-data" if kind == "images" else "application/octet-stream",
        ingest=True,
        refusals=(413, 415, 429, 503) if kind == "images" else (413, 429, 503),
    )


OPERATIONS: Final = (
    _start("/v1/mobile/start", (400, 403, 404, 413, 426, 429, 503)),
    _start("/v1/ios/start", (400, 403, 404, 413, 422, 429, 503)),
    *(_append(path, kind) for path, (kind, _) in PATHS.items()),
    Operation(
        "GET",
        "/v1/mobile/conditions/{project_id}",
        "Conditions under which a tracker begins to record",
        "mobile trackers",
        Access.TRACKER,
        (
            Reply(
                200,
                "the project's conditions",
                models.ConditionsOut,
                example={
                    "conditions": [
                        {
                            "conditionId": 1,
                            "name": "checkout",
                            "captureRate": 50,
                            "filters": [
                                {
                                    "type": "viewComponent",
                                    "name": "viewComponent",
                                    "operator": "is",
                                    "value": ["Checkout"],
                                }
                            ],
                        }
                    ]
                },
            ),
        ),
        handle=conditions,
        ingest=True,
        refusals=(400, 404, 503),
        parameters={"project_id": "decimal project id"},
    ),
)
