"""The event service over HTTP, row by row of spec/event-service.md 2 to 4."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import orjson
import pytest

from events.times import format_time
from projects.changes import parse_changes
from tests.http_service.conftest import ADMIN, CONTRACT, Site

URL = "/api/v1/events"
KEY = {"X-Project-Key": "shop"}
JSON = {"Content-Type": "application/json"}


def event(**more: Any) -> dict[str, Any]:
    """The brief's own example; a member given as ... is left out."""
    values = {
        "session_id": "e2085be5-9137-4e4e-80b5-f1ffddc25423",
        "category": "party",
        "name": "AppName",
        "data": {"host": "www.party.com", "path": "/"},
        "timestamp": "2021-09-26 09:15:27.243860",
        **more,
    }
    return {name: value for name, value in values.items() if value is not ...}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def problems(site: Site, value: dict[str, Any], headers: dict[str, str] = KEY) -> set[tuple[str, str]]:
    """(field, code) of all details of a refused single event."""
    got = await site.client.post(URL, json=value, headers=headers)
    assert code(got) == (422, "validation_failed"), got.text
    return {(each["field"], each["code"]) for each in got.json()["error"]["details"]}


async def stored(site: Site, count: int, headers: dict[str, str] = ADMIN) -> list[dict[str, Any]]:
    """All events of the project, once there are that many."""
    async with asyncio.timeout(10):
        while True:
            await site.worker.once()
            got = await site.client.get(URL, params={"project": "shop", "limit": 1000}, headers=headers)
            assert got.status_code == 200, got.text
            found: list[dict[str, Any]] = got.json()["events"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_one_event_is_taken_stored_and_read_back(site):
    got = await site.client.post(URL, json=event(), headers=KEY)
    assert got.status_code == 202
    answer = got.json()
    assert (answer["status"], answer["duplicate"]) == ("accepted", False)
    (shown,) = await stored(site, 1)
    assert {name: shown[name] for name in event()} == event()
    assert (shown["id"], shown["source"], shown["project"], shown["user_id"]) == (
        answer["id"],
        "json",
        "shop",
        None,
    )
    assert len(shown["received_at"]) == len("2021-09-26 09:15:27.243860")
    one = await site.client.get(f"{URL}/{answer['id']}?project=shop", headers=ADMIN)
    assert (one.status_code, one.json()) == (200, shown)


# -- credentials


async def test_who_may_send(site):
    shop = await site.services.projects.by_key("shop")
    write, read = await site.key(shop), await site.key(shop, "read")
    for headers, status in (
        (KEY, 202), (write, 202), (read, 403), ({}, 401), ({"X-Project-Key": "no"}, 401),
        ({"Authorization": "Bearer no", **KEY}, 401), (ADMIN, 422),
    ):  # fmt: skip
        assert (await site.client.post(URL, json=event(), headers=headers)).status_code == status, headers
    assert (await site.client.post(f"{URL}?project=shop", json=event(), headers=ADMIN)).status_code == 202
    assert (await site.client.post(f"{URL}?project=no", json=event(), headers=ADMIN)).status_code == 404


async def test_a_project_key_only_sends(site):
    for method, path in (
        ("GET", URL), ("POST", f"{URL}/query"), ("GET", f"{URL}/x"), ("GET", "/api/v1/sessions"),
        ("GET", "/api/v1/sessions/x/events"), ("GET", "/api/v1/errors"), ("GET", "/api/v1/schemas"),
        ("PUT", "/api/v1/schemas/x"), ("DELETE", "/api/v1/schemas/x"), ("GET", "/api/v1/projects"),
    ):  # fmt: skip
        assert code(await site.client.request(method, path, headers=KEY)) == (403, "forbidden")
        wrong = await site.client.request(method, path, headers={"X-Project-Key": "no"})
        assert code(wrong) == (401, "unauthorized")


async def test_credentials_come_before_the_body(site):
    for content in (b"{", b"x" * 2_000_000):
        assert code(await site.client.post(URL, content=content)) == (401, "unauthorized")


async def test_an_inactive_projects_key_is_none(site):
    await site.services.projects.update("shop", parse_changes({"active": False}))
    assert code(await site.client.post(URL, json=event(), headers=KEY)) == (401, "unauthorized")


async def test_a_trusted_network_may_be_open(make_site):
    site = await make_site(default_project="shop")
    await site.project()
    assert (await site.client.post(URL, json=event())).status_code == 401
    await site.services.projects.update("shop", parse_changes({"events": {"open": True}}))
    assert (await site.client.post(URL, json=event())).status_code == 202
    assert (await site.client.get(URL)).status_code == 200
    assert (await site.client.get("/api/v1/projects")).status_code == 401


async def test_projects_do_not_see_each_other(site):
    other = await site.project("other")
    for key in ("shop", "other"):
        got = await site.client.post(URL, json=event(id="e", name=key), headers={"X-Project-Key": key})
        assert got.json()["duplicate"] is False
    await site.work(2)
    headers = await site.key(other)
    found = (await site.client.get(URL, headers=headers)).json()["events"]
    assert [each["name"] for each in found] == ["other"]
    assert (await site.client.get(f"{URL}?project=shop", headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (event(), True),
        (event(id="x"), True),
        ([event(), event()], True),
        ({"events": [event()]}, True),
        (event(id=None), False),
        (event(more=1), False),
        (event(data=...), False),
        ([], False),
        ({"events": []}, False),
        ({"events": [event()], "more": 1}, False),
        ([event()] * 1001, False),
        (5, False),
    ],
    ids=lambda value: orjson.dumps(value).decode()[:40],
)
async def test_what_is_documented_is_what_is_taken(site, body, fits):
    operation = CONTRACT.document["paths"][URL]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    try:
        CONTRACT.validate(schema, body)
    except AssertionError:
        assert not fits
    else:
        assert fits
    assert ((await site.client.post(URL, json=body, headers=KEY)).status_code == 202) == fits


# -- numbers


async def test_numbers_are_kept_as_they_are(site):
    data = {"a": [2**64 - 1, -(2**63), 1234567890123456789], "b": 1e30, "c": 0.1, "d": -0.5}
    assert (await site.client.post(URL, json=event(data=data), headers=KEY)).status_code == 202
    (shown,) = await stored(site, 1)
    assert shown["data"] == data
    assert [type(each) for each in shown["data"]["a"]] == [int, int, int]


async def test_whole_numbers_beyond_64_bits_are_refused_not_rounded(site):
    for data, field in (
        ({"n": 2**64}, "data.n"),
        ({"n": -(2**63) - 1}, "data.n"),
        ({"ok": 1, "n": [{"m": 10**300}]}, "data.n.0.m"),
    ):
        sent = orjson.Fragment(json.dumps(event(data=data)))
        for value in (sent, [sent, event()]):
            got = await site.client.post(URL, content=orjson.dumps(value), headers=KEY | JSON)
            answer = got.json()
            error = answer["results"][0]["error"] if got.status_code == 207 else answer["error"]
            assert [(each["field"], each["code"]) for each in error["details"]] == [(field, "invalid_value")]
            assert "64 bits" in error["details"][0]["message"]
    errors = (await site.client.get("/api/v1/errors?project=shop", headers=ADMIN)).json()["errors"]
    assert len(errors) == 6
    assert errors[-1]["event"]["data"] == {"n": str(2**64)}
    everywhere = json.dumps(event(session_id=10**30, id=-(10**30), timestamp=10**30))
    got = await site.client.post(URL, content=everywhere, headers=KEY | JSON)
    assert {each["field"] for each in got.json()["error"]["details"]} == {"session_id", "id", "timestamp"}


# -- bodies


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (400, "invalid_json")),
        (b"{", (400, "invalid_json")),
        (b'{"a": 1,}', (400, "invalid_json")),
        (b"\xff", (400, "invalid_json")),
        (b'"\\ud800"', (400, "invalid_json")),
        (b"5", (400, "invalid_body")),
        (b'"x"', (400, "invalid_body")),
        (b"null", (400, "invalid_body")),
        (b'{"events": {}}', (400, "invalid_body")),
        (b'{"events": null}', (400, "invalid_body")),
        (b"[]", (422, "empty_batch")),
        (b'{"events": []}', (422, "empty_batch")),
        (b"[" + b"1," * 1000 + b"1]", (413, "payload_too_large")),
        (b'["' + b"x" * 1_048_576 + b'"]', (413, "payload_too_large")),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_bodies_that_are_no_events(site, content, expected):
    assert code(await site.client.post(URL, content=content, headers=KEY | JSON)) == expected


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", None])
async def test_other_content_types_are_415(site, kind):
    headers = KEY | ({"Content-Type": kind} if kind is not None else {})
    got = await site.client.post(URL, content=b"{", headers=headers)
    assert code(got) == (415, "unsupported_media_type")


async def test_json_may_name_its_charset(site):
    headers = KEY | {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await site.client.post(URL, content=orjson.dumps(event()), headers=headers)).status_code == 202


async def test_a_full_queue_is_503_with_retry_after(make_site):
    site = await make_site(journal_inflight_bytes=300)
    await site.project()
    got = await site.client.post(URL, json=event(data={"x": "y" * 500}), headers=KEY)
    assert code(got) == (503, "overloaded")
    assert int(got.headers["retry-after"]) > 0


async def test_a_thousand_events_at_once(site):
    got = await site.client.post(URL, json=[event(name=str(n)) for n in range(1000)], headers=KEY)
    assert (got.status_code, got.json()["accepted"], got.json()["rejected"]) == (202, 1000, 0)
    assert [each["name"] for each in await stored(site, 1000)] == [str(n) for n in range(1000)]


async def test_several_are_judged_alone(site):
    bad = event(timestamp="2021-02-30 00:00:00")
    for body, status, accepted in (
        ([event(), event()], 202, 2),
        ({"events": [event(), bad, 5]}, 207, 1),
        ([bad], 422, 0),
    ):
        got = await site.client.post(URL, json=body, headers=KEY)
        values = body["events"] if isinstance(body, dict) else body
        answer = got.json()
        assert (got.status_code, answer["accepted"], answer["rejected"]) == (
            status,
            accepted,
            len(values) - accepted,
        )
        assert [each["index"] for each in answer["results"]] == list(range(len(values)))
        for value, result in zip(values, answer["results"], strict=True):
            assert result["status"] == ("accepted" if value == event() else "rejected")
            if value is bad:
                assert result["error"]["details"][0]["code"] == "invalid_timestamp"
            if value == 5:
                assert result["error"]["details"] == [
                    {"field": "", "code": "invalid_type", "message": "an event is an object"}
                ]


# -- the event


@pytest.mark.parametrize("name", ["session_id", "category", "name"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (..., "missing_field"),
        (None, "invalid_type"),
        (5, "invalid_type"),
        ({}, "invalid_type"),
        ("", "invalid_value"),
        (" \t\u3000", "invalid_value"),
        ("x" * 129, "invalid_value"),
        ("a\0", "invalid_value"),
    ],
    ids=repr,
)
async def test_texts(site, name, value, problem):
    assert await problems(site, event(**{name: value})) == {(name, problem)}


@pytest.mark.parametrize(
    ("value", "problem"),
    [(None, "invalid_type"), (5, "invalid_type"), (" ", "invalid_value"), ("x" * 129, "invalid_value")],
)
async def test_ids(site, value, problem):
    assert await problems(site, event(id=value)) == {("id", problem)}


async def test_the_longest_texts(site):
    longest = event(session_id="\U0001f600" * 128, category="ü" * 128, name="x" * 128, id="y" * 128)
    assert (await site.client.post(URL, json=longest, headers=KEY)).status_code == 202
    (shown,) = await stored(site, 1)
    assert {name: shown[name] for name in longest} == longest


@pytest.mark.parametrize(
    ("value", "field", "problem"),
    [
        (..., "data", "missing_field"),
        (None, "data", "invalid_type"),
        ([], "data", "invalid_type"),
        ("{}", "data", "invalid_type"),
        ({"a": [{"b": "\0"}]}, "data.a.0.b", "invalid_value"),
        ({"a\0": 1}, "data.a\ufffd", "invalid_value"),
    ],
    ids=repr,
)
async def test_data(site, value, field, problem):
    assert (field, problem) in await problems(site, event(data=value))


async def test_data_comes_back_as_it_was(site):
    data = {
        "": 1, "a.b": [1, 2.5, -0.0, 1e300, 5e-324, 2**63, -(2**63)], "n": None, "t": [True, False],
        "s": "\u00fc\U0001f600\u2028\x01\"\\", "deep": {"a": [{"b": {}}]},
    }  # fmt: skip
    assert (await site.client.post(URL, json=event(data=data), headers=KEY)).status_code == 202
    assert (await site.client.post(URL, json=event(data={}), headers=KEY)).status_code == 202
    assert [each["data"] for each in await stored(site, 2)] == [data, {}]


@pytest.mark.parametrize("depth", [200, 252, 900])
async def test_data_without_end_is_refused(site, depth):
    """Deeper than is kept, than can be written inside an answer, than can be written at all."""
    deep = b"[" * depth + b"]" * depth
    body = orjson.dumps(event(data={"a": "deep"})).replace(b'"deep"', deep)
    got = await site.client.post(URL, content=body, headers=KEY | JSON)
    assert code(got) == (422, "validation_failed")
    (problem,) = got.json()["error"]["details"]
    assert (problem["field"][:7], problem["code"]) == ("data.a.", "invalid_value")
    got = await site.client.post(
        URL, content=b"[" + orjson.dumps(event()) + b"," + deep + b"]", headers=KEY | JSON
    )
    assert (got.status_code, got.json()["accepted"]) == (207, 1)
    listed = (await site.client.get("/api/v1/errors?project=shop", headers=ADMIN)).json()["errors"]
    assert [each["code"] for each in listed] == ["validation_failed"] * 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2021-09-26 09:15:27", "2021-09-26 09:15:27.000000"),
        ("2021-09-26T09:15:27", "2021-09-26 09:15:27.000000"),
        ("2021-09-26 09:15:27.5", "2021-09-26 09:15:27.500000"),
        ("2021-09-26 09:15:27.243860", "2021-09-26 09:15:27.243860"),
        ("2021-09-26T09:15:27.000001Z", "2021-09-26 09:15:27.000001"),
        ("2021-09-26 09:15:27+02:00", "2021-09-26 07:15:27.000000"),
        ("2021-12-31 23:30:00-01:30", "2022-01-01 01:00:00.000000"),
        ("2024-02-29 00:00:00", "2024-02-29 00:00:00.000000"),
        ("0001-01-01 00:00:00", "0001-01-01 00:00:00.000000"),
        ("1969-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999"),
    ],
)
async def test_times(site, text, shown):
    assert (await site.client.post(URL, json=event(timestamp=text), headers=KEY)).status_code == 202
    assert [each["timestamp"] for each in await stored(site, 1)] == [shown]


@pytest.mark.parametrize(
    "value",
    [
        None, 5, 1632647727.2, {}, "", "2021-09-26", "2021-02-30 00:00:00", "2021-02-29 00:00:00",
        "2021-09-26 25:00:00", "2021-09-26 24:00:00", "2021-09-26 09:60:00", "2021-09-26 09:15:60",
        "2021-13-01 00:00:00", "2021-00-01 00:00:00", "0000-01-01 00:00:00", "21-09-26 09:15:27",
        "2021-9-26 09:15:27", "2021-09-26  09:15:27", "2021-09-26 09:15:27.", "2021-09-26 09:15:27.1234567",
        "2021-09-26 09:15:27 Z", "2021-09-26t09:15:27", "2021-09-26 09:15:27z", "2021-09-26 09:15:27+0200",
        "2021-09-26 09:15:27+24:00", "2021-09-26 09:15:27+02:60", " 2021-09-26 09:15:27",
        "2021-09-26 09:15:27\n", "٢٠٢١-09-26 09:15:27", "0001-01-01 00:00:00+00:01", "9999-12-31 23:59:59-00:01",
        "26.09.2021 09:15:27", "now",
    ],
    ids=repr,
)  # fmt: skip
async def test_times_that_are_none(site, value):
    assert await problems(site, event(timestamp=value)) == {("timestamp", "invalid_timestamp")}


async def test_a_missing_time_is_missing(site):
    assert await problems(site, event(timestamp=...)) == {("timestamp", "missing_field")}


async def test_the_future_begins_after_some_tolerance(site):
    def at(offset_s: int) -> dict[str, Any]:
        return event(timestamp=format_time((site.clock() + offset_s * 1000) * 1000))

    assert (await site.client.post(URL, json=at(290), headers=KEY)).status_code == 202
    assert await problems(site, at(310)) == {("timestamp", "future_timestamp")}
    await site.services.projects.update("shop", parse_changes({"events": {"future_tolerance_s": 10}}))
    assert await problems(site, at(20)) == {("timestamp", "future_timestamp")}


async def test_all_problems_come_at_once(site):
    bad = {"session_id": 1, "name": "", "timestamp": "x", "data": [], "colour": 1, "id": None, "Name": 2}
    assert await problems(site, bad) == {
        ("session_id", "invalid_type"), ("category", "missing_field"), ("name", "invalid_value"),
        ("timestamp", "invalid_timestamp"), ("data", "invalid_type"), ("colour", "unexpected_field"),
        ("Name", "unexpected_field"), ("id", "invalid_type"),
    }  # fmt: skip


async def test_of_very_many_problems_each_event_tells_its_first(site):
    got = await site.client.post(
        URL, json=[event(**{f"x{n}": 1 for n in range(600)}) for _ in range(20)], headers=KEY
    )
    told = [len(each["error"]["details"]) for each in got.json()["results"]]
    assert told == [600] * 17 + [1] * 3
    got = await site.client.post(URL, json=event(data={"k" * 100_000: ["\0"] * 2_000}), headers=KEY)
    fields = [each["field"] for each in got.json()["error"]["details"]]
    assert (len(fields), {len(field) for field in fields}) == (1_000, {300})


# -- the same id again


async def test_the_same_again_is_a_duplicate(site):
    sent = event(id="e1")
    same = event(
        id="e1", timestamp="2021-09-26T11:15:27.24386+02:00", data={"path": "/", "host": "www.party.com"}
    )
    answers = [(await site.client.post(URL, json=each, headers=KEY)).json() for each in (sent, sent, same)]
    assert answers == [{"status": "accepted", "id": "e1", "duplicate": n > 0} for n in range(3)]
    await stored(site, 1)
    again = await site.client.post(URL, json=[sent], headers=KEY)
    assert again.json()["results"] == [{"index": 0, "status": "accepted", "id": "e1", "duplicate": True}]
    assert len(await stored(site, 1)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"session_id": "s"},
        {"category": "c"},
        {"name": "n"},
        {"data": {}},
        {"timestamp": "2021-09-26 09:15:27"},
    ],
    ids=repr,
)
async def test_another_event_under_the_same_id_conflicts(site, change):
    assert (await site.client.post(URL, json=event(id="e1"), headers=KEY)).status_code == 202
    for _ in range(2):
        assert code(await site.client.post(URL, json=event(id="e1", **change), headers=KEY)) == (
            409,
            "id_conflict",
        )
        assert [each["name"] for each in await stored(site, 1)] == ["AppName"]


async def test_ids_within_one_request(site):
    batch = [
        event(id="e1"),
        event(id="e1"),
        event(id="e1", name="Other"),
        event(id="e2", name=5),
        event(id="e2"),
    ]
    got = await site.client.post(URL, json=batch, headers=KEY)
    assert got.status_code == 207
    told = [each.get("duplicate", each.get("error", {}).get("code")) for each in got.json()["results"]]
    assert told == [False, True, "id_conflict", "validation_failed", False]
    # the stored one is found among those that differ from each other
    got = await site.client.post(URL, json=[event(id="e1", name="Other"), event(id="e1")], headers=KEY)
    told = [each.get("duplicate", each.get("error", {}).get("code")) for each in got.json()["results"]]
    assert told == ["id_conflict", True]
    assert len(await stored(site, 2)) == 2


async def test_a_batch_of_which_all_conflict_is_422(site):
    await site.client.post(URL, json=event(id="e1"), headers=KEY)
    got = await site.client.post(URL, json=[event(id="e1", name="x")], headers=KEY)
    assert got.status_code == 422


async def test_without_an_id_equal_events_are_separate(site):
    ids = {(await site.client.post(URL, json=event(), headers=KEY)).json()["id"] for _ in range(3)}
    assert len(ids) == 3
    assert {each["id"] for each in await stored(site, 3)} == ids


async def test_an_id_that_we_made_up_can_be_sent_again(site):
    made = (await site.client.post(URL, json=event(), headers=KEY)).json()["id"]
    early = await site.client.post(URL, json=event(id=made), headers=KEY)
    assert early.status_code == 503 and early.headers["retry-after"] == "1"
    await stored(site, 1)
    assert (await site.client.post(URL, json=event(id=made), headers=KEY)).json()["duplicate"] is True
    assert code(await site.client.post(URL, json=event(id=made, name="x"), headers=KEY)) == (
        409,
        "id_conflict",
    )
    assert len(await stored(site, 1)) == 1


async def test_a_claim_whose_process_died_is_taken_up_by_the_resend(site):
    """Claimed, never appended: the resend is not told that the event is there, and makes it so."""
    await site.client.post(URL, json=event(id="e1"), headers=KEY)
    db = site.services.db
    await db.execute("UPDATE event_ids SET event_id = 'e2', accepted = false")
    got = await site.client.post(URL, json=event(id="e2"), headers=KEY)
    assert got.json()["duplicate"] is False
    assert (await site.client.post(URL, json=event(id="e2"), headers=KEY)).json()["duplicate"] is True
    assert {each["id"] for each in await stored(site, 2)} == {"e1", "e2"}


# -- reading one


async def test_an_event_is_pending_until_stored(site):
    made = (await site.client.post(URL, json=event(), headers=KEY)).json()["id"]
    await site.client.post(URL, json=event(id="a/b c"), headers=KEY)
    for wanted, path in ((made, made), ("a/b c", "a%2Fb%20c")):
        got = await site.client.get(f"{URL}/{path}?project=shop", headers=ADMIN)
        assert (got.status_code, got.json()) == (202, {"status": "pending", "id": wanted})
    await stored(site, 2)
    for path in (made, "a%2Fb%20c"):
        assert (await site.client.get(f"{URL}/{path}?project=shop", headers=ADMIN)).status_code == 200
    for path in ("nothing", "x" * 32, "0" * 32 + ".s", "a%00b", "x" * 3000):
        got = await site.client.get(f"{URL}/{path}?project=shop", headers=ADMIN)
        assert code(got) == (404, "not_found")


async def test_health_needs_no_credential(site):
    got = await site.client.get("/api/health")
    assert (got.status_code, got.json()) == (200, {"up": True})
