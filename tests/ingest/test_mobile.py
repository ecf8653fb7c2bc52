"""Start bodies of both generations, hostile ones too (spec 1.2, 1.3, 1.4)."""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.geo import Place
from ingest.mobile import (
    MAX_INFO_BYTES,
    StartBody,
    parse_start,
    require_agent,
    require_version,
    sampling_key,
    session_start,
    user_uuid_for,
)
from playhead.errors import Forbidden, InvalidBody, PlayheadError, UpgradeRequired
from sessions.model import MAX_MS, SessionStart

IOS: dict[str, Any] = {
    "projectKey": "k",
    "trackerVersion": "1.0.14",
    "revID": "42",
    "userUUID": "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
    "userOSVersion": "17.4",
    "userDevice": "iPhone15,2",
    "userDeviceType": "iPhone 14 Pro",
    "timestamp": 1_767_225_600_000,
    "timezone": "UTC+02:00",
    "deviceMemory": 5_900_000,
    "doNotRecord": False,
    "width": 393.5,
    "height": 852.0,
    "performances": {"physicalMemory": 6, "batteryLevel": -1},
}
ANDROID: dict[str, Any] = IOS | {
    "platform": "android",
    "userDevice": "oriole",
    "userDeviceType": "tablet",
    "trackerVersion": "1.0.10",
}


def parsed(values: Any, *, legacy: bool = False) -> StartBody:
    return parse_start(orjson.dumps(values), legacy=legacy)


def test_what_ios_sends_is_read_whole():
    start = parsed(IOS)
    assert (start.platform, start.device, start.os_version) == ("ios", "iPhone15,2", "17.4")
    assert (start.width, start.height, start.memory_kb) == (393, 852, 5_900_000)
    assert start.timestamp_ms == 1_767_225_600_000
    assert start.info == {"performances": {"physicalMemory": 6, "batteryLevel": -1}}


def test_ios_is_stored_with_its_marketing_name():
    row = session_start(parsed(IOS), "u", Place("DE", "Berlin", "Berlin"))
    assert (row.platform, row.os, row.device_name, row.device_type) == (
        "ios",
        "IOS",
        "iPhone 14 Pro",
        "mobile",
    )
    assert (row.country, row.state, row.city) == ("DE", "Berlin", "Berlin")
    assert SessionStart.from_meta(row.to_meta()) == row


def test_android_is_stored_as_sent():
    row = session_start(parsed(ANDROID), "u", Place())
    assert (row.platform, row.os, row.device_name, row.device_type) == (
        "android",
        "Android",
        "oriole",
        "tablet",
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("mobile", "mobile"), ("TABLET", "tablet"), ("desktop", "desktop"), ("tv", "other"), ("", "other")],
)
def test_android_types_are_normalised(sent, kept):
    assert session_start(parsed(ANDROID | {"userDeviceType": sent}), "", Place()).device_type == kept


@pytest.mark.parametrize(
    ("device", "name", "kind"),
    [
        ("iPad14,3", "iPad Pro 11-inch (4th generation)", "tablet"),
        ("iPhone99,9", "iPhone99,9", "mobile"),
        ("AppleTV11,1", "AppleTV11,1", "other"),
        ("", "", "other"),
    ],
)
def test_apple_devices_are_named_by_their_id(device, name, kind):
    row = session_start(parsed(IOS | {"userDevice": device}), "", Place())
    assert (row.device_name, row.device_type) == (name, kind)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"{", b"[]", b"null", b'"text"', b"1", b"[" * 100_000, b"\xff\xfe{}"]
)
def test_a_body_that_is_no_json_object_is_refused(body):
    with pytest.raises(InvalidBody):
        parse_start(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("projectKey", 5),
        ("trackerVersion", 1.0),
        ("userUUID", ["x"]),
        ("userDeviceType", 0),
        ("timestamp", "noon"),
        ("timestamp", True),
        ("width", {}),
        ("deviceMemory", [1]),
        ("doNotRecord", "yes"),
        ("token", 1),
        ("platform", False),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(field, value):
    with pytest.raises(InvalidBody, match=field):
        parsed(IOS | {field: value})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("12", 12),
        ("12.9", 12),
        (12.9, 12),
        (-5, 0),
        (1e300, MAX_MS),
        (10**40, MAX_MS),
        (10**400, MAX_MS),
        (-(10**400), 0),
        ("nan", 0),
        ("inf", MAX_MS),
        (None, 0),
    ],
)
def test_numbers_are_read_and_clamped(sent, kept):
    assert parse_start(json.dumps(IOS | {"timestamp": sent}).encode()).timestamp_ms == kept


def test_nan_and_lone_surrogates_are_made_harmless():
    start = parse_start(b'{"projectKey":"k","width":NaN,"userDevice":"a\\ud800b\\u0000c","revID":"\xff"}')
    assert start.width == 0
    assert start.device == "a?bc"
    assert start.revision == "\ufffd"


def test_strings_are_cut():
    assert len(parsed(IOS | {"userDevice": "x" * 100_000}).device) == 1000


def test_unknown_fields_are_kept():
    assert parsed(IOS | {"carrier": "x", "n": [1, {"a": None}]}).info["n"] == [1, {"a": None}]


def test_what_is_kept_of_unknown_fields_is_bounded():
    info = parsed(IOS | {f"f{n}": "x" * 100 for n in range(2000)}).info
    assert info["cut"] is True
    assert len(orjson.dumps(info)) <= MAX_INFO_BYTES + 100


def test_the_readme_generation_names_its_project_by_number_or_text():
    for value in (7286977268806823, 7286977268806823.0, "7286977268806823"):
        start = parsed({"projectID": value, "userDeviceType": 0, "performance": {}}, legacy=True)
        assert (start.project_key, start.encoded_project_id) == (None, value)
        assert start.legacy
    with pytest.raises(InvalidBody):
        parsed({"projectID": []}, legacy=True)


@pytest.mark.parametrize("version", ["1.0.9", "1.0.14", "1.0.10-beta", "1.1", "2", "v1.2.3", "10.0.0+build"])
def test_versions_new_enough(version):
    require_version(version, "1.0.9")


@pytest.mark.parametrize(
    "version", ["1.0.8", "0.9.99", "", "-1.0.14", "abc", "1.0.x", "1.0.8-1.0.9", "१.१.१"]
)
def test_versions_too_old_or_none(version):
    with pytest.raises(UpgradeRequired):
        require_version(version, "1.0.9")


@pytest.mark.parametrize(
    "agent",
    [
        "Shop/1 CFNetwork/1494.0.7 Darwin/23.4.0",
        "Dalvik/2.1.0 (Linux; U; Android 12; CUBOT X30 Build/SP1A)",
        "okhttp/4.12.0",
        "Chatbot/2.1 CFNetwork/1410 Darwin/22",
        "curl/8.5.0",
        "python-httpx/0.28",
    ],
)
def test_agents_of_apps_pass(agent):
    require_agent(agent)


@pytest.mark.parametrize(
    "agent", ["", "  ", "Mozilla/5.0 (compatible; Googlebot/2.1)", "Baiduspider", "Twitterbot/1.0", "crawler"]
)
def test_crawlers_and_silence_are_refused(agent):
    with pytest.raises(Forbidden):
        require_agent(agent)


def test_a_uuid_is_echoed_as_sent_and_anything_else_replaced():
    """spec/openreplay-mobile.md 1.4, `userUUID`: whatever parses as a UUID is one."""
    some = uuid.uuid4()
    for sent in (IOS["userUUID"], str(some), some.hex, some.urn, f"{{{some}}}"):
        assert user_uuid_for(sent) == sent
    for odd in ("", "me", "3F2504E0-4F89-41D3-9A0C-0305E82C330", IOS["userUUID"] + "\n"):
        made = user_uuid_for(odd)
        assert made != odd
        assert uuid.UUID(made)


def test_sampling_goes_by_user_else_by_device_and_time():
    assert sampling_key(parsed(IOS)) == IOS["userUUID"]
    a, b = (parsed(IOS | {"userUUID": "", "timestamp": at}) for at in (1, 2))
    assert sampling_key(a) != sampling_key(b)
    assert sampling_key(a) == sampling_key(parsed(IOS | {"userUUID": None, "timestamp": 1}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(ANDROID)), JSON), st.booleans())
def test_any_json_is_read_or_refused_and_fits_the_table(values, legacy):
    try:
        start = parse_start(json.dumps(values).encode(), legacy=legacy)
    except PlayheadError:
        return
    row = session_start(start, user_uuid_for(start.user_uuid), Place())
    assert SessionStart.from_meta(row.to_meta()).to_meta() == row.to_meta()
    assert "\0" not in json.dumps(row.to_meta(), ensure_ascii=False)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body):
    with contextlib.suppress(InvalidBody):
        parse_start(body)
