"""Every row, case and example of spec/segment-webhook.md part 2, and of the course keys."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.course_keys import html_id, organisation
from tests.ingest.webhook_messages import (
    GONE,
    LIBRARY,
    OPTIONS,
    later,
    recorded_later,
    second,
)

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
