"""OTLP/HTTP over loopback: connections that live on, are cut off, carry too much, or end with the gateway."""

import asyncio
import contextlib
import gzip
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status

from spansieve.config import HttpReceiver
from spansieve.errors import MalformedRequest, Unavailable
from spansieve.model import Signal
from spansieve.receive import HttpReceiverServer
from unit.receive.helpers_http import JSON, LIMIT, PROTO, Server, head, post, status_of
from unit.receive.helpers_receive import FakeAcceptor, Observations


def over_the_limit() -> Iterator[Any]:
    """Heads and bodies that go over the limit in each of the ways there are, none of them complete."""
    post_proto = ("POST /v1/traces", f"content-type: {PROTO}")
    yield pytest.param(head(*post_proto, f"content-length: {10 * LIMIT}"), id="announced")
    chunk = b"%x\r\n" % (LIMIT + 1) + bytes(LIMIT + 1)
    yield pytest.param(head(*post_proto, "transfer-encoding: chunked") + chunk, id="chunked")
    bomb = gzip.compress(bytes(10 * LIMIT))
    yield pytest.param(head(*post_proto, "content-encoding: gzip", "content-length: 99999") + bomb, id="inflated")


@pytest.mark.parametrize("sent", list(over_the_limit()))
async def test_a_body_over_the_limit_is_413_before_its_end(
    sent: bytes, http_server: Server, acceptor: FakeAcceptor
) -> None:
    """The answer comes while the sender still owes the rest, and says that it is final."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(sent)
    status_line, *headers = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
    fields = dict(line.split(": ", 1) for line in headers if line)
    status = Status.FromString(await reader.readexactly(int(fields["content-length"])))
    assert (status_line.split()[1], fields["connection"], status.code) == ("413", "close", 8)
    assert not status.details
    assert acceptor.requests == []
    writer.close()


async def test_after_a_413_the_connection_is_closed(http_server: Server) -> None:
    """A sender that neither goes on nor hangs up is not waited for."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(head("POST /v1/traces", f"content-type: {PROTO}", f"content-length: {10 * LIMIT}"))
    assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_sender_that_does_not_listen_gets_its_413(client: httpx.AsyncClient) -> None:
    """A client that writes far more than the limit before it reads is not met by a reset."""
    answer = await post(client, bytes(20 * LIMIT))
    assert (answer.status_code, status_of(answer).code) == (413, 8)


async def test_a_json_body_over_the_limit_is_a_json_413(client: httpx.AsyncClient) -> None:
    """The Status of a 413 is in the request's own encoding."""
    answer = await post(client, bytes(LIMIT + 1), JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, 8)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_body_of_the_limit_is_taken(coding: str, client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """The limit itself is allowed, and counts after inflation."""
    body = bytes(LIMIT)
    await post(client, gzip.compress(body) if coding == "gzip" else body, content_encoding=coding)
    assert acceptor.requests[0].body == body


async def test_the_connection_outlives_a_refusal(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """After a 400 the same connection carries the next request."""
    acceptor.fail = MalformedRequest("No.")
    first = await post(client, b"\xff" * 1000)
    acceptor.fail = None
    second = await post(client, b"")
    assert (first.status_code, second.status_code) == (400, 200)
    assert first.extensions["network_stream"] is second.extensions["network_stream"]


async def test_requests_run_at_once(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """Ten unanswered requests are all with the acceptor before the first is answered."""
    acceptor.gate.clear()
    requests = [asyncio.create_task(post(client, b"")) for _ in range(10)]
    await acceptor.entered(10)
    acceptor.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*requests)] == [200] * 10


async def test_expect_100_continue_is_honoured(http_server: Server, acceptor: FakeAcceptor) -> None:
    """A sender that waits for leave to send its body gets it (RFC 9110, 10.1.1)."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(head("POST /v1/traces", f"content-type: {PROTO}", "content-length: 2", "expect: 100-continue"))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"\x0a\x00")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()


UPGRADE = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA")


@pytest.mark.parametrize(
    ("framing", "wire"),
    [
        ("content-length: 4", b"\x0a\x00\x0a\x00"),
        ("transfer-encoding: chunked", b"2\r\n\x0a\x00\r\n2\r\n\x0a\x00\r\n0\r\n\r\n"),
    ],
    ids=["length", "chunked"],
)
async def test_an_offer_to_upgrade_does_not_cost_the_body(
    framing: str, wire: bytes, http_server: Server, acceptor: FakeAcceptor
) -> None:
    """Java's HttpClient offers h2c with every request; the offer is passed over, also on the next request."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    for _ in range(2):
        writer.write(head("POST /v1/traces", f"content-type: {PROTO}", framing, *UPGRADE) + wire)
        assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"200"
    assert [request.body for request in acceptor.requests] == [b"\x0a\x00\x0a\x00"] * 2
    writer.close()


async def test_the_body_may_come_after_an_offer_to_upgrade(http_server: Server, acceptor: FakeAcceptor) -> None:
    """Head and body in two pieces are one request, too."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    fields = (f"content-type: {PROTO}", "content-length: 2", "expect: 100-continue", *UPGRADE)
    writer.write(head("POST /v1/traces", *fields))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"\x0a\x00")
    assert (await reader.readline()).split()[1] == b"200"
    assert acceptor.requests[0].body == b"\x0a\x00"
    writer.close()


async def test_a_sender_that_goes_away_in_mid_body_harms_nothing(
    http_server: Server, client: httpx.AsyncClient, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """Half a body is counted as 499 and not handed on; the next request is served."""
    _, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(head("POST /v1/logs", f"content-type: {PROTO}", "content-length: 1000") + bytes(500))
    await writer.drain()
    writer.close()
    await observer.answered(1)
    assert (observer.answers, observer.defects) == ([("http", Signal.LOGS, "499")], [])
    assert (await post(client, b"")).status_code == 200
    assert len(acceptor.requests) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_400_with_a_status(nonsense: bytes, http_server: Server) -> None:
    """TLS or HTTP/2 on the port for HTTP/1.1 in the clear gets an answer that can be read, and an end."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(nonsense)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert Status.FromString(answer.partition(b"\r\n\r\n")[2]).code == 3
    writer.close()


_CHUNKED = b"content-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("begun", [b"x: ", _CHUNKED + b"2;", _CHUNKED + b"0\r\nx: "], ids=["head", "chunk", "trailer"])
async def test_what_gives_no_body_and_has_no_end_is_cut_off(begun: bytes, http_server: Server) -> None:
    """A header, a trailer or a chunk's extension of more than 64 KiB is refused, not gathered."""
    loop = asyncio.get_running_loop()
    host, port = http_server.endpoint.split(":")
    with socket.socket() as sender:
        sender.setblocking(False)  # noqa: FBT003 - the socket module's signature
        await loop.sock_connect(sender, (host, int(port)))
        with contextlib.suppress(ConnectionError):  # it may be cut off while it sends
            await loop.sock_sendall(sender, b"POST /v1/traces HTTP/1.1\r\n" + begun + b"y" * LIMIT)
        assert (await loop.sock_recv(sender, 100)).startswith(b"HTTP/1.1 400 ")


async def test_answers_are_counted_by_code(
    client: httpx.AsyncClient, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """Each request is one answer under its HTTP status; a path that names no signal has none."""
    await post(client, b"", path="/v1/metrics")
    acceptor.fail = Unavailable("No.", "shutdown", 1)
    await post(client, b"")
    await post(client, b"", path="/favicon.ico")
    assert observer.answers == [
        ("http", Signal.METRICS, "200"),
        ("http", Signal.TRACES, "503"),
        ("http", None, "404"),
    ]


async def test_stop_answers_what_is_under_way_and_takes_nothing_new(
    http_server: Server, client: httpx.AsyncClient, acceptor: FakeAcceptor
) -> None:
    """A request that was being handled ends with 200 and a closed connection; a new connection is refused."""
    idle, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    acceptor.gate.clear()
    under_way = asyncio.create_task(post(client, b""))
    await acceptor.entered(1)
    stopping = asyncio.create_task(http_server.server.stop(30))
    assert await idle.read() == b""  # idle connections are closed first
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*http_server.endpoint.split(":"))
    acceptor.gate.set()
    answer = await under_way
    await stopping
    writer.close()
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")


async def test_stop_tells_those_that_outlast_the_grace(
    http_server: Server, client: httpx.AsyncClient, acceptor: FakeAcceptor
) -> None:
    """A request that is not answered in time gets a 503 that asks to try again."""
    acceptor.gate.clear()
    under_way = asyncio.create_task(post(client, b""))
    await acceptor.entered(1)
    await http_server.server.stop(0)
    answer = await under_way
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_stopping_twice_is_stopping_once(http_server: Server) -> None:
    """A second stop has nothing to do."""
    await http_server.server.stop(0)
    await http_server.server.stop(0)


async def test_a_taken_port_is_an_error_that_names_it(
    http_server: Server, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """A second gateway neither starts nor shares the port."""
    second = HttpReceiverServer(HttpReceiver(endpoint=http_server.endpoint), acceptor, observer)
    with pytest.raises(
        OSError, match=rf"http\.endpoint: cannot listen on {http_server.endpoint}: Address already in use"
    ):
        await second.start()
