"""Whose data a token's bearer sends: every row of the token rules (spec 1.4, 9.2, interface section 4)."""

from __future__ import annotations

import pytest

from ingest.appends import (
    DAY_MS,
    DEFAULT_LIFETIME_MS,
    MAX_LIFETIME_MS,
    Route,
    Sender,
    follow_up,
    identify,
    needs_platform,
    record_of,
)
from playhead.errors import TokenTimedOut
from sessions.ids import SessionId, started_ms
from sessions.tokens import Claims

START = 1_767_225_600_000
HOUR = 3_600_000
GRACE = 30 * DAY_MS
SID = SessionId(((START - 1_550_000_000_000) << 24) | 0x0102)


def claims(
    platform: str = "ios", *, record: bool = True, lifetime_ms: int = 2 * HOUR, issued_ms: int = START
) -> Claims:
    return Claims(SID, 7, issued_ms, issued_ms + lifetime_ms, "u-1", platform, record)


def sender(who: Claims, route: Route, now_ms: int, platform: str = "") -> Sender:
    return identify(who, route, platform=platform, now_ms=now_ms, grace_ms=GRACE)


@pytest.mark.parametrize("route", ["batch", "late", "images"])
def test_a_token_in_time_is_its_session(route):
    found = sender(claims(), route, START + HOUR)
    assert (found.session_id, found.outcome) == (SID, "current")


@pytest.mark.parametrize("route", ["batch", "images"])
@pytest.mark.parametrize("after_ms", [0, 1000, 29_000, 31_000, 10 * DAY_MS])
def test_a_timed_out_ios_token_is_refused_so_that_the_sdk_starts_anew(route, after_ms):
    with pytest.raises(TokenTimedOut):
        sender(claims("ios"), route, START + 2 * HOUR + after_ms)


@pytest.mark.parametrize("platform", ["", "web", "ANDROID "])
def test_an_unknown_platform_is_treated_as_ios(platform):
    with pytest.raises(TokenTimedOut):
        sender(claims(""), "batch", START + 3 * HOUR, platform)


@pytest.mark.parametrize("after_ms", [0, 1000, 29_000, 31_000, 10 * DAY_MS, GRACE])
def test_late_takes_a_timed_out_token_whatever_its_age_within_the_grace(after_ms):
    found = sender(claims(), "late", START + 2 * HOUR + after_ms)
    assert (found.session_id, found.outcome) == (SID, "late")


def test_ios_starts_anew_however_old_its_token_is():
    with pytest.raises(TokenTimedOut):
        sender(claims("ios"), "batch", START + 2 * HOUR + GRACE + 1)


@pytest.mark.parametrize(
    ("route", "platform"),
    [("batch", "android"), ("images", "android"), ("late", "android"), ("late", "ios"), ("late", "")],
)
def test_past_the_grace_it_is_acknowledged_and_counted_only(route, platform):
    found = sender(claims(platform), route, START + 2 * HOUR + GRACE + 1)
    assert found.outcome == "too_old"
    record = record_of(found, route, b"content", received_us=5, legacy=False)
    assert (record.kind, record.body, record.session_id) == ("expired", b"", SID)


@pytest.mark.parametrize("route", ["batch", "images"])
def test_android_goes_on_in_a_follow_up_session(route):
    now = START + 2 * HOUR + 5
    found = sender(claims("android"), route, now)
    assert found.outcome == "continued"
    assert found.session_id != SID
    assert started_ms(found.session_id) == START + 2 * HOUR
    record = record_of(found, route, b"", received_us=5, legacy=False, content_type="multipart/x")
    assert record.session_id == found.session_id
    assert record.meta["continues"] == SID
    assert record.meta["expired"] is True


def test_the_platform_of_the_session_counts_where_the_token_names_none():
    now = START + 3 * HOUR
    assert needs_platform(claims(""), "batch", now)
    assert not needs_platform(claims(""), "late", now)
    assert not needs_platform(claims("android"), "batch", now)
    assert not needs_platform(claims(""), "batch", START)
    assert sender(claims(""), "batch", now, "android").outcome == "continued"


def test_the_follow_up_session_is_the_same_for_one_lifetime_and_then_the_next():
    who = claims("android")
    end = START + 2 * HOUR
    first = {follow_up(who, end + at) for at in (0, 1, HOUR, 2 * HOUR - 1)}
    second = {follow_up(who, end + at) for at in (2 * HOUR, 4 * HOUR - 1)}
    assert len(first) == len(second) == 1
    assert first != second
    assert started_ms(second.pop()) == end + 2 * HOUR


def test_follow_ups_of_two_sessions_that_ended_together_differ():
    other = Claims(SessionId(SID + 1), 7, START, START + 2 * HOUR, "", "android", True)
    assert follow_up(other, START + 3 * HOUR) != follow_up(claims("android"), START + 3 * HOUR)


@pytest.mark.parametrize("lifetime_ms", [0, -5, 999, MAX_LIFETIME_MS + 1])
def test_a_lifetime_of_no_sense_counts_as_two_hours(lifetime_ms):
    who = claims("android", lifetime_ms=lifetime_ms)
    now = who.expires_ms + DEFAULT_LIFETIME_MS + 1
    assert started_ms(follow_up(who, now)) == who.expires_ms + DEFAULT_LIFETIME_MS


def test_the_record_carries_what_the_token_says_and_the_body_as_it_came():
    record = record_of(sender(claims(), "batch", START), "batch", b"\x1f\x8bbody", received_us=9, legacy=True)
    assert (record.kind, record.project_id, record.session_id, record.received_us) == ("batch", 7, SID, 9)
    assert record.body == b"\x1f\x8bbody"
    assert record.meta == {"plt": "ios", "uid": "u-1", "layout": "legacy"}


def test_do_not_record_is_marked():
    found = sender(claims(record=False), "late", START)
    assert record_of(found, "late", b"", received_us=1, legacy=False).meta["dnr"] is True


def part(name: bytes, padding: int = 0) -> bytes:
    head = b"-" * padding + b'--B\r\nContent-Disposition: form-data; name="batch"; filename='
    return head + name + b"\r\n\r\n\x1f\x8b"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f'"{SID}-1.tar.gz"'.encode(), "images"),
        (f"{SID}-1.tar.gz".encode(), "images"),
        (f'"{SID + 1}-1.tar.gz"'.encode(), "stray"),
        (b'"99999999999999999999-1.gz"', "images"),  # no session can be called so
        (b'"unknown-1.tar.gz"', "images"),
        (b'"d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26"', "images"),
    ],
)
def test_an_archive_named_after_another_session_is_a_stray(name, kind):
    found = sender(claims(), "images", START)
    assert record_of(found, "images", part(name), received_us=1, legacy=False).kind == kind


def test_a_name_is_looked_for_at_the_head_of_the_body_only():
    body = part(f'"{SID + 1}-1.gz"'.encode(), padding=5000)
    found = sender(claims(), "images", START)
    assert record_of(found, "images", body, received_us=1, legacy=False).kind == "images"


def test_an_archive_of_the_session_that_is_continued_is_no_stray():
    found = sender(claims("android"), "images", START + 3 * HOUR)
    body = part(f'"{SID}-1.tar.gz"'.encode())
    assert record_of(found, "images", body, received_us=1, legacy=False).kind == "images"
