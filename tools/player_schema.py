"""player/schema.js: names, fields and units of the messages for the player, from the tables of the wire format."""

from __future__ import annotations

import json
from typing import Any

from messages.gauges import GAUGES, Gauge
from messages.schema import TABLE, Row
from sessions.timeline import TRACKS

HEAD = """\
// Rendered from messages/schema.py, messages/gauges.py and sessions/timeline.py by `make docs`; do not edit.

/** @typedef {{name: string, fields: Record<string, string>}} MessageKind fields: name on the wire -> unit */
/** @typedef {{title: string, unit: string, meaning: string, states: Record<number, string>}} Gauge */
"""

MESSAGES = """
/** Message number -> what it is today.
 * @type {Record<number, MessageKind>} */
export const MESSAGES = {
"""

TRACK_TYPES = """
/** Track of the timeline -> numbers of the messages in it.
 * @type {Record<string, number[]>} */
export const TRACK_TYPES = {
"""

GAUGE_NAMES = """
/** Name in MobilePerformanceEvent -> what its value is, by platform.
 * @type {Record<string, {ios: Gauge, android: Gauge}>} */
export const GAUGES = {
"""


def render_player_schema() -> str:
    """The whole module."""
    tracks: dict[str, list[int]] = {}
    for number, track in TRACKS.items():
        tracks.setdefault(track.name, []).append(number)
    today = sorted((row for row in TABLE if not row.legacy), key=lambda row: row.number)
    return "".join(
        [
            HEAD,
            MESSAGES,
            *(_line(row.number, _message(row)) for row in today),
            "};\n",
            TRACK_TYPES,
            *(_line(name, numbers) for name, numbers in tracks.items()),
            "};\n",
            GAUGE_NAMES,
            *(_line(gauge.name, _gauge(gauge)) for gauge in GAUGES),
            "};\n",
        ]
    )


def _line(key: str | int, value: Any) -> str:
    return f"  {key}: {json.dumps(value)},\n"


def _message(row: Row) -> dict[str, Any]:
    return {"name": row.cls.NAME, "fields": {each.name: each.unit for each in row.columns}}


def _gauge(gauge: Gauge) -> dict[str, Any]:
    ios = {"title": gauge.title, "unit": gauge.unit, "meaning": gauge.meaning, "states": dict(gauge.states)}
    android = {
        "title": gauge.android_title or gauge.title,
        "unit": gauge.android_unit or gauge.unit,
        "meaning": gauge.android_meaning or gauge.meaning,
        "states": dict(gauge.android_states or gauge.states),
    }
    return {"ios": ios, "android": android}
