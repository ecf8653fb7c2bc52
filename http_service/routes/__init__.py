"""Every URL on one screen: the table of operations, area by area."""

from __future__ import annotations

from typing import Final

from http_service.operations import Operation
from http_service.routes import (
    apprtc,
    dead_letters,
    erasures,
    events,
    exports,
    hamustro,
    health,
    issues,
    mobile,
    player,
    projects,
    replays,
    schemas,
    segment,
    sharing,
    sign_in,
    users,
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    # POST /v1/mobile/{start,i,late,images}, /v1/ios/{start,append,i,late,images}; GET /v1/mobile/conditions/{id}
    *mobile.OPERATIONS,
    # /api/v1/sign-in, /sign-out, /me
    *sign_in.OPERATIONS,
    # /api/v1/projects, /{key}, /{key}/api-keys, /{key}/api-keys/{id}
    *projects.OPERATIONS,
    # /api/v1/projects/{key}/users
    *users.OPERATIONS,
    # /api/v1/replays, /suggestions, /{session_id}, …/messages, …/frames, …/frames/{at_ms}, …/opening, …/poster,
    # …/timeline
    *replays.OPERATIONS,
    # /api/v1/erasures
    *erasures.OPERATIONS,
    # /api/v1/replays/{session_id}/export
    *exports.OPERATIONS,
    # /api/v1/issues
    *issues.OPERATIONS,
    # /api/v1/replays/{session_id}/share
    *sharing.OPERATIONS,
    # /api/v1/events, /events/query, /events/{id}, /sessions, /sessions/{session_id}/events, /errors
    *events.OPERATIONS,
    # /api/v1/schemas, /{category}
    *schemas.OPERATIONS,
    # /api/v1/track, /api/flush
    *hamustro.OPERATIONS,
    # /segmentio/event, /segmentio/v2/event; /v1/{batch,import,track,identify,page,screen,group,alias}, /segment/webhook
    *segment.OPERATIONS,
    # /a/
    *apprtc.OPERATIONS,
    # /api/v1/dead-letters, /{id}/retry
    *dead_letters.OPERATIONS,
    # /healthz, /readyz, /metrics, /openapi.json, /docs
    *health.OPERATIONS,
    # /, /replays/{session_id}, /sign-in, /player/{file}
    *player.OPERATIONS,
)
