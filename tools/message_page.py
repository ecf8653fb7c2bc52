"""docs/reference/messages.md, from the table in messages/schema.py."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from messages.gauges import GAUGES
from messages.schema import REFUSED_TYPES, SERVER_TYPES, TABLE, Column, Row
from tools.markdown import table

HEAD = """\
# Messages

Rendered from `messages/schema.py` by `make docs`; do not edit.

What the mobile SDKs post to `/v1/mobile/i` and `/v1/mobile/late` (before 2024: `/v1/ios/…`): one message
after another, with nothing between or around them.

    message = type  timestamp  length  body
    body    = the fields in order
    uint    = unsigned LEB128, 64 bits at most
    string  = uint (number of bytes), then UTF-8
    boolean = one byte, 1 for true

`type`, `timestamp` (ms on the device's clock) and `length` (bytes of the body) are uints. A batch begins
with a MobileBatchMeta, but for a crash that is sent alone. MobileBatchMeta has the index FirstIndex, each
later message one more than the one before. Positions and sizes are points on iOS, pixels on Android.

How we read: a message is cut out by its length; surplus bytes behind the last known field are ignored; a
number that nobody knows is stepped over and counted; a message that cannot be read costs itself alone; a
tail that is not whole costs the tail. Bytes that are not UTF-8 become U+FFFD, NUL is dropped, a string over
`max_string_bytes` is cut. Where two layouts share a number, the one that consumes the body exactly is
taken; the SDK that the session began with decides what is left open.
"""

ANDROID = """
Android writes the fields of MobileNetworkCall as Type, Method, URL, Response, Request, Status, Duration;
since 1.1.4 its Status is four bytes, big-endian, signed. We hand out what the app gave to the SDK.
"""

LEGACY = """
## Layouts of 2023 and before

Under `/v1/ios`; the numbers that are missing here had today's layout already, 106 and 109 did not exist.

"""

REFUSED = """
## Numbers that no client may send

They have no length, so a batch ends before them; what follows is kept as a dead letter.

- {server}: made by servers
- {web}: of the web tracker
"""

GAUGES_HEAD = """
## Names in MobilePerformanceEvent

"""


def render_messages() -> str:
    """The whole page."""
    today = [row for row in TABLE if not row.legacy]
    legacy = [row for row in TABLE if row.legacy]
    gauges = [[f"`{g.name}`", g.value, g.ios or "never", g.android or "never"] for g in GAUGES]
    return "".join(
        [
            HEAD,
            "\n## Today's layouts\n\n",
            _rows(today),
            ANDROID,
            GAUGES_HEAD,
            table(["Name", "Value", "iOS", "Android"], gauges),
            LEGACY,
            _rows(legacy),
            REFUSED.format(server=_numbers(SERVER_TYPES), web=_numbers(REFUSED_TYPES - set(SERVER_TYPES))),
        ]
    )


def _rows(rows: list[Row]) -> str:
    head = ["Id", "Name", "Fields in order", "iOS", "Android", "When", "Note"]
    return table(head, sorted((_row(row) for row in rows), key=lambda cells: int(cells[0])))


def _row(row: Row) -> list[str]:
    fields = ", ".join(_field(column) for column in row.columns)
    note = inspect.getdoc(row.cls) or ""
    return [str(row.number), row.cls.NAME, fields, row.ios, row.android, row.when, note]


def _field(column: Column) -> str:
    return f"{column.kind} {column.name}" + (f" [{column.unit}]" if column.unit else "")


def _numbers(numbers: Iterable[int]) -> str:
    """`0–1, 3–35, 90`: runs of a set of numbers."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)
