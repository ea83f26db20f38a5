"""The embedded HTTP server: bound before it is said to run, and a taken port is a sentence with the key."""

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
    with pytest.raises(OSError, match=rf"second\.key: cannot listen on {address}: Address already in use\."):
        await HttpServer(APPLICATION, address, "second.key").start()
    await first.stop(1)


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
