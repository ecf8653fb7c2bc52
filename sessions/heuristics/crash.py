"""Crash: message 97. Grouped by exception name and the stack's first frames, without addresses and line numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from messages.schema import MobileCrash
from sessions.heuristics.finding import TITLE_CHARS, Finding, Timed

GROUP_FRAMES = 5
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\+ ?\d+|:\d+|\b\d+\b")


def crashes(messages: Sequence[Timed]) -> Iterable[Finding]:
    """One finding per crash message."""
    for at_ms, message in messages:
        if isinstance(message, MobileCrash):
            frames = [
                _VARYING.sub("", line).strip() for line in message.stacktrace.splitlines()[:GROUP_FRAMES]
            ]
            yield Finding(
                "crash",
                at_ms,
                f"{message.name}: {message.reason}"[:TITLE_CHARS]
                if message.reason
                else message.name[:TITLE_CHARS],
                "\n".join([message.name, *frames]),
                {"name": message.name[:TITLE_CHARS], "reason": message.reason[:1000]},
            )
