"""`/start` and conditions: every row of the tables of spec 1.2 to 1.4."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from projects.encoded_ids import encode
from sessions.ids import started_ms
from tests.http_service.conftest import ADMIN, Site, bearer

IOS = {"projectKey": "shop", "trackerVersion": "1.0.14", "userUUID": str(uuid.uuid4()).upper()}


def code(answer: Any) -> tuple[int, str]:
    """Status and error code of a refusal in the one shape."""
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"} and set(error) == {"code", "message", "details"}
    return answer.status_code, error["code"]


async def post(site: Site, body: Any, path: str = "/v1/mobile/start", **more: Any) -> Any:
    return await site.client.post(path, json=body, **more)


@pytest.mark.parametrize(
    "path", ["/v1/mobile/start", "/ingest/v1/mobile/start", "/v1/ios/start", "/ingest/v1/ios/start"]
)
async def test_the_answer_has_every_member(site, path):
    answer = await post(site, IOS, path)
    assert answer.status_code == 200
    found = answer.json()
    project = await site.services.projects.by_key("shop")
    claims = site.services.tokens.verify(found["token"])
    assert found == {
        "token": found["token"],
        "imagesHashList": [],
        "userUUID": IOS["userUUID"],
        "beaconSizeLimit": site.services.settings.max_batch_bytes,
        "sessionID": str(claims.session_id),
        "quality": "standard",
        "fps": 1,
        "projectID": str(project.project_id),
        "framesSupport": True,
    }
    assert abs(started_ms(claims.session_id) - site.clock()) < 10_000
    assert (claims.project_id, claims.platform, claims.record) == (project.project_id, "ios", True)
    assert claims.expires_ms - claims.issued_ms in range(7_200_000, 7_202_000)
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_start_record_is_in_the_journal_before_the_answer(site):
    body = IOS | {"userDevice": "iPhone15,2", "performances": {"a": 1}, "width": 393.5}
    found = (await post(site, body)).json()
    (record,) = await site.records(1)
    assert (record.kind, str(record.session_id)) == ("start", found["sessionID"])
    assert record.meta["device_name"] == "iPhone 14 Pro"
    assert record.meta["user_uuid"] == IOS["userUUID"]
    assert record.meta["info"] == {"performances": {"a": 1}}
    assert b"iPhone15,2" in record.body


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"1", b'{"projectKey": 5}', b'{"projectKey":"shop","width":[]}']
)
async def test_400_for_what_is_no_start(site, content):
    answer = await site.client.post("/v1/mobile/start", content=content)
    assert code(answer)[0] == 400


@pytest.mark.parametrize("body", [{}, {"projectKey": None}, {"projectID": 7286977268806823}])
async def test_403_without_a_project_key(site, body):
    assert code(await post(site, body)) == (403, "missing_project_key")


@pytest.mark.parametrize("key", ["", "other", "SHOP", "a b", "\0", "x" * 500])
async def test_404_for_an_unknown_project(site, key):
    assert code(await post(site, IOS | {"projectKey": key})) == (404, "not_found")


async def test_404_for_an_inactive_project(site):
    await site.client.patch("/api/v1/projects/shop", json={"active": False}, headers=ADMIN)
    assert code(await post(site, IOS)) == (404, "not_found")


@pytest.mark.parametrize("version", ["1.0.8", "", None, "old", "1.0.8-2.0.0"])
async def test_426_for_an_old_tracker(site, version):
    assert code(await post(site, IOS | {"trackerVersion": version})) == (426, "upgrade_required")


async def test_trackers_of_2023_count_versions_otherwise(site):
    assert (await post(site, IOS | {"trackerVersion": "1.0.0"}, "/v1/ios/start")).status_code == 200


async def test_the_checks_come_in_the_order_of_the_spec(site):
    assert code(await post(site, {"trackerVersion": "0.1"}))[0] == 403
    assert code(await post(site, {"projectKey": "other", "trackerVersion": "0.1"}))[0] == 404
    silent = {"User-Agent": ""}
    assert code(await post(site, IOS | {"trackerVersion": "0.1"}, headers=silent))[0] == 426
    assert code(await post(site, IOS, headers=silent)) == (403, "agent_refused")
    await site.client.patch("/api/v1/projects/shop", json={"sample_rate": 0}, headers=ADMIN)
    assert code(await post(site, IOS, headers=silent)) == (403, "sampled_out")


async def test_sampling_gives_one_phone_one_answer(site):
    await site.client.patch("/api/v1/projects/shop", json={"sample_rate": 50}, headers=ADMIN)
    users = [str(uuid.uuid4()) for _ in range(60)]
    first = [(await post(site, IOS | {"userUUID": user})).status_code for user in users]
    again = [(await post(site, IOS | {"userUUID": user})).status_code for user in users]
    assert first == again
    assert set(first) == {200, 403}
    assert 12 < first.count(200) < 48


async def test_a_condition_has_a_rate_of_its_own(site):
    wanted = {"sample_rate": 0, "conditions": [{"name": "checkout", "capture_rate": 100}]}
    await site.client.patch("/api/v1/projects/shop", json=wanted, headers=ADMIN)
    assert code(await post(site, IOS)) == (403, "sampled_out")
    assert (await post(site, IOS | {"condition": "checkout"})).status_code == 200
    assert code(await post(site, IOS | {"condition": "none"})) == (403, "sampled_out")


@pytest.mark.parametrize("agent", ["", "Mozilla/5.0 (compatible; Googlebot/2.1)"])
async def test_403_for_crawlers(site, agent):
    assert code(await post(site, IOS, headers={"User-Agent": agent})) == (403, "agent_refused")


async def test_a_good_token_in_the_body_continues_its_session(site):
    first = (await post(site, IOS)).json()
    await site.client.patch("/api/v1/projects/shop", json={"sample_rate": 0}, headers=ADMIN)
    again = (await post(site, IOS | {"token": first["token"]})).json()
    assert (again["sessionID"], again["token"]) == (first["sessionID"], first["token"])
    assert [record.kind for record in await site.records(1)] == ["start"]


async def test_a_token_of_another_project_timed_out_or_forged_starts_anew(site):
    await site.project("other")
    first = (await post(site, IOS)).json()
    assert (await post(site, IOS | {"projectKey": "other", "token": first["token"]})).json()[
        "sessionID"
    ] != first["sessionID"]
    assert (await post(site, IOS | {"token": first["token"] + "x"})).json()["sessionID"] != first["sessionID"]
    site.clock.ahead_ms += 7_300_000
    assert (await post(site, IOS | {"token": first["token"]})).json()["sessionID"] != first["sessionID"]


async def test_do_not_record_gives_a_token_and_leaves_no_trace(site):
    found = (await post(site, IOS | {"doNotRecord": True})).json()
    assert not site.services.tokens.verify(found["token"]).record
    await post(site, IOS)
    assert len(await site.records(1)) == 1


async def test_a_user_that_is_no_uuid_gets_one(site):
    made = (await post(site, IOS | {"userUUID": "me"})).json()["userUUID"]
    assert uuid.UUID(made)


async def test_503_when_the_journal_keeps_nothing(make_site):
    site = await make_site(journal_inflight_bytes=2000)
    await site.project()
    answer = await post(site, IOS | {"extra": "x" * 5000})
    assert code(answer) == (503, "overloaded")
    assert answer.headers["retry-after"] == "5"


async def test_413_only_above_the_setting(make_site):
    site = await make_site(max_json_bytes=5000)
    await site.project()
    assert (await post(site, IOS | {"x": "y" * 4000})).status_code == 200
    assert code(await post(site, IOS | {"x": "y" * 6000})) == (413, "payload_too_large")


async def test_the_readme_generation_names_its_project_by_an_encoded_number(site):
    project = await site.services.projects.by_key("shop")
    body = {"trackerVersion": "1.0.0", "userDeviceType": 0}
    for value in (
        encode(project.project_id),
        str(encode(project.project_id)),
        float(encode(project.project_id)),
    ):
        found = (await post(site, body | {"projectID": value}, "/v1/ios/start")).json()
        assert found["projectID"] == str(project.project_id)
    assert code(await post(site, body | {"projectID": 5}, "/v1/ios/start")) == (422, "unprocessable")
    assert code(await post(site, body | {"projectID": "x"}, "/v1/ios/start")) == (422, "unprocessable")
    assert code(await post(site, body, "/v1/ios/start")) == (403, "missing_project_key")
    unknown = body | {"projectID": encode(4_000_000_000)}
    assert code(await post(site, unknown, "/v1/ios/start")) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/mobile/start", "/ingest/v1/ios/start"])
async def test_options_and_other_methods(site, path):
    answer = await site.client.options(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "max-age=86400")
    assert "POST" in answer.headers["access-control-allow-methods"]
    answer = await site.client.get(path)
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"


CONDITIONS = [
    {
        "name": "buy",
        "capture_rate": 50,
        "filters": [{"type": "viewComponent", "operator": "is", "value": ["Buy"]}],
    }
]


async def test_conditions_come_in_the_shape_that_both_sdks_read(site):
    token = (await post(site, IOS)).json()["token"]
    project = await site.services.projects.by_key("shop")
    path = f"/v1/mobile/conditions/{project.project_id}"
    assert (await site.client.get(path, headers=bearer(token))).json() == {"conditions": []}
    await site.client.patch("/api/v1/projects/shop", json={"conditions": CONDITIONS}, headers=ADMIN)
    site.clock.ahead_ms += 10 * 86_400_000  # a timed-out token will do
    found = (await site.client.get("/ingest" + path, headers=bearer(token))).json()["conditions"]
    assert found == [
        {
            "conditionId": 1,
            "name": "buy",
            "captureRate": 50,
            "filters": [
                {"type": "viewComponent", "name": "viewComponent", "operator": "is", "value": ["Buy"]}
            ],
        }
    ]


async def test_conditions_are_shown_to_the_project_itself_only(site):
    other = await site.project("other")
    token = (await post(site, IOS)).json()["token"]
    own = bearer(token)
    assert code(await site.client.get(f"/v1/mobile/conditions/{other.project_id}", headers=own)) == (
        404,
        "not_found",
    )
    assert code(await site.client.get("/v1/mobile/conditions/999999", headers=own)) == (404, "not_found")
    assert code(await site.client.get("/v1/mobile/conditions/one", headers=own)) == (
        400,
        "invalid_project_id",
    )
    assert code(await site.client.get("/v1/mobile/conditions/1")) == (401, "unauthorized")
    assert code(await site.client.get("/v1/mobile/conditions/1", headers=ADMIN)) == (401, "unauthorized")


async def test_the_client_address_is_taken_from_trusted_proxies_only(make_site):
    site = await make_site(trusted_proxies="203.0.113.0/24, 10.0.0.0/8")
    from starlette.requests import Request

    from http_service.app import build_context

    context = build_context(site.services)

    def seen(peer: str, forwarded: str) -> str:
        scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
        return context.client_address(Request(scope))

    assert seen("203.0.113.9", "198.51.100.1, 10.1.1.1") == "198.51.100.1"
    assert seen("203.0.113.9", "6.6.6.6, 198.51.100.1") == "198.51.100.1"
    assert seen("192.0.2.1", "198.51.100.1") == "192.0.2.1"
    assert seen("203.0.113.9", "") == "203.0.113.9"
    assert seen("203.0.113.9", "rubbish") == "rubbish"
    assert seen("203.0.113.9", "198.51.100.1:4711") == "198.51.100.1"
    assert seen("203.0.113.9", "[2001:db8::1]:4711") == seen("203.0.113.9", "2001:db8::1") == "2001:db8::1"
