"""Findings: pure rules over a session's whole recording, one per file, listed in RULES.

They run on everything that is known each time a recording is made, so late data changes a finding and never adds
a second one. A new rule is a function in a file of its own and a line in RULES.
"""

from collections.abc import Sequence

from sessions.heuristics.crash import crashes
from sessions.heuristics.finding import Finding, Rule, Timed
from sessions.heuristics.network_errors import network_error_bursts
from sessions.heuristics.not_responding import not_responding
from sessions.heuristics.slow_screen import slow_screens
from sessions.heuristics.tap_rage import tap_rages

RULES: tuple[Rule, ...] = (crashes, not_responding, tap_rages, network_error_bursts, slow_screens)


def find_issues(messages: Sequence[Timed]) -> list[Finding]:
    """All findings of all rules, by time; `messages` in recording order."""
    found = [finding for rule in RULES for finding in rule(messages)]
    return sorted(found, key=lambda finding: (finding.at_ms, finding.type, finding.title))


__all__ = ["RULES", "Finding", "Rule", "Timed", "find_issues"]
