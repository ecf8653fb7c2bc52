"""One visit told twice: once without a fault, once with; what a user sees of both must be the same."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from messages import Message, schema
from tests.faults import content

Told = list[tuple[int, Message]]  # device time in ms, message


def story(name: str, begin_ms: int, seconds: int = 60) -> Told:
    """A minute of an app, with a tap rage, a row of failing requests and a crash at its end; findings come of it."""
    told: Told = [
        (begin_ms + at_ms, content.message(f"{name}.{at_ms}")) for at_ms in range(0, seconds * 1000, 400)
    ]
    rage_ms = begin_ms + 20_000
    told += [(rage_ms + 150 * n, schema.MobileClickEvent(f"Pay {name}", 100, 200)) for n in range(6)]
    calls_ms = begin_ms + 30_000
    told += [
        (
            calls_ms + 100 * n,
            schema.MobileNetworkCall("request", "GET", f"https://{name}", "", "", 500, 30 + n),
        )
        for n in range(6)
    ]
    told.append(
        (begin_ms + seconds * 1000, schema.MobileCrash(f"Crash {name}", "reason", "frame 1\nframe 2"))
    )
    return sorted(told, key=lambda each: each[0])


async def shown(
    client: httpx.AsyncClient, session: str, messages: int, within_s: float = 60
) -> dict[str, Any]:
    """What a user sees of a session once its recording is made of so many messages; times by the device's clock.

    Start and duration are left out: they are the server's, and two sessions begin at two times.
    """
    deadline = time.monotonic() + within_s
    path = f"/api/v1/replays/{session}"
    while True:
        replay = (await client.get(path)).json()
        if replay.get("status") == "ready" and replay["counts"]["messages"] == messages:
            break
        assert time.monotonic() < deadline, replay
        await asyncio.sleep(0.2)
    offset = replay["clock_offset_ms"]
    page = (await client.get(path + "/messages", params={"limit": "1000"})).json()
    assert page["next_cursor"] is None
    return {
        "messages": [
            (m["index"], m["type"], m["device_timestamp_ms"], m["fields"]) for m in page["messages"]
        ],
        "counts": {name: count for name, count in replay["counts"].items() if name != "bytes"},
        "issues": sorted((each["type"], each["at_ms"] - offset, each["title"]) for each in replay["issues"]),
    }
