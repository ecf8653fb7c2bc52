"""Every row, case and example of spec/segment-webhook.md, parts 1 and 2."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.course_keys import html_id, organisation
from ingest.segment_webhook import Answer, Hook, receive_first, receive_later
from projects.model import SegmentOptions

SECRET = "anything"
OPTIONS = SegmentOptions(
    webhook_secret=SECRET,
    disallowed_names=(".bi.",),
    sources={"test-app": "mobile"},
    allowed_types=("track",),
)
LIBRARY = {"library": {"name": "test-app", "version": "unknown"}}
GONE = object()


async def user_name(user_id: int) -> str | None:
    return {10: "alice"}.get(user_id)


def message(**changes: Any) -> dict[str, Any]:
    """The fixture of the original's tests; `properties__x` changes a member of the properties."""
    found: dict[str, Any] = {
        "userId": 10,
        "action": "Track",
        "timestamp": "2014-08-27T16:33:39.215Z",
        "receivedAt": "2014-08-27T16:33:39.100Z",
        "channel": "mobile",
        "context": dict(LIBRARY),
        "properties": {
            "event_type": "str",
            "event_source": "mobile",
            "event": {"foo": "bar"},
            "context": {"course_id": "foo/bar/baz"},
        },
    }
    return _changed(found, changes)


def later(**changes: Any) -> dict[str, Any]:
    """The fixture of the later tests."""
    found: dict[str, Any] = {
        "userId": 10,
        "event": "Did something",
        "properties": {
            "name": "edx.done",
            "data": {"foo": "bar"},
            "context": {
                "course_id": "foo/bar/baz",
                "app_name": "edx.mobile.android",
            },
        },
        "channel": "server",
        "context": {
            "library": {"name": "test-app", "version": "unknown"},
            "app": {"version": "1.0.1"},
            "userAgent": "agent",
        },
        "receivedAt": "2014-08-27T16:33:39.100Z",
        "timestamp": "2014-08-27T16:33:39.215Z",
        "type": "track",
    }
    return _changed(found, changes)


def _changed(found: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        *places, key = name.split("__")
        target = found
        for place in places:
            target = target[place]
        if value is GONE:
            del target[key]
        else:
            target[key] = value
    return found


def hook(body: Any, key: str = SECRET, content_type: str = "application/json; charset=utf-8") -> Hook:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Hook(data, content_type, key, "/segmentio/event", "edx.example")


async def first(body: Any, options: SegmentOptions = OPTIONS, **more: Any) -> Answer:
    return await receive_first(hook(body, **more), options=options, user_name=user_name)


async def second(body: Any, options: SegmentOptions = OPTIONS, **more: Any) -> Answer:
    return await receive_later(hook(body, **more), options=options, user_name=user_name)


async def refused(body: Any, **more: Any) -> tuple[int, str]:
    """(status, message) of a refusal by the first behaviour."""
    answer = await first(body, **more)
    assert answer.event is None and answer.body is not None
    assert answer.body.keys() == {"committed", "message"} and answer.body["committed"] is False
    return answer.status, answer.body["message"]


async def recorded(body: Any, **more: Any) -> dict[str, Any]:
    answer = await first(body, **more)
    assert (answer.status, answer.body) == (200, {"committed": True}), answer
    assert answer.event is not None
    return answer.event.data


async def recorded_later(body: Any, **more: Any) -> dict[str, Any]:
    answer = await second(body, **more)
    assert (answer.status, answer.body) == (200, None)
    assert answer.event is not None, answer.reason
    return answer.event.data


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
        assert (answer.status, answer.event) == (200, None)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2014-08-27T16:33:39.215Z", "2014-08-27T16:33:39.215000+00:00"),
        ("2014-08-27T16:33:39Z", "2014-08-27T16:33:39+00:00"),
        ("2014-08-27T18:33:39.5+02:00", "2014-08-27T16:33:39.500000+00:00"),
        ("2014-08-27t16:33:39.000001z", "2014-08-27T16:33:39.000001+00:00"),
    ],
)
async def test_times(sent: str, stored: str) -> None:
    data = await recorded(message(timestamp=sent, receivedAt=sent))
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
        sent = _changed(sent, change)
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


# -- course and usage keys


@pytest.mark.parametrize(
    ("key", "org"),
    [
        ("foo/bar/baz", "foo"),
        ("course-v1:foo+bar+baz", "foo"),
        ("course-v1:foo+bar+baz+branch@draft", "foo"),
        ("library-v1:org+lib", "org"),
        ("Größe/b%a.r/b-z", "Größe"),
        ("course-v1:a-b~c.d:e+bar+baz", "a-b~c.d:e"),
        ("invalid", None),
        ("foo/bar", None),
        ("foo//baz", None),
        ("foo/bar/baz/qux", None),
        ("a-b/c.d/e~f", None),
        ("a:b/c/d", None),
        ("foo bar/baz/qux", None),
        ("foo+bar+baz", None),
        ("course-v1:foo+bar", None),
        ("course-v1:", None),
        ("COURSE-V1:foo+bar+baz", None),
        (" foo/bar/baz", None),
        ("foo/bar/baz\n", None),
        ("course-v1:foo+bar+baz\n", None),
        ("", None),
        (None, None),
    ],
)
def test_course_keys(key: Any, org: str | None) -> None:
    assert organisation(key) == org


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("i4x://foo/bar/baz/some_module", "i4x-foo-bar-baz-some_module"),
        ("i4x://a.b/bar/baz/m", "i4x-a_b-bar-baz-m"),
        ("block-v1:foo+bar+baz+type@video+block@abc", "abc"),
        ("foo/bar/baz", None),
        ("", None),
        (5, None),
    ],
)
def test_usage_keys(key: Any, name: str | None) -> None:
    assert html_id(key) == name


# -- part 2


async def test_the_later_success_case() -> None:
    answer = await second(later())
    assert answer.event is not None
    event = answer.event
    assert (event.source, event.category, event.name, event.user_id) == (
        "segmentio",
        "segmentio",
        "edx.done",
        "10",
    )
    assert event.data == {
        "name": "edx.done",
        "event_type": "edx.done",
        "event_source": "mobile",
        "event": {"foo": "bar"},
        "time": "2014-08-27T16:33:39.215000+00:00",
        "page": None,
        "username": "alice",
        "session": "",
        "ip": "",
        "agent": "agent",
        "host": "edx.example",
        "referer": "",
        "accept_language": "",
        "context": {
            "path": "/segmentio/event",
            "client": {"library": LIBRARY["library"], "app": {"version": "1.0.1"}},
            "application": {"name": "edx.mobile.android", "version": "1.0.1"},
            "course_id": "foo/bar/baz",
            "org_id": "foo",
            "user_id": 10,
            "received_at": "2014-08-27T16:33:39.100000+00:00",
        },
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "identify"},
        {"type": "group"},
        {"type": "alias"},
        {"type": "page"},
        {"type": "screen"},
        {"type": None},
        {"type": GONE, "action": "Track"},
        {"type": 5},
        {"context__library__name": "unknown"},
        {"context__library__name": "TEST-APP"},
        {"context__library__name": ["test-app"]},
        {"context__library": None},
        {"context": GONE},
        {"context": None},
        {"properties": None},
        {"properties__name": GONE},
        {"properties__name": None},
        {"properties__name": 5},
        {"properties__name": "edx.bi.some_name"},
        {"properties__name": "EDX.BI.CAPITAL_NAME"},
        {"properties__name": GONE, "properties__label": "Other"},
        {"properties__data": GONE},
    ],
    ids=repr,
)
async def test_what_is_silently_ignored(changes: dict[str, Any]) -> None:
    answer = await second(later(**changes))
    assert (answer.status, answer.body, answer.event) == (200, None, None)
    assert answer.reason


async def test_types_are_compared_in_lower_case() -> None:
    assert await recorded_later(later(type="TRACK", channel="x", action="x"))


async def test_old_forum_screens_have_a_label() -> None:
    options = OPTIONS.model_copy(update={"disallowed_names": ()})
    sent = later(properties__name=GONE, properties__label="Forum: View Thread")
    data = await recorded_later(sent, options=options)
    assert (data["name"], data["context"]["label"]) == (
        "edx.bi.app.navigation.screen",
        "Forum: View Thread",
    )
    assert (await second(sent)).event is None  # disallowed by default in the tests


async def test_label_and_course_are_copied_after_the_organisation() -> None:
    sent = later(properties__label="l", properties__course_id="course-v1:x+y+z", properties__context={})
    context = (await recorded_later(sent))["context"]
    assert (context["label"], context["course_id"]) == ("l", "course-v1:x+y+z")
    assert "org_id" not in context
    assert context["application"] == {"name": "", "version": "1.0.1"}


async def test_an_application_that_was_sent_stays() -> None:
    own = {"application": {"name": "a", "version": "2"}, "app_name": "x", "page": "p", "ip": "1.2.3.4"}
    data = await recorded_later(later(properties__context=own))
    assert data["context"]["application"] == {"name": "a", "version": "2"}
    assert "app_name" not in data["context"]
    assert (data["page"], data["ip"]) == ("p", "1.2.3.4")
    assert not {"page", "ip", "username", "host"} & data["context"].keys()


async def test_the_client_is_kept_without_some_members() -> None:
    data = await recorded_later(later(context__traits={"a": 1}, context__integrations={"b": 2}))
    assert data["context"]["client"].keys() == {"library", "app"}


# -- video events


def video(name: str, payload: Any, application: str = "iOS", version: str = "1.0.02") -> dict[str, Any]:
    context = {
        "application": {"name": f"edx.mobileapp.{application}", "version": version},
        "open_in_browser_url": "https://testserver/courses/foo/bar/baz/courseware/Week_1/Activity/2",
    }
    return later(properties__name=name, properties__data=payload, properties__context=context)


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("edx.video.played", "play_video"),
        ("edx.video.paused", "pause_video"),
        ("edx.video.stopped", "stop_video"),
        ("edx.video.loaded", "load_video"),
        ("edx.video.position.changed", "seek_video"),
        ("edx.video.seeked", "seek_video"),
        ("edx.video.transcript.shown", "show_transcript"),
        ("edx.video.transcript.hidden", "hide_transcript"),
        ("edx.video.language_menu.shown", "video_show_cc_menu"),
        ("edx.video.language_menu.hidden", "video_hide_cc_menu"),
        ("edx.video.other", "edx.video.other"),
    ],
)
async def test_video_events_get_their_old_types(name: str, event_type: str) -> None:
    payload = {"module_id": "i4x://foo/bar/baz/some_module", "current_time": 132.5, "code": "mobile"}
    answer = await second(video(name, payload))
    assert answer.event is not None
    data = answer.event.data
    assert answer.event.name == data["event_type"] == event_type
    assert data["name"] == name.replace("seeked", "position.changed")
    if event_type == name:
        assert data["event"] == payload
        return
    assert data["event"] == {"id": "i4x-foo-bar-baz-some_module", "currentTime": 132.5, "code": "mobile"}
    assert data["page"] == "https://testserver/courses/foo/bar/baz/courseware/Week_1/Activity"
    assert "open_in_browser_url" not in data["context"]


@pytest.mark.parametrize("payload", [{}, None, "", [1], "x"])
async def test_a_video_event_without_a_payload(payload: Any) -> None:
    data = await recorded_later(video("edx.video.seeked", payload))
    assert (data["name"], data["event_type"], data["event"]) == (
        "edx.video.position.changed",
        "seek_video",
        payload,
    )
    assert "open_in_browser_url" in data["context"]


async def test_a_module_that_is_no_usage_key_is_removed() -> None:
    data = await recorded_later(video("edx.video.played", {"module_id": "x", "a": 1}))
    assert data["event"] == {"a": 1}


@pytest.mark.parametrize(
    ("interval", "out", "key", "value", "kind", "name", "application"),
    [
        (1, 1, "seek_type", "slide", "onSlideSeek", "edx.video.seeked", "iOS"),
        (-2, -2, "seek_type", "slide", "onSlideSeek", "edx.video.seeked", "iOS"),
        (30, -30, "seek_type", "skip", "onSkipSeek", "edx.video.position.changed", "iOS"),
        (-30, -30, "seek_type", "skip", "onSkipSeek", "edx.video.position.changed", "iOS"),
        (1, 1, "type", "onSkipSeek", "onSlideSeek", "edx.video.seeked", "android"),
        (-2, -2, "type", "onSkipSeek", "onSlideSeek", "edx.video.seeked", "android"),
        (30, 30, "type", "onSkipSeek", "onSkipSeek", "edx.video.position.changed", "android"),
        (-30, -30, "type", "onSkipSeek", "onSkipSeek", "edx.video.position.changed", "android"),
    ],
)
async def test_previous_builds(
    interval: int, out: int, key: str, value: str, kind: str, name: str, application: str
) -> None:
    payload = {key: value, "requested_skip_interval": interval}
    data = await recorded_later(video(name, payload, application))
    assert data["event"] == {"type": kind, "requested_skip_interval": out}
    assert data["name"] == "edx.video.position.changed"


async def test_only_the_one_build_told_skips_the_wrong_way() -> None:
    payload = {"seek_type": "skip", "requested_skip_interval": 30}
    data = await recorded_later(video("edx.video.seeked", payload, version="1.0.03"))
    assert data["event"]["requested_skip_interval"] == 30
