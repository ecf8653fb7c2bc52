"""Every row, case and example of spec/segment-webhook.md part 1 (and what part 2 shares with it)."""

from __future__ import annotations

from typing import Any

import pytest

from projects.model import SegmentOptions
from tests.ingest.webhook_messages import (
    GONE,
    LIBRARY,
    OPTIONS,
    SECRET,
    changed,
    first,
    later,
    message,
    recorded,
    recorded_later,
    refused,
    second,
)

# -- part 1: checks


@pytest.mark.parametrize("body", [b"{", b"[", b"[]", b"5", b'"x"', b"null", b"NaN", b"\xef\xbb\xbf{}"])
@pytest.mark.parametrize("receive", [first, second])
async def test_bad_json_is_told_before_the_secret(receive: Any, body: bytes) -> None:
    for key in (SECRET, "wrong"):
        answer = await receive(body, key=key)
        assert (answer.status, answer.body) == (400, {"error": "Invalid JSON"})


@pytest.mark.parametrize("key", ["", "wrong", SECRET.upper(), SECRET + " ", "ü"])
async def test_wrong_keys(key: str) -> None:
    assert await refused(message(), key=key) == (401, "Unauthorized")
    answer = await second(later(), key=key)
    assert (answer.status, answer.body, answer.event) == (401, None, None)


@pytest.mark.parametrize("key", ["", SECRET])
async def test_without_a_secret_nobody_comes_in(key: str) -> None:
    options = SegmentOptions()
    assert await refused(message(), options=options, key=key) == (401, "Unauthorized")
    assert (await second(later(), options=options, key=key)).status == 401


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"", "application/json"), (b"{", "text/plain"), (b"x=1", ""), (b"{}", "application/json")],
)
async def test_no_json_is_an_empty_message(body: bytes, content_type: str) -> None:
    assert await refused(body, content_type=content_type) == (200, "Channel ignored")
    assert await refused(body, content_type=content_type, key="x") == (401, "Unauthorized")
    assert (await second(body, content_type=content_type)).status == 200


@pytest.mark.parametrize(
    "source", ["server", "browser", "Browser", "", None, GONE, 5, ["mobile"], {"mobile": 1}, True]
)
async def test_channels_that_are_ignored(source: Any) -> None:
    sent = message(properties__event_source=source, channel="mobile")
    assert await refused(sent) == (200, "Channel ignored")


@pytest.mark.parametrize("properties", [None, [], "x", GONE, {}, 5])
async def test_without_properties_there_is_no_channel(properties: Any) -> None:
    assert await refused(message(properties=properties)) == (200, "Channel ignored")


async def test_the_channel_is_the_event_source_as_sent() -> None:
    sent = message(properties__event_source="Mobile", channel="server")
    assert (await recorded(sent))["event_source"] == "Mobile"
    options = OPTIONS.model_copy(update={"allowed_channels": ("MOBILE",)})
    assert await recorded(message(), options=options)


@pytest.mark.parametrize(
    "action", ["Identify", "Group", "Alias", "Page", "identify", "", None, GONE, 5, [], True]
)
async def test_actions_that_are_ignored(action: Any) -> None:
    assert await refused(message(action=action)) == (200, "Action ignored")


@pytest.mark.parametrize("action", ["Track", "Screen", "track", "SCREEN"])
async def test_actions_that_are_taken(action: str) -> None:
    assert await recorded(message(action=action))


async def test_messages_of_today_have_no_action() -> None:
    assert await refused(message(action=GONE, type="track")) == (200, "Action ignored")
    assert await recorded(message(type="track"))


@pytest.mark.parametrize(
    ("user_id", "text"),
    [
        (GONE, "Required user_id missing from context"),
        (None, "Required user_id missing from context"),
        (0, "Required user_id missing from context"),
        ("", "Required user_id missing from context"),
        (False, "Required user_id missing from context"),
        ("foobar", "Unable to parse userId as an integer"),
        ("1.5", "Unable to parse userId as an integer"),
        (1.5, "Unable to parse userId as an integer"),
        ([10], "Unable to parse userId as an integer"),
        ({"id": 10}, "Unable to parse userId as an integer"),
        (True, "Unable to parse userId as an integer"),
        (40, "Specified user does not exist"),
        ("40", "Specified user does not exist"),
        (-10, "Specified user does not exist"),
        (2**80, "Specified user does not exist"),
        ("9" * 5000, "Specified user does not exist"),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_users_that_are_refused(user_id: Any, text: str) -> None:
    assert await refused(message(userId=user_id)) == (400, text)
    answer = await second(later(userId=user_id))
    assert (answer.status, answer.body, answer.event) == (200, None, None)


async def test_a_decimal_text_is_a_user() -> None:
    assert (await recorded(message(userId="10")))["context"]["user_id"] == 10
    assert (await recorded_later(later(userId="10")))["context"]["user_id"] == 10


async def test_any_user_where_the_project_says_so() -> None:
    options = OPTIONS.model_copy(update={"accept_any_user": True})
    data = await recorded(message(userId=40), options=options)
    assert (data["username"], data["context"]["user_id"]) == ("", 40)
    assert (await recorded(message(), options=options))["username"] == "alice"
    assert await refused(message(userId=2**80), options=options) == (400, "Specified user does not exist")


@pytest.mark.parametrize("value", [GONE, None, "", "yesterday", 5, [], "2014-08-27", "2014-13-27T16:33:39Z"])
async def test_times_that_are_missing(value: Any) -> None:
    missing = (400, "Required timestamp field not found")
    assert await refused(message(timestamp=value)) == missing
    assert await refused(message(timestamp=value, receivedAt=GONE)) == missing
    assert await refused(message(receivedAt=value)) == (400, "Required receivedAt field not found")
    for changes in ({"timestamp": value}, {"receivedAt": value}):
        answer = await second(later(**changes))
        assert answer.status == 200
        assert (answer.event is None) == (
            value != "2014-08-27"
        )  # a date is a time to the later behaviour alone


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2014-08-27T16:33:39.215Z", "2014-08-27T16:33:39.215000+00:00"),
        ("2014-08-27T16:33:39Z", "2014-08-27T16:33:39+00:00"),
        ("2014-08-27T18:33:39.5+02:00", "2014-08-27T16:33:39.500000+00:00"),
        ("2014-08-27t16:33:39.000001z", "2014-08-27T16:33:39.000001+00:00"),
        ("2014-08-27 16:33:39.123456789-00:00", "2014-08-27T16:33:39.123456+00:00"),
        ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00+00:00"),
        ("1990-12-31T23:59:60.5Z", "1991-01-01T00:00:00.500000+00:00"),
    ],
)
async def test_times(sent: str, stored: str) -> None:
    """spec/segment-webhook.md 1.6: any time of RFC 3339, which has leap seconds, too."""
    data = await recorded(message(timestamp=sent, receivedAt=sent))
    assert (data["time"], data["context"]["received_at"]) == (stored, stored)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2014-08-27", "2014-08-27T00:00:00+00:00"),
        ("20140827", "2014-08-27T00:00:00+00:00"),
        ("20140827T163339Z", "2014-08-27T16:33:39+00:00"),
        ("2014-W35-3T16:33+01:00", "2014-08-27T15:33:00+00:00"),
    ],
)
async def test_later_any_form_of_iso_8601_is_a_time(sent: str, stored: str) -> None:
    """spec/segment-webhook.md 2.3, step 9."""
    answer = await second(later(timestamp=sent, receivedAt=sent))
    assert answer.event is not None
    data = answer.event.data
    assert (data["time"], data["context"]["received_at"]) == (stored, stored)


async def test_only_the_presence_of_an_event_type_counts() -> None:
    text = "The event_type field must be specified in the properties dictionary"
    assert await refused(message(properties__event_type=GONE)) == (400, text)
    for value in ("", None):
        assert (await recorded(message(properties__event_type=value)))["event_type"] == value


async def test_the_order_of_checks() -> None:
    """Each step mends the fault that was told."""
    sent = message(properties={"event_source": "x"}, action="x", userId="", timestamp=GONE, receivedAt=GONE)
    seen = []
    for change in (
        {"properties__event_source": "mobile"},
        {"action": "Track"},
        {"userId": "x"},
        {"userId": 40},
        {"userId": 10},
        {"timestamp": "2014-08-27T16:33:39.215Z"},
        {"receivedAt": "2014-08-27T16:33:39.100Z"},
        {"properties__event_type": "x"},
    ):
        seen.append((await refused(sent))[1])
        sent = changed(sent, change)
    assert seen == [
        "Channel ignored",
        "Action ignored",
        "Required user_id missing from context",
        "Unable to parse userId as an integer",
        "Specified user does not exist",
        "Required timestamp field not found",
        "Required receivedAt field not found",
        "The event_type field must be specified in the properties dictionary",
    ]
    assert await recorded(sent)


# -- part 1: the event


@pytest.mark.parametrize("course", ["foo/bar/baz", "course-v1:foo+bar+baz"])
async def test_the_success_case(course: str) -> None:
    answer = await first(message(properties__context={"course_id": course}))
    assert answer.event is not None
    event = answer.event
    assert (event.source, event.category, event.name) == ("segmentio", "segmentio", "str")
    assert (event.session_id, event.user_id, event.event_id) == (None, "10", "")
    assert event.at_us == 1_409_157_219_215_000
    assert event.data == {
        "username": "alice",
        "event_type": "str",
        "name": "",
        "event_source": "mobile",
        "time": "2014-08-27T16:33:39.215000+00:00",
        "context": {
            "user_id": 10,
            "course_id": course,
            "org_id": "foo",
            "path": "/segmentio/event",
            "client": LIBRARY,
            "received_at": "2014-08-27T16:33:39.100000+00:00",
        },
        "page": None,
        "host": "edx.example",
        "agent": "",
        "ip": "",
        "event": {"foo": "bar"},
    }


async def test_other_members_are_copied() -> None:
    sent = message(
        properties__name="n",
        properties__page="p",
        properties__ip="1.2.3.4",
        context__userAgent="ua",
        context__traits={"a": 1},
    )
    data = await recorded(sent)
    assert [data[name] for name in ("name", "page", "ip", "agent")] == ["n", "p", "1.2.3.4", "ua"]
    assert data["context"]["client"]["traits"] == {"a": 1}
    assert (await recorded(message(properties__event=GONE)))["event"] == {}


async def test_the_order_of_override() -> None:
    own = {
        "client": "mine",
        "path": "/mine",
        "host": "mine",
        "user_id": 1,
        "org_id": "mine",
        "received_at": "mine",
        "course_id": "foo/bar/baz",
        "username": "x",
        "session": "x",
        "ip": "x",
        "agent": "x",
        "referer": "x",
        "accept_language": "x",
        "client_id": "x",
        "other": 1,
    }
    data = await recorded(message(properties__context=own))
    assert data["context"] == {
        "client": "mine",
        "path": "/mine",
        "user_id": 10,
        "org_id": "foo",
        "received_at": "2014-08-27T16:33:39.100000+00:00",
        "course_id": "foo/bar/baz",
        "other": 1,
    }
    assert (data["host"], data["username"], data["ip"]) == ("mine", "alice", "")


@pytest.mark.parametrize("course", ["invalid", "", None, 5, ["foo/bar/baz"]])
async def test_a_course_that_is_none_is_still_recorded(course: Any) -> None:
    data = await recorded(message(properties__context={"course_id": course}))
    assert "org_id" not in data["context"]
    data = await recorded(message(properties__context={"course_id": course, "org_id": "sent"}))
    assert data["context"]["org_id"] == "sent"


@pytest.mark.parametrize("context", [None, [], "x", 5, {}, GONE])
async def test_contexts_that_are_none(context: Any) -> None:
    assert (await recorded(message(properties__context=context)))["context"].keys() == {
        "path",
        "client",
        "user_id",
        "received_at",
    }
    assert "client" not in (await recorded(message(context=context)))["context"]


async def test_a_retry_is_the_same_event_and_another_message_is_not() -> None:
    sent = [message(messageId="m-1"), message(messageId="m-1"), message(messageId="m-1", userId="10")]
    events = [(await first(each)).event for each in sent]
    ids = [event.event_id for event in events if event]
    assert ids[0] == ids[1] != ids[2]
    assert events[0] and events[0].data["messageId"] == "m-1"
