"""The event service's sending side: bodies to events, each judged alone, durable before it is answered.

Source: spec/event-service.md 3, 4; who is told "duplicate": events/ids.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events import exact_json, refusals
from events.ids import Holder, Wish
from events.incoming import IncomingEvent, clean_text
from events.judging import MAX_PROBLEMS, Rules, judge
from events.model import day_of
from events.opening import EventService
from events.refusals import Refusal
from events.stored import digest_of
from ingest.big_bodies import work_on
from ingest.event_records import record_of
from ingest.funnel import accept
from playhead import telemetry
from playhead.errors import Detail, InvalidBody, TooLarge, Unavailable, Unprocessable
from projects import Project
from storage.journal import Journal
from storage.postgres import Database

MAX_EVENTS: Final = 1_000
#: problems of one request, from which on only the first of each event is told
MAX_TOLD: Final = 10_000
#: an identifier of ours that is not stored yet can only be younger than this
MADE_MS: Final = 86_400_000

_log = telemetry.logger("ingest.json_events")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Durable, under this identifier."""

    event_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """`validation_failed` with everything that is wrong, or `id_conflict`."""

    code: str
    details: tuple[Detail, ...] = ()


Outcome = Accepted | Rejected


@dataclass(frozen=True, slots=True)
class Body:
    """The events of a request, still as plain JSON values; `several`: they came as a list."""

    values: list[Any]
    several: bool
    content: bytes


def read_body(body: bytes) -> Body:
    """One event, a list, or `{"events": [...]}`. Raises InvalidBody, Unprocessable (`empty_batch`), TooLarge."""
    value = exact_json.parse(body)
    if isinstance(value, dict) and "events" in value:
        if value.keys() != {"events"} or not isinstance(value["events"], list):
            raise InvalidBody("`events` must be a list, and the only member")
        value = value["events"]
    elif isinstance(value, dict):
        return Body([value], False, body)
    if not isinstance(value, list):
        raise InvalidBody("the body is neither an event nor a list of events")
    if not value:
        raise Unprocessable("there are no events in the list", code="empty_batch")
    if len(value) > MAX_EVENTS:
        raise TooLarge(f"more than {MAX_EVENTS} events")
    return Body(value, True, body)


class Intake:
    """Takes events of the event service, in any number of processes at once."""

    def __init__(
        self, *, events: EventService, journal: Journal, db: Database, clock: Callable[[], int]
    ) -> None:
        self._events = events
        self._journal = journal
        self._db = db
        self._clock = clock

    async def take(self, project: Project, body: Body, received_us: int) -> list[Outcome]:
        """One outcome per event, in order. Raises Unavailable: nothing was acknowledged, a retry is right."""
        now_ms = self._clock()
        rules = Rules(
            await self._events.schemas.checkers(project.project_id),
            project.strict_categories,
            (now_ms + project.options.events.future_tolerance_s * 1000) * 1000,
        )
        judged = await work_on(body.content, lambda: list(_judged(body.values, rules)))
        outcomes: list[Outcome | None] = [
            Rejected("validation_failed", tuple(each)) if isinstance(each, list) else None for each in judged
        ]
        events = {place: each for place, each in enumerate(judged) if isinstance(each, IncomingEvent)}
        fresh, claims = await self._settle(project.project_id, events, outcomes, received_us)
        await self._keep(project.project_id, fresh, claims, outcomes, received_us)
        ended = [outcome for outcome in outcomes if outcome is not None]
        if any(isinstance(outcome, Rejected) for outcome in ended):
            await self._note(project.project_id, body.values, ended, received_us)
        return ended

    async def _settle(
        self,
        project_id: int,
        events: dict[int, IncomingEvent],
        outcomes: list[Outcome | None],
        received_us: int,
    ) -> tuple[dict[int, IncomingEvent], dict[str, int]]:
        """Decide about identifiers that senders gave -> events to be made durable, by place, and their claims."""
        claims: dict[str, int] = {}
        named: dict[str, list[int]] = {}
        fresh: dict[int, IncomingEvent] = {}
        for place, event in events.items():
            if event.event_id:
                named.setdefault(event.event_id, []).append(place)
            else:
                event.event_id = self._events.made_ids.make(project_id, received_us // 1000)
                fresh[place] = event
                outcomes[place] = Accepted(event.event_id, duplicate=False)
        if not named:
            return fresh, claims
        digests = {place: digest_of(events[place]) for places in named.values() for place in places}
        wishes = [Wish(i, digests[p[0]], events[p[0]].session_id or "") for i, p in named.items()]
        holders = await self._holders(project_id, wishes, received_us)
        for event_id, places in named.items():
            holder = holders[event_id]
            own = [place for place in places if digests[place] == holder.digest]
            for place in places:
                outcomes[place] = Rejected("id_conflict")
            for place in own:
                outcomes[place] = Accepted(event_id, duplicate=True)
            if own and not holder.accepted:
                claims[event_id] = own[0]
                fresh[own[0]] = events[own[0]]
                outcomes[own[0]] = Accepted(event_id, duplicate=False)
        return fresh, claims

    async def _holders(self, project_id: int, wishes: list[Wish], received_us: int) -> dict[str, Holder]:
        """Identifiers that we made up are held by their events, once those are stored; all others are claimed."""
        received_ms = received_us // 1000
        ours = [wish.event_id for wish in wishes if self._is_young(project_id, wish.event_id, received_ms)]
        held = await self._events.ids.held(project_id, ours)
        if len(held) < len(ours):
            raise Unavailable("an event of that identifier is being stored", retry_after_s=1)
        claims = [wish for wish in wishes if wish.event_id not in held]
        return held | await self._events.ids.claim(project_id, day_of(received_ms), claims)

    def _is_young(self, project_id: int, event_id: str, now_ms: int) -> bool:
        made_ms = self._events.made_ids.made_ms(project_id, event_id)
        return made_ms is not None and now_ms - made_ms < MADE_MS

    async def _keep(
        self,
        project_id: int,
        fresh: dict[int, IncomingEvent],
        claims: dict[str, int],
        outcomes: list[Outcome | None],
        received_us: int,
    ) -> None:
        """Journal first, then the claims are accepted: whoever comes second was a duplicate after all."""
        if not fresh:
            return
        ordered = [fresh[place] for place in sorted(fresh)]
        await accept(record_of(project_id, ordered, received_us=received_us), journal=self._journal)
        first = await self._events.ids.accept(project_id, list(claims)) if claims else set()
        for event_id in claims.keys() - first:
            outcomes[claims[event_id]] = Accepted(event_id, duplicate=True)

    async def _note(
        self, project_id: int, values: Sequence[Any], outcomes: Sequence[Outcome], received_us: int
    ) -> None:
        """Keep what was refused to be looked at; the answer does not wait for a database that is away."""
        found = list(_refusals(values, outcomes))
        try:
            await refusals.add(self._db, project_id, received_us, found)
        except Unavailable:
            _log.warning("refusals_not_kept", count=len(found))


def _judged(values: Sequence[Any], rules: Rules) -> Iterator[IncomingEvent | list[Detail]]:
    """Each judged alone; from some number of problems on, only the first of each is told."""
    told = 0
    for value in values:
        each = judge(value, rules, most=MAX_PROBLEMS if told < MAX_TOLD else 1)
        told += len(each) if isinstance(each, list) else 0
        yield each


def _refusals(values: Sequence[Any], outcomes: Sequence[Outcome]) -> Iterator[Refusal]:
    for value, outcome in zip(values, outcomes, strict=True):
        if isinstance(outcome, Rejected):
            told = value if isinstance(value, dict) else {}
            yield Refusal(
                code=outcome.code,
                details=outcome.details,
                session_id=_text(told.get("session_id")),
                category=_text(told.get("category")),
                event=exact_json.told(value),
            )


def _text(value: Any) -> str | None:
    return clean_text(value)[:500] if isinstance(value, str) else None
