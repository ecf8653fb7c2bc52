"""The judge: holds the oracle's book against what the public API shows, after a fault.

J1 everything acknowledged can be read, or lies in the dead letters with its reason; J2 nothing is there that nobody
sent; J3 the content is the same; J4 everything is there once, and a session's counts say so; J5 the ledger balances
to the unit; J6 a fresh session can be read within a minute, and all are recorded in the end. (J7 and J8, about
processes, are in vital_signs.py.)

`python -m tests.faults.judge --book FILE --url URL --admin-key KEY` prints a verdict as JSON; exit status 1 unless all
holds. With the installation's `PLAYHEAD_*` variables set it asks `playhead doctor` for the ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from tests.faults.book import Book, Item, Sent, message_item, open_book, picture_item
from tests.faults.collectors import SENDERS
from tests.faults.raw_phone import RawPhone

ROOT = Path(__file__).parents[2]
PLAYABLE_S = 60.0
LOOK_S = 1.5  # between two looks
FATES = ("accepted", "stored", "duplicate", "expired", "quarantined", "pending")
LEDGER = re.compile(r"(\d+) accepted(?: = |, but )" + r" \+ ".join(rf"(\d+) {fate}" for fate in FATES[1:]))
SHOWN = 5  # examples of each kind of finding
#: how a session's counts are told from the types of its messages
COUNTED = {"clicks": 100, "swipes": 106, "inputs": 101, "network": 105, "logs": 103, "crashes": 97}


@dataclass(slots=True)
class Verdict:
    """What was found: `wrong` by promise (J1..J6), what may become right by waiting, and what was seen."""

    seen: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def blame(self, promise: str, what: str) -> None:
        """It does not hold."""
        self.wrong.setdefault(promise, []).append(what)

    @property
    def holds(self) -> bool:
        """Whether everything does."""
        return not self.wrong

    def to_json(self) -> dict[str, Any]:
        """As plain values, with a few examples of each."""
        wrong = {key: [f"{len(found)} findings", *found[:SHOWN]] for key, found in sorted(self.wrong.items())}
        return {"holds": self.holds, "seen": dict(self.seen), "wrong": wrong}


class Judge:
    """Looks at one project of an installation."""

    def __init__(self, book: Book, client: httpx.AsyncClient, project: str) -> None:
        self._book = book
        self._client = client
        self._project = project

    async def verdict(self, patience_s: float) -> Verdict:
        """Look until all holds, at most that long."""
        deadline = time.monotonic() + patience_s
        while True:
            verdict = await self._look()
            if verdict.holds or time.monotonic() > deadline:
                return verdict
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> Verdict:
        verdict = Verdict()
        requests = self._book.requests()
        await self._ledger(verdict, requests)
        if verdict.wrong:  # no use in looking at what is not there yet
            return verdict
        letters = [each async for each in self._pages("/api/v1/dead-letters", "dead_letters")]
        verdict.seen["dead_letters"] = len(letters)
        await self._sessions_listed(verdict, requests)
        if verdict.wrong:
            return verdict
        shown: dict[str, Counter[Item]] = {}
        gate = asyncio.Semaphore(4)

        async def look_at(session: str) -> None:
            async with gate:
                shown[session] = await self._session(verdict, session)

        await asyncio.gather(*(look_at(session) for session in self._book.sessions()))
        for source in self._book.sources():
            query = {"project": self._project, "source": source}
            shown[source] = Counter(
                [
                    SENDERS[source].seen(each)
                    async for each in self._pages("/api/v1/events", "events", **query)
                ]
            )
        for session in shown:
            self._compare(verdict, session, shown, requests, letters)
        return verdict

    # -- one session

    async def _session(self, verdict: Verdict, session: str) -> Counter[Item]:
        """Everything that it shows; its own counts must say the same."""
        path = f"/api/v1/replays/{session}"
        answer = await self._client.get(path)
        if answer.status_code != 200:
            if any(each.owed for each in self._book.expected(session)):
                verdict.blame("J1", f"session {session}: {answer.status_code} {answer.text[:200]}")
            return Counter()
        replay = answer.json()
        shown, types = Counter[Item](), Counter[int]()
        async for each in self._pages(path + "/messages", "messages"):
            shown[message_item(session, each["type"], each["device_timestamp_ms"], each["fields"])] += 1
            types[each["type"]] += 1
        frames = await self._json(path + "/frames")
        for frame in frames["frames"]:
            answer = await self._client.get(f"{path}/frames/{frame['at_ms']}")
            device_ms = frame["at_ms"] - replay["clock_offset_ms"]
            shown[picture_item(session, device_ms, hashlib.sha256(answer.content).hexdigest())] += 1
        counts = {"messages": types.total(), "frames": len(frames["frames"])}
        counts |= {name: types[number] for name, number in COUNTED.items()}
        told = {name: replay["counts"][name] for name in counts}
        if told != counts:
            verdict.blame("J4", f"session {session}: counts {told}, but there are {counts}")
        verdict.seen["sessions"] += 1
        return shown

    def _compare(
        self,
        verdict: Verdict,
        session: str,
        shown: dict[str, Counter[Item]],
        requests: dict[int, Sent],
        letters: list[dict[str, Any]],
    ) -> None:
        found = shown[session]
        expected = [each for each in self._book.expected(session) if each.item.kind != "session"]
        owed = [each for each in expected if each.owed]
        missing = []
        for each in owed:
            elsewhere = shown.get(each.or_in, Counter())[replace(each.item, session=each.or_in)]
            if not found[each.item] and not elsewhere:
                missing.append(each)
            elif each.or_in != session and found[each.item] and elsewhere:
                verdict.blame("J4", f"{session}: {each.item.place} is there and in {each.or_in}, too")
        places = {(each.item.kind, each.item.place) for each in missing}
        for item in found.keys() - {each.item for each in expected}:
            promise = "J3" if (item.kind, item.place) in places else "J2"
            verdict.blame(promise, f"{session}: {item.kind} {item.place} is not what was sent")
        for each in missing:
            sent, item = requests[each.request], each.item
            if any(explains(letter, sent) for letter in letters):
                verdict.seen[f"quarantined {item.kind}s"] += 1
            else:
                verdict.blame("J1", f"{session}: {item.kind} {item.place} is missing, sent by {sent}")
        for item, count in found.items():
            if count > 1:
                verdict.blame("J4", f"{session}: {item.kind} {item.place} is there {count} times")
            verdict.seen[f"{item.kind}s"] += count
        verdict.seen["obligations"] += len(owed)

    # -- the whole

    async def _sessions_listed(self, verdict: Verdict, requests: dict[int, Sent]) -> None:
        """A session that nobody knows can only come of a start whose answer was lost, or of an old token."""
        listed = {
            each["session_id"]: each
            async for each in self._pages("/api/v1/replays", "replays", project=self._project)
        }
        for id, each in listed.items():
            if each["status"] != "ready":
                verdict.blame("J6", f"session {id} is {each['status']}")
        known = set(self._book.sessions())
        unknown = [each for id, each in listed.items() if id not in known]
        unanswered = sum(each.kind == "start" and not each.acknowledged for each in requests.values())
        full = [each["session_id"] for each in unknown if each["counts"]["messages"]]
        if full or len(unknown) > unanswered:
            verdict.blame(
                "J2", f"{len(unknown)} unknown sessions of {unanswered} lost starts, not empty: {full}"
            )

    async def _ledger(self, verdict: Verdict, requests: dict[int, Sent]) -> None:
        """It balances, nothing is pending, and what was acknowledged is in it."""
        counts = await self._balance()
        if counts is None:
            verdict.blame("J5", "`playhead doctor` tells no ledger")
            return
        ended = sum(counts[fate] for fate in FATES[1:])
        if counts["accepted"] != ended or counts["pending"]:
            verdict.blame("J5", f"{counts}")
        tried = len(requests)
        sure = sum(each.acknowledged and each.kind not in SENDERS for each in requests.values())
        if not sure <= counts["accepted"] <= tried:
            verdict.blame("J5", f"{counts['accepted']} accepted, {sure} acknowledged of {tried} requests")
        verdict.seen.update({f"ledger {fate}": counts[fate] for fate in FATES})

    async def _balance(self) -> dict[str, int] | None:
        """The project's ledger as `playhead doctor` tells it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "playhead", "doctor", "--json",
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        output, _ = await process.communicate()
        for finding in json.loads(output or b"{}").get("findings", ()):
            if finding["name"] == f"ledger {self._project}" and (told := LEDGER.search(finding["detail"])):
                return dict(zip(FATES, map(int, told.groups()), strict=True))
        return None

    async def fresh(self, verdict: Verdict) -> None:
        """J6: a session that begins now can be watched within a minute, whatever waits to be recorded before it."""
        began = time.monotonic()
        async with RawPhone.open(str(self._client.base_url), self._project, self._book) as phone:
            await phone.start()
            await phone.say(3)
            await phone.show(2)
        path = f"/api/v1/replays/{phone.session_id}"
        while time.monotonic() - began < PLAYABLE_S:
            if (await self._client.get(path)).status_code == 200:
                timeline = await self._json(path + "/timeline")
                if len((await self._json(path + "/messages"))["messages"]) == 3 and timeline["frames"]:
                    verdict.seen["fresh session playable, ms"] = int((time.monotonic() - began) * 1000)
                    return
            await asyncio.sleep(0.2)
        verdict.blame("J6", f"a fresh session is not playable after {PLAYABLE_S:g} s")

    async def _json(self, path: str, **query: str) -> Any:
        answer = await self._client.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    async def _pages(self, path: str, member: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        """All rows of a list."""
        cursor = None
        while True:
            page = await self._json(path, limit="1000", **query, **({"cursor": cursor} if cursor else {}))
            for row in page[member]:
                yield row
            cursor = page["next_cursor"]
            if cursor is None:
                return


def explains(letter: dict[str, Any], sent: Sent) -> bool:
    """Whether a dead letter is what became of that request: same session and kind, received between both ends."""
    return bool(
        letter["reason"]
        and letter["kind"] in (sent.kind, "events")
        and (letter["session_id"] or "") == sent.session
        and sent.sent_ms - 1 <= letter["received_ms"] <= (sent.answered_ms or 1 << 62) + 1
    )


async def judge(
    path: Path, url: str, admin_key: str, *, project: str = "town", patience_s: float = 90, fresh: bool = True
) -> Verdict:
    """The verdict on everything in that book."""
    headers = {"authorization": f"Bearer {admin_key}"}
    with open_book(path) as book:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
            judge = Judge(book, client, project)
            begun = Verdict()
            if fresh:
                await judge.fresh(begun)
            verdict = await judge.verdict(patience_s)
            verdict.seen += begun.seen
            verdict.wrong |= begun.wrong
            return verdict


def main(given: Iterable[str] | None = None) -> int:
    """Print the verdict -> exit status."""
    parser = argparse.ArgumentParser("python -m tests.faults.judge", description=__doc__)
    parser.add_argument("--book", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--admin-key", required=True)
    parser.add_argument("--project", default="town")
    parser.add_argument("--patience", type=float, default=90.0, help="for everything to hold, s")
    parser.add_argument("--no-fresh", action="store_true", help="without a session of its own")
    options = parser.parse_args(None if given is None else list(given))
    verdict = asyncio.run(
        judge(
            options.book, options.url, options.admin_key,
            project=options.project, patience_s=options.patience, fresh=not options.no_fresh,
        )
    )  # fmt: skip
    print(json.dumps(verdict.to_json(), ensure_ascii=False, indent=2))
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
