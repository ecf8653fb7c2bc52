"""Messages in words, for people who read a replay as text. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from messages.gauges import GAUGES
from sessions.message_pages import MessageView

_GAUGES: Final = {gauge.name: gauge for gauge in GAUGES}
_DOTS: Final = "•••"


@dataclass(frozen=True, slots=True)
class Line:
    """What happened, in one line; `more` holds further lines, `place` where the screen was touched."""

    at_ms: int
    kind: str
    text: str
    more: str = ""
    place: tuple[int, int] | None = None


Fields = dict[str, Any]
Words = tuple[str, str, str]


def _metadata(f: Fields) -> Words:
    return "metadata", f"{f['Key']} = {f['Value']}", ""


def _event(f: Fields) -> Words:
    return "event", f["Name"], f["Payload"]


def _crash(f: Fields) -> Words:
    return "crash", ": ".join(filter(None, (f["Name"], f["Reason"]))), f["Stacktrace"]


def _view(f: Fields) -> Words:
    name = f.get("ScreenName", f.get("Title", "")) or f["ViewName"]
    return "view", name if f.get("Visible", True) else f"{name} left", ""


def _left(f: Fields) -> Words:
    return "view", f"{f['Title'] or f['ViewName']} left", ""


def _tap(f: Fields) -> Words:
    return "tap", f"{f['Label']} at {f['X']}, {f['Y']}".strip(), ""


def _swipe(f: Fields) -> Words:
    return "swipe", f"{f['Label']} {f['Direction']} at {f['X']}, {f['Y']}".strip(), ""


def _input(f: Fields) -> Words:
    return "input", f"{f['Label']}: {_DOTS if f['ValueMasked'] else f['Value']}", ""


def _log(f: Fields) -> Words:
    first, _, more = f["Content"].partition("\n")
    return "log", f"{f['Severity']}: {first}", more


def _network(f: Fields) -> Words:
    return "network", f"{f['Method']} {f['URL']} → {f['Status']} in {f['Duration']} ms", ""


def _graphql(f: Fields) -> Words:
    return "graphql", f"{f['OperationKind']} {f['OperationName']} in {f['Duration']} ms", ""


#: messages that are told, by number; what is measured again and again is not
_WORDS: Final[dict[int, Callable[[Fields], Words]]] = {
    92: _metadata,
    93: _event,
    94: lambda f: ("user", f["ID"], ""),
    95: lambda f: ("user", f"{f['ID']} (anonymous)", ""),
    97: _crash,
    98: _view,
    99: _left,
    100: _tap,
    101: _input,
    103: _log,
    104: lambda f: ("error", f["Content"], ""),
    105: _network,
    106: _swipe,
    109: _graphql,
}


class Chronicle:
    """Tells a session's messages in order; a state of the device only when it changes."""

    def __init__(self, platform: str) -> None:
        self._android = platform == "android"
        self._states: dict[str, int] = {}

    def line_of(self, message: MessageView) -> Line | None:
        """One message in words, None for what says nothing to a reader."""
        if message.type == 102:
            return self._device(message)
        words = _WORDS.get(message.type)
        if words is None:
            return None
        kind, text, more = words(message.fields)
        touched = message.type in (100, 106)
        place = (message.fields["X"], message.fields["Y"]) if touched else None
        return Line(message.timestamp_ms, kind, text, more, place)

    def _device(self, message: MessageView) -> Line | None:
        name, value = message.fields["Name"], message.fields["Value"]
        gauge = _GAUGES.get(name)
        if gauge is None or gauge.unit not in ("state", "event"):
            return None
        if gauge.unit == "event":
            return Line(message.timestamp_ms, "device", gauge.title)
        if self._states.get(name) == value:
            return None
        self._states[name] = value
        states = dict((self._android and gauge.android_states) or gauge.states)
        return Line(message.timestamp_ms, "device", f"{gauge.title}: {states.get(value, value)}")


def since(at_ms: int, start_ms: int) -> str:
    """Time since the start, `12:34.567`, with hours and a sign where there are."""
    ms = abs(at_ms - start_ms)
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    shown = f"{minutes:02}:{ms // 1000:02}.{ms % 1000:03}"
    return ("-" if at_ms < start_ms else "") + (f"{hours}:{shown}" if hours else shown)


def printable(text: str) -> str:
    """One line of printable characters: what apps sent cannot move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "�" for letter in text)
