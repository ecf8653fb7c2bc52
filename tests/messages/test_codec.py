"""Bodies: what is written comes back, in each layout; what is broken raises Malformed and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages import TABLE, Layout, Limits, Message, decode, encode, fields, frame_bytes, walk
from messages.codec import CHECKERS, READERS
from messages.schema import (
    IOSCustomEvent,
    IOSNetworkCall,
    IOSScreenEnter,
    MobileClickEvent,
    MobileEvent,
    MobileInputEvent,
    MobileLog,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileViewComponentEvent,
)
from messages.wire import uint
from playhead.errors import Malformed
from tests.messages.samples import SAMPLES, any_message

AT = 1_700_000_000_000
TYPES = sorted({row.number for row in TABLE})


def body_of(message: Message, layout: Layout) -> bytes:
    [frame] = walk(encode(message, timestamp=AT, layout=layout), Limits()).frames
    assert (frame.type, frame.timestamp) == (message.TYPE, AT)
    return frame.body


@pytest.mark.parametrize(("message", "layout"), SAMPLES)
def test_a_sample_comes_back_as_it_was(message, layout):
    assert decode(message.TYPE, body_of(message, layout), layout) == message


@given(any_message())
def test_any_message_comes_back_as_it_was(pair):
    message, layout = pair
    assert decode(message.TYPE, body_of(message, layout), layout) == message


@pytest.mark.parametrize(("message", "layout"), SAMPLES)
def test_bytes_of_a_later_version_behind_the_known_fields_are_ignored(message, layout):
    body = body_of(message, layout)
    for surplus in (b"\0", b"\x05later", b"\xff" * 12):
        again = decode(message.TYPE, body + surplus, layout)
        if message.TYPE not in (98, 105) or layout is not Layout.LEGACY:
            assert again == message, surplus


@pytest.mark.parametrize(("message", "layout"), SAMPLES)
def test_a_body_cut_at_any_byte_is_malformed_or_another_form(message, layout):
    body = body_of(message, layout)
    for end in range(len(body)):
        try:
            cut = decode(message.TYPE, body[:end], layout)
        except Malformed:
            continue
        assert message.TYPE in (98, 105), cut  # the only types with several forms


@pytest.mark.parametrize(("message", "layout"), SAMPLES)
def test_a_flipped_byte_gives_a_message_or_malformed(message, layout):
    body = body_of(message, layout)[:300]
    for place in range(len(body)):
        for flip in (0x01, 0x80, 0xFF):
            broken = body[:place] + bytes([body[place] ^ flip]) + body[place + 1 :]
            assert_lawful(message.TYPE, broken, layout)


@given(st.sampled_from(TYPES), st.binary(max_size=80), st.sampled_from(list(Layout)), st.integers(0, 90))
def test_any_bytes_give_a_message_or_malformed(number, body, layout, limit):
    assert_lawful(number, body, layout, limit)


def assert_lawful(number: int, body: bytes, layout: Layout, limit: int = 1_000) -> None:
    try:
        message = decode(number, body, layout, limit)
    except Malformed:
        return
    for value in fields(message).values():
        if isinstance(value, str):
            assert "\0" not in value
            assert len(value.encode("utf-8")) <= 3 * limit  # a bad byte becomes three
        else:
            assert -(2**31) <= value < 2**64


def test_quick_and_slow_readers_agree():
    for message, layout in SAMPLES:
        body = body_of(message, layout)
        quick = decode(message.TYPE, body, layout, 1_000_000)
        slow = decode(message.TYPE, body, layout, len(body) - 1)  # the body is over the limit, no string is
        assert quick == slow


def test_unknown_types_are_malformed():
    for number in (2, 99, 108, 128, 2**64 - 1):
        with pytest.raises(Malformed, match=f"unknown mobile type: {number}"):
            decode(number, b"\0\0\0", Layout.IOS)


def test_fields_have_the_names_of_the_wire_and_plain_types():
    message = decode(101, b"\x02pw\x01\x03sec", Layout.IOS)
    assert fields(message) == {"Value": "pw", "ValueMasked": True, "Label": "sec"}
    call = MobileNetworkCall("request", "GET", "/a", "{}", "[]", 200, 120)
    assert list(fields(call)) == ["Type", "Method", "URL", "Request", "Response", "Status", "Duration"]


# -- strings


def test_bad_text_is_cleaned():
    assert decode(103, b"\x04in\0o\x03\xff\xfe!", Layout.IOS) == MobileLog("ino", "\ufffd\ufffd!")


def test_a_long_string_is_cut_between_characters_and_says_so():
    message = decode(103, b"\x04info" + uint(20) + "é".encode() * 10, Layout.IOS, 9)
    assert message == MobileLog("info", "éééé", cut=True)
    assert not decode(103, b"\x04info\x02ok", Layout.IOS, 9).cut


@pytest.mark.parametrize("length", [2**31, 2**63, 2**64 - 1])
def test_a_string_length_beyond_the_body_is_malformed(length):
    for body in (uint(length) + b"abc", b"\x01a" + uint(length), uint(length) + b"\xff\xff"):
        with pytest.raises(Malformed, match="not whole"):
            decode(103, body, Layout.IOS)


def test_only_one_is_true():
    assert [decode(101, b"\0" + bytes([byte]) + b"\0").value_masked for byte in (0, 1, 2, 255)] == [  # type: ignore[attr-defined]
        False,
        True,
        False,
        False,
    ]


# -- 105 and its forms (spec 3.5, 3.7 C)

CALL = MobileNetworkCall("request", "GET", "/a", "{}", "[]", 200, 120)
HEAD = b"\x07request\x03GET\x02/a"
IOS_CALL = HEAD + b"\x02{}\x02[]\xc8\x01\x78"
ANDROID_CALL = HEAD + b"\x02[]\x02{}\x00\x00\x00\xc8\x78"


@pytest.mark.parametrize("layout", [Layout.IOS, Layout.LEGACY])
def test_the_network_call_of_the_spec_is_read_from_both_sdks(layout):
    assert decode(105, IOS_CALL, layout) == CALL
    assert decode(105, ANDROID_CALL, layout) == CALL


def test_the_network_call_of_the_spec_is_written_as_both_sdks_do():
    assert encode(CALL, timestamp=AT).endswith(IOS_CALL)
    assert encode(CALL, timestamp=AT, layout=Layout.ANDROID).endswith(ANDROID_CALL)


def test_an_old_android_swaps_the_bodies_around_a_varint_status():
    old = HEAD + b"\x02[]\x02{}\xc8\x01\x78"
    assert decode(105, old, Layout.ANDROID) == CALL


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("status", [-2, -1, 0, 1, 127, 128, 200, 255, 256, 404, 500, 599, 999])
@pytest.mark.parametrize("duration", [0, 1, 127, 128, 300, 20_000, 2**21, 2**28, 2**35, 2**40])
def test_android_status_is_never_taken_for_two_varints(layout, status, duration):
    call = MobileNetworkCall("request", "GET", "/a", "q", "a", status, duration)
    assert decode(105, body_of(call, Layout.ANDROID), layout) == call


@given(st.integers(0, 999), st.integers(0, 2**40))
def test_ios_status_is_never_taken_for_four_bytes(status, duration):
    call = MobileNetworkCall("request", "GET", "/a", "q", "a", status, duration)
    assert decode(105, body_of(call, Layout.IOS), Layout.IOS) == call


@pytest.mark.parametrize("status", [-(2**31), 70_000, 2**23])
def test_odd_android_statuses_come_through(status):
    call = MobileNetworkCall("request", "GET", "/a", "q", "a", status, 5)
    assert decode(105, body_of(call, Layout.ANDROID), Layout.ANDROID) == call


# -- layouts of 2023 (spec 3.6)

OLD_CALL = IOSNetworkCall(85, "{}", "ok", "https://example.com/a", True, "GET", 200)


def test_a_legacy_preference_takes_todays_form_where_only_that_fits():
    today = MobileViewComponentEvent("Cart", "CartController", True)
    assert decode(98, body_of(today, Layout.IOS), Layout.LEGACY) == today
    assert decode(105, IOS_CALL, Layout.LEGACY) == CALL


@pytest.mark.parametrize("layout", [Layout.IOS, Layout.ANDROID])
def test_a_preference_of_today_takes_the_legacy_form_where_only_that_fits(layout):
    enter = IOSScreenEnter("Cart", "CartController")
    assert decode(98, body_of(enter, Layout.LEGACY), layout) == enter
    assert decode(105, body_of(OLD_CALL, Layout.LEGACY), layout) == OLD_CALL


def test_an_event_has_the_name_of_its_generation():
    body = b"\x03buy\x02{}"
    assert type(decode(93, body, Layout.IOS)) is MobileEvent
    assert type(decode(93, body, Layout.LEGACY)) is IOSCustomEvent
    assert isinstance(decode(93, body, Layout.LEGACY), MobileEvent)


def test_all_other_types_are_the_same_in_the_legacy_layout():
    click = MobileClickEvent("Buy", 150, 300)
    assert decode(100, body_of(click, Layout.LEGACY), Layout.LEGACY) == click


# -- worked examples (spec 3.7 A, B)


@pytest.mark.parametrize(
    ("framed", "message"),
    [
        ("64 85d095ffbc31 08 03427579 9601 ac02", MobileClickEvent("Buy", 150, 300)),
        ("65 8ad095ffbc31 08 03c3a92a 01 027077", MobileInputEvent("é*", True, "pw")),
        ("66 8bd095ffbc31 0e 0c626174746572794c6576656c 64", MobilePerformanceEvent("batteryLevel", 100)),
        (
            "66 8cd095ffbc31 11 0b6d656d6f72795573616765 8080808001",
            MobilePerformanceEvent("memoryUsage", 268_435_456),
        ),
    ],
)
def test_the_worked_examples_of_the_spec(framed, message):
    raw = bytes.fromhex(framed)
    [frame] = walk(raw, Limits()).frames
    assert decode(frame.type, frame.body, Layout.IOS) == message
    assert encode(message, timestamp=frame.timestamp) == raw
    assert frame_bytes(frame.type, frame.timestamp, frame.body) == raw


def refused(work: Callable[[], object]) -> bool:
    try:
        work()
    except Malformed:
        return True
    return False


@pytest.mark.parametrize(("message", "layout"), SAMPLES)
def test_a_checker_refuses_what_the_reader_refuses(message, layout):
    body = body_of(message, layout)
    for bent in (body, body + b"\0", body[:-4] + b"\xff" * 11, *(body[:end] for end in range(len(body)))):
        reader, checker = READERS[layout][message.TYPE], CHECKERS[layout][message.TYPE]
        assert refused(lambda: checker(bent)) == refused(lambda: reader(bent, 1_000_000)), bent  # noqa: B023


@given(type=st.sampled_from(TYPES), layout=st.sampled_from(Layout), body=st.binary(max_size=40))
def test_a_checker_refuses_the_noise_that_the_reader_refuses(type, layout, body):
    if type in READERS[layout]:
        wanted = refused(lambda: READERS[layout][type](body, 1_000_000))
        assert refused(lambda: CHECKERS[layout][type](body)) == wanted
