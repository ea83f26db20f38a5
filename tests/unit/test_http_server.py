"""The embedded HTTP server: bound before it is said to run, a taken port is a sentence with the key, and its bounds."""

import asyncio
import contextlib
import errno
import logging
import re
import resource
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from spansieve import http_server
from spansieve.http_server import HttpServer


async def _hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


APPLICATION = Starlette(routes=[Route("/", _hello)])


async def test_port_zero_is_served_where_start_says() -> None:
    """A client reaches the application at the returned address."""
    server = HttpServer(APPLICATION, "127.0.0.1:0", "some.key")
    address = await server.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{address}/")
    await server.stop(1)
    assert answer.text == "hello"


async def test_a_taken_port_names_the_key_and_the_remedy() -> None:
    """The second server on one port is refused before it serves anything."""
    first = HttpServer(APPLICATION, "127.0.0.1:0", "first.key")
    address = await first.start()
    with pytest.raises(OSError, match=rf"second\.key: cannot listen on {address}: Address already in use\. Free it"):
        await HttpServer(APPLICATION, address, "second.key").start()
    await first.stop(1)


def _refused(code: int) -> OSError:
    return socket.gaierror(code, "Name or service not known") if code < 0 else OSError(code, "raw words")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EADDRNOTAVAIL, "Cannot assign requested address. Name an address that this machine has, or 0.0.0.0"),
        (errno.EACCES, "Permission denied. Ports below 1024 are the superuser's: name another."),
        (errno.EMFILE, "Too many open files. Name another."),
        (socket.EAI_NONAME, "Name or service not known. Name an address that this machine has"),
    ],
)
def test_a_port_that_cannot_be_had_names_the_remedy(code: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the system says; its words about the address are not told twice."""

    def refuse(*_: object, **__: object) -> None:
        raise _refused(code)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(OSError, match=re.escape(f"some.key: cannot listen on host:7: {said}")):
        http_server.bind("host:7", "some.key")


async def test_after_stop_the_port_is_free() -> None:
    """Another server can have it at once."""
    first = HttpServer(APPLICATION, "127.0.0.1:0", "first.key")
    address = await first.start()
    await first.stop(1)
    second = HttpServer(APPLICATION, address, "second.key")
    assert await second.start() == address
    await second.stop(1)


async def test_a_host_name_is_served_on_each_of_its_addresses() -> None:
    """`localhost` may mean 127.0.0.1 and ::1; a client on either reaches the application."""
    server = HttpServer(APPLICATION, "localhost:0", "some.key")
    port = (await server.start()).rpartition(":")[2]
    hosts = {"[::1]" if family is socket.AF_INET6 else "127.0.0.1" for family, *_ in socket.getaddrinfo("localhost", 0)}
    async with httpx.AsyncClient() as client:
        answers = {host: (await client.get(f"http://{host}:{port}/")).text for host in hosts}
    await server.stop(1)
    assert answers == dict.fromkeys(hosts, "hello")


REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", REQUEST[:-2], b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n"])
async def test_a_request_that_does_not_come_costs_its_connection(sent: bytes) -> None:
    """A minute after it, or the connection, was begun: with no byte, half a head, or half a body."""
    server = HttpServer(APPLICATION, "127.0.0.1:0", "some.key")
    reader, writer = await asyncio.open_connection(*(await server.start()).split(":"))
    writer.write(sent)
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    server.end_the_slow(now + 59)
    assert not reader.at_eof()
    async with asyncio.timeout(20):
        while not reader.at_eof() and reader.exception() is None:
            server.end_the_slow(asyncio.get_running_loop().time() + 61)
            await asyncio.sleep(0)
    writer.close()
    await server.stop(1)


async def test_who_waits_between_requests_keeps_the_connection() -> None:
    """Exporters send every few seconds on one connection, for which there is a bound of its own."""
    server = HttpServer(APPLICATION, "127.0.0.1:0", "some.key")
    reader, writer = await asyncio.open_connection(*(await server.start()).split(":"))
    for _ in range(2):
        writer.write(REQUEST)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        server.end_the_slow(asyncio.get_running_loop().time() + 1000)
    writer.close()
    await server.stop(1)


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in four open files; what comes beyond is closed, and those that are there are served."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (8, 8))
    server = HttpServer(APPLICATION, "127.0.0.1:0", "some.key")
    address = (await server.start()).split(":")
    taken = [await asyncio.open_connection(*address) for _ in range(2)]
    for reader, writer in taken:
        writer.write(REQUEST)
        await reader.readuntil(b"hello")
    beyond, beyond_writer = await asyncio.open_connection(*address)
    with contextlib.suppress(ConnectionResetError):  # as good
        assert await beyond.read() == b""
    taken[0][1].write(REQUEST)
    assert (await taken[0][0].readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
    for writer in (beyond_writer, *(writer for _, writer in taken)):
        writer.close()
    await server.stop(1)


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n" + b"y" * 300_000]
)
async def test_nonsense_is_400_and_no_line_in_the_log(nonsense: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can send it, as often as they like."""
    server = HttpServer(APPLICATION, "127.0.0.1:0", "some.key")
    reader, writer = await asyncio.open_connection(*(await server.start()).split(":"))
    with caplog.at_level(logging.DEBUG):
        writer.write(nonsense)
        assert (await reader.read(12)) == b"HTTP/1.1 400"
    writer.close()
    await server.stop(1)
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


async def test_a_stop_without_grace_is_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """As at a start that fails at the next port: there is nothing to cancel."""
    server = HttpServer(APPLICATION, "127.0.0.1:0", "some.key")
    await server.start()
    with caplog.at_level(logging.WARNING):
        await server.stop(0)
    assert caplog.records == []


def test_a_reserved_port_can_be_shared_by_those_who_say_so() -> None:
    """Several listen on it; one that does not say so is told that it is taken."""
    held, endpoint = http_server.reserve("127.0.0.1:0", "some.key")
    bound = [*held]
    try:
        for _ in range(2):
            bound += http_server.bind(endpoint, "some.key", shared=True)
        with pytest.raises(OSError, match=r"some\.key: cannot listen"):
            http_server.bind(endpoint, "some.key")
    finally:
        for each in bound:
            each.close()


def test_a_port_that_others_share_cannot_be_reserved() -> None:
    """A second gateway would quietly get half of the connections."""
    held, endpoint = http_server.reserve("127.0.0.1:0", "some.key")
    try:
        with pytest.raises(OSError, match=r"some\.key: cannot listen"):
            http_server.reserve(endpoint, "some.key")
    finally:
        for each in held:
            each.close()
