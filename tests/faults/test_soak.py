"""A long run that ends before its time: what it saw is told all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults.soak import Soak
from tests.faults.town import Town
from tests.servers import PostgresServer, RedisServer, S3Server


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[Soak]:
    """In a town where nothing runs."""
    town = Town(tmp_path, PostgresServer(fast=False), {}, seed="1")
    yield Soak(town, RedisServer(), S3Server(), 1, Random(1))
    town.close()


async def test_a_round_that_breaks_ends_with_the_report(
    soak: Soak, capsys: pytest.CaptureFixture[str]
) -> None:
    soak.waits[0].append(0.25)
    with pytest.raises(IndexError):
        await soak.rounds(60, 1, 60)
    told = capsys.readouterr().out
    assert "complaint: round 0 ended: IndexError" in told
    assert "0 rounds" in told and "hour 1: append p50 250.0 ms, p99 250.0 ms" in told
    assert told.splitlines()[-1].startswith("judge: round 0 ended: IndexError")


async def test_a_probe_that_dies_is_a_complaint(soak: Soak, capsys: pytest.CaptureFixture[str]) -> None:
    async with soak.probed():
        await asyncio.sleep(0.1)
    assert len(soak.complaints) == 1 and "the probe ended: IndexError" in soak.complaints[0]
    assert "complaint: round 0: the probe ended: IndexError" in capsys.readouterr().out
