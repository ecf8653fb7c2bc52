"""Places by a database in MaxMind's format, made here byte by byte (maxmind.github.io/MaxMind-DB)."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.geo import NOWHERE, Geo, Place
from playhead.errors import BadSettings

FOUND = {
    "country": {"iso_code": "DE"},
    "subdivisions": [{"names": {"en": "Bavaria", "de": "Bayern"}}],
    "city": {"names": {"en": "Munich"}},
}


def field(value: Any) -> bytes:
    """One value of the data section."""
    if isinstance(value, str):
        data = value.encode()
        return (
            bytes([2 << 5 | len(data)]) + data
            if len(data) < 29
            else bytes([2 << 5 | 29, len(data) - 29]) + data
        )
    if isinstance(value, tuple):  # (type number, whole number)
        kind, number = value
        data = number.to_bytes((number.bit_length() + 7) // 8, "big")
        head = [kind << 5 | len(data)] if kind < 8 else [len(data), kind - 7]
        return bytes(head) + bytes(data)
    if isinstance(value, dict):
        return bytes([7 << 5 | len(value)]) + b"".join(field(k) + field(v) for k, v in value.items())
    return bytes([len(value), 11 - 7]) + b"".join(map(field, value))


def database(record: Any) -> bytes:
    """One IPv4 tree of one node: addresses from 128.0.0.0 on are `record`, the others unknown."""
    node = (1).to_bytes(3, "big") + (1 + 16).to_bytes(3, "big")
    metadata = {
        "binary_format_major_version": (5, 2), "binary_format_minor_version": (5, 0), "build_epoch": (9, 1),
        "database_type": "Test", "description": {}, "ip_version": (5, 4), "languages": ["en"],
        "node_count": (6, 1), "record_size": (5, 24),
    }  # fmt: skip
    return node + bytes(16) + field(record) + b"\xab\xcd\xefMaxMind.com" + field(metadata)


@pytest.fixture
def geo(tmp_path):
    path = tmp_path / "city.mmdb"
    path.write_bytes(database(FOUND))
    opened = Geo.open(str(path))
    yield opened
    opened.close()


def test_an_address_has_a_place(geo):
    assert geo.place("203.0.113.9") == Place("DE", "Bavaria", "Munich")


@pytest.mark.parametrize("address", ["10.0.0.1", "", "no address", "2001:db8::1", "999.1.1.1"])
def test_other_addresses_are_nowhere(geo, address):
    assert geo.place(address) == NOWHERE


def test_odd_contents_are_nowhere(tmp_path):
    path = tmp_path / "odd.mmdb"
    odd: list[Any] = ["text", {"country": {}}, {"subdivisions": [], "city": {}}]
    for record in odd:
        path.write_bytes(database(record))
        opened = Geo.open(str(path))
        assert opened.place("203.0.113.9") == NOWHERE
        opened.close()


def test_without_a_database_all_is_nowhere():
    assert Geo.open("").place("203.0.113.9") == NOWHERE


def test_a_file_that_is_none_stops_the_start(tmp_path):
    (tmp_path / "bad").write_bytes(b"nothing")
    for path in (tmp_path / "bad", tmp_path / "absent"):
        with pytest.raises(BadSettings):
            Geo.open(str(path))
