"""Events survive the journal's form, whatever an adapter found in a request."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from events.incoming import IncomingEvent, clean_text, pack, unpack
from playhead.errors import Malformed


def event(**more: Any) -> IncomingEvent:
    values: dict[str, Any] = {
        "source": "json",
        "category": "party",
        "name": "App",
        "at_us": 5,
        "device_us": -5,
    }
    return IncomingEvent(**{**values, **more})


def test_events_come_back_as_they_were() -> None:
    sent = [
        event(),
        event(
            session_id="", user_id="ünï", event_id="1", data={"a": [1, 2.5, None, True, {"b": "\U0001f600"}]}
        ),
        event(session_id="s", data={"big": 2**63, "least": -(2**63)}),
    ]
    assert unpack(pack(sent)) == sent


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"a\0": "b\0c"}, {"a\ufffd": "b\ufffdc"}),
        ({"n": 2**64}, {"n": float(2**64)}),
        ({"n": 10**400}, {"n": None}),
        ({"n": float("nan")}, {"n": None}),
        ({"s": "\ud800"}, {"s": "?"}),
        ({1: (1, 2)}, {"1": [1, 2]}),
    ],
)
def test_what_cannot_be_stored_is_made_storable(data: dict[Any, Any], kept: dict[str, Any]) -> None:
    assert unpack(pack([event(data=data)]))[0].data == kept


def test_every_packing_is_its_own() -> None:
    assert pack([event()]) != pack([event()])


@pytest.mark.parametrize("levels", [100, 250, 5000])
def test_deep_data_is_cut(levels: int) -> None:
    """What is kept can be written again inside an answer."""
    deep: Any = {}
    for _ in range(levels):
        deep = {"a": deep}
    found: Any = unpack(pack([event(data=deep)]))[0].data
    depth = 0
    while found:
        found, depth = found["a"], depth + 1
    assert depth == 100
    wide = {"a": [[n] for n in range(200)]}
    assert unpack(pack([event(data=wide)]))[0].data == wide


def test_every_cut_is_malformed() -> None:
    body = pack([event(data={"a": 1}), event()])
    for end in range(len(body)):
        with pytest.raises(Malformed):
            unpack(body[:end])


@pytest.mark.parametrize(
    "body", [b"", b"\xc0", msgpack.packb([2, b"", []]), msgpack.packb([1, b"", [[1]]]), b"\xff" * 9]
)
def test_foreign_bytes_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(body)


def test_text_is_cleaned() -> None:
    assert clean_text("a\0\udc00ü") == "a\ufffd?ü"
