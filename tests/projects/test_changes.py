"""What may be said of a project, and what comes of it; encoded ids; sampling; conditions for the SDKs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import InvalidBody, Unprocessable, ValidationFailed
from projects import encoded_ids, parse_changes, parse_create, sampled_in, view
from projects.changes import KEY_PATTERN, changed, made, new_key
from projects.conditions import for_sdk
from projects.model import Project
from projects.sampling import day_of


def faults(values: object) -> dict[str, str]:
    """Field -> code of what is wrong with a new project."""
    with pytest.raises(ValidationFailed) as caught:
        parse_create(values)
    return {detail.field: detail.code for detail in caught.value.details}


def project(**values: object) -> Project:
    return made(parse_create({"name": "Shop", **values}), 1000)


def test_a_name_alone_makes_a_project_with_key_and_secret():
    made_up = project()
    assert len(made_up.project_key) == 20
    assert KEY_PATTERN.fullmatch(made_up.project_key)
    assert len(made_up.options.hamustro.shared_secret) >= 32
    assert made_up.options.segment.webhook_secret == ""
    assert (made_up.platform, made_up.sample_rate, made_up.retention_days) == ("all", 100, 30)
    assert made_up.created_ms == made_up.updated_ms == 1000
    assert project().project_key != made_up.project_key


def test_a_refused_key_is_told_what_it_must_be():
    with pytest.raises(ValidationFailed) as caught:
        parse_create({"name": "n", "key": "a/b"})
    (detail,) = caught.value.details
    assert detail.message.startswith("1 to 64 of")


def test_made_up_keys_never_look_like_an_option():
    assert all(KEY_PATTERN.fullmatch(new_key()) for _ in range(500))


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({}, "name", "missing_field"),
        ({"name": ""}, "name", "invalid_value"),
        ({"name": "   "}, "name", "invalid_value"),
        ({"name": "a\u0000b"}, "name", "invalid_value"),
        ({"name": "x" * 201}, "name", "invalid_value"),
        ({"name": 5}, "name", "invalid_type"),
        ({"name": "n", "colour": "red"}, "colour", "unexpected_field"),
        ({"name": "n", "project_id": 5}, "project_id", "unexpected_field"),
        ({"name": "n", "key": ""}, "key", "invalid_value"),
        ({"name": "n", "key": "../x"}, "key", "invalid_value"),
        ({"name": "n", "key": "a/b"}, "key", "invalid_value"),
        ({"name": "n", "key": "-a"}, "key", "invalid_value"),
        ({"name": "n", "key": "a\n"}, "key", "invalid_value"),
        ({"name": "n", "key": "x" * 65}, "key", "invalid_value"),
        ({"name": "n", "platform": "windows"}, "platform", "invalid_value"),
        ({"name": "n", "sample_rate": -1}, "sample_rate", "invalid_value"),
        ({"name": "n", "sample_rate": 101}, "sample_rate", "invalid_value"),
        ({"name": "n", "sample_rate": "50"}, "sample_rate", "invalid_type"),
        ({"name": "n", "sample_rate": 50.5}, "sample_rate", "invalid_type"),
        ({"name": "n", "sample_rate": True}, "sample_rate", "invalid_type"),
        ({"name": "n", "retention_days": 0}, "retention_days", "invalid_value"),
        ({"name": "n", "max_session_duration_ms": 0}, "max_session_duration_ms", "invalid_value"),
        ({"name": "n", "max_session_duration_ms": 2**63}, "max_session_duration_ms", "invalid_value"),
        ({"name": "n", "hamustro": {"signature": "maybe"}}, "hamustro.signature", "invalid_value"),
        ({"name": "n", "hamustro": {"secret": "x"}}, "hamustro.secret", "unexpected_field"),
        ({"name": "n", "hamustro": []}, "hamustro", "invalid_type"),
        ({"name": "n", "segment": {"sources": {"a": 1}}}, "segment.sources.a", "invalid_type"),
        ({"name": "n", "segment": {"webhook_secret": "a\0b"}}, "segment.webhook_secret", "invalid_value"),
        ({"name": "n", "conditions": [{"name": "a\0"}]}, "conditions.0.name", "invalid_value"),
        ({"name": "n", "events": {"open": 1}}, "events.open", "invalid_type"),
        ({"name": "n", "events": {"future_tolerance_s": -1}}, "events.future_tolerance_s", "invalid_value"),
        ({"name": "n", "conditions": [{}]}, "conditions.0.name", "missing_field"),
        (
            {"name": "n", "conditions": [{"name": "c", "capture_rate": 101}]},
            "conditions.0.capture_rate",
            "invalid_value",
        ),
        (
            {"name": "n", "conditions": [{"name": "c", "filters": [{"operator": "is"}]}]},
            "conditions.0.filters.0.type",
            "missing_field",
        ),
    ],
)
def test_bad_values_are_refused_with_their_place(values: object, field: str, code: str):
    assert faults(values) == {field: code}


def test_all_problems_are_told_at_once():
    assert set(faults({"key": "/", "sample_rate": 500, "x": 1})) == {"name", "key", "sample_rate", "x"}


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_refused(body: object):
    with pytest.raises(InvalidBody):
        parse_create(body)


def test_the_command_line_may_give_texts():
    changes = parse_changes({"sample_rate": "50", "active": "false"}, strict=False)
    assert (changes.sample_rate, changes.active) == (50, False)


def test_changes_touch_what_they_name_and_nothing_else():
    before = project(segment={"webhook_secret": "w"}, hamustro={"masked_ip": True, "maintenance_key": "m"})
    after = changed(before, parse_changes({"hamustro": {"signature": "optional"}, "sample_rate": 10}), 2000)
    assert after.options.hamustro.signature == "optional"
    assert after.options.hamustro.shared_secret == before.options.hamustro.shared_secret
    assert after.options.hamustro.masked_ip and after.options.hamustro.maintenance_key == "m"
    assert after.options.segment == before.options.segment
    assert (after.sample_rate, after.updated_ms, after.created_ms) == (10, 2000, 1000)
    assert after.project_key == before.project_key


def test_null_says_nothing_and_an_empty_secret_rolls_it():
    before = project(hamustro={"shared_secret": "one", "maintenance_key": "m"})
    nulls = {"name": None, "hamustro": {"shared_secret": None, "maintenance_key": None}, "conditions": None}
    after = changed(before, parse_changes(nulls), 2000)
    assert (after.name, after.options) == (before.name, before.options)
    rolled = changed(before, parse_changes({"hamustro": {"shared_secret": "", "maintenance_key": ""}}), 2000)
    assert rolled.options.hamustro.shared_secret not in ("", "one")
    assert rolled.options.hamustro.maintenance_key == ""


def test_a_key_cannot_be_changed():
    with pytest.raises(ValidationFailed):
        parse_changes({"key": "other"})


def test_strict_categories_is_one_switch_under_two_names():
    for values in ({"strict_categories": True}, {"events": {"strict_categories": True}}):
        strict = project(**values)
        assert strict.strict_categories and strict.options.events.strict_categories
        still = changed(strict, parse_changes({"events": {"open": True}}), 2000)
        assert still.strict_categories and still.options.events.strict_categories
        off = changed(strict, parse_changes({"strict_categories": False}), 2000)
        assert not off.strict_categories and not off.options.events.strict_categories
    with pytest.raises(ValidationFailed):
        project(strict_categories=True, events={"strict_categories": False})


def test_conditions_have_the_shape_that_both_sdks_parse():
    conditions = [
        {
            "name": "slow checkout",
            "capture_rate": 50,
            "filters": [
                {"type": "session_duration", "operator": ">", "value": 10_000},
                {
                    "type": "network_message",
                    "operator": "is",
                    "value": [],
                    "filters": [{"type": "fetchStatusCode", "operator": ">=", "value": [400, "500"]}],
                },
                {"type": "event", "operator": "is", "value": "paid", "source": "app"},
            ],
        }
    ]
    body = for_sdk(project(conditions=conditions).options.conditions)
    assert body == {
        "conditions": [
            {
                "conditionId": 1,
                "name": "slow checkout",
                "captureRate": 50,
                "filters": [
                    {
                        "type": "session_duration",
                        "name": "session_duration",
                        "operator": ">",
                        "value": ["10000"],
                    },
                    {
                        "type": "network_message",
                        "name": "network_message",
                        "operator": "is",
                        "value": [],
                        "filters": [
                            {
                                "type": "fetchStatusCode",
                                "name": "fetchStatusCode",
                                "operator": ">=",
                                "value": ["400", "500"],
                            }
                        ],
                    },
                    {"type": "event", "name": "event", "operator": "is", "value": ["paid"], "source": "app"},
                ],
            }
        ]
    }
    assert for_sdk(()) == {"conditions": []}


def test_conditions_keep_their_ids_when_the_list_changes():
    before = project(conditions=[{"name": "a"}, {"name": "b"}])
    after = changed(before, parse_changes({"conditions": [{"name": "c"}, {"name": "b"}]}), 2000)
    assert [(each.name, each.condition_id) for each in after.options.conditions] == [("c", 3), ("b", 2)]
    renamed = changed(after, parse_changes({"conditions": [{"condition_id": 3, "name": "d"}]}), 3000)
    assert [(each.name, each.condition_id) for each in renamed.options.conditions] == [("d", 3)]


def test_a_conditions_rate_replaces_the_projects():
    conditional = project(sample_rate=20, conditions=[{"name": "a", "capture_rate": 70}])
    assert [conditional.rate_of(name) for name in ("", "a", "unknown")] == [20, 70, 20]


def test_the_view_hides_secrets_from_readers():
    shown = project(segment={"webhook_secret": "w"})
    shown = Project.from_row({**shown.to_row(), "project_id": 1})
    full, reduced = view(shown, secrets=True), view(shown, secrets=False)
    assert full.hamustro.shared_secret == shown.options.hamustro.shared_secret
    assert (full.segment.webhook_secret, full.segment.signing_secret) == ("w", "")
    hidden = reduced.model_dump()
    assert {hidden["hamustro"]["shared_secret"], hidden["hamustro"]["maintenance_key"]} == {None}
    assert {hidden["segment"]["webhook_secret"], hidden["segment"]["signing_secret"]} == {None}
    assert full.project_id == "1" and full.encoded_id == 7286977268806823
    assert parse_changes({"hamustro": full.hamustro.model_dump()}).hamustro == shown.options.hamustro


def test_a_project_survives_the_way_through_json():
    full = project(
        conditions=[{"name": "a", "filters": [{"type": "event", "operator": "is", "value": "x"}]}],
        strict_categories=True,
    )
    assert Project.from_json(full.to_json()) == full


def test_options_of_a_newer_version_are_ignored_when_read():
    row = project().to_row()
    row["options"]["hamustro"]["from_the_future"] = 1
    row["options"]["more"] = {}
    assert Project.from_row(row).options.hamustro.signature == "required"


def test_options_of_an_older_version_get_defaults():
    row = project().to_row() | {"options": {}}
    assert Project.from_row(row).options.segment.allowed_channels == ("mobile",)


def test_encoded_ids_as_the_specification_has_them():
    assert encoded_ids.encode(1) == 7286977268806823
    assert encoded_ids.encode(2) == 5566755282872654
    assert encoded_ids.decode(7286977268806823) == 1
    assert encoded_ids.decode("5566755282872654") == 2
    assert encoded_ids.decode(7286977268806823.0) == 1


@given(st.integers(1, 2**32 - 1))
def test_encoded_ids_come_back(project_id: int):
    encoded = encoded_ids.encode(project_id)
    assert 2**52 <= encoded < 2**53
    assert encoded_ids.decode(encoded) == project_id


@pytest.mark.parametrize(
    "value",
    [0, 1, -1, 2**52, 2**52 - 1, 2**53, 2**52 + 1, 2**52 + 12345, True, "", "x", "1" * 400, 1.5, "７"],
)
def test_what_is_no_encoded_id_is_refused(value: int | float | str):
    with pytest.raises(Unprocessable):
        encoded_ids.decode(value)


@given(st.integers(1, 2**31), st.text(), st.integers(0, 100))
def test_sampling_is_stable_and_monotone(project_id: int, user: str, rate: int):
    day = day_of(1_700_000_000_000)
    assert day == "2023-11-14"
    answer = sampled_in(project_id, user, day, rate)
    assert sampled_in(project_id, user, day, rate) == answer
    assert not sampled_in(project_id, user, day, 0)
    assert sampled_in(project_id, user, day, 100)
    if answer:
        assert all(sampled_in(project_id, user, day, more) for more in range(rate, 101))


def test_sampling_keeps_its_rate_and_differs_by_project_and_day():
    users = [f"user-{place}" for place in range(20_000)]
    kept = {user for user in users if sampled_in(1, user, "2026-01-01", 10)}
    assert 1800 < len(kept) < 2200
    other_day = {user for user in users if sampled_in(1, user, "2026-01-02", 10)}
    other_project = {user for user in users if sampled_in(2, user, "2026-01-01", 10)}
    assert 100 < len(kept & other_day) < 300
    assert 100 < len(kept & other_project) < 300
