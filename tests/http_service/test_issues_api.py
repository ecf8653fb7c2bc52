"""The list of issues over HTTP: of the caller's project, with replays that can be opened."""

from __future__ import annotations

import gzip

from messages import encode, encode_batch
from messages.schema import MobileCrash
from tests.http_service.conftest import ADMIN, Site, bearer
from tests.http_service.test_replays_api import finalize, own
from tests.http_service.test_start import code

API = "/api/v1/issues"


async def test_a_crash_of_two_sessions_is_one_issue_of_its_project(site: Site) -> None:
    await site.project("other")
    started = [await site.start(), await site.start()]
    for each in started:
        crash = [encode(MobileCrash("Boom", "<b>&", "0 App main"), timestamp=site.clock())]
        batch = gzip.compress(encode_batch(0, site.clock(), crash))
        headers = bearer(each["token"])
        assert (await site.client.post("/v1/mobile/late", content=batch, headers=headers)).status_code == 200
    await site.work(4)
    await finalize(site)
    reads = await own(site)
    (issue,) = (await site.client.get(API, headers=reads)).json()["issues"]
    assert (issue["project"], issue["type"], issue["title"]) == ("shop", "crash", "Boom: <b>&")
    assert (issue["count"], issue["sessions"]) == (2, 2)
    assert {each["session_id"] for each in issue["replays"]} == {each["sessionID"] for each in started}
    for query in ("project=shop", "project=shop&type=crash", "project=shop&sort=most_sessions&limit=1"):
        assert (await site.client.get(f"{API}?{query}", headers=ADMIN)).json()["issues"] == [issue]
    assert (await site.client.get(f"{API}?type=anr", headers=reads)).json() == {
        "issues": [],
        "next_cursor": None,
    }
    assert (await site.client.get(API, headers=await own(site, key="other"))).json()["issues"] == []
    assert code(await site.client.get(f"{API}?project=other", headers=reads)) == (404, "not_found")
    for headers, query in ((ADMIN, ""), (reads, "sort=x"), (reads, "cursor=x"), (reads, "limit=0")):
        assert code(await site.client.get(f"{API}?{query}", headers=headers)) == (422, "validation_failed")
