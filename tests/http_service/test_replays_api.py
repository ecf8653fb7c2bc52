"""Reading recorded sessions over HTTP: what an SDK sent, live and at rest."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import orjson
import pytest
from PIL import Image

from messages import encode, encode_batch
from messages.schema import MobileClickEvent, MobileEvent, MobileLog, MobileMetadata, MobileUserID
from projects import Project
from tests.http_service.conftest import ADMIN, CONTRACT, Site, bearer
from tests.http_service.test_start import code
from workers.finalizer import Finalizer

API = "/api/v1/replays"


def picture(shade: int) -> bytes:
    """A small JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (8, 16), (shade, 0, 0)).save(out, "JPEG")
    return out.getvalue()


def archive(at_ms: list[int]) -> bytes:
    """Screenshots as Android packs them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for number, at in enumerate(at_ms):
            data = picture(number)
            info = tarfile.TarInfo(f"1_1_{at}.jpeg")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


async def record(site: Site, *, user: str = "alice", taps: int = 3, project_key: str = "shop") -> str:
    """Send one session: messages, two pictures -> its id."""
    started = await site.start(project_key, userDevice="iPhone15,2", userOSVersion="17.4", revID="42")
    headers = bearer(started["token"])
    now = site.clock()
    sent = [
        encode(MobileUserID(user), timestamp=now),
        encode(MobileMetadata("plan", "pro"), timestamp=now + 1),
        encode(MobileEvent("purchase", '{"sum": 5}'), timestamp=now + 2),
        encode(MobileLog("info", "<script>alert(1)</script>"), timestamp=now + 3),
        *(encode(MobileClickEvent(f"Buy {n}", 10, 20), timestamp=now + 100 * (n + 1)) for n in range(taps)),
    ]
    batch = gzip.compress(encode_batch(0, now, sent))
    assert (await site.client.post("/v1/mobile/i", content=batch, headers=headers)).status_code == 200
    name = f"{started['sessionID']}-{now}.tar.gz"
    files = {"batch": (name, archive([now + 50, now + 150]), "gzip")}
    assert (await site.client.post("/v1/mobile/images", files=files, headers=headers)).status_code == 200
    found: str = started["sessionID"]
    return found


async def finalize(site: Site) -> None:
    """Make the recordings of all sessions."""
    settings = site.services.settings
    site.clock.ahead_ms += int(settings.session_quiet_s * 1000) + 1000
    finalizer = Finalizer(
        settings=settings, clock=site.clock, db=site.services.db, objects=site.services.objects
    )
    while due := await finalizer.claim(10):
        for project_id, session_id in due:
            await finalizer.finalize(project_id, session_id)


async def own(site: Site, role: str = "read", key: str = "shop") -> dict[str, str]:
    """Headers of an API key of that project."""
    project: Project = await site.services.projects.by_key(key)
    return await site.key(project, role)


async def read(site: Site, session_id: str, headers: dict[str, str]) -> dict[str, Any]:
    """Everything that can be read of a session."""
    found: dict[str, Any] = {}
    for name in ("", "/messages", "/frames"):
        got = await site.client.get(f"{API}/{session_id}{name}", headers=headers)
        assert got.status_code == 200, got.text
        found[name] = got.json()
    got = await site.client.get(f"{API}/{session_id}/timeline", headers=headers)
    CONTRACT.validate({"$ref": "#/components/schemas/TimelineOut"}, got.json())
    found["timeline"] = got.json()
    return found


async def test_a_session_is_readable_live_and_the_same_at_rest(site):
    session_id = await record(site)
    headers = await own(site)
    await site.work(3)
    live = await read(site, session_id, headers)
    assert live[""]["status"] == "live"
    await finalize(site)
    ready = await read(site, session_id, headers)
    assert ready[""]["status"] == "ready"
    for found in (live, ready):
        replay = found[""]
        assert (replay["session_id"], replay["project"]) == (session_id, "shop")
        assert replay["device"]["name"] == "iPhone 14 Pro"
        assert replay["app"] == {"tracker_version": "1.0.14", "revision": "42"}
        assert (replay["user"]["id"], replay["metadata"]) == ("alice", {"plan": "pro"})
        assert (replay["counts"]["clicks"], replay["counts"]["frames"]) == (3, 2)
        names = [each["name"] for each in found["/messages"]["messages"]]
        assert names.count("MobileClickEvent") == 3
    assert live["/messages"] == ready["/messages"]
    assert live["/frames"] == ready["/frames"]
    assert live["timeline"]["frames"] == ready["timeline"]["frames"]


async def test_frames_are_served_as_sent_and_for_ever(site):
    session_id = await record(site)
    headers = await own(site)
    await site.work(3)
    await finalize(site)
    frames = (await site.client.get(f"{API}/{session_id}/frames", headers=headers)).json()["frames"]
    assert [each["format"] for each in frames] == ["jpeg", "jpeg"]
    page = (await site.client.get(f"{API}/{session_id}/frames?limit=1", headers=headers)).json()
    assert page["frames"] == frames[:1]
    rest = f"{API}/{session_id}/frames?limit=1&cursor={page['next_cursor']}"
    assert (await site.client.get(rest, headers=headers)).json() == {
        "frames": frames[1:],
        "next_cursor": None,
    }
    assert code(await site.client.get(f"{API}/{session_id}/frames?limit=0", headers=headers))[0] == 422
    for number, each in enumerate(frames):
        got = await site.client.get(f"{API}/{session_id}/frames/{each['at_ms']}", headers=headers)
        assert got.content == picture(number)
        assert got.headers["content-type"] == "image/jpeg"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in got.headers["cache-control"]
    for at in ("0", "-1", "x", "9" * 30, "1.5", "%00"):
        assert code(await site.client.get(f"{API}/{session_id}/frames/{at}", headers=headers)) == (
            404,
            "not_found",
        )


async def test_a_session_at_rest_opens_with_the_picture_of_its_moment(site):
    session_id = await record(site)
    headers = await own(site)
    await site.work(3)
    url = f"{API}/{session_id}/opening"
    assert (await site.client.get(url, headers=headers)).status_code == 204, "it is live"
    await finalize(site)
    timeline = (await site.client.get(f"{API}/{session_id}/timeline", headers=headers)).json()
    device, replay = timeline["frames"]["t"], timeline["replay"]
    second = device[1] + replay["clock_offset_ms"] - replay["started_ms"]
    for query, number in (("", 0), (f"?t={second - 1}", 0), (f"?t={second}", 1), ("?t=999999999999", 1)):
        got = await site.client.get(url + query, headers=headers)
        assert (got.status_code, got.content) == (200, picture(number)), query
        assert got.headers["content-type"] == "image/jpeg"
        held = await site.client.get(url + query, headers=headers | {"If-None-Match": got.headers["etag"]})
        assert (held.status_code, held.content) == (304, b"")
        for each in (got, held):
            assert each.headers["playhead-frame"] == str(device[number])
    assert (await site.client.get(f"{url}?t=0", headers=headers)).status_code == 204, "nothing was shown yet"
    assert code(await site.client.get(f"{url}?t=-1", headers=headers))[0] == 422


async def test_a_session_whose_pictures_begin_late_opens_without_one(site):
    started = await site.start("shop", timestamp=site.clock() - 30_000)
    name = f"{started['sessionID']}-{site.clock()}.tar.gz"
    files = {"batch": (name, archive([site.clock() - 20_000]), "gzip")}
    sent = await site.client.post("/v1/mobile/images", files=files, headers=bearer(started["token"]))
    assert sent.status_code == 200
    await site.work(2)
    await finalize(site)
    url, headers = f"{API}/{started['sessionID']}/opening", await own(site)
    assert (await site.client.get(url, headers=headers)).status_code == 204
    assert (await site.client.get(f"{url}?t=15000", headers=headers)).content == picture(0)


async def test_a_picture_of_a_live_session_keeps_its_address_while_the_correction_moves(site):
    started = await site.start("shop", timestamp=site.clock() - 430_000)
    headers, own_key = bearer(started["token"]), await own(site)
    session_id, phone_ms = started["sessionID"], site.clock() - 400_000
    folder = f"{API}/{session_id}/frames"

    async def send(delay_ms: int, records: int) -> None:
        """A batch that was so long on its way, from a phone whose clock is behind."""
        framed = [encode(MobileLog("info", "x"), timestamp=phone_ms)]
        sent = encode_batch(0, site.clock() - 400_000 - delay_ms, framed)
        assert (await site.client.post("/v1/mobile/i", content=sent, headers=headers)).status_code == 200
        await site.work(records)

    name = f"{session_id}-{phone_ms}.tar.gz"
    files = {"batch": (name, archive([phone_ms, phone_ms + 60_000]), "gzip")}
    assert (await site.client.post("/v1/mobile/images", files=files, headers=headers)).status_code == 200
    await send(delay_ms=20_000, records=3)

    async def corrected() -> list[int]:
        got = await site.client.get(folder, headers=own_key)
        return [each["at_ms"] for each in got.json()["frames"]]

    first = await corrected()
    await send(delay_ms=0, records=4)
    second = await corrected()
    assert second[0] < first[0], "the correction has not moved"
    for number in (0, 1):
        steady = await site.client.get(f"{folder}/{phone_ms + 60_000 * number}?clock=device", headers=own_key)
        assert (steady.status_code, steady.content) == (200, picture(number))
        assert "max-age=600" in steady.headers["cache-control"]
        moved = await site.client.get(f"{folder}/{first[number]}", headers=own_key, follow_redirects=True)
        assert (moved.status_code, moved.content) == (200, picture(number))
        assert [each.status_code for each in moved.history] == [307]
        now = await site.client.get(f"{folder}/{second[number]}", headers=own_key)
        assert (now.content, "immutable" in now.headers["cache-control"]) == (picture(number), True)
    for path in ("1", "1?clock=device", f"{phone_ms + 1}?clock=device"):
        assert code(await site.client.get(f"{folder}/{path}", headers=own_key)) == (404, "not_found")
    assert code(await site.client.get(f"{folder}/1?clock=sun", headers=own_key))[0] == 422


async def test_the_last_screen_is_a_small_picture_live_recorded_and_from_older_recordings(site):
    session_id = await record(site)
    headers = await own(site)
    url = f"{API}/{session_id}/poster"

    async def seen() -> tuple[str, Any]:
        got = await site.client.get(url, headers=headers)
        assert (got.status_code, got.headers["content-type"]) == (200, "image/webp")
        assert (got.headers["x-content-type-options"], got.headers["cache-control"][:8]) == (
            "nosniff",
            "private,",
        )
        held = await site.client.get(url, headers=headers | {"If-None-Match": got.headers["etag"]})
        assert (held.status_code, held.content) == (304, b"")
        image = Image.open(io.BytesIO(got.content))
        assert (image.format, image.size) == ("WEBP", (8, 16))
        return got.headers["etag"], image.convert("RGB").getpixel((4, 8))

    await site.work(3)
    live = await seen()
    await finalize(site)
    recorded = await seen()
    assert (live[1], live[0] != recorded[0]) == (recorded[1], True)
    session = await site.services.replays.find(int(session_id), None)
    folder = f"recordings/{session.project_id}/{session_id}/"
    old, new = folder + session.recording_name, folder + "0-older"
    assert f"{old}/poster.webp" in [each.key async for each in site.services.objects.list(folder)]
    for name in ("manifest", "frames-0"):
        await site.services.objects.put(f"{new}/{name}", await site.services.objects.get(f"{old}/{name}"))
    await site.services.db.execute("UPDATE sessions SET recording_name = '0-older'")
    await site.services.sessions.changed([(session.project_id, session.session_id)])
    older = await seen()
    assert (older[1], older[0] != recorded[0]) == (recorded[1], True)
    await site.services.replays.delete(session)
    assert code(await site.client.get(url, headers=headers)) == (404, "not_found")
    assert [each.key async for each in site.services.objects.list(folder)] == []


async def test_a_session_without_pictures_has_no_poster_and_damaged_ones_hinder_nothing(site):
    headers = await own(site)
    started = await site.start()
    url = f"{API}/{started['sessionID']}/poster"
    sent = {"Authorization": f"Bearer {started['token']}"}
    damaged = io.BytesIO()
    with tarfile.open(fileobj=damaged, mode="w:gz") as tar:
        info = tarfile.TarInfo(f"1_1_{site.clock()}.jpeg")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"\xff\xd8\xff"))
    files = {"batch": (f"{started['sessionID']}-1.tar.gz", damaged.getvalue(), "gzip")}
    assert (await site.client.post("/v1/mobile/images", files=files, headers=sent)).status_code == 200
    await site.work(2)
    assert code(await site.client.get(url, headers=headers)) == (404, "not_found")
    await finalize(site)
    assert (await site.client.get(f"{API}/{started['sessionID']}", headers=headers)).json()["counts"][
        "frames"
    ] == 1
    assert code(await site.client.get(url, headers=headers)) == (404, "not_found")


async def test_a_timeline_at_rest_is_revalidated(site):
    session_id = await record(site)
    headers = await own(site)
    await site.work(3)
    await finalize(site)
    first = await site.client.get(f"{API}/{session_id}/timeline", headers=headers)
    assert first.headers["content-encoding"] == "gzip"
    again = await site.client.get(
        f"{API}/{session_id}/timeline", headers=headers | {"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    whichever = headers | {"If-None-Match": "*"}
    assert (await site.client.get(f"{API}/{session_id}/timeline", headers=whichever)).status_code == 304


@pytest.mark.parametrize(
    ("taken", "gzip"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.00, br", False),
        ("br", False),
    ],
)
async def test_a_timeline_is_compressed_for_who_reads_that(site, taken, gzip):
    session_id = await record(site)
    headers = await own(site) | {"Accept-Encoding": taken}
    await site.work(3)
    got = await site.client.get(f"{API}/{session_id}/timeline", headers=headers)
    assert ("content-encoding" in got.headers, got.headers["vary"]) == (gzip, "Accept-Encoding")
    assert got.json()["replay"]["session_id"] == session_id


async def test_messages_come_page_by_page_by_type_and_time(site):
    session_id = await record(site, taps=25)
    headers = await own(site)
    await site.work(3)
    for _ in range(2):
        taps: list[dict[str, Any]] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            params = {"type": "100", "limit": "10", **more}
            page = (
                await site.client.get(f"{API}/{session_id}/messages", params=params, headers=headers)
            ).json()
            taps += page["messages"]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert [each["fields"]["Label"] for each in taps] == [f"Buy {n}" for n in range(25)]
        span = {"from_ms": taps[5]["timestamp_ms"], "to_ms": taps[7]["timestamp_ms"], "type": "100,101"}
        page = (await site.client.get(f"{API}/{session_id}/messages", params=span, headers=headers)).json()
        assert [each["fields"]["Label"] for each in page["messages"]] == ["Buy 5", "Buy 6", "Buy 7"]
        await finalize(site)


async def test_the_list_is_filtered_sorted_and_paged(site):
    ids = [await record(site, user=f"user-{n}", taps=n + 1) for n in range(5)]
    headers = await own(site)
    await site.work(15)
    await finalize(site)

    async def listed(**params: Any) -> list[str]:
        got = await site.client.get(API, params=params, headers=headers)
        assert got.status_code == 200, got.text
        return [each["session_id"] for each in got.json()["replays"]]

    assert await listed() == ids[::-1]
    assert await listed(sort="oldest") == ids
    assert await listed(sort="most_events") == ids[::-1]
    assert await listed(user_id="user-3") == [ids[3]]
    assert await listed(device="iPhone 14 Pro", platform="ios", limit=2) == ids[:2:-1]
    assert await listed(**{"metadata.plan": "pro", "event": "purchase", "user_id": "user-1"}) == [ids[1]]
    assert await listed(**{"metadata.plan": "free"}) == []
    assert await listed(project="shop", text="user-2") == [ids[2]]
    assert await listed(to_ms=1) == []
    assert await listed(min_duration_ms=10**9) == []
    collected: list[str] = []
    params: dict[str, Any] = {"limit": 2, "sort": "shortest"}
    while True:
        page = (await site.client.get(API, params=params, headers=headers)).json()
        collected += [each["session_id"] for each in page["replays"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert sorted(collected) == sorted(ids)


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("colour=red", "colour", "unexpected_field"),
        ("limit=0", "limit", "invalid_value"),
        ("limit=1001", "limit", "invalid_value"),
        ("limit=ten", "limit", "invalid_value"),
        ("limit=" + "9" * 5000, "limit", "invalid_value"),
        ("from_ms=now", "from_ms", "invalid_value"),
        ("from_ms=1e400", "from_ms", "invalid_value"),
        ("min_duration_ms=-1", "min_duration_ms", "invalid_value"),
        ("sort=random", "sort", "invalid_value"),
        ("sort=newest;drop table sessions", "sort", "invalid_value"),
        ("cursor=rubbish", "cursor", "invalid_value"),
        ("cursor=W10", "cursor", "invalid_value"),
        ("platform=ios&platform=android", "platform", "invalid_value"),
        ("metadata=x", "metadata", "unexpected_field"),
        ("metadata.=x", "metadata.", "unexpected_field"),
        ("user_id=", "user_id", "invalid_value"),
        ("user_id=a%00b", "user_id", "invalid_value"),
        ("metadata.a%00=b", "metadata.a", "invalid_value"),
        ("text=" + "x" * 2000, "text", "invalid_value"),
    ],
)
async def test_a_bad_parameter_is_named(site, query, field, problem):
    got = await site.client.get(f"{API}?{query}", headers=ADMIN)
    assert code(got) == (422, "validation_failed")
    assert {each["field"]: each["code"] for each in got.json()["error"]["details"]}[field] == problem


@pytest.mark.parametrize(
    "value",
    ["' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE sessions; --", "$1", "{}", "\ud7ff\u202e😀", "a" * 999],
)
async def test_values_are_data_and_never_sql(site, value):
    await record(site)
    await site.work(3)
    names = [
        "user_id",
        "device",
        "os",
        "country",
        "event",
        "view",
        "url",
        "text",
        "issue",
        "metadata.k",
        "platform",
    ]
    for name in names:
        got = await site.client.get(API, params={name: value}, headers=ADMIN)
        assert got.status_code == 200, (name, got.text)
        assert got.json()["replays"] == []


@pytest.mark.parametrize("query", ["type=x", "type=1;2", "limit=0", "cursor=-1", "colour=1", "from_ms=a"])
async def test_bad_parameters_of_messages(site, query):
    session_id = await record(site)
    await site.work(3)
    got = await site.client.get(f"{API}/{session_id}/messages?{query}", headers=ADMIN)
    assert code(got) == (422, "validation_failed")


async def test_foreign_and_absent_sessions_are_the_same_404(site):
    await site.project("other")
    session_id = await record(site)
    await site.work(3)
    stranger = await own(site, "write", "other")
    absent = str(int(session_id) + 1)
    tails = ["", "/messages", "/frames", "/frames/1", "/timeline"]
    for tail in tails:
        answers = set()
        for each in (session_id, absent, "0", "x", "-1", "9" * 40, "%00", "1%2F2", "٣"):
            got = await site.client.get(f"{API}/{each}{tail}", headers=stranger)
            answers.add((got.status_code, got.content))
        assert len(answers) <= 2 and {status for status, _ in answers} == {404}
        assert (
            len(
                {
                    (await site.client.get(f"{API}/{each}{tail}", headers=stranger)).content
                    for each in (session_id, absent)
                }
            )
            == 1
        )
    assert code(await site.client.delete(f"{API}/{session_id}", headers=stranger)) == (404, "not_found")
    assert (await site.client.get(f"{API}?project=shop", headers=stranger)).status_code == 404
    assert (await site.client.get(API, headers=stranger)).json()["replays"] == []
    assert len((await site.client.get(API, headers=ADMIN)).json()["replays"]) == 1
    assert len((await site.client.get(f"{API}?project=shop", headers=ADMIN)).json()["replays"]) == 1
    assert (await site.client.get(f"{API}?project=none", headers=ADMIN)).status_code == 404


async def test_deleting_leaves_nothing_to_read(site):
    session_id = await record(site)
    await site.work(3)
    await finalize(site)
    assert code(await site.client.delete(f"{API}/{session_id}", headers=await own(site, "read"))) == (
        403,
        "forbidden",
    )
    assert (
        await site.client.delete(f"{API}/{session_id}", headers=await own(site, "write"))
    ).status_code == 204
    for tail in ("", "/messages", "/frames", "/timeline"):
        assert code(await site.client.get(f"{API}/{session_id}{tail}", headers=ADMIN)) == (404, "not_found")
    assert (await site.client.get(API, headers=ADMIN)).json()["replays"] == []
    (erasure,) = (await site.client.get("/api/v1/erasures", headers=await own(site, "read"))).json()[
        "erasures"
    ]
    assert (erasure["session_id"], erasure["removed"]["sessions"]) == (session_id, 1)
    assert erasure["removed"]["objects"] >= 4
    await site.project("other")
    none = await site.client.get("/api/v1/erasures?project=other", headers=ADMIN)
    assert none.json() == {"erasures": [], "next_cursor": None}


async def test_pages_of_erasures(site):
    sessions = [(await site.start())["sessionID"] for _ in range(3)]
    await site.work(3)
    for each in sessions:
        assert (await site.client.delete(f"{API}/{each}", headers=ADMIN)).status_code == 204
    first = (await site.client.get("/api/v1/erasures?limit=2", headers=ADMIN)).json()
    query = f"/api/v1/erasures?limit=2&cursor={first['next_cursor']}"
    second = (await site.client.get(query, headers=ADMIN)).json()
    found = [each["session_id"] for page in (first, second) for each in page["erasures"]]
    assert found == sorted(sessions, key=int, reverse=True)
    assert second["next_cursor"] is None
    assert (
        await site.client.get("/api/v1/erasures?cursor=9999999999999999999", headers=ADMIN)
    ).status_code == 200


async def test_a_project_is_gone_at_once_with_its_keys(site):
    session_id = await record(site)
    await site.work(3)
    key = await own(site, "write")
    assert code(await site.client.delete("/api/v1/projects/shop", headers=key)) == (403, "forbidden")
    assert (await site.client.delete("/api/v1/projects/shop", headers=ADMIN)).status_code == 204
    assert code(await site.client.get("/api/v1/projects/shop", headers=ADMIN)) == (404, "not_found")
    assert code(await site.client.get(f"{API}/{session_id}", headers=key)) == (401, "unauthorized")
    assert code(await site.client.delete("/api/v1/projects/shop", headers=ADMIN)) == (404, "not_found")
    start = {"projectKey": "shop", "trackerVersion": "1.0.14"}
    assert (await site.client.post("/v1/mobile/start", json=start)).status_code == 404


async def test_erasing_a_user_takes_every_session_that_named_them(site):
    alice = [await record(site, user="alice/ä %") for _ in range(3)]
    bob = await record(site, user="bob")
    await site.work(12)
    await finalize(site)
    path = "/api/v1/projects/shop/users/"
    assert code(await site.client.delete(path + "bob", headers=await own(site, "read"))) == (403, "forbidden")
    assert (await site.client.delete(path + "nobody", headers=ADMIN)).status_code == 204
    assert (await site.client.delete(path + "alice%2F%C3%A4%20%25", headers=ADMIN)).status_code == 204
    left = [each["session_id"] for each in (await site.client.get(API, headers=ADMIN)).json()["replays"]]
    assert left == [bob]
    for session_id in alice:
        assert (await site.client.get(f"{API}/{session_id}", headers=ADMIN)).status_code == 404


async def test_a_poison_record_is_listed_and_tried_again(site):
    token = (await site.start())["token"]
    headers = bearer(token) | {"Content-Type": "multipart/form-data; boundary=b"}
    await site.client.post("/v1/mobile/images", content=b"no multipart at all", headers=headers)
    await site.work(2)
    page = (await site.client.get("/api/v1/dead-letters", headers=ADMIN)).json()
    (letter,) = page["dead_letters"]
    assert (letter["kind"], letter["bytes"], page["next_cursor"]) == ("images", 19, None)
    assert b"multipart" not in orjson.dumps(letter["detail"])
    retried = await site.client.post(f"/api/v1/dead-letters/{letter['id']}/retry", headers=ADMIN)
    assert (retried.status_code, retried.json()["retried_ms"] is not None) == (202, True)
    assert len(await site.records(3)) == 3
    for each in ("0", "x", "9" * 30):
        assert code(await site.client.post(f"/api/v1/dead-letters/{each}/retry", headers=ADMIN)) == (
            404,
            "not_found",
        )
    assert (
        await site.client.get("/api/v1/dead-letters?project=shop&limit=1", headers=ADMIN)
    ).status_code == 200
    assert code(await site.client.get("/api/v1/dead-letters?cursor=x", headers=ADMIN))[0] == 422


async def test_suggestions_are_of_the_projects_that_the_caller_sees(site):
    await site.project("other")
    await record(site, user="alice")
    await record(site, user="Albert", project_key="other")
    await site.work(6)
    headers = await own(site)

    async def values(headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
        got = await site.client.get(f"{API}/suggestions", params=query, headers=headers)
        assert got.status_code == 200, got.text
        found: list[dict[str, Any]] = got.json()["values"]
        return found

    assert await values(headers, field="user_id", prefix="AL") == [{"value": "alice", "count": 1}]
    both = [{"value": "Albert", "count": 1}, {"value": "alice", "count": 1}]
    assert await values(ADMIN, field="user_id", prefix="al") == both
    assert await values(ADMIN, field="user_id", project="other") == both[:1]
    assert await values(headers, field="metadata") == [{"value": "plan", "count": None}]
    assert await values(headers, field="metadata.plan", limit="1") == [{"value": "pro", "count": 1}]
    for query, answered in [
        ({"field": "user_id", "project": "other"}, (404, "not_found")),
        ({"field": "session_id"}, (422, "validation_failed")),
        ({}, (422, "validation_failed")),
        ({"field": "os", "limit": "101"}, (422, "validation_failed")),
    ]:
        got = await site.client.get(f"{API}/suggestions", params=query, headers=headers)
        assert code(got) == answered


async def test_a_session_is_exported_as_one_file(site):
    session_id = await record(site)
    headers = await own(site)
    await site.work(3)
    await finalize(site)
    url = f"{API}/{session_id}/export"
    for form, kind, ending in [
        ("json", "application/json", "json"),
        ("text", "text/plain; charset=utf-8", "txt"),
        ("html", "text/html; charset=utf-8", "html"),
        ("mp4", "video/mp4", "mp4"),
    ]:
        for method in ("HEAD", "GET"):
            got = await site.client.request(method, url, params={"format": form}, headers=headers)
            assert (got.status_code, got.headers["content-type"]) == (200, kind)
            assert (
                got.headers["content-disposition"] == f'attachment; filename="replay-{session_id}.{ending}"'
            )
            assert got.headers["x-content-type-options"] == "nosniff"
            assert bool(got.content) == (method == "GET")
            assert "content-length" not in got.headers, "it is made while it is sent"
    messages = (await site.client.get(f"{API}/{session_id}/messages?limit=1000", headers=headers)).json()
    exported = (await site.client.get(f"{url}?format=json", headers=headers)).json()
    assert exported["messages"] == messages["messages"]
    assert exported["replay"] == (await site.client.get(f"{API}/{session_id}", headers=headers)).json()
    for query in ("", "?format=avi", "?format=json&format=text"):
        assert code(await site.client.get(url + query, headers=headers)) == (422, "validation_failed")
    without = await site.start()
    await site.work(4)
    got = await site.client.get(f"{API}/{without['sessionID']}/export?format=mp4", headers=headers)
    assert code(got) == (422, "no_pictures")
