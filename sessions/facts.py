"""From a decoded message to what it says about its session: event category, name, counters, search terms.

One table for the processor (live) and the finalizer (whole recording). Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from messages import Layout, Message, fields
from projects.user_keys import MAX_USER_ID, user_key

#: longest search term, characters
TERM_CHARS = 200
#: most search terms per session
MAX_TERMS = 400
#: metadata in which apps tell their version, which no SDK reads by itself; the player knows them too
APP_VERSION_KEYS = frozenset({"appVersion", "app_version", "version"})
#: what SDKs send for a revision that they do not know
NO_REVISION = "N/A"
#: facets of identifiers, whose terms are the users' keys
USER_FACETS = frozenset({"user_id", "anonymous_id"})
#: most users that one session is found by
MAX_USERS = 100
#: facts of each kind that are kept for the next message that says the same
KNOWN_FACTS = 4_096
#: values of an event's data beyond this many characters stay in the recording alone
EVENT_TEXT_CHARS = 8_000


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """What one message contributes; texts are cut to TERM_CHARS. `category` is none for what only the recording
    keeps (logs, performance). Messages that say the same share one Fact: it is compared by identity.

    `who`: the facet (`user_id`, `anonymous_id`, `metadata.KEY`) under which the message names something, and what: of a
    user more than a search term holds.
    """

    category: str | None
    name: str = ""
    counters: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    who: tuple[str, str] | None = None


def term_of(facet: str, value: str) -> tuple[str, str]:
    """What a session of which this is said is found by."""
    return facet, user_key(value) if facet in USER_FACETS else value[:TERM_CHARS]


def _cut(facet: str, *values: str) -> tuple[tuple[str, str], ...]:
    """Each value once, cut, without the empty ones."""
    return tuple([(facet, value[:TERM_CHARS]) for value in dict.fromkeys(values) if value])


def _known(make: Callable[..., Fact]) -> Callable[..., Fact]:
    """`make` with the facts of texts that come again and again kept; long texts would be too much to keep."""
    keep = lru_cache(KNOWN_FACTS)(make)

    def fact(*said: str) -> Fact:
        for text in said:
            if len(text) > TERM_CHARS:
                return make(*said)
        return keep(*said)

    return fact


@_known
def _custom(name: str, screen: str) -> Fact:
    terms = _cut("event", name) + _cut("view", screen)
    return Fact("custom", name[:TERM_CHARS], ("events",), terms)


@_known
def _view(screen: str, view: str) -> Fact:
    return Fact("view", (screen or view)[:TERM_CHARS], ("views",), _cut("view", screen, view))


@_known
def _network(url: str, failed: str) -> Fact:
    counters = ("network", "network_errors") if failed else ("network",)
    return Fact("network", url[:TERM_CHARS], counters, _cut("url", short_url(url)))


@_known
def _graphql(name: str) -> Fact:
    return Fact("graphql", name[:TERM_CHARS], (), _cut("graphql", name))


@_known
def _touch(category: str, counter: str, label: str) -> Fact:
    return Fact(category, label[:TERM_CHARS], (counter,), _cut("label", label))


def _crash(message: Any) -> Fact:
    terms = (("issue", "crash"), *_cut("text", message.name), *_cut("text", message.reason))
    return Fact("crash", message.name[:TERM_CHARS], ("crashes",), terms)


def _event(message: Any) -> Fact:
    name, payload = message.name, message.payload
    # Android has no message 98: it sends this event with "screen:view". Source: spec/openreplay-mobile.md 3.6.
    return _custom(name, payload.split(":", 1)[0] if name == "viewAppeared" and payload else "")


def _call(message: Any) -> Fact:
    return _network(message.url, "failed" if message.status >= 400 or message.status == 0 else "")


def _user(facet: str) -> Callable[[Any], Fact]:
    def fact(message: Any) -> Fact:
        return Fact("user", message.id[:TERM_CHARS], who=(facet, message.id[:MAX_USER_ID]))

    return fact


def _metadata(message: Any) -> Fact:
    key = message.key[:TERM_CHARS]
    terms = _cut("app_version", message.value) if key in APP_VERSION_KEYS else ()
    return Fact("metadata", key, terms=terms, who=(f"metadata.{key}", message.value[:TERM_CHARS]))


LOG_TYPE = 103
_LOG = Fact(None, counters=("logs",))
_NOTHING = Fact(None)

#: messages that are events, by type; all others only count
EVENT_FACTS: dict[int, Callable[[Any], Fact]] = {
    92: _metadata,
    93: _event,
    94: _user("user_id"),
    95: _user("anonymous_id"),
    97: _crash,
    98: lambda m: _view(m.screen_name if hasattr(m, "screen_name") else m.title, m.view_name),
    99: lambda m: _view(m.title, m.view_name),
    100: lambda m: _touch("click", "clicks", m.label),
    101: lambda m: _touch("input", "inputs", m.label),
    105: _call,
    106: lambda m: _touch("swipe", "swipes", m.label),
    109: lambda m: _graphql(m.operation_name),
}

#: what a session counts, in the order of the API; `frames` and `bytes` are not messages
COUNTERS = (
    "messages", "events", "clicks", "swipes", "inputs", "views", "network", "network_errors", "logs", "crashes",
)  # fmt: skip


def fact_of(message: Message) -> Fact:
    """What this message says about its session."""
    make = EVENT_FACTS.get(message.TYPE)
    if make is not None:
        return make(message)
    return _LOG if message.TYPE == LOG_TYPE else _NOTHING


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

    def fold(self, facts: Iterable[Fact]) -> None:
        """Take up what messages say, one fact for each; later ones win."""
        for fact, count in Counter(facts).items():  # in the order of their first appearance
            self.counters["messages"] += count
            for counter in fact.counters:
                self.counters[counter] += count
            for facet, value in fact.terms:
                self.add_term(facet, value)
            if fact.who is not None:
                self._identify(*fact.who)

    def _identify(self, facet: str, said: str) -> None:
        if facet in ("user_id", "anonymous_id"):
            self._name(facet == "user_id", said)
        elif len(self.metadata) < MAX_TERMS:
            self.metadata[facet.removeprefix("metadata.")] = said

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
            self.terms[term_of(facet, value)] = None


def attribute_terms(attributes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(facet, value) pairs with the empty ones left out and long ones cut."""
    return [term_of(facet, value) for facet, value in attributes if value]


def layout_of(platform: str, legacy: bool) -> Layout:
    """Which encoder's layouts a session's messages prefer."""
    if platform == "android":
        return Layout.ANDROID
    return Layout.LEGACY if legacy else Layout.IOS
