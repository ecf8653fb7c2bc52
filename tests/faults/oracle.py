"""The oracle: phones and event senders in a process of their own, which no fault touches.

`python -m tests.faults.oracle --book FILE --url URL …` sends until its standard input ends, then lets every app come to
its end, and prints how many items of each kind were acknowledged. The same seed makes the same visits.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from client.transport import HttpTransport, open_http_client
from tests.faults.book import Book, open_book
from tests.faults.collectors import SENDERS
from tests.faults.doors import Doors
from tests.faults.phones import Visitor


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What it is to do."""
    parser = argparse.ArgumentParser("python -m tests.faults.oracle", description=__doc__)
    parser.add_argument("--book", type=Path, required=True, help="its database; several runs may share one")
    parser.add_argument(
        "--url",
        action="append",
        required=True,
        help="of an HTTP process; with several, each request goes to another",
    )
    parser.add_argument("--project", default="town")
    parser.add_argument("--phones", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first phone and sender")
    parser.add_argument("--senders", type=int, default=1, help="of each further protocol")
    parser.add_argument("--speedup", type=float, default=10.0, help="how much faster than real the apps live")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--grace", type=float, default=60.0, help="for the apps to end after the end, s")
    return parser.parse_args(given)


async def run(options: argparse.Namespace, book: Book, enough: asyncio.Event) -> None:
    """Everybody lives until `enough`, then to their ends or that of the grace time."""
    numbers = range(options.first, options.first + options.phones)
    async with open_http_client(connections=4 * options.phones + 20) as client:
        doors = [HttpTransport(client, url) for url in options.url]
        lives: list[Coroutine[Any, Any, None]] = [
            Visitor(options.seed, number, options.project, book, options.speedup).live(
                Doors(doors, number), enough
            )
            for number in numbers
        ]
        for kind in SENDERS.values():
            for number in range(options.first, options.first + options.senders):
                sender = kind(options.seed, number, options.project, book)
                lives.append(sender.live(Doors(doors, number), enough))
        tasks = [asyncio.create_task(life) for life in lives]
        ended = asyncio.create_task(enough.wait())
        await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
        _, late = await asyncio.wait(tasks, timeout=options.grace)
        for task in late:  # what they did not get rid of is no obligation
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def main(options: argparse.Namespace) -> None:
    """Until standard input ends."""
    enough = asyncio.Event()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )

    async def listen() -> None:
        await reader.read()
        enough.set()

    listening = asyncio.create_task(listen())
    with open_book(options.book) as book:
        await run(options, book, enough)
        print(json.dumps(book.obligations()), flush=True)
    listening.cancel()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
