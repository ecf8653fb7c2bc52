"""At least one message of every class, and strategies for any message."""

from __future__ import annotations

from hypothesis import strategies as st

from messages import TABLE, Layout, Message
from messages.schema import (
    IOSCustomEvent,
    IOSNetworkCall,
    IOSScreenEnter,
    IOSScreenLeave,
    MobileBatchMeta,
    MobileClickEvent,
    MobileCrash,
    MobileEvent,
    MobileGraphQL,
    MobileInputEvent,
    MobileInternalError,
    MobileLog,
    MobileMetadata,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileScreenChanges,
    MobileSwipeEvent,
    MobileUserAnonymousID,
    MobileUserID,
    MobileViewComponentEvent,
    Row,
)

BIG = 2**64 - 1

TODAY: list[Message] = [
    MobileMetadata("plan", "pro"),
    MobileMetadata("", ""),
    MobileEvent("add_to_cart", '{"sku":1001}'),
    MobileEvent("日本語", "👩‍👩‍👧‍👦" * 50),
    MobileUserID("ana@example.com"),
    MobileUserAnonymousID("anon-5f2c"),
    MobileScreenChanges(0, 127, 128, BIG),
    MobileCrash("NSInvalidArgumentException", "unrecognized selector", "0 CoreFoundation\n1 Demo"),
    MobileViewComponentEvent("Checkout", "PayButton", True),
    MobileViewComponentEvent("Checkout", "PayButton", False),
    MobileClickEvent("UIButton 'Pay'", 120, 640),
    MobileInputEvent("***", True, "Password"),
    MobilePerformanceEvent("memoryUsage", 187_432_960),
    MobilePerformanceEvent("background", 0),
    MobileLog("info", "x" * 1024),
    MobileInternalError("capture failed"),
    MobileNetworkCall("request", "GET", "https://example.com/a", '{"body":"q"}', '{"body":"a"}', 200, 120),
    MobileNetworkCall("request", "POST", "https://example.com/b", "{}", "", 503, 2**40),
    MobileNetworkCall("", "", "", "", "", 0, 0),
    MobileSwipeEvent("Swipe", 16_384, 0, "left"),
    MobileBatchMeta(300),
    MobileGraphQL("query", "Everything", "{}", '{"data":1}', 2210),
]

LEGACY: list[Message] = [
    IOSCustomEvent("add_to_cart", "{}"),
    IOSScreenEnter("Cart", "CartController"),
    IOSScreenLeave("Cart", "CartController"),
    IOSNetworkCall(85, '{"a":"b"}', "ok", "https://example.com/a", True, "GET", 200),
]

# (message, layout) pairs that come back as they were
SAMPLES: list[tuple[Message, Layout]] = [
    *((message, layout) for message in TODAY for layout in (Layout.IOS, Layout.ANDROID)),
    *((message, Layout.LEGACY) for message in LEGACY),
]

_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200
)  # what survives cleaning
_UINT = st.one_of(st.integers(0, 300), st.integers(0, BIG))
_KINDS = {"string": _TEXT, "uint": _UINT, "boolean": st.booleans()}


def any_of(row: Row, layout: Layout) -> st.SearchStrategy[Message]:
    """Messages of one class with any values that the layout can carry."""
    values: dict[str, st.SearchStrategy[object]] = {
        column.attribute: _KINDS[column.kind] for column in row.columns
    }
    if layout is Layout.ANDROID and row.cls is MobileNetworkCall:
        values["status"] = st.integers(-2, 999)
        values["duration"] = st.integers(0, 2**40)
    return st.builds(row.cls, **values)


def any_message() -> st.SearchStrategy[tuple[Message, Layout]]:
    """Any class in any layout that writes it, with any values."""
    pairs = [(row, Layout.LEGACY) for row in TABLE if row.legacy]
    pairs += [(row, layout) for row in TABLE if not row.legacy for layout in (Layout.IOS, Layout.ANDROID)]
    return st.sampled_from(pairs).flatmap(lambda pair: st.tuples(any_of(*pair), st.just(pair[1])))
