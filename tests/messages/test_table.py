"""The table itself: one line per id and generation, a sample of each, names as the SDKs have them."""

import pytest

from messages import CLIENT_TYPES, REFUSED_TYPES, TABLE, Layout, Message, name_of
from messages.schema import SERVER_TYPES, Text, message, wire_name
from tests.messages.samples import LEGACY, SAMPLES, TODAY


def test_no_id_stands_twice_in_a_generation():
    for legacy in (False, True):
        numbers = [row.number for row in TABLE if row.legacy is legacy]
        assert len(numbers) == len(set(numbers))


def test_a_second_class_with_the_same_id_fails_at_import():
    before = list(TABLE)

    class MobileTwin(Message):
        label: Text

    with pytest.raises(ValueError, match="100 stands twice"):
        message(100)(MobileTwin)
    assert before == TABLE


def test_every_class_has_a_sample():
    assert {type(sample) for sample, _ in SAMPLES} == {row.cls for row in TABLE}
    assert {type(sample) for sample in TODAY} == {row.cls for row in TABLE if not row.legacy}
    assert {type(sample) for sample in LEGACY} == {row.cls for row in TABLE if row.legacy}


def test_every_class_says_what_it_is():
    for row in TABLE:
        assert row.cls.__doc__ and not row.cls.__doc__.startswith(row.cls.__name__ + "("), row.cls
        assert row.number == row.cls.TYPE
        assert row.cls.__name__ == row.cls.NAME


def test_what_clients_send_and_what_they_may_not_are_apart():
    assert not CLIENT_TYPES & REFUSED_TYPES
    assert {90, 91, 110, 111, 0, 1, 81} <= REFUSED_TYPES
    assert not {2, 99, 108, 128} & REFUSED_TYPES  # unknown: stepped over


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("first_index", "FirstIndex"),
        ("url", "URL"),
        ("id", "ID"),
        ("x", "X"),
        ("value_masked", "ValueMasked"),
    ],
)
def test_attributes_have_the_names_of_the_wire(attribute, name):
    assert wire_name(attribute) == name


def test_names_follow_the_layout():
    assert name_of(98, Layout.IOS) == name_of(98, Layout.ANDROID) == "MobileViewComponentEvent"
    assert name_of(98, Layout.LEGACY) == "IOSScreenEnter"
    assert name_of(99, Layout.IOS) is None
    assert name_of(99, Layout.LEGACY) == "IOSScreenLeave"
    assert name_of(100, Layout.LEGACY) == "MobileClickEvent"
    assert name_of(108, Layout.IOS) is None
    assert {number: name_of(number, Layout.IOS) for number in SERVER_TYPES} == SERVER_TYPES
