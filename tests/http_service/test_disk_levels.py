"""A disk that fills up, as phones see it: less is asked of them, then no session begins; running ones go on."""

from __future__ import annotations

import uuid

import pytest

from tests.http_service.conftest import bearer
from tests.http_service.test_start import code

#: any disk is fuller than this
BELOW = 0.000001
GOVERNED = {"disk_headroom_bytes": 10**18, "mobile_fps": 5, "mobile_quality": "high"}


async def begun(site, number: int) -> tuple[int, dict[str, object]]:
    body = {
        "projectKey": "shop",
        "trackerVersion": "1.0.14",
        "timestamp": 1,
        "userUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
    }
    got = await site.client.post("/v1/mobile/start", json=body)
    return got.status_code, got.json()


@pytest.mark.parametrize("mark", ["disk_soft_percent", "disk_high_percent"])
async def test_above_the_soft_mark_sdks_are_asked_for_less_and_some_sessions_for_nothing(make_site, mark):
    site = await make_site(**GOVERNED, **{"disk_soft_percent": BELOW, mark: BELOW})
    await site.project()
    answers = [await begun(site, number) for number in range(60)]
    taken = [told for status, told in answers if status == 200]
    assert 10 < len(taken) < 50  # a half of them
    assert {(told["quality"], told["fps"]) for told in taken} == {("low", 1)}
    assert {status for status, _ in answers} == {200, 403}


async def test_below_it_nothing_is_less(make_site):
    site = await make_site(**{**GOVERNED, "disk_headroom_bytes": 1})
    await site.project()
    answers = [await begun(site, number) for number in range(20)]
    assert {(status, told["quality"], told["fps"]) for status, told in answers} == {(200, "high", 5)}


async def test_above_the_hard_mark_none_begins_and_running_ones_go_on(make_site):
    site = await make_site()
    await site.project()
    token = (await site.start())["token"]
    full = await make_site(**GOVERNED, disk_hard_percent=BELOW)
    body = {"projectKey": "shop", "trackerVersion": "1.0.14", "timestamp": 1}
    got = await full.client.post("/v1/mobile/start", json=body)
    assert code(got) == (503, "storage_full")
    assert int(got.headers["retry-after"]) > 0
    assert (await full.client.post("/v1/mobile/i", content=b"x", headers=bearer(token))).status_code == 200
    ready = (await full.client.get("/readyz")).json()
    assert ready["dependencies"]["disk"]["state"] == "down"
