"""A hundred bombs at once: memory of every process stays within its bound, and phones go on being served."""

from __future__ import annotations

import asyncio
import gzip
import io
import tarfile

import psutil
import pytest

from client.transport import HttpTransport, open_http_client
from tests.faults.book import now_ms
from tests.faults.raw_phone import RawPhone
from tests.faults.town import PROJECT, Playhead, new_town

BOMBS = 100
UNPACKED_BYTES = 8_000_000  # the bound on one body
BOMB_BYTES = 40 * UNPACKED_BYTES
#: a worker has two segments in hand; what a hundred thousand messages of a byte cost decides, not their bytes
MEMORY_BYTES = 300_000_000


def bombs() -> list[tuple[str, str, bytes, dict[str, str]]]:
    """Kind, path, body and headers of each sort."""
    plain = gzip.compress(bytes(BOMB_BYTES))
    member = gzip.compress(bytes(100_000))
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo(f"{now_ms()}.jpeg")
        entry.size = BOMB_BYTES
        tar.addfile(entry, io.BytesIO(bytes(BOMB_BYTES)))
    form = b"--b\r\nContent-Disposition: form-data; name=batch; filename=1-2.tar.gz\r\n\r\n%b\r\n--b--\r\n"
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    return [
        ("batch", "/v1/mobile/i", plain, {}),
        ("late", "/v1/mobile/late", member * (BOMB_BYTES // 100_000), {}),
        ("batch", "/v1/mobile/i", gzip.compress(plain), {}),
        ("images", "/v1/mobile/images", form % archive.getvalue(), multipart),
    ]


def memory(program: Playhead) -> int:
    """Resident bytes."""
    assert program.pid is not None
    return int(psutil.Process(program.pid).memory_info().rss)


@pytest.mark.crash
@pytest.mark.timeout(300)
async def test_a_hundred_bombs_at_once_cost_memory_within_the_bound(tmp_path) -> None:
    with new_town(tmp_path, PLAYHEAD_MAX_UNPACKED_BYTES=str(UNPACKED_BYTES)) as town:
        await town.build()
        sorts = await asyncio.to_thread(bombs)
        async with open_http_client(BOMBS) as client, RawPhone.open(town.url, PROJECT, town.book) as phone:
            throwing = RawPhone(HttpTransport(client, town.url), PROJECT, town.book)
            assert await phone.start() == await throwing.start() == 200
            assert await phone.say(1) == 200
            before = {each: memory(each) for each in town.processes}
            peak = dict(before)
            thrown = asyncio.gather(
                *(
                    throwing.post(kind, path, body + bytes([number]), [], headers)
                    for number in range(BOMBS)
                    for kind, path, body, headers in [sorts[number % len(sorts)]]
                )
            )
            async with town.client() as asking:
                while True:
                    assert await phone.say(1) == 200
                    peak = {each: max(most, memory(each)) for each, most in peak.items()}
                    letters = (await asking.get("/api/v1/dead-letters?limit=1000")).json()["dead_letters"]
                    if thrown.done() and len(letters) >= BOMBS * 3 // 4:
                        break
                    await asyncio.sleep(0.05)
            assert set(await thrown) == {200}
        for program, most in peak.items():
            print(f"{program.role}: {(most - before[program]) / 1e6:.0f} MB more at most")
            assert most - before[program] < MEMORY_BYTES
        await town.judge()
