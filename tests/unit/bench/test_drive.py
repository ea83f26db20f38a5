import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from bench.drive import Answer, GrpcSender, HttpSender, Load
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from unit.bench.helpers_bench import recording, spans_of

OK = Answer("OK")


def _load(seconds: float = 30, spans: float = float("inf")) -> Load:
    return Load(recording("chat"), 5, time.monotonic() + seconds, spans)


async def test_every_request_of_a_lap_is_sent_once() -> None:
    """A load that is as long as the recording replays it whole, in order, under one lap's trace ids."""
    found = recording("chat")
    bodies: list[bytes] = []

    async def send(body: bytes) -> Answer:
        bodies.append(body)
        return OK

    load = _load(spans=found.total_spans)
    await load.closed(send)
    assert bodies == [found.body(index, 5) for index in range(len(found.pieces))]
    assert load.tally.spans == found.total_spans


async def test_the_next_lap_has_other_trace_ids() -> None:
    """No trace id comes twice, however long a load lasts."""
    ids: list[bytes] = []

    async def send(body: bytes) -> Answer:
        ids.extend({span.trace_id + span.span_id for span in spans_of(body)})
        return OK

    await _load(spans=recording("chat").total_spans * 3).closed(send)
    assert len(ids) == len(set(ids)) > recording("chat").total_spans


async def test_a_refused_request_is_sent_again() -> None:
    """A refusal is counted, and the same bytes come again after the time that it asks for."""
    answers = [Answer("UNAVAILABLE", 0.0), OK]
    bodies: list[bytes] = []

    async def send(body: bytes) -> Answer:
        bodies.append(body)
        return answers.pop(0)

    load = _load(spans=1)
    await load.closed(send)
    assert bodies[0] == bodies[1]
    assert (load.tally.refused, load.tally.refused_with_retry) == ({"UNAVAILABLE": 1}, 1)
    assert load.tally.requests == 1


async def test_spans_that_were_never_accepted_are_counted_apart() -> None:
    """When time is up a refused request is given up, and its spans are not among those accepted."""

    async def send(_: bytes) -> Answer:
        load.tally.seconds.clear()
        return Answer("UNAVAILABLE", 0.0)

    load = Load(recording("chat"), 1, time.monotonic() + 0.05, 1)
    await load.closed(send)
    assert load.tally.spans == 0
    assert load.tally.unanswered_spans == recording("chat").spans[0]


async def test_a_call_ends_with_its_deadline() -> None:
    """A peer that does not answer in time is one that refused."""
    given_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the sender closes
        writer.close()
        await writer.wait_closed()
        given_up.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sender = HttpSender(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", deadline=0.05)
    assert await sender.send(b"body") == Answer("TimeoutError")
    await given_up.wait()
    server.close()
    await server.wait_closed()


async def test_a_rate_does_not_wait_for_answers() -> None:
    """In an open loop requests leave on time, also while earlier ones have no answer."""
    begun = 0
    go_on = asyncio.Event()

    async def send(_: bytes) -> Answer:
        nonlocal begun
        begun += 1
        if begun == 3:
            go_on.set()
        await go_on.wait()
        return OK

    load = _load(spans=sum(recording("chat").spans[:3]))
    await load.open([send], rate=1e6)
    assert load.tally.requests == 3


@asynccontextmanager
async def _grpc_server(refuse: bool) -> AsyncIterator[str]:
    async def export(body: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        if refuse:
            detail = AnyMessage()
            detail.Pack(RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)))
            status = Status(code=14, message="later", details=[detail])
            metadata = (("grpc-status-details-bin", status.SerializeToString()),)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "later", metadata)
        return b""

    server = grpc.aio.server()
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    handler = grpc.unary_unary_rpc_method_handler(export)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.mark.parametrize(("refuse", "expected"), [(False, OK), (True, Answer("UNAVAILABLE", 1.5))])
async def test_a_grpc_answer_is_understood(refuse: bool, expected: Answer) -> None:
    """OK is OK, and the time of a RetryInfo is read from the status details."""
    async with _grpc_server(refuse) as endpoint:
        sender = GrpcSender(endpoint)
        assert await sender.send(b"") == expected
        await sender.close()


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", OK),
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n", Answer("503", 2.0)),
    ],
)
async def test_an_http_answer_is_understood(response: bytes, expected: Answer) -> None:
    """200 is OK, and Retry-After is read; the connection serves the next request too."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(4)
            writer.write(response)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sender = HttpSender(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert [await sender.send(b"body"), await sender.send(b"body")] == [expected, expected]
    await sender.close()
    server.close()
    await server.wait_closed()
