"""Servers and clean databases for all tests; see tests/servers.py."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from tests.databases import Databases
from tests.servers import S3, PostgresServer, RedisServer, S3Server

# A busy machine is no fault of the code: time is measured in benchmarks/.
hypothesis.settings.register_profile(
    "playhead", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("playhead")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole run. Tests that stop or freeze theirs make their own PostgresServer."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def databases(postgres_server: PostgresServer) -> Databases:
    """Of the server for the whole run."""
    return Databases(postgres_server)


@pytest.fixture
def postgres_dsn(databases: Databases) -> Iterator[str]:
    """A clean, migrated database of this test's own."""
    with databases.lent() as dsn:
        yield dsn


@pytest.fixture
def empty_dsn(databases: Databases) -> Iterator[str]:
    """A fresh database without any table."""
    with databases.bare() as dsn:
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
