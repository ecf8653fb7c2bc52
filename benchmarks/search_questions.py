"""What `bench_search` asks of the data of `search_data`: filters with common, rare and absent values, alone and not."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from benchmarks.search_data import BEGIN_MS, DAY_MS, DAYS
from events.search import EventFilters, events_page
from events.session_list import sessions_page
from sessions import issue_groups
from sessions.search import ReplayFilters, search
from sessions.suggestions import suggest
from storage.postgres import Database

#: asks once, with other values each time -> how many rows the page had
Ask = Callable[[random.Random], Awaitable[int]]
Make = Callable[[random.Random], dict[str, Any]]

BIG: Final = [1]
ALL: Final = list(range(1, 13))
HOUR_MS: Final = 3_600_000


def _facet(facet: str, value: Callable[[random.Random], str]) -> Make:
    return lambda rng: {"facets": {facet: value(rng)}}


def _day(rng: random.Random) -> int:
    return BEGIN_MS + rng.randrange(DAYS - 1) * DAY_MS


def _minutes(rng: random.Random) -> int:
    return BEGIN_MS + rng.randrange(DAYS * 24 * 60) * 60_000


def _fixed(**filters: Any) -> Make:
    return lambda _rng: filters


def replays(sessions: int) -> dict[str, Make]:
    """Filters of GET /api/v1/replays by what is asked."""
    users = sessions // 3
    return {
        "no filter": _fixed(),
        "platform": _facet("platform", lambda rng: rng.choice(["ios", "android"])),
        "user_id, thousands of sessions": _facet("user_id", lambda rng: f"user-{rng.randrange(3)}@example.com"),
        "user_id, few sessions": _facet(
            "user_id", lambda rng: f"user-{users // 2 + rng.randrange(users // 2)}@example.com"
        ),
        "user_id, none": _facet("user_id", lambda rng: f"nobody-{rng.random()}"),
        "user_uuid, none": _facet("user_uuid", lambda rng: f"{rng.getrandbits(128):032x}"),
        "anonymous_id": _facet("anonymous_id", lambda rng: f"anon-{rng.randrange(users)}"),
        "device, common": _facet("device", lambda rng: f"Phone {rng.randrange(5)}"),
        "device, less common": _facet("device", lambda rng: f"Model{rng.randrange(30, 40)},1"),
        "os": _facet("os", lambda rng: rng.choice(["IOS 17.1", "iOS", "ANDROID 17.7"])),
        "country, common": _facet("country", lambda rng: rng.choice(["AE", "BE"])),
        "country, rare": _facet("country", lambda _: "TV"),
        "tracker_version": _facet("tracker_version", lambda rng: f"1.0.{rng.randrange(8)}"),
        "app_version": _facet("app_version", lambda rng: str(rng.randrange(8) * 12)),
        "issue, common": _facet("issue", lambda _: "crash"),
        "issue, rare": _facet("issue", lambda _: "anr"),
        "event, common": _facet("event", lambda rng: f"event_{rng.randrange(6) * 32}"),
        "event, rare": _facet("event", lambda _: "account_deleted"),
        "event, none": _facet("event", lambda _: "no_such_event"),
        "view": _facet("view", lambda rng: f"Screen {rng.randrange(60)}"),
        "metadata, common": _fixed(metadata={"plan": "enterprise"}),
        "metadata, less common": lambda rng: {"metadata": {"tenant": f"tenant-{rng.randrange(2000)}"}},
        "metadata, of one session": lambda rng: {
            "metadata": {"order": f"order-{rng.randrange(sessions) // 10 * 10 + 1}"}
        },
        "metadata, none": _fixed(metadata={"plan": "none"}),
        "url, in most": _fixed(url="/v1/resource"),
        "url, common": lambda rng: {"url": f"RESOURCE-{rng.randrange(300)}"},
        "url, one of many items": lambda rng: {"url": f"/item/{rng.randrange(200_000)}"},
        "url, some items": lambda rng: {"url": f"/item/{rng.randrange(100, 1000)}"},
        "url, none": lambda rng: {"url": f"/nothing/{rng.randrange(1000)}"},
        "text, in most": lambda rng: {"text": rng.choice(["example", "UIButton", "phone"])},
        "text, common": lambda rng: {"text": f"phone {rng.randrange(40)}"},
        "text, users": lambda rng: {"text": f"user-{rng.randrange(10, 100)}"},
        "text, one user": lambda rng: {"text": f"user-{rng.randrange(users // 2, users)}@"},
        "text, crash": lambda rng: {"text": f"ArgumentException {rng.randrange(300)}"},
        "text, hex of a uuid": lambda rng: {"text": f"{rng.getrandbits(32):08x}"},
        "text, three letters of a uuid": lambda rng: {"text": f"{rng.getrandbits(12):03x}"},
        "text, two letters": lambda rng: {"text": rng.choice(["qz", "io", "7,", "zz"])},
        "text, none": lambda rng: {"text": f"nowhere {rng.random()}"},
        "an hour": lambda rng: {"from_ms": (at := _minutes(rng)), "to_ms": at + HOUR_MS},
        "since": lambda rng: {"from_ms": _minutes(rng)},
        "until": lambda rng: {"to_ms": _minutes(rng)},
        "min_duration, common": _fixed(min_duration_ms=60_000),
        "min_duration, rare": lambda rng: {"min_duration_ms": rng.randrange(2_950_000, 2_981_000)},
        "max_duration, rare": lambda rng: {"max_duration_ms": rng.randrange(1_000, 1_010)},
        "duration, narrow": lambda rng: {
            "min_duration_ms": (at := rng.randrange(10_000, 10**6)), "max_duration_ms": at + 50
        },
        "sort oldest": _fixed(sort="oldest"),
        "sort longest": _fixed(sort="longest"),
        "sort shortest": _fixed(sort="shortest"),
        "sort most_events": _fixed(sort="most_events"),
        "sort fewest_events": _fixed(sort="fewest_events"),
    }  # fmt: skip


def together(sessions: int) -> dict[str, Make]:
    """Several filters at once."""
    anybody = sessions // 3
    return {
        "platform + country": lambda rng: {"facets": {"platform": "ios", "country": rng.choice(["AE", "BE", "CE"])}},
        "two common that never meet": _fixed(facets={"platform": "android", "os": "iOS"}),
        "three common, few meet": lambda rng: {
            "facets": {"view": f"Screen {rng.randrange(60)}", "event": f"event_{rng.randrange(192)}", "country": "BE"}
        },
        "common + rare": _fixed(facets={"platform": "ios", "event": "account_deleted"}),
        "common + metadata + version": lambda rng: {
            "facets": {"platform": "ios", "app_version": "12"}, "metadata": {"tenant": f"tenant-{rng.randrange(2000)}"}
        },
        "user + event": lambda rng: {
            "facets": {"user_id": f"user-{rng.randrange(3)}@example.com", "event": f"event_{rng.randrange(192)}"}
        },
        "common in an hour": lambda rng: {
            "facets": {"country": "AE"}, "from_ms": (at := _minutes(rng)), "to_ms": at + HOUR_MS
        },
        "common that never meet in a day": lambda rng: {
            "facets": {"platform": "android", "os": "iOS"}, "from_ms": (at := _day(rng)), "to_ms": at + DAY_MS
        },
        "common, longest": lambda rng: {"facets": {"country": rng.choice(["AE", "BE"])}, "sort": "longest"},
        "less common, longest": lambda rng: {"facets": {"view": f"Screen {rng.randrange(60)}"}, "sort": "longest"},
        "rare, longest": _fixed(facets={"event": "account_deleted"}, sort="longest"),
        "user with thousands, most events": _fixed(facets={"user_id": "user-0@example.com"}, sort="most_events"),
        "an hour, longest": lambda rng: {
            "from_ms": (at := _minutes(rng)), "to_ms": at + HOUR_MS, "sort": "longest"
        },
        "a day, shortest": lambda rng: {"from_ms": (at := _day(rng)), "to_ms": at + DAY_MS, "sort": "shortest"},
        "common + duration": lambda rng: {
            "facets": {"platform": "ios"}, "min_duration_ms": rng.randrange(10**5, 10**6)
        },
        "rare duration + country": lambda rng: {
            "facets": {"country": "BE"}, "min_duration_ms": rng.randrange(2_900_000, 2_950_000)
        },
        "text + platform": lambda rng: {"text": f"phone {rng.randrange(40)}", "facets": {"platform": "android"}},
        "text of users + country": lambda rng: {"text": f"user-{rng.randrange(10, 100)}", "facets": {"country": "CE"}},
        "url + event + a day": lambda rng: {
            "url": f"resource-{rng.randrange(300)}", "facets": {"event": f"event_{rng.randrange(192)}"},
            "from_ms": (at := _day(rng)), "to_ms": at + DAY_MS,
        },
        "url + longest": lambda rng: {"url": f"resource-{rng.randrange(300)}", "sort": "longest"},
        "one user, text": lambda rng: {
            "facets": {"user_id": f"user-{rng.randrange(anybody)}@example.com"}, "text": "crash"
        },
    }  # fmt: skip


async def questions(db: Database, sessions: int) -> dict[str, Ask]:
    """All of them, by name."""

    def page(make: Make, scope: list[int] | None) -> Ask:
        async def ask(rng: random.Random) -> int:
            found = await search(db, ReplayFilters(**make(rng)), scope)
            return len(found.sessions)

        return ask

    def deep(make: Make) -> Ask:
        """Pages one after another, from the 20th on those that are behind it."""
        held: dict[str, str | None] = {"cursor": None}

        async def ask(rng: random.Random) -> int:
            filters = ReplayFilters(**make(rng))
            if held["cursor"] is None:
                for _ in range(20):
                    found = await search(db, dataclasses.replace(filters, cursor=held["cursor"]), BIG)
                    held["cursor"] = found.next_cursor or held["cursor"]
            found = await search(db, dataclasses.replace(filters, cursor=held["cursor"]), BIG)
            held["cursor"] = found.next_cursor or held["cursor"]
            return len(found.sessions)

        return ask

    asked = {name: page(make, BIG) for name, make in replays(sessions).items()}
    asked |= {name: page(make, BIG) for name, make in together(sessions).items()}
    asked |= {
        f"deep pages: {name}": deep(make)
        for name, make in {
            "no filter": _fixed(),
            "country": _fixed(facets={"country": "BE"}),
            "longest": _fixed(sort="longest"),
            "platform + country": _fixed(facets={"platform": "ios", "country": "CE"}),
        }.items()
    }
    chosen = (
        "no filter",
        "country, common",
        "event, rare",
        "text, one user",
        "text, in most",
        "sort longest",
        "an hour",
    )
    asked |= {f"all projects: {name}": page(replays(sessions)[name], None) for name in chosen}
    asked["small project: country"] = page(_fixed(facets={"country": "BE"}), [5])
    asked["small project: text"] = page(lambda rng: {"text": f"phone {rng.randrange(40)}"}, [5])
    return asked | _others(db, sessions)


def _others(db: Database, sessions: int) -> dict[str, Ask]:
    """The other lists."""

    def suggestions(field: str, prefix: Callable[[random.Random], str], scope: list[int] = BIG) -> Ask:
        async def ask(rng: random.Random) -> int:
            return len(await suggest(db, scope, field, prefix(rng), 20))

        return ask

    def events(make: Make) -> Ask:
        async def ask(rng: random.Random) -> int:
            return len((await events_page(db, 1, EventFilters(**make(rng))))[0])

        return ask

    def sessions_of_events(make: Make) -> Ask:
        async def ask(rng: random.Random) -> int:
            return len((await sessions_page(db, 1, EventFilters(**make(rng))))[0])

        return ask

    def issues(**filters: Any) -> Ask:
        async def ask(_rng: random.Random) -> int:
            found = await issue_groups.page(
                db, 1, limit=50, cursor=None, **{"type": None, "sort": "newest", **filters}
            )
            return len(found.issues)

        return ask

    users = sessions // 3
    return {
        "suggestions: event": suggestions("event", lambda rng: f"event_{rng.randrange(10)}"),
        "suggestions: user_id": suggestions("user_id", lambda rng: f"user-{rng.randrange(100)}"),
        "suggestions: url": suggestions("url", lambda _: "https://"),
        "suggestions: metadata keys": suggestions("metadata", lambda _: ""),
        "suggestions: all projects": suggestions("event", lambda _: "", ALL),
        "issues: newest": issues(),
        "issues: of a rare type": issues(type="anr"),
        "issues: most sessions": issues(sort="most_sessions"),
        "events: newest": events(_fixed(descending=True)),
        "events: oldest": events(_fixed()),
        "events: a minute": events(
            lambda rng: {"start_us": (at := _minutes(rng) * 1000), "end_us": at + 60_000_000}
        ),
        "events: a session": events(
            lambda rng: {"exact": {"session_id": _session_id(rng.randrange(sessions), sessions)}}
        ),
        "events: category, common": events(_fixed(exact={"category": "network"}, descending=True)),
        "events: category, rare": events(_fixed(exact={"category": "billing"})),
        "events: category, none": events(_fixed(exact={"category": "nothing"})),
        "events: name, common": events(lambda rng: {"exact": {"name": f"event_{rng.randrange(20)}"}}),
        "events: name, rare": events(_fixed(exact={"name": "account_deleted"})),
        "events: name, none": events(_fixed(exact={"name": "no_such_event"})),
        "events: source, common": events(_fixed(exact={"source": "json"}, descending=True)),
        "events: user": events(lambda rng: {"exact": {"user_id": f"user-{rng.randrange(users)}"}}),
        "events: user of thousands": events(_fixed(exact={"user_id": "user-0"})),
        "events: data, common": events(_fixed(data={("Label",): "UIButton Item 7"})),
        "events: data, none": events(_fixed(data={("Label",): "nothing"})),
        "events: name and data in a minute": events(
            lambda rng: {
                "exact": {"name": "event_3"}, "data": {("Label",): "UIButton Item 7"},
                "start_us": (at := _minutes(rng) * 1000), "end_us": at + 60_000_000,
            }
        ),
        "sessions: first page": sessions_of_events(_fixed()),
        "sessions: an hour": sessions_of_events(
            lambda rng: {"start_us": (at := _minutes(rng) * 1000), "end_us": at + HOUR_MS * 1000}
        ),
        "sessions: a rare category": sessions_of_events(_fixed(exact={"category": "billing"})),
    }  # fmt: skip


def _session_id(n: int, sessions: int) -> str:
    """The id of the n-th session of project 1."""
    n = n // 100 * 100 + n % 90
    ms = BEGIN_MS + n * (DAYS * DAY_MS) // sessions
    return str(((ms - 1_550_000_000_000) << 24) | n)
