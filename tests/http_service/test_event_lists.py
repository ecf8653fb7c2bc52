"""Reading events, sessions and refusals (spec/event-service.md 5), and the further filters of the interface."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from events import refusal_list
from events.incoming import KIND, IncomingEvent, pack
from http_service.erasing import erase_user, remains_of_users
from messages import encode, encode_batch
from messages.schema import MobileClickEvent
from projects.user_keys import user_key
from storage.segment_file import Record
from tests.http_service.conftest import ADMIN, Site, bearer
from tests.http_service.test_events_api import KEY, URL, code, event, stored

SESSIONS = "/api/v1/sessions"
ERRORS = "/api/v1/errors"
NESTED = json.loads("[" * 400 + "]" * 400)


def at(second: int, fraction: str = "") -> str:
    return f"2021-09-26 09:00:{second:02}{fraction}"


@pytest.fixture
async def reader(site: Site) -> AsyncIterator[Any]:
    """Asks with an API key for reading; checks the status."""
    headers = await site.key(await site.services.projects.by_key("shop"), "read")

    async def ask(
        path: str, body: Any = None, *, method: str = "GET", status: int = 200, **params: Any
    ) -> Any:
        got = await site.client.request(method, path, params=params or None, json=body, headers=headers)
        assert got.status_code == status, got.text
        return got.json()

    yield ask


async def send(site: Site, *events: dict[str, Any]) -> None:
    got = await site.client.post(URL, json=list(events), headers=KEY)
    assert got.status_code == 202, got.text


def names(answer: dict[str, Any]) -> list[str]:
    assert answer.get("count", len(answer["events"])) == len(answer["events"])
    return [each["name"] for each in answer["events"]]


async def test_order_is_of_occurrence_then_of_arrival(site, reader):
    await send(
        site,
        event(name="c", timestamp=at(3)),
        event(name="b1", timestamp=at(2)),
        event(name="b2", timestamp=at(2)),
    )
    await send(site, event(name="a", timestamp=at(1)), event(name="b3", timestamp=at(2)))
    await stored(site, 5)
    assert names(await reader(URL)) == ["a", "b1", "b2", "b3", "c"]
    assert names(await reader(URL, order="desc")) == ["c", "b3", "b2", "b1", "a"]
    assert names(await reader(URL, order="asc", limit=2)) == ["a", "b1"]


@pytest.fixture
async def mixed(site: Site) -> None:
    await send(
        site,
        event(name="a", session_id="s1", category="view", timestamp=at(1), data={"n": 1, "in": {"x": "1"}}),
        event(
            name="b",
            session_id="s1",
            category="click",
            timestamp=at(2),
            data={"n": 2, "list": [5, {"k": True}]},
        ),
        event(name="c", session_id="s2", category="view", timestamp=at(3), data={"n": None, "s": "1"}),
        event(name="d", session_id="a/b %ü", category="View", timestamp=at(4), data={"n": 1.5}),
    )
    await stored(site, 4)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "abcd"),
        ({"session_id": "s1"}, "ab"),
        ({"category": "view"}, "ac"),
        ({"name": "d"}, "d"),
        ({"session_id": "s1", "category": "view"}, "a"),
        ({"session_id": "none"}, ""),
        ({"source": "json"}, "abcd"),
        ({"source": "mobile"}, ""),
        ({"user_id": "u"}, ""),
        ({"start": at(2)}, "bcd"),
        ({"end": at(2)}, "ab"),
        ({"start": at(2), "end": at(3)}, "bc"),
        ({"start": at(2), "end": at(2)}, "b"),
        ({"start": at(2, ".000001")}, "cd"),
        ({"end": at(1, ".999999")}, "a"),
        ({"start": "2021-09-26T11:00:02+02:00"}, "bcd"),
        ({"start": "2999-01-01 00:00:00"}, ""),
        ({"data.n": "1"}, "a"),
        ({"data.n": "1.5"}, "d"),
        ({"data.in.x": "1"}, "a"),
        ({"data.list.1.k": "true"}, "b"),
        ({"data.n": "null"}, ""),
        ({"data.n": "1", "data.in.x": "2"}, ""),
        ({"limit": 2}, "ab"),
    ],
    ids=repr,
)  # fmt: skip
async def test_filters_alike_in_query_body_and_post(site, reader, mixed, filters, found):
    for answer in (
        await reader(URL, **filters),
        await reader(URL, filters),
        await reader(f"{URL}/query", filters, method="POST"),
    ):
        assert "".join(names(answer)) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"source": "json"}, "ab"),
        ({"source": "mobile"}, ""),
        ({"user_id": "u"}, ""),
        ({"data.n": "1"}, "a"),
        ({"data.list.1.k": "true", "category": "view"}, ""),
    ],
    ids=repr,
)
async def test_the_further_filters_hold_for_one_session_too(site, reader, mixed, filters, found):
    for answer in (
        await reader(f"{SESSIONS}/s1/events", **filters),
        await reader(f"{SESSIONS}/s1/events", filters),
    ):
        assert "".join(names(answer)) == found


async def test_the_body_of_a_get_wins(site, reader, mixed):
    assert names(await reader(URL, {"start": at(3)}, start=at(1), end=at(3))) == ["c"]
    assert names(await reader(URL, {"limit": 1, "cursor": None, "data.n": 1})) == ["a"]
    assert names(await reader(URL, {"limit": None}, limit=1)) == ["a"]
    assert names(await reader(URL, {"data.list.1.k": True})) == ["b"]


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ({"colour": "x"}, ("colour", "unexpected_field")),
        ({"data": "x"}, ("data", "unexpected_field")),
        ({"start": "x"}, ("start", "invalid_timestamp")),
        ({"end": "2021-02-30 00:00:00"}, ("end", "invalid_timestamp")),
        ({"start": at(2), "end": at(1)}, ("start", "invalid_range")),
        ({"order": "up"}, ("order", "invalid_value")),
        ({"limit": "0"}, ("limit", "invalid_value")),
        ({"limit": "1001"}, ("limit", "invalid_value")),
        ({"limit": "x"}, ("limit", "invalid_value")),
        ({"limit": "-1"}, ("limit", "invalid_value")),
        ({"cursor": "x"}, ("cursor", "invalid_value")),
        ({"cursor": "WyJkZXNjIiwxLDEsIjAwIl0"}, ("cursor", "invalid_value")),
        ({"session_id": ""}, ("session_id", "invalid_value")),
        ({"category": "x" * 1001}, ("category", "invalid_value")),
        ({"data.": "x"}, ("data.", "invalid_value")),
        ({"data.a..b": "x"}, ("data.a..b", "invalid_value")),
        ({f"data.{'a.' * 16}b": "x"}, (f"data.{'a.' * 16}b", "invalid_value")),
        ({f"data.a{n}": "x" for n in range(11)}, ("data.a10", "invalid_value")),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_parameters_that_break_a_rule(site, reader, filters, problem):
    for answer in (
        await reader(URL, status=422, **filters),
        await reader(f"{URL}/query", filters, method="POST", status=422),
    ):
        assert [(each["field"], each["code"]) for each in answer["error"]["details"]] == [problem]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"session_id": 5}, ("session_id", "invalid_type")),
        ({"start": 5}, ("start", "invalid_timestamp")),
        ({"limit": 1.5}, ("limit", "invalid_value")),
        ({"limit": True}, ("limit", "invalid_value")),
        ({"cursor": 5}, ("cursor", "invalid_value")),
        ({"order": ["asc"]}, ("order", "invalid_value")),
        ({"data.a": {}}, ("data.a", "invalid_type")),
        ({"data.a": NESTED}, ("data.a", "invalid_type")),
        ({"name": "\0"}, ("name", "invalid_value")),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_members_of_the_body_that_break_a_rule(site, reader, body, problem):
    answer = await reader(URL, body, status=422)
    assert [(each["field"], each["code"]) for each in answer["error"]["details"]] == [problem]


async def test_all_problems_of_parameters_come_at_once(site, reader):
    answer = await reader(URL, start="x", order="y", limit="z", colour="c", status=422)
    assert {each["field"] for each in answer["error"]["details"]} == {"start", "order", "limit", "colour"}


@pytest.mark.parametrize(
    ("content", "expected"), [(b"{", "invalid_json"), (b"[]", "invalid_body"), (b"5", "invalid_body")]
)
async def test_bodies_that_are_no_parameters(site, content, expected):
    for method, path in (("GET", URL), ("GET", SESSIONS), ("POST", f"{URL}/query")):
        got = await site.client.request(
            method, path, content=content, headers=ADMIN | {"Content-Type": "application/json"}
        )
        assert code(got) == (400, expected)
    assert code(await site.client.post(f"{URL}/query", content=b"", headers=ADMIN)) == (400, "invalid_json")


async def test_the_admin_names_a_project(site):
    for path in (URL, SESSIONS, ERRORS, "/api/v1/schemas"):
        got = await site.client.get(path, headers=ADMIN)
        assert code(got) == (422, "validation_failed")
        assert got.json()["error"]["details"][0]["field"] == "project"
        assert (await site.client.get(path, params={"project": "shop"}, headers=ADMIN)).status_code == 200
        assert (await site.client.get(path, params={"project": "no"}, headers=ADMIN)).status_code == 404
    got = await site.client.post(f"{URL}/query", json={"project": "shop"}, headers=ADMIN)
    assert got.status_code == 200


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_cursors_yield_all_once_while_events_arrive(site, reader, order):
    await send(site, *(event(name=f"old{n}", timestamp=at(n // 4)) for n in range(40)))
    await stored(site, 40)
    found: list[str] = []
    cursor = None
    for turn in range(100):
        answer = await reader(URL, limit=7, order=order, **({"cursor": cursor} if cursor else {}))
        found += names(answer)
        await send(site, *(event(name=f"new{turn}.{n}", timestamp=at(n)) for n in range(11)))
        await stored(site, 40 + (turn + 1) * 11)
        cursor = answer["next_cursor"]
        if cursor is None or turn > 30:
            break
    old = [name for name in found if name.startswith("old")]
    assert len(found) == len(set(found))
    expected = [f"old{n}" for n in range(40)]
    assert old == (expected if order == "asc" else expected[::-1])


async def test_a_cursor_of_the_other_order_is_refused(site, reader, mixed):
    cursor = (await reader(URL, limit=1))["next_cursor"]
    await reader(URL, limit=1, cursor=cursor, order="desc", status=422)
    await reader(SESSIONS, limit=1, cursor=cursor, status=422)
    await reader(ERRORS, limit=1, cursor=cursor, status=422)


async def test_the_last_page_has_no_cursor(site, reader, mixed):
    assert (await reader(URL, limit=4))["next_cursor"] is None
    first = await reader(URL, limit=3)
    last = await reader(URL, limit=3, cursor=first["next_cursor"])
    assert (names(last), last["next_cursor"]) == (["d"], None)


# -- sessions


async def test_sessions_count_all_of_theirs(site, reader, mixed):
    await send(site, event(name="e", session_id="s2", timestamp=at(0)))
    await stored(site, 5)
    answer = await reader(SESSIONS)
    assert answer["sessions"] == [
        {"session_id": "s2", "event_count": 2, "first_timestamp": at(0, ".000000"), "last_timestamp": at(3, ".000000")},
        {"session_id": "s1", "event_count": 2, "first_timestamp": at(1, ".000000"), "last_timestamp": at(2, ".000000")},
        {"session_id": "a/b %ü", "event_count": 1, "first_timestamp": at(4, ".000000"),
         "last_timestamp": at(4, ".000000")},
    ]  # fmt: skip
    for filters, found in (
        ({"category": "view"}, ["s2", "s1"]),
        ({"start": at(3)}, ["s2", "a/b %ü"]),
        ({"end": at(1)}, ["s2", "s1"]),
        ({"category": "view", "start": at(2)}, ["s2"]),
    ):
        sessions = (await reader(SESSIONS, **filters))["sessions"]
        assert [each["session_id"] for each in sessions] == found
        assert all(each["event_count"] == 2 for each in sessions if each["session_id"] != "a/b %ü")


async def test_sessions_by_pages(site, reader):
    await send(site, *(event(session_id=f"s{n}", timestamp=at(n // 3)) for n in range(10)))
    await stored(site, 10)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await reader(SESSIONS, limit=3, **cursor)
        found += [each["session_id"] for each in answer["sessions"]]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert found == [f"s{n}" for n in range(10)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"source": "json"}, ["s1", "s2", "a/b %ü"]),
        ({"source": "mobile"}, []),
        ({"user_id": "u"}, []),
        ({"data.n": "1"}, ["s1"]),
        ({"data.in.x": "1"}, ["s1"]),
        ({"data.list.1.k": "true"}, ["s1"]),
        ({"data.list.1.k": "true", "category": "view"}, []),
        ({"data.list.1.k": "true", "data.n": "2", "category": "click", "source": "json"}, ["s1"]),
        ({"data.n": "1", "start": at(2)}, []),
        ({"data.n": "1", "end": at(2)}, ["s1"]),
        ({"data.n": "1.5", "limit": 1}, ["a/b %ü"]),
    ],
    ids=repr,
)
async def test_one_event_of_the_session_is_all_that_is_asked_for(site, reader, mixed, filters, found):
    for answer in (await reader(SESSIONS, **filters), await reader(SESSIONS, filters)):
        assert [each["session_id"] for each in answer["sessions"]] == found
        assert answer["next_cursor"] is None


async def test_sessions_of_a_user(site, reader):
    project = await site.services.projects.by_key("shop")
    at_us = site.clock() * 1000
    told = [("s1", "ana", "track"), ("s1", "bob", "page"), ("s2", "bob", "track"), (None, "ana", "page")]
    sent = [
        IncomingEvent(
            source="segment", category=category, name="n", at_us=at_us, device_us=at_us, session_id=session_id,
            user_id=user_id, data={"plan": user_id},
        )
        for session_id, user_id, category in told
    ]  # fmt: skip
    await site.services.journal.append(Record(KIND, project.project_id, None, at_us, {}, pack(sent)))
    await site.work(1)
    for filters, found in (
        ({"user_id": "ana"}, ["s1"]),
        ({"user_id": "bob"}, ["s1", "s2"]),
        ({"user_id": "ana", "category": "page"}, []),
        ({"user_id": "bob", "category": "page", "source": "segment", "data.plan": "bob"}, ["s1"]),
        ({"user_id": "bob", "data.plan": "ana"}, []),
    ):
        shown = (await reader(SESSIONS, **filters))["sessions"]
        assert [each["session_id"] for each in shown] == found, filters


@pytest.mark.parametrize("path", [SESSIONS, ERRORS])
async def test_filters_that_break_a_rule(site, reader, path):
    for filters in (
        {"data": "x"},
        {"data.a..b": "x"},
        {"source": ""},
        {"user_id": "x" * 1001},
        {"data.a": "\0"},
    ):
        answer = await reader(path, status=422, **filters)
        assert [each["field"] for each in answer["error"]["details"]] == [*filters]


async def test_schemas_take_no_filters(site, reader):
    for filters in ({"source": "json"}, {"user_id": "ana"}, {"data.n": "1"}):
        await reader("/api/v1/schemas", status=422, **filters)


@pytest.mark.parametrize("name", ["session_id", "order", "name"])
async def test_sessions_take_fewer_parameters(site, reader, name):
    answer = await reader(SESSIONS, status=422, **{name: "asc"})
    assert answer["error"]["details"][0]["code"] == "unexpected_field"


async def test_one_session(site, reader, mixed):
    answer = await reader(f"{SESSIONS}/s1/events")
    assert (answer["session_id"], names(answer), answer["next_cursor"]) == ("s1", ["a", "b"], None)
    assert names(await reader(f"{SESSIONS}/s1/events", order="desc")) == ["b", "a"]
    assert names(await reader(f"{SESSIONS}/s1/events", category="click")) == ["b"]
    assert names(await reader(f"{SESSIONS}/s1/events", category="none")) == []
    assert names(await reader(f"{SESSIONS}/s1/events", {"start": at(2)})) == ["b"]
    assert names(await reader(f"{SESSIONS}/{quote('a/b %ü', safe='')}/events")) == ["d"]
    assert (await reader(f"{SESSIONS}/none/events", status=404))["error"]["code"] == "not_found"
    first = await reader(f"{SESSIONS}/s1/events", limit=1)
    assert names(await reader(f"{SESSIONS}/s1/events", limit=1, cursor=first["next_cursor"])) == ["b"]
    await reader(f"{SESSIONS}/s1/events", session_id="s2", status=422)


# -- refusals


async def test_refusals_are_listed_newest_first(site, reader):
    bad = [
        event(session_id="s1", timestamp="x"),
        event(session_id="s2", data=5, colour="\0"),
        5,
    ]
    for value in bad[:2]:
        assert (await site.client.post(URL, json=value, headers=KEY)).status_code == 422
    assert (await site.client.post(URL, json=[bad[2], event(id="e1")], headers=KEY)).status_code == 207
    other = event(id="e1", name="Other")
    assert (await site.client.post(URL, json=other, headers=KEY)).status_code == 409
    answer = await reader(ERRORS)
    assert [each["event"] for each in answer["errors"]] == [other, 5, bad[1], bad[0]]
    assert [each["code"] for each in answer["errors"]] == ["id_conflict"] + ["validation_failed"] * 3
    assert answer["errors"][3]["details"][0]["code"] == "invalid_timestamp"
    assert answer["next_cursor"] is None
    for filters, expected in (
        ({"code": "invalid_timestamp"}, [bad[0]]),
        ({"code": "id_conflict"}, [other]),
        ({"code": "validation_failed"}, [5, bad[1], bad[0]]),
        ({"session_id": "s2"}, [bad[1]]),
        ({"category": "party", "code": "unexpected_field"}, [bad[1]]),
        ({"start": "2999-01-01 00:00:00"}, []),
        ({"start": answer["errors"][1]["received_at"], "end": answer["errors"][1]["received_at"]}, [5]),
    ):
        assert [each["event"] for each in (await reader(ERRORS, **filters))["errors"]] == expected
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await reader(ERRORS, limit=1, **cursor)
        found += [each["event"] for each in page["errors"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == [each["event"] for each in answer["errors"]]


async def refuse(site: Site, *events: Any) -> None:
    got = await site.client.post(URL, json=list(events), headers=KEY)
    assert got.status_code == 422, got.text


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"source": "json"}, "fedcba"),
        ({"source": "mobile"}, ""),
        ({"user_id": "ana"}, "dba"),
        ({"user_id": "10"}, "c"),
        ({"data.n": "1"}, "ba"),
        ({"data.n": "1.5"}, "c"),
        ({"data.n": "true"}, "d"),
        ({"data.n": "null"}, ""),
        ({"data.n": "18446744073709551616"}, "e"),
        ({"data.in.x": "1"}, "a"),
        ({"data.list.1.k": "v"}, "a"),
        ({"data.list.-1.k": "v"}, "a"),
        ({"data.list.2.k": "v"}, ""),
        ({"data.n": "1", "user_id": "ana", "source": "json", "category": "view"}, "b"),
        ({"data.n": "1", "code": "unexpected_field"}, "ba"),
        ({"data.n": "1", "code": "id_conflict"}, ""),
        ({"data.n.0": "5"}, ""),
        ({"data.s": "' OR '1'='1"}, "f"),
    ],
    ids=repr,
)
async def test_members_of_refused_events(site, reader, filters, found):
    """As they were sent, also what no stored event could hold."""
    await refuse(
        site,
        event(colour="a", user_id="ana", data={"n": 1, "in": {"x": "1"}, "list": [0, {"k": "v"}]}),
        event(colour="b", user_id="ana", data={"n": "1"}, category="view"),
        event(colour="c", user_id=10, data={"n": 1.5, "nul": "\0"}),
        event(colour="d", user_id="ana", data={"n": True, "in": NESTED}),
        event(colour="e", user_id=None, data={"n": 2**64}),
        event(colour="f", user_id={"ana": "ana"}, data={"n": None, "s": "' OR '1'='1"}),
        5,
    )
    seen: str = ""
    cursor: dict[str, str] = {}
    while True:
        page = await reader(ERRORS, limit=2, **filters, **cursor)
        seen += "".join(each["event"]["colour"] for each in page["errors"] if each["event"] != 5)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == found
    assert seen == "".join(
        each["event"]["colour"] for each in (await reader(ERRORS, filters))["errors"] if each["event"] != 5
    )


async def test_members_are_compared_like_those_of_stored_events(site, reader):
    values = [0.0, -0.0, 1e22, 1.5e-7, -3, 100000.0, 12345678901234567, 'é"\\', False, 1e-320]
    await refuse(site, *(event(colour="x", data={"n": value}) for value in values))
    await send(site, *(event(data={"n": value}) for value in values))
    await stored(site, len(values))
    texts = await site.services.db.fetch("SELECT DISTINCT data #>> '{n}' FROM events")
    assert len(texts) == len(values) - 1
    for (text,) in texts:
        like = [each["data"]["n"] for each in (await reader(URL, {"data.n": text}))["events"]]
        refused = [each["event"]["data"]["n"] for each in (await reader(ERRORS, {"data.n": text}))["errors"]]
        assert like and refused[::-1] == like, text


@pytest.mark.parametrize("bound", ["WALKED", "READ"])
async def test_a_page_looks_at_so_many_refusals(site, reader, monkeypatch, bound):
    """Or so many bytes; what matches is far apart, and the pages between are empty."""
    events = [
        event(colour=n, data={"n": "odd" if n in (3, 15) else n}, category=f"c{n % 10}") for n in range(20)
    ]
    await refuse(site, *events)
    other = await site.project("other")
    headers = await site.key(other, "write")
    assert (await site.client.post(URL, json=events, headers=headers)).status_code == 422
    size = await site.services.db.fetchval("SELECT max(length(event)) FROM event_errors")
    monkeypatch.setattr(refusal_list, bound, 4 if bound == "WALKED" else 3 * size + 1)
    for filters, expected in (
        ({"data.n": "odd"}, [15, 3]),
        ({"data.n": "odd", "category": "c5"}, [15]),
        ({"data.n": "none"}, []),
    ):
        found: list[list[int]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await reader(ERRORS, **filters, **cursor)
            found.append([each["event"]["colour"] for each in page["errors"]])
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert len(found) == 5
        assert [n for each in found for n in each] == expected
        assert found.count([]) == 5 - len(expected)


# -- other protocols


async def test_events_of_a_replay_are_found_by_the_same_queries(site, reader):
    started = await site.start()
    body = encode_batch(0, site.clock(), [encode(MobileClickEvent("Buy", 1, 2), timestamp=site.clock())])
    got = await site.client.post("/v1/mobile/i", content=body, headers=bearer(started["token"]))
    assert got.status_code == 200
    await send(site, event())
    await stored(site, 2)
    (shown,) = (await reader(URL, source="mobile"))["events"]
    assert (shown["session_id"], shown["category"]) == (started["sessionID"], "click")
    assert names(await reader(f"{SESSIONS}/{started['sessionID']}/events")) == [shown["name"]]
    assert await reader(f"{URL}/{shown['id']}") == shown
    assert len((await reader(SESSIONS))["sessions"]) == 2


async def test_erasing_a_user_erases_events_of_all_protocols(site, reader):
    shop = await site.services.projects.by_key("shop")
    at_us = site.clock() * 1000
    sent = [
        IncomingEvent(
            source="segment",
            category="track",
            name=user,
            at_us=at_us,
            device_us=at_us,
            user_id=user,
            event_id=user,
        )
        for user in ("ana", "bob")
    ]
    for records in (1, 2):
        await site.services.journal.append(Record(KIND, shop.project_id, None, at_us, {}, pack(sent)))
        await site.work(records)
        got = await site.client.delete("/api/v1/projects/shop/users/ana", headers=ADMIN)
        assert got.status_code == 204
        assert names(await reader(URL, user_id="bob")) == ["bob"]
        assert names(await reader(URL, user_id="ana")) == []
        await reader(f"{URL}/ana", status=404)


async def test_users_with_long_names_in_any_script_are_told_apart(site, reader):
    """What is part of a key may have 2,700 bytes in Postgres, and such a name cannot be packed."""
    shop = await site.services.projects.by_key("shop")
    at_us = site.clock() * 1000
    dice = random.Random(1)
    shared = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(900))
    one, other = shared + "甲", shared + "乙"
    sent = [
        IncomingEvent(source="segment", category="track", name=n, at_us=at_us, device_us=at_us, user_id=user)
        for n, user in (("one", one), ("other", other), ("long", one * 9))
    ]
    refused = [event(name="", data={"userId": user}) for user in (one, other)]
    await site.services.journal.append(Record(KIND, shop.project_id, None, at_us, {}, pack(sent)))
    assert (await site.client.post(URL, json=refused, headers=KEY)).status_code == 422
    await site.work(1)
    for user, name in ((one, "one"), (other, "other")):
        (shown,) = (await reader(URL, user_id=user))["events"]
        assert shown["name"] == name and shown["user_id"].startswith(shared[:150])
    assert await remains_of_users(site.services) == (0, {})
    await erase_user(site.services, shop.project_id, one)
    assert names(await reader(URL)) == ["other", "long"]
    (left,) = (await remains_of_users(site.services))[1].values()
    assert left == {"journal": 1}, "until a worker has looked through it"
    await site.services.db.execute(
        "UPDATE erased_users SET erased_us = erased_us + 1, user_id = $1", user_key(other)
    )
    (left,) = (await remains_of_users(site.services))[1].values()
    assert left == {"events": 1, "event_errors": 1, "journal": 1}


async def test_erasing_a_user_erases_what_was_refused_of_that_user_too(site, reader):
    """Where the user is named by a text of its own anywhere, or by a number that is a user's."""
    naming = [
        event(name="", user_id='a"na'),
        event(name="", data={"who": [{"id": 'a"na'}]}),
        event(name="", data={'a"na': 1}),
        event(name="", session_id='a"na'),
    ]
    others = [event(name="", data={"text": 'by a"na'}), event(name="", data={"count": 10})]
    numbered = event(name="", data={"user": {"userId": 10}})
    assert (await site.client.post(URL, json=[*naming, *others, numbered], headers=KEY)).status_code == 422
    for user, left in (('a"na', [*others, numbered]), ("10", others)):
        path = f"/api/v1/projects/shop/users/{quote(user)}"
        assert (await site.client.delete(path, headers=ADMIN)).status_code == 204
        shown = [each["event"] for each in (await reader(ERRORS))["errors"]]
        assert sorted(shown, key=str) == sorted(left, key=str)


async def test_erasing_a_replay_erases_what_was_refused_of_its_session_too(site, reader):
    started = await site.start()
    await site.work(1)
    refused = [event(name="", session_id=each) for each in (started["sessionID"], "other")]
    assert (await site.client.post(URL, json=refused, headers=KEY)).status_code == 422
    got = await site.client.delete(f"/api/v1/replays/{started['sessionID']}", headers=ADMIN)
    assert got.status_code == 204
    assert [each["event"]["session_id"] for each in (await reader(ERRORS))["errors"]] == ["other"]
