"""A town whose objects lie in an S3 server behind a proxy."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.faults.proxy import Proxy
from tests.faults.town import Town, new_town
from tests.servers import S3Server


@contextlib.asynccontextmanager
async def town_on_s3(folder: Path, **more: str) -> AsyncIterator[tuple[Town, S3Server, Proxy]]:
    """Built, with its S3 server and the proxy between both."""
    server = S3Server()
    await asyncio.to_thread(server.start)
    try:
        async with Proxy.before(server.port) as proxy:
            bucket = await asyncio.to_thread(server.new_bucket)
            settings = {f"PLAYHEAD_{name.upper()}": value for name, value in bucket.settings.items()}
            settings |= {"PLAYHEAD_S3_ENDPOINT_URL": proxy.url, "PLAYHEAD_PUT_TIMEOUT_S": "1"}
            with new_town(folder, **bucket.environment, **settings, **more) as town:
                await town.build()
                yield town, server, proxy
    finally:
        server.close()
