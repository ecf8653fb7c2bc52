"""From a decoded message to what it says about its session: event category, name, counters, search terms.

One table for the processor (live) and the finalizer (whole recording). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from messages import Layout, Message, fields

#: longest search term, characters
TERM_CHARS = 200
#: most search terms per session
MAX_TERMS = 400
#: most users that one session is found by
MAX_USERS = 100
#: values of an event's data beyond this many characters stay in the recording alone
EVENT_TEXT_CHARS = 8_000


class Fact(NamedTuple):
    """What one message contributes. `category` is none for what only the recording keeps (logs, performance)."""

    category: str | None
    name: str = ""
    counters: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()


def _terms(facet: str, *values: str) -> tuple[tuple[str, str], ...]:
    """Each value once, without the empty ones."""
    return tuple([(facet, value) for value in dict.fromkeys(values) if value])


def _custom(message: Any) -> Fact:
    terms: tuple[tuple[str, str], ...] = (("event", message.name),)
    # Android has no message 98: it sends this event with "screen:view". Source: spec/openreplay-mobile.md 3.6.
    if message.name == "viewAppeared" and message.payload:
        terms += (("view", message.payload.split(":", 1)[0]),)
    return Fact("custom", message.name, ("events",), terms)


def _view(message: Any) -> Fact:
    screen, view = message.screen_name, message.view_name
    return Fact("view", screen or view, ("views",), _terms("view", screen, view))


def _screen(message: Any) -> Fact:
    title, view = message.title, message.view_name
    return Fact("view", title or view, ("views",), _terms("view", title, view))


def _network(message: Any) -> Fact:
    failed = message.status >= 400 or message.status == 0
    counters = ("network", "network_errors") if failed else ("network",)
    return Fact("network", message.url, counters, (("url", short_url(message.url)),))


def _graphql(message: Any) -> Fact:
    return Fact("graphql", message.operation_name, (), _terms("graphql", message.operation_name))


def _touch(category: str, counter: str) -> Callable[[Any], Fact]:
    def fact(message: Any) -> Fact:
        return Fact(category, message.label, (counter,), _terms("label", message.label))

    return fact


def _crash(message: Any) -> Fact:
    terms = [("issue", "crash"), ("text", message.name), ("text", message.reason)]
    return Fact("crash", message.name, ("crashes",), tuple(t for t in terms if t[1]))


def _user(message: Any) -> Fact:
    return Fact("user", message.id)


def _metadata(message: Any) -> Fact:
    return Fact("metadata", message.key)


_LOG = Fact(None, counters=("logs",))
_NOTHING = Fact(None)

_FACTS: dict[int, Callable[[Any], Fact]] = {
    92: _metadata,
    93: _custom,
    94: _user,
    95: _user,
    97: _crash,
    98: lambda m: _view(m) if hasattr(m, "screen_name") else _screen(m),
    99: _screen,
    100: _touch("click", "clicks"),
    101: _touch("input", "inputs"),
    103: lambda _: _LOG,
    105: _network,
    106: _touch("swipe", "swipes"),
    109: _graphql,
}

#: what a session counts, in the order of the API; `frames` and `bytes` are not messages
COUNTERS = (
    "messages", "events", "clicks", "swipes", "inputs", "views", "network", "network_errors", "logs", "crashes",
)  # fmt: skip


def fact_of(message: Message) -> Fact:
    """What this message says about its session."""
    make = _FACTS.get(message.TYPE)
    return make(message) if make else _NOTHING


def event_data(message: Message, size: int) -> dict[str, Any]:
    """The message's fields under their wire names, long texts cut (the recording has them whole).

    `size`: bytes of its body; no text is longer.
    """
    told: dict[str, Any] = fields(message)
    if size > EVENT_TEXT_CHARS:
        for name, value in told.items():
            if isinstance(value, str) and len(value) > EVENT_TEXT_CHARS:
                told[name] = value[:EVENT_TEXT_CHARS]
    return told


def short_url(url: str) -> str:
    """A URL without query and fragment, which make every call look different."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url[:TERM_CHARS]
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path


@dataclass(slots=True)
class Summary:
    """A session's numbers and words, folded from its messages in the order given."""

    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    terms: dict[tuple[str, str], None] = field(default_factory=dict)
    user_id: str = ""
    anonymous_id: str = ""
    users: dict[str, None] = field(default_factory=dict)
    anonymous_users: dict[str, None] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def add(self, message: Message, fact: Fact) -> None:
        """Fold one message in; later ones win."""
        self.counters["messages"] += 1
        for counter in fact.counters:
            self.counters[counter] += 1
        for facet, value in fact.terms:
            self.add_term(facet, value)
        if message.TYPE in (94, 95):
            self._name(message.TYPE == 94, getattr(message, "id", "")[:TERM_CHARS])
        elif message.TYPE == 92 and len(self.metadata) < MAX_TERMS:
            self.metadata[getattr(message, "key", "")[:TERM_CHARS]] = getattr(message, "value", "")[
                :TERM_CHARS
            ]

    def _name(self, known: bool, user: str) -> None:
        if not user:
            return
        users = self.users if known else self.anonymous_users
        if len(users) < MAX_USERS:
            users[user] = None
        if known:
            self.user_id = user
        else:
            self.anonymous_id = user

    def add_term(self, facet: str, value: str) -> None:
        """Note a search term; empty ones and those past the bound are left out."""
        if value and len(self.terms) < MAX_TERMS:
            self.terms[facet, value[:TERM_CHARS]] = None


def attribute_terms(attributes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(facet, value) pairs with the empty ones left out and long ones cut."""
    return [(facet, value[:TERM_CHARS]) for facet, value in attributes if value]


def layout_of(platform: str, legacy: bool) -> Layout:
    """Which encoder's layouts a session's messages prefer."""
    if platform == "android":
        return Layout.ANDROID
    return Layout.LEGACY if legacy else Layout.IOS
