"""From readings to rows: what records of one or more segments change, before the database says what of it is new."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import repeat
from operator import attrgetter
from typing import Any

from events import Event, IncomingEvent, arrival_of, clamp_us, day_of, mobile_key
from sessions.facts import MAX_TERMS, NO_REVISION, Fact, attribute_terms, term_of
from sessions.ids import started_ms
from sessions.model import SessionStart
from sessions.parts import Part
from sessions.updates import SessionUpdate
from storage.ledger import Fate
from storage.segment_file import Entry, Record
from workers.reading import PLAUSIBLE_MS, Reading
from workers.routing import Span

_FACT = attrgetter("fact")

SessionKey = tuple[int, int]
Term = tuple[str, str]


@dataclass(slots=True)
class Item:
    """One record on its way through processing."""

    segment_key: str
    place: int
    entry: Entry
    record: Record
    reading: Reading | None = None
    events: list[IncomingEvent] | None = None  # of a record of kind `events`
    spans: list[Span] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)  # sessions that a share of it was dropped for
    fate: Fate | None = None
    reason: str = ""

    @property
    def target(self) -> SessionKey:
        """The session that owns the record's identity: the first it was routed to."""
        session_id = self.spans[0].session_id if self.spans else self.record.session_id or 0
        return self.record.project_id, session_id

    @property
    def unpacked_bytes(self) -> int:
        """What its messages hold in memory."""
        return self.reading.messages_bytes if self.reading else 0

    @property
    def state(self) -> tuple[Fate | None, str, list[Span], list[int]]:
        """What a transaction decides of it, and a later try decides anew; lists are replaced, never changed."""
        return self.fate, self.reason, self.spans, self.erased

    @state.setter
    def state(self, state: tuple[Fate | None, str, list[Span], list[int]]) -> None:
        self.fate, self.reason, self.spans, self.erased = state

    def end(self, fate: Fate, reason: str = "") -> None:
        """Decide the record's fate."""
        self.fate, self.reason = fate, reason


@dataclass(slots=True)
class Share:
    """One session's share of one record: the events it makes, and what each says in the same order."""

    session: SessionKey
    events: list[Event]
    facts: list[Fact]


@dataclass(slots=True)
class Rows:
    """What a set of new records adds; counters of messages that are events wait for `count_events`."""

    quiet_ms: int
    updates: dict[SessionKey, SessionUpdate] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    terms: defaultdict[SessionKey, dict[Term, None]] = field(default_factory=lambda: defaultdict(dict))

    def update(self, session: SessionKey) -> SessionUpdate:
        """The session's update, made when first asked for."""
        found = self.updates.get(session)
        if found is None:
            found = self.updates[session] = SessionUpdate(*session)
        return found

    def touch(self, session: SessionKey, item: Item) -> SessionUpdate:
        """Note that this record arrived for the session."""
        update = self.update(session)
        meta = item.record.meta
        received_ms = item.record.received_us // 1000
        update.received(received_ms, due_ms=received_ms + self.quiet_ms)
        update.platform = update.platform or str(meta.get("plt", ""))
        update.user_uuid = update.user_uuid or str(meta.get("uid", ""))
        update.legacy = update.legacy or meta.get("layout") == "legacy"
        return update

    def add_start(self, item: Item) -> None:
        """A start record: the session's attributes."""
        start = SessionStart.from_meta(item.record.meta)
        session = item.target
        update = self.touch(session, item)
        update.start = start
        self._attributes(session, start)
        if start.device_start_ms is not None and start.device_start_ms in PLAUSIBLE_MS:
            update.offset(item.record.received_us // 1000 - start.device_start_ms)

    def add_follow_up(self, session: SessionKey, start: SessionStart) -> None:
        """A session that follows up one whose token timed out takes over its attributes."""
        self.update(session).start = start
        self._attributes(session, start)

    def _attributes(self, session: SessionKey, start: SessionStart) -> None:
        self.terms[session].update(dict.fromkeys(start_terms(start)))

    def add_batch(self, item: Item, offsets: dict[SessionKey, int | None]) -> None:
        """A batch or late file: parts, events and what they say of their sessions."""
        reading = item.reading
        assert reading is not None
        received_ms = item.record.received_us // 1000
        for span in item.spans:
            session = (item.record.project_id, span.session_id)
            update = self.touch(session, item)
            update.bytes += reading.content_bytes if span is item.spans[0] else 0
            if (
                item.record.kind == "batch"
                and reading.meta_ms is not None
                and reading.meta_ms in PLAUSIBLE_MS
            ):
                update.offset(received_ms - reading.meta_ms)
            self._part(item, span)
            own_part = reading if span.whole else reading.share(span.holds)
            known = offsets.get(session)
            own = update.clock_offset_ms
            offset = min(
                o for o in (known, own, 0 if known is None and own is None else None) if o is not None
            )
            self._share(item, session, own_part, offset)

    def _share(self, item: Item, session: SessionKey, part: Reading, offset_ms: int) -> None:
        update = self.update(session)
        times = [at_ms for at_ms in part.times_ms() if at_ms in PLAUSIBLE_MS]
        if times:
            update.seen(min(times))
            update.seen(max(times))
        update.messages += len(part.logs_ms) + len(part.others_ms)
        update.logs += len(part.logs_ms)
        facts = list(map(_FACT, part.told))
        terms = self.terms[session]
        for fact in dict.fromkeys(facts):
            for term in fact.terms:
                if len(terms) < MAX_TERMS:
                    terms[term] = None
            if fact.who is not None:
                _identify(update, terms, fact.who)
        events = _events(item.record.received_us, session, part, offset_ms)
        self.shares.append(Share(session, events, facts))

    def add_images(self, item: Item) -> None:
        """An image upload: a part for the recording, counters."""
        reading = item.reading
        assert reading is not None
        session = item.target
        update = self.touch(session, item)
        update.bytes += reading.content_bytes
        update.frames += reading.pictures
        for at_ms in reading.picture_span or ():
            update.seen(at_ms)
        if reading.pictures:
            self._part(item, item.spans[0])

    def _part(self, item: Item, span: Span) -> None:
        self.parts.append(
            Part(
                project_id=item.record.project_id,
                session_id=span.session_id,
                segment_key=item.segment_key,
                record=item.place,
                kind=item.record.kind,
                body_offset=item.entry.body_offset,
                body_length=item.entry.body_length,
                received_ms=item.record.received_us // 1000,
                meta=item.record.meta,
                since_ms=span.since_ms,
                until_ms=span.until_ms,
            )
        )

    def count_events(self, new: set[bytes]) -> None:
        """Add to the counters what was really inserted, each key once."""
        all_new = len(new) == sum(len(share.events) for share in self.shares)
        for share in self.shares:
            facts = share.facts
            if not all_new:
                facts = []
                for event, fact in zip(share.events, share.facts, strict=True):
                    if event.key in new:
                        new.discard(event.key)
                        facts.append(fact)
            update = self.update(share.session)
            update.messages += len(facts)
            for fact, count in Counter(facts).items():
                for counter in fact.counters:
                    setattr(update, counter, getattr(update, counter) + count)


def start_terms(start: Any) -> list[Term]:
    """What a session can be found by from its start; `start` is a SessionStart or a Session."""
    return attribute_terms(
        (
            ("platform", start.platform),
            ("user_uuid", start.user_uuid),
            ("device", start.device_model),
            ("device", start.device_name),
            ("os", start.os),
            (
                "os",
                "iOS" if start.os == "IOS" else "",
            ),  # stored as the protocol spells it, found as people do
            ("os", f"{start.os} {start.os_version}" if start.os_version else ""),
            ("country", start.country),
            ("tracker_version", start.tracker_version),
            ("app_version", "" if start.revision == NO_REVISION else start.revision),
        )
    )


def _events(received_us: int, session: SessionKey, part: Reading, offset_ms: int) -> list[Event]:
    """One share's events."""
    project_id, session_id = session
    day, named = day_of(started_ms(session_id)), str(session_id)
    first_arrival = arrival_of(received_us, 0)
    offset_us = offset_ms * 1000
    rows = []
    for place, at_ms, fact, data, identity, occurrence in part.told:
        key = mobile_key(session_id, identity, occurrence)
        device_us = at_ms * 1000
        if at_ms in PLAUSIBLE_MS:
            at_us = device_us + offset_us
        else:
            at_us, device_us = received_us, clamp_us(device_us)
        rows.append(
            (
                project_id, day, named, key, "mobile", fact.category, fact.name, at_us, device_us,
                first_arrival + place, "", "", data,
            )
        )  # fmt: skip
    return list(map(tuple.__new__, repeat(Event), rows))  # half the price of one call each


def _identify(update: SessionUpdate, terms: dict[Term, None], who: Term) -> None:
    """Take up a message that says who the user is, or what the app knows of the session."""
    facet, said = who
    if facet not in ("user_id", "anonymous_id"):
        update.metadata[facet.removeprefix("metadata.")] = said
    elif said:
        setattr(update, facet, said)
    if said:
        terms[term_of(facet, said)] = None
