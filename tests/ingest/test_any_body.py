"""Whatever a body holds, an adapter answers: no exception of its own leaves it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.incoming import pack
from ingest import apprtc, hamustro, segment_com, segment_webhook
from projects.model import HamustroOptions, SegmentOptions
from tests.ingest.test_apprtc import FULL
from tests.ingest.test_hamustro_wire import protobuf
from tests.ingest.test_segment_com import batch, item
from tests.ingest.webhook_messages import OPTIONS, later, message, user_name

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "\ud800", "\0", "1e999", "nan"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


def spots(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every member of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in ((*way, key), *spots(each, (*way, key)))]


def spoiled(data: st.DataObject, good: dict[str, Any]) -> bytes:
    """A good message with some members replaced by anything."""
    body = json.loads(json.dumps(good))
    for way in data.draw(st.lists(st.sampled_from(spots(body)), min_size=1, max_size=4)):
        target = body
        with contextlib.suppress(KeyError, IndexError, TypeError):  # what was replaced before has no members
            for key in way[:-1]:
                target = target[key]
            target[way[-1]] = data.draw(VALUES)
    return json.dumps(body).encode()


SEGMENT = SegmentOptions()


@settings(max_examples=150, deadline=None)
@given(st.data())
async def test_spoiled_messages(data: st.DataObject) -> None:
    event = apprtc.read_event(spoiled(data, FULL), host="h", now_ms=1_700_000_000_000)
    pack([event] if event else [])
    for good, receive in (
        (message(), segment_webhook.receive_first),
        (later(), segment_webhook.receive_later),
    ):
        hook = segment_webhook.Hook(spoiled(data, good), "application/json", "anything")
        answer = await receive(hook, options=OPTIONS, user_name=user_name)
        pack([answer.event] if answer.event else [])
    with contextlib.suppress(segment_com.Refusal):
        body = spoiled(data, batch(item(), item(type="page")))
        pack(segment_com.judge(segment_com.parse("batch", body), now_us=1).events)
    with contextlib.suppress(segment_com.Refusal):
        pack(segment_com.read_webhook(spoiled(data, item()), "", options=SEGMENT, now_us=1).events)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(["application/json", "application/protobuf"]))
def test_spoiled_collections(data: st.DataObject, content_type: str) -> None:
    body = bytearray(protobuf().SerializeToString())
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=4)):
        body[place] = data.draw(st.integers(0, 255))
    sent = bytes(body) if data.draw(st.booleans()) else data.draw(st.binary(max_size=60))
    options = HamustroOptions(signature="optional", masked_ip=True)
    answer = hamustro.track("POST", {"content-type": content_type}, sent, options=options, now_ms=1)
    assert answer.status in (200, 204, 400)
    pack(answer.events)
