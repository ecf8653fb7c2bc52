"""THE table: every message that a mobile tracker sends, a class each, a line per field.

It drives the decoder, the encoder, `docs/reference/messages.md` and the samples of the tests; nothing else
knows an id. The ids and layouts belong to the SDKs: never change a field in place, add none of our own.
Source: spec/openreplay-mobile.md 3.6 (`mobs/mobile_messages.rb`; the layouts of 2023:
`mobs/ios_messages.rb`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Annotated, Any, ClassVar, dataclass_transform, get_type_hints

from messages.wire import Wire


class Layout(StrEnum):
    """Which SDK wrote a batch: a preference; the form that consumes a body exactly wins (spec 3.5, 3.6)."""

    IOS = "ios"  # the schema of today
    ANDROID = "android"  # the same, but 105 has Response before Request and its Status as four bytes
    LEGACY = "legacy"  # layouts of mid-2023, under /v1/ios


Text = Annotated[str, Wire("string")]
Uint = Annotated[int, Wire("uint")]
Flag = Annotated[bool, Wire("boolean")]
Position = Annotated[int, Wire("uint", "pt/px")]  # points on iOS, pixels on Android
Millis = Annotated[int, Wire("uint", "ms")]

WIRE_NAMES = {"id": "ID", "url": "URL"}  # what the rule (each word capitalised) gets wrong


@dataclass(slots=True)
class Message:
    """Base of all; `cut` says that a string was longer than the limit and is not whole."""

    TYPE: ClassVar[int]
    NAME: ClassVar[str]

    cut: bool = field(default=False, kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class Column:
    """One field of one class: attribute, name on the wire, how it travels, unit."""

    attribute: str
    name: str
    kind: str
    unit: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    number: int
    cls: type[Message]
    legacy: bool
    ios: str  # who sends it: "yes", "no", "never" (it only stands in the SDK's schema), or more words
    android: str
    when: str  # this layout is or was sent
    columns: tuple[Column, ...]


TABLE: list[Row] = []


@dataclass_transform(field_specifiers=(field,))
def message(
    number: int, *, ios: str = "yes", android: str = "yes", when: str = "2023 or before", legacy: bool = False
) -> Callable[[type[Any]], type[Any]]:
    """Makes a slots dataclass of a class and enters it in the table; its name is the wire's name.

    `ios` and `android` say who sends it, `when` since or until when. Raises ValueError for an id that
    stands twice in one generation.
    """

    def enter(cls: type[Any]) -> type[Any]:
        if any(row.number == number and row.legacy == legacy for row in TABLE):
            raise ValueError(f"message {number} stands twice in the table")
        made = dataclass(slots=True)(cls)
        made.TYPE, made.NAME = number, made.__name__
        hints = get_type_hints(made, include_extras=True)
        columns = tuple(
            Column(f.name, wire_name(f.name), wire.kind, wire.unit)
            for f in fields(made)
            if f.name != "cut"
            for wire in hints[f.name].__metadata__
        )
        TABLE.append(Row(number, made, legacy, ios, android, when, columns))
        return made

    return enter


def wire_name(attribute: str) -> str:
    """`first_index` -> `FirstIndex`, `url` -> `URL`: the name in the SDKs' schema."""
    return WIRE_NAMES.get(attribute) or "".join(word.capitalize() for word in attribute.split("_"))


# -- today's generation (since October 2023; named IOS* until April 2024)


@message(92)
class MobileMetadata(Message):
    """A key and value that the app attached to the session."""

    key: Text
    value: Text


@message(93)
class MobileEvent(Message):
    """An event that the app names; Payload is JSON text or empty. Android also sends screens so:
    `viewAppeared`, with Payload `screen:view`."""

    name: Text
    payload: Text


@message(94)
class MobileUserID(Message):
    """The app's id of its user. Android sends its anonymous id so, too."""

    id: Text


@message(95, android="no")
class MobileUserAnonymousID(Message):
    """The app's id of a visitor who is not signed in."""

    id: Text


@message(96, ios="never", android="no")
class MobileScreenChanges(Message):
    """A part of the screen changed. In the schema, sent by no release."""

    x: Position
    y: Position
    width: Position
    height: Position


@message(97)
class MobileCrash(Message):
    """An uncaught NSException or Throwable; Stacktrace has one frame per line. Sent alone, without batch
    meta, while dying or at the next start."""

    name: Text
    reason: Text
    stacktrace: Text


@message(98, android="no (93 `viewAppeared`)", when="since 2023-10")
class MobileViewComponentEvent(Message):
    """A view came on the screen or left it."""

    screen_name: Text
    view_name: Text
    visible: Flag


@message(100)
class MobileClickEvent(Message):
    """A tap; where the touch ended, in the window. Labels: `UIButton 'Pay'` (iOS), `id:x | text:y | desc:z |
    type:Button` (Android)."""

    label: Text
    x: Position
    y: Position


@message(101)
class MobileInputEvent(Message):
    """The end of editing a text field. Secure fields come as `***` with ValueMasked."""

    value: Text
    value_masked: Flag
    label: Text


@message(102)
class MobilePerformanceEvent(Message):
    """A measured value or a state; the table of names is below."""

    name: Text
    value: Uint


@message(103, android="yes, off by default")
class MobileLog(Message):
    """What the app wrote to stdout (Severity `info`) or stderr (`error`), up to 1,024 bytes each."""

    severity: Text
    content: Text


@message(104, ios="never", android="never")
class MobileInternalError(Message):
    """A fault inside the tracker. In the schema, sent by no release."""

    content: Text


@message(105, when="since 2023-10")
class MobileNetworkCall(Message):
    """An HTTP request of the app. Request and Response are JSON text `{"headers":{..},"body":".."}`.
    Android writes Response before Request, and since 1.1.4 Status as four bytes, big-endian, signed."""

    type: Text
    method: Text
    url: Text
    request: Text
    response: Text
    status: Uint
    duration: Millis


@message(106, when="since 2023-10")
class MobileSwipeEvent(Message):
    """A touch that moved; Direction is left, right, up, down (Android also `undefined`; its Label is
    `Swipe`)."""

    label: Text
    x: Position
    y: Position
    direction: Text


@message(107)
class MobileBatchMeta(Message):
    """Head of a batch: how many messages the SDK's process put into earlier batches. Its time is the
    device's clock when the batch was made."""

    first_index: Uint


@message(109, when="since 2024")
class MobileGraphQL(Message):
    """A GraphQL operation of the app. Android leaves out those without kind or name."""

    operation_kind: Text
    operation_name: Text
    variables: Text
    response: Text
    duration: Millis


# -- layouts of mid-2023 and before, where they differ


@message(93, android="no", when="until 2023-09", legacy=True)
class IOSCustomEvent(MobileEvent):
    """The event that the app names, under its old name."""


@message(98, android="no", when="until 2023-09", legacy=True)
class IOSScreenEnter(Message):
    """A screen came up."""

    title: Text
    view_name: Text


@message(99, android="no", when="until 2023-09", legacy=True)
class IOSScreenLeave(Message):
    """A screen went away."""

    title: Text
    view_name: Text


@message(105, android="no", when="until 2023-09", legacy=True)
class IOSNetworkCall(Message):
    """An HTTP request of the app; Headers and Body are those of the answer."""

    duration: Millis
    headers: Text
    body: Text
    url: Text
    success: Flag
    method: Text
    status: Uint


# Made by servers. They have no Length: from a client they end the batch (spec 3.4).
SERVER_TYPES = {
    90: "MobileSessionStart",
    91: "MobileSessionEnd",
    110: "MobilePerformanceAggregated",
    111: "MobileIssueEvent",
}

# Numbers of the web tracker, without Length too; those that it never used are merely unknown.
WEB_TYPES = frozenset([*range(90), *range(112, 128)]) - {2, 36, 43, 65, 86, 88}

CLIENT_TYPES = frozenset(row.number for row in TABLE)
REFUSED_TYPES = frozenset(SERVER_TYPES) | WEB_TYPES
