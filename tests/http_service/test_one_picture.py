"""Events of all protocols in the timeline of the recorded session that they name, or whose user they name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from events.times import format_time
from messages import encode, encode_batch
from messages.schema import MobileUserID
from projects import ProjectUser
from projects.model import HamustroOptions, SegmentOptions
from storage.segment_file import Record
from tests.http_service.conftest import ADMIN, CONTRACT, Site
from tests.http_service.test_events_api import KEY, URL, event
from tests.http_service.test_protocols import REPORT, signed
from tests.http_service.test_replays_api import API, finalize, own, record
from tests.ingest.hamustro_requests import SECRET, layout_1
from tests.ingest.test_segment_com import item
from tests.ingest.webhook_messages import message

COLUMNS = {"t", "i", "source", "category", "name", "id"}


@pytest.fixture
async def site(make_site) -> Site:
    made: Site = await make_site()
    project = await made.project(
        hamustro=HamustroOptions(shared_secret=SECRET), segment=SegmentOptions(webhook_secret="hook")
    )
    await made.services.projects.put_users(project.project_id, [ProjectUser(10, "alice")])
    return made


async def timeline(
    site: Site, session_id: str, headers: dict[str, str] = ADMIN
) -> tuple[dict[str, Any], str]:
    """(the timeline, its ETag)."""
    got = await site.client.get(f"{API}/{session_id}/timeline", headers=headers)
    assert got.status_code == 200, got.text
    found: dict[str, Any] = got.json()
    CONTRACT.validate({"$ref": "#/components/schemas/TimelineOut"}, found)
    return found, got.headers["etag"]


def rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(source, category, name) of the collected events."""
    track = found["tracks"].get("collected", {"source": [], "category": [], "name": []})
    return list(zip(track["source"], track["category"], track["name"], strict=True))


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


async def send(site: Site, *events: dict[str, Any], headers: dict[str, str] = KEY) -> None:
    got = await site.client.post(URL, json=list(events), headers=headers)
    assert got.status_code == 202, got.text


async def segment(site: Site, **more: Any) -> None:
    got = await site.client.post("/v1/track", json=item(writeKey="shop", **more))
    assert got.status_code == 200, got.text


async def five_protocols(site: Site, session_id: str, at_ms: int) -> None:
    """One event each, a second apart; they name the session where the protocol can, else its user 10."""
    await send(site, event(session_id=session_id, timestamp=iso(at_ms), id="of json"))
    await segment(site, context={"sessionId": session_id}, timestamp=iso(at_ms + 1000))
    room = {**REPORT["event"], "room_id": session_id, "event_time_ms": at_ms + 2000}  # type: ignore[dict-item]
    report = {**REPORT, "request_time_ms": site.clock(), "event": room}
    assert (await site.client.post("/p/shop/a/", json=report)).json() == {"result": "SUCCESS"}
    body = layout_1({"at": at_ms // 1000 + 3, "event": "Client.Paid", "nr": 1, "user_id": 10})
    sent = json.dumps(body).encode()
    got = await site.client.post(
        "/p/shop/api/v1/track", content=sent, headers=signed(sent, "application/json")
    )
    assert got.status_code == 200, got.text
    hook = message(timestamp=iso(at_ms + 5000))
    assert (await site.client.post("/p/shop/segmentio/event?key=hook", json=hook)).status_code == 200


async def test_every_protocol_is_in_the_picture_live_and_at_rest(site) -> None:
    session_id = await record(site, user="10")
    now = site.clock()
    await site.work(3)
    await five_protocols(site, session_id, now)
    await site.work(8)
    for _ in range(2):
        found, _ = await timeline(site, session_id)
        assert rows(found) == [
            ("json", "party", "AppName"),
            ("segment", "track", "Bought"),
            ("apprtc", "apprtc", "ICE_CONNECTION_STATE_CONNECTED"),
            ("hamustro", "hamustro", "Client.Paid"),
            ("segmentio", "segmentio", "str"),
        ]
        replay, track = found["replay"], found["tracks"]["collected"]
        assert set(track) == COLUMNS
        assert track["i"] == [-1] * 5
        assert track["t"] == sorted(track["t"])
        assert track["t"][0] + replay["clock_offset_ms"] == now
        assert found["collected"] == {"truncated": False}
        for shown_id, t, source in zip(track["id"], track["t"], track["source"], strict=True):
            got = await site.client.get(f"{URL}/{shown_id}", params={"project": "shop"}, headers=ADMIN)
            assert got.json()["source"] == source
            assert got.json()["timestamp"][:23] == format_time((t + replay["clock_offset_ms"]) * 1000)[:23]
        plain = await site.client.get(
            f"{API}/{session_id}/timeline", headers=ADMIN | {"Accept-Encoding": "identity"}
        )
        assert plain.json() == found
        await finalize(site)
    assert found["replay"]["status"] == "ready"


async def test_what_comes_later_changes_the_etag_of_a_session_at_rest(site) -> None:
    session_id = await record(site)
    await site.work(3)
    await finalize(site)
    empty, first = await timeline(site, session_id)
    assert "collected" not in empty["tracks"]
    await send(site, event(session_id=session_id, name="late"))
    await site.work(4)
    headers = ADMIN | {"If-None-Match": first}
    assert (await site.client.get(f"{API}/{session_id}/timeline", headers=headers)).status_code == 200
    found, second = await timeline(site, session_id)
    assert rows(found) == [("json", "party", "late")]
    headers = ADMIN | {"If-None-Match": second}
    assert (await site.client.get(f"{API}/{session_id}/timeline", headers=headers)).status_code == 304
    assert {name: track for name, track in found["tracks"].items() if name != "collected"} == empty["tracks"]


async def test_users_of_the_session_within_its_time(site) -> None:
    """A session's user changes on the way; both count, from a little before its start to a little after its end."""
    session_id = await record(site, user="ana")
    now = site.clock()
    another = await site.start()
    for named, user, at_ms in ((session_id, "bo", now + 200), (another["sessionID"], "ana", now)):
        await name_user(site, named, user, at_ms)
    for name, user, away_ms in (
        ("ana in time", "ana", 100),
        ("bo in time", "bo", -3000),
        ("too early", "ana", -60_000),
        ("too late", "bo", 60_000),
        ("another", "cy", 0),
    ):
        await segment(site, event=name, userId=user, timestamp=iso(now + away_ms), messageId=name, context={})
    await site.work(11)
    for _ in range(2):
        found, _ = await timeline(site, session_id)
        assert [name for _, _, name in rows(found)] == ["bo in time", "ana in time"]
        await finalize(site)
    other, _ = await timeline(site, another["sessionID"])
    assert [name for _, _, name in rows(other)] == ["ana in time"]


async def name_user(site: Site, session_id: str, user: str, at_ms: int) -> None:
    """The session's user is this one from now on."""
    project = await site.services.projects.by_key("shop")
    body = encode_batch(9, at_ms, [encode(MobileUserID(user), timestamp=at_ms)])
    await site.services.journal.append(
        Record("batch", project.project_id, int(session_id), at_ms * 1000, {"plt": "ios"}, body)
    )


async def test_projects_do_not_mix_and_erasing_takes_all(site) -> None:
    await site.project("other")
    session_id = await record(site)
    kept = await record(site, user="bob")
    await send(site, event(session_id=session_id, name="ours"), event(session_id=kept, name="kept"))
    await send(site, event(session_id=session_id, name="theirs"), headers={"X-Project-Key": "other"})
    await segment(site, userId="alice", messageId="m", context={}, timestamp=iso(site.clock()))
    await site.work(9)
    found, _ = await timeline(site, session_id)
    assert sorted(name for _, _, name in rows(found)) == ["Bought", "ours"]
    stranger = await own(site, "write", "other")
    got = await site.client.get(f"{API}/{session_id}/timeline", headers=stranger)
    assert got.status_code == 404
    assert (await site.client.delete(f"{API}/{session_id}", headers=ADMIN)).status_code == 204
    listed = await site.client.get(URL, params={"project": "shop", "source": "json"}, headers=ADMIN)
    assert [each["name"] for each in listed.json()["events"]] == ["kept"]
    assert (await site.client.delete("/api/v1/projects/shop/users/alice", headers=ADMIN)).status_code == 204
    listed = await site.client.get(URL, params={"project": "shop", "source": "segment"}, headers=ADMIN)
    assert listed.json()["events"] == []


async def test_a_picture_is_bounded_and_says_so(site) -> None:
    session_id = await record(site)
    for start in range(0, 2100, 700):
        await send(
            site, *(event(session_id=session_id, name=f"n{n}", data={}) for n in range(start, start + 700))
        )
    await site.work(6)
    found, _ = await timeline(site, session_id)
    assert [name for _, _, name in rows(found)] == [f"n{n}" for n in range(2000)]
    assert found["collected"] == {"truncated": True}
