"""Where a client's address lies, by an optional MaxMind database. Source: spec/openreplay-mobile.md 1.4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from playhead.errors import BadSettings


@dataclass(frozen=True, slots=True)
class Place:
    """Country (ISO code), state and city; empty where unknown."""

    country: str = ""
    state: str = ""
    city: str = ""


NOWHERE = Place()


class Geo:
    """Address to place; without a database every address is nowhere."""

    def __init__(self, reader: Any = None) -> None:
        self._reader = reader

    @classmethod
    def open(cls, path: str) -> Self:
        """By the `.mmdb` file at `path`; an empty path gives nowhere for all. Raises BadSettings."""
        if not path:
            return cls()
        import maxminddb

        try:
            return cls(maxminddb.open_database(Path(path)))
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as problem:
            raise BadSettings([f"PLAYHEAD_GEOIP_PATH: {problem}"]) from problem

    def place(self, address: str) -> Place:
        """Where this address is; nowhere if it is private, malformed or not in the database."""
        if self._reader is None or not address:
            return NOWHERE
        try:
            found = self._reader.get(address)
        except Exception:  # a damaged file must not refuse a phone; the library raises several kinds
            return NOWHERE
        return _place(found) if isinstance(found, dict) else NOWHERE

    def close(self) -> None:
        """Give the file back."""
        if self._reader is not None:
            self._reader.close()


def _place(found: Mapping[str, Any]) -> Place:
    country = found.get("country") or found.get("registered_country") or {}
    regions = found.get("subdivisions") or [{}]
    return Place(
        country=str(country.get("iso_code", "")),
        state=_name(regions[0]),
        city=_name(found.get("city") or {}),
    )


def _name(part: Mapping[str, Any]) -> str:
    return str((part.get("names") or {}).get("en", ""))
