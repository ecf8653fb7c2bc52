"""Servers and clean databases for all tests; see tests/servers.py."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg
import hypothesis
import pytest

from storage.migrate import migrate
from tests.servers import S3, PostgresServer, RedisServer, S3Server

# A busy machine is no fault of the code: time is measured in benchmarks/.
hypothesis.settings.register_profile(
    "playhead", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("playhead")

TEMPLATE = "playhead_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole run. Tests that stop or freeze theirs make their own PostgresServer."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _template(postgres_server: PostgresServer) -> str:
    """A migrated database to copy."""

    async def make() -> None:
        await _admin(postgres_server, f"CREATE DATABASE {TEMPLATE}")
        await migrate(_with_database(postgres_server.dsn, TEMPLATE))

    asyncio.run(make())
    return TEMPLATE


@contextmanager
def fresh_database(server: PostgresServer, template: str = "") -> Iterator[str]:
    """A database of its own, copied from `template` or without any table -> its DSN."""
    name = f"test_{next(_numbers)}_{secrets.token_hex(4)}"
    copied = f"TEMPLATE {template}" if template else ""
    asyncio.run(_admin(server, f"CREATE DATABASE {name} {copied} STRATEGY file_copy"))
    yield _with_database(server.dsn, name)
    asyncio.run(_admin(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def postgres_dsn(postgres_server: PostgresServer, _template: str) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    with fresh_database(postgres_server, _template) as dsn:
        yield dsn


@pytest.fixture
def empty_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh database without any table."""
    with fresh_database(postgres_server) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for the whole run. Tests that stop or freeze theirs make their own RedisServer."""
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty Redis."""
    redis_server.ask("FLUSHALL")
    return redis_server.url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server for the whole run. Tests that stop or freeze theirs make their own S3Server."""
    server = S3Server()
    server.start()
    yield server
    server.close()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3:
    """A fresh bucket; its credentials are in the environment for the length of the test."""
    bucket = s3_server.new_bucket()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket


def _with_database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def _admin(server: PostgresServer, statement: str) -> None:
    conn = await asyncpg.connect(_with_database(server.dsn, "postgres"))
    try:
        await conn.execute(statement)
    finally:
        await conn.close()
