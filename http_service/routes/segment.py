"""Segment: edX's webhooks, the tracking API, the webhook destination. Source: spec/segment-webhook.md."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, get_args
from urllib.parse import parse_qsl

import orjson
from starlette.responses import Response

from events.incoming import IncomingEvent
from http_service import protocol_models as models
from http_service.answers import Words
from http_service.auth import Access
from http_service.erasing import erase_user
from http_service.middleware import PREFIXES
from http_service.operations import Call, Handler, Operation, Reply, json_answer
from ingest import segment_com, segment_webhook
from ingest.big_bodies import work_on
from ingest.event_records import record_of
from ingest.funnel import accept
from playhead import telemetry
from playhead.errors import Detail, NotFound
from projects import Project

_refused = telemetry.counter("playhead_http_refused_total")
_log = telemetry.logger("http_service.segment")
_PORT: Final = re.compile(r":\d*$")


async def first_webhook(call: Call) -> Response:
    """edX's webhook as it began: every refusal says its reason."""
    return await _webhook(call, segment_webhook.receive_first)


async def later_webhook(call: Call) -> Response:
    """edX's webhook as it became: reasons only go to the log."""
    return await _webhook(call, segment_webhook.receive_later)


async def _webhook(call: Call, receive: Callable[..., Awaitable[segment_webhook.Answer]]) -> Response:
    if call.request.method != "POST":
        return Response(status_code=405, headers={"Allow": "POST"})
    project = await call.sender_project()

    async def user_name(user_id: int) -> str | None:
        return await call.services.projects.user_name(project.project_id, user_id)

    query = parse_qsl(call.request.url.query, keep_blank_values=True)
    hook = segment_webhook.Hook(
        body=await call.body(),
        content_type=call.header("content-type"),
        key=dict(query).get("key", ""),
        path=_requested_path(call),
        host=_PORT.sub("", call.header("host")),
    )
    answer = await receive(hook, options=project.options.segment, user_name=user_name)
    if answer.event is not None:
        await _keep(call, project, [answer.event])
    else:
        _note(answer.reason)
    if answer.body is None:
        return Response(status_code=answer.status)
    return json_answer(answer.body, answer.status)


def _requested_path(call: Call) -> str:
    prefixes: dict[str, str] = call.request.scope.get(PREFIXES, {})
    key = prefixes.get("project_key")
    return prefixes.get("ingest", "") + (f"/p/{key}" if key else "") + str(call.request.scope["path"])


def _calling(kind: segment_com.Kind) -> Handler:
    """The handler of one call of the tracking API."""

    async def handle(call: Call) -> Response:
        try:
            key = segment_com.key_of_header(call.header("authorization"))
            project = await _project_of(call, key) if key else None
            body = await call.body()
            request = await work_on(body, lambda: segment_com.parse(kind, body))
            if project is None:
                project = await _project_of(call, request.write_key or call.project_key)
            now_us = call.services.clock() * 1000
            judged = await work_on(body, lambda: segment_com.judge(request, now_us=now_us))
        except segment_com.Refusal as refusal:
            return _refusal(refusal)
        await _keep(call, project, judged.events)
        return json_answer(judged.body())

    return handle


async def relayed(call: Call) -> Response:
    """Segment's webhook destination: a message or an array of them, signed where the project has a secret."""
    key = segment_com.key_of_header(call.header("authorization"))
    try:
        project = await _project_of(call, key) if key else await call.sender_project()
        body, signature = await call.body(), call.header("x-signature")
        options, now_us = project.options.segment, call.services.clock() * 1000
        judged = await work_on(
            body, lambda: segment_com.read_webhook(body, signature, options=options, now_us=now_us)
        )
    except segment_com.Refusal as refusal:
        return _refusal(refusal)
    await _keep(call, project, judged.events)
    for user_id in judged.deletions:
        await erase_user(call.services, project.project_id, user_id)
    return json_answer(judged.body())


async def _project_of(call: Call, write_key: str) -> Project:
    """The active project of this write key. Raises Refusal."""
    try:
        if write_key:
            project = await call.services.projects.by_key(write_key)
            call.context.rates.project(project.project_id)
            return project
    except NotFound:
        pass
    raise segment_com.Refusal("invalid_write_key", "the write key is missing or not known", 401)


async def _keep(call: Call, project: Project, events: Sequence[IncomingEvent]) -> None:
    if events:
        record = record_of(project.project_id, events, received_us=call.context.arrivals())
        await accept(record, journal=call.services.journal)


def _refusal(refusal: segment_com.Refusal) -> Response:
    _note(refusal.code)
    return json_answer(refusal.body(), refusal.status)


def _note(reason: str) -> None:
    _refused.labels("segment").inc()
    _log.info("request_refused", protocol="segment", reason=reason)


def _shape(code: str, message: str, _: Sequence[Detail]) -> bytes:
    return orjson.dumps({"code": code, "message": message})


#: Segment's libraries read these two members, and send again what 503 and 429 refused
_WORDS: Final = Words(models.SegmentFault, _shape, {413: 400})
_PROJECT: Final = "The project is that of `/p/{project_key}` before the path, else the default one."
_FAULTS: Final = (
    Reply(400, "not usable", models.SegmentFault, example={"code": "invalid_json", "message": "…"}),
    Reply(401, "no known write key, or a wrong signature", models.SegmentFault),
)


#: a body for each call of the tracking API
_BODIES: Final[dict[segment_com.Kind, str]] = {
    "track": '{"userId": "alice", "event": "Order Placed", "properties": {"total": 19.9}}',
    "identify": '{"userId": "alice", "traits": {"plan": "pro"}}',
    "page": '{"userId": "alice", "name": "Checkout", "properties": {"path": "/checkout"}}',
    "screen": '{"userId": "alice", "name": "Checkout", "properties": {"step": 2}}',
    "group": '{"userId": "alice", "groupId": "acme", "traits": {"seats": 20}}',
    "alias": '{"userId": "alice", "previousId": "guest-1"}',
    "batch": '{"batch": [{"type": "track", "userId": "alice", "event": "Order Placed"}], '
    '"sentAt": "2026-01-01T00:00:00.500Z"}',
}
_FIRST_HOOK: Final = (
    '{"action": "Track", "userId": 10, "timestamp": "2026-01-01T00:00:00.000Z", '
    '"receivedAt": "2026-01-01T00:00:00.100Z", '
    '"properties": {"event_source": "mobile", "event_type": "play_video"}}'
)
_LATER_HOOK: Final = (
    '{"type": "track", "userId": 10, "timestamp": "2026-01-01T00:00:00.000Z", '
    '"receivedAt": "2026-01-01T00:00:00.100Z", "context": {"library": {"name": "analytics-ios"}}, '
    '"properties": {"name": "edx.video.played", "data": {"current_time": 12}}}'
)
_RELAYED: Final = (
    '{"type": "track", "messageId": "m-1", "userId": "alice", "event": "Order Placed", '
    '"timestamp": "2026-01-01T00:00:00.000Z", "receivedAt": "2026-01-01T00:00:00.100Z"}'
)


def _edx(path: str, summary: str, handle: Handler, body: str, *replies: Reply) -> Operation:
    return Operation(
        "POST",
        path,
        summary,
        "Segment",
        Access.PUBLIC,
        (
            *replies,
            Reply(400, "not JSON, or (first webhook) not usable", models.HookFault),
            Reply(405, "not POST", content_type=""),
        ),
        handle=handle,
        body_type="application/json; charset=utf-8",
        body_example=body,
        description=f"`?key=` is the project's webhook secret. {_PROJECT}",
        ingest=True,
        limited=True,
        no_project=True,
        any_method=True,
        refusals=(404, 413, 503),
    )


def _call(kind: segment_com.Kind, path: str) -> Operation:
    return Operation(
        "POST",
        path,
        "Send several messages" if kind == "batch" else f"Send one {kind} message",
        "Segment",
        Access.PUBLIC,
        (Reply(200, "durable", models.SegmentOut, example={"success": True}), *_FAULTS),
        handle=_calling(kind),
        body_type="application/json; charset=utf-8",
        body_example=_BODIES[kind],
        description="The write key (Basic, or `writeKey` in the body) is the project key. A call or an item of a "
        "batch holds at most 32 KiB, a batch 500 KiB and 2500 items: beyond that the whole request is refused.",
        ingest=True,
        limited=True,
        no_project=True,
        large=True,
        words=_WORDS,
        refusals=(503,),
    )


OPERATIONS: Final = (
    _edx(
        "/segmentio/event",
        "Segment's webhook as edX first took it",
        first_webhook,
        _FIRST_HOOK,
        Reply(200, "recorded or ignored", models.HookOut, example={"committed": True}),
        Reply(401, "wrong key", models.HookOut),
    ),
    _edx(
        "/segmentio/v2/event",
        "Segment's webhook as edX took it later",
        later_webhook,
        _LATER_HOOK,
        Reply(200, "recorded or ignored", content_type=""),
        Reply(401, "wrong key", content_type=""),
    ),
    _call("batch", "/v1/batch"),
    _call("batch", "/v1/import"),
    *(_call(kind, f"/v1/{kind}") for kind in get_args(segment_com.Kind) if kind != "batch"),
    Operation(
        "POST",
        "/segment/webhook",
        "Segment's webhook destination",
        "Segment",
        Access.PUBLIC,
        (Reply(200, "durable", models.SegmentOut, example={"success": True}), *_FAULTS),
        handle=relayed,
        body_type="application/json; charset=utf-8",
        body_example=_RELAYED,
        own_headers=("X-Signature",),
        description=f"`X-Signature` is asked for where the project has a `signing_secret`. {_PROJECT}",
        ingest=True,
        limited=True,
        no_project=True,
        large=True,
        words=_WORDS,
        refusals=(404, 503),
    ),
)
