"""build_app: how a request passes through. Append routes first, then shell, prefixes, bounds, routes."""

from __future__ import annotations

import asyncio
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from http_service.attempts import Attempts
from http_service.context import Arrivals, Context, networks
from http_service.hot import Front
from http_service.limits import Budget
from http_service.middleware import Bounded, Prefixes, Shell
from http_service.openapi import Description
from http_service.operations import Routes, routes_of
from http_service.rates import Rates
from http_service.readiness import Readiness
from http_service.routes import OPERATIONS, player
from ingest.geo import Geo
from playhead.errors import NotFound
from playhead.memory_limit import bytes_in_flight
from sessions.ids import SessionIds

if TYPE_CHECKING:
    from playhead.wiring import Services


def build_app(services: Services, stopping: asyncio.Event | None = None) -> ASGIApp:
    """The whole HTTP side over these services; `stopping` is set when it is about to end.

    Raises BadSettings (proxies, geo database).
    """
    context = build_context(services, stopping)
    app: ASGIApp = Routes(routes_of(OPERATIONS, context), otherwise=_no_route)
    settings = services.settings
    large = {each.path: settings.max_batch_bytes for each in OPERATIONS if each.large}
    app = Bounded(app, limit=settings.max_json_bytes, budget=context.budget, by_path=large)
    app = Prefixes(app)
    app = Shell(app)
    return Front(app, context)


def build_context(services: Services, stopping: asyncio.Event | None = None) -> Context:
    """What the routes share."""
    settings = services.settings
    stopping = stopping or asyncio.Event()
    return Context(
        services=services,
        budget=Budget(bytes_in_flight(settings)),
        rates=Rates(settings),
        arrivals=Arrivals(services.clock),
        session_ids=SessionIds(),
        geo=Geo.open(settings.geoip_path),
        trusted=networks(settings.trusted_proxies),
        readiness=Readiness(services, stopping),
        description=Description(OPERATIONS, "Playhead", _version(), settings.public_url),
        attempts=Attempts(services.clock),
        stopping=stopping,
    )


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    elif scope["type"] == "http":
        page = player.lost(Request(scope))
        if page is None:
            raise NotFound("no such route")
        await page(scope, receive, send)


def _version() -> str:
    try:
        return version("playhead")
    except PackageNotFoundError:
        return "0"
