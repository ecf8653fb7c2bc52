"""Connections that do not behave, on a real socket (faults 7, 8, 27)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest

from http_service.guard import MAX_HEADER_BYTES
from http_service.limits import Budget, ClientGone, read_body
from playhead.errors import TooLarge
from tests.http_service.serving import PACE, answer, connect, serving, talk, until

QUICK = replace(
    PACE, header_timeout_s=0.3, body_window_s=0.3, leftover_s=0.3, read_stall_s=0.5, interval_s=0.05
)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers how long the body was; a body over 1 MB is refused unread to its end, `/early` any body."""
    try:
        if scope["path"] == "/early":
            raise TooLarge
        with Budget(10**9).hold() as held:
            body = await read_body(receive, declared=None, limit=1_000_000, held=held)
    except ClientGone:
        return
    except TooLarge:
        body, status = b"", 413
    else:
        status = 200
    text = str(len(body)).encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def large(scope: Any, receive: Any, send: Any) -> None:
    """Answers with 64 MB."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000):
        await send({"type": "http.response.body", "body": bytes(64_000), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def refused(raw: bytes) -> tuple[int, str]:
    """Status and code of an answer in the one error shape that ends the connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)["error"]["code"]


async def test_headers_that_do_not_end_are_cut_off():
    async with serving(echo, QUICK) as (_, port):
        assert refused(await talk(port, b"POST / HTTP/1.1\r\nHost: x\r\n")) == (408, "request_timeout")


async def test_a_trickle_of_headers_does_not_help():
    async with serving(echo, QUICK) as (_, port):
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\n")
        answered = asyncio.create_task(reader.read(12))
        for n in range(100):
            writer.write(b"x-%d: 1\r\n" % n)
            await asyncio.wait([answered], timeout=0.05)
            if answered.done():
                break
        assert await answered == b"HTTP/1.1 408"
        writer.transport.abort()


async def test_a_connection_that_says_nothing_is_closed():
    async with serving(echo, QUICK) as (_, port):
        assert await talk(port, b"") == b""


async def test_a_slow_body_is_cut_off():
    async with serving(echo, QUICK) as (_, port):
        raw = await talk(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        assert refused(raw) == (408, "request_timeout")


async def test_a_body_that_began_fast_must_go_on_so():
    async with serving(echo, QUICK) as (_, port):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
        assert refused(await talk(port, head + bytes(800_000))) == (408, "request_timeout")


async def test_a_steady_body_may_take_longer_than_the_window():
    async with serving(echo, QUICK) as (_, port):
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(20):
            writer.write(bytes(1000))
            await asyncio.sleep(0.05)
        assert (await answer(reader))[2] == b"20000"
        writer.close()


async def test_headers_without_end_are_refused_by_size():
    async with serving(echo) as (_, port):
        raw = await talk(port, b"GET / HTTP/1.1\r\nx: " + b"y" * (MAX_HEADER_BYTES + 1))
        assert refused(raw) == (431, "headers_too_large")


async def test_chunks_that_carry_next_to_nothing_are_refused():
    async with serving(echo) as (_, port):
        chunk = b"1;" + b"e" * 300 + b"\r\nx\r\n"
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 2000)
        with contextlib.suppress(ConnectionError):  # it closes while more is on its way
            assert await reader.read(12) in (b"HTTP/1.1 408", b"")
        writer.transport.abort()


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_http_gets_one_answer_in_our_shape(data):
    async with serving(echo) as (_, port):
        assert refused(await talk(port, data)) == (400, "bad_request")


async def test_more_connections_than_allowed_are_told_to_come_back():
    async with serving(echo, replace(PACE, most_connections=3)) as (server, port):
        held = [await connect(port) for _ in range(3)]
        await until(lambda: len(server.server_state.connections) == 3)
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
        status, headers, body = await answer(reader)
        assert (status, headers["retry-after"], headers["connection"]) == (503, "5", "close")
        assert json.loads(body)["error"]["code"] == "overloaded"
        writer.close()
        held[0][1].write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
        assert (await answer(held[0][0]))[0] == 200
        for _, each in held:
            each.close()


async def test_far_more_connections_are_closed_at_once():
    async with serving(echo, replace(PACE, most_connections=1)) as (_, port):
        held = [await connect(port) for _ in range(120)]
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            held[-1][1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await held[-1][1].drain()
            await held[-1][0].readexactly(1)
        for _, each in held:
            each.close()


async def test_an_answer_that_is_not_read_ends_the_connection():
    async with serving(large, QUICK) as (server, port):
        _, writer = await connect(port)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: len(server.server_state.connections) == 1)
        await until(lambda: not server.server_state.connections)
        writer.transport.abort()


async def test_the_answer_reaches_a_client_that_is_still_sending_too_much():
    async with serving(echo) as (_, port):
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000))
        await writer.drain()
        assert (await answer(reader))[0] == 413
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        assert (await answer(reader))[0] == 200  # the connection lives on
        writer.close()


async def test_the_rest_of_an_answered_body_must_come_soon():
    async with serving(echo, QUICK) as (_, port):
        reader, writer = await connect(port)
        writer.write(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
        assert (await answer(reader))[0] == 413
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_requests_sent_at_once_are_answered_in_order():
    async with serving(echo, QUICK) as (_, port):
        reader, writer = await connect(port)
        for n in range(5):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % n + bytes(n))
        assert [(await answer(reader))[2] for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
        await asyncio.sleep(0.5)  # idle now: the watch leaves it alone
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert (await answer(reader))[0] == 200
        writer.close()


async def test_http_1_0_and_expect_continue():
    async with serving(echo) as (_, port):
        raw = await talk(port, b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab")
        assert raw.endswith(b"2")
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        await reader.readline()
        writer.write(b"ab")
        assert (await answer(reader))[2] == b"2"
        writer.close()


async def test_stopping_lets_a_request_end_and_closes_idle_connections():
    started = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        await asyncio.sleep(0.3)
        await echo(scope, receive, send)

    async with serving(slow) as (server, port):
        idle, idle_writer = await connect(port)
        reader, writer = await connect(port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
        await started.wait()
        server.should_exit = True
        assert (await answer(reader))[0] == 200
        assert await asyncio.wait_for(idle.read(), 5) == b""
        writer.close()
        idle_writer.close()
