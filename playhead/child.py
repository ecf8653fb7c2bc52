"""Where a child process begins: `python -m playhead ROLE --lifeline FD …`, as playhead/children.py starts it.

Told apart from a command that somebody types, so that a child holds no command line's libraries in memory for ever.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from playhead import processes
from playhead.errors import BadSettings, PlayheadError
from playhead.settings import Settings, load

LIFELINE = "--lifeline"


def main(arguments: Sequence[str]) -> NoReturn:
    """Run one role to its end and exit: 0, 1 (failed), 2 (settings)."""
    parser = argparse.ArgumentParser(prog="playhead", allow_abbrev=False)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--name")
    parser.add_argument(LIFELINE, type=int, required=True)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--fd", type=int, action="append", default=[])
    chosen = parser.parse_args(arguments)
    try:
        settings = load(os.environ)
        processes.begin(settings, chosen.name or chosen.role, lifeline=chosen.lifeline, again=chosen.again)
        ROLES[chosen.role](settings, chosen.fd)
    except BadSettings as problem:
        for fault in problem.faults:
            _complain(fault)
        sys.exit(2)
    except PlayheadError as problem:
        _complain(str(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _work(settings: Settings, _descriptors: Sequence[int]) -> None:
    processes.run_work(settings)


def _demo_data(settings: Settings, _descriptors: Sequence[int]) -> None:
    """Fill the demo project, if it is empty."""
    from playhead.demo import VISITS, fill

    _say(f"Making {len(VISITS)} demo sessions …")
    report = asyncio.run(fill(settings, lambda done, of: _say(f"  {done} of {of}")))
    if report is None:
        _say("The demo project holds sessions already.")
    else:
        _say(f"{len(report.sessions)} demo sessions are there; their recordings follow within seconds.")


ROLES: Mapping[str, Callable[[Settings, Sequence[int]], None]] = {
    "http": processes.run_http,
    "work": _work,
    "demo-data": _demo_data,
}


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(f"playhead: {line}", file=sys.stderr, flush=True)
