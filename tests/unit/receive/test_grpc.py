"""OTLP/gRPC over loopback, against the specification's words for servers."""

import asyncio
import gc
import gzip
import random
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fakes import ManualClock
from spansieve.admission import Admission
from spansieve.config import GrpcReceiver
from spansieve.errors import MalformedRequest, Unavailable
from spansieve.model import Answer, Encoding, ReceivedRequest, Signal
from spansieve.receive import GrpcReceiverServer
from unit.receive.helpers_receive import SECRET, FakeAcceptor, Observations, Running, export_request

SERVICES = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
LIMIT = 1024 * 1024

Call = Any  # aio.UnaryUnaryCall[bytes, bytes]


@pytest.fixture
async def channel(grpc_server: Running[GrpcReceiverServer]) -> AsyncIterator[aio.Channel]:
    """A client's connection."""
    async with aio.insecure_channel(grpc_server.endpoint) as opened:
        yield opened


def export(
    channel: aio.Channel, body: bytes, signal: Signal = Signal.TRACES, compression: grpc.Compression | None = None
) -> Call:
    """Call Export of a signal's service with these bytes."""
    return channel.unary_unary(f"/{SERVICES[signal]}/Export")(body, timeout=30, compression=compression)


async def refusal_of(call: Call) -> tuple[grpc.StatusCode, str, Status]:
    """The code, the text and the status details with which a call fails."""
    with pytest.raises(aio.AioRpcError) as failed:
        await call
    trailers = dict(failed.value.trailing_metadata())
    status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
    return failed.value.code(), failed.value.details() or "", status


@pytest.mark.parametrize("signal", Signal)
async def test_each_service_hands_on_the_bytes_as_they_came(
    signal: Signal, channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """The acceptor gets the signal of the service and the unparsed body."""
    body = export_request(signal).SerializeToString()
    await export(channel, body, signal)
    assert acceptor.requests == [ReceivedRequest(signal, Encoding.PROTO, body)]


@pytest.mark.parametrize("signal", Signal)
async def test_full_success_leaves_partial_success_unset(signal: Signal, channel: aio.Channel) -> None:
    """The response message is empty."""
    assert await export(channel, export_request(signal).SerializeToString(), signal) == b""


async def test_an_empty_request_succeeds(channel: aio.Channel) -> None:
    """OTLP: an empty request is answered with success."""
    assert await export(channel, b"") == b""


@pytest.mark.parametrize(
    ("signal", "response", "field"),
    [
        (Signal.TRACES, ExportTraceServiceResponse(), "rejected_spans"),
        (Signal.LOGS, ExportLogsServiceResponse(), "rejected_log_records"),
        (Signal.METRICS, ExportMetricsServiceResponse(), "rejected_data_points"),
    ],
)
async def test_partial_success_counts_and_explains(
    signal: Signal, response: Message, field: str, channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """The rejected items are counted in the field of their signal, with the reason beside them."""
    acceptor.answer = Answer(2, "2 of 5 rejected: 2 with an invalid span_id.")
    response.ParseFromString(await export(channel, b"", signal))
    partial = response.partial_success  # type: ignore[attr-defined]  # each of the three has it
    assert (getattr(partial, field), partial.error_message) == (2, "2 of 5 rejected: 2 with an invalid span_id.")


async def test_a_warning_alone_is_told_with_nothing_rejected(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """A message without rejected items sets partial_success, as OTLP's warnings do."""
    acceptor.answer = Answer(0, "Mind the gap.")
    response = ExportTraceServiceResponse.FromString(await export(channel, b""))
    assert response.HasField("partial_success")
    assert (response.partial_success.rejected_spans, response.partial_success.error_message) == (0, "Mind the gap.")


async def test_responses_are_bounded(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """A message without end is shortened, so that the response stays far below the 4 MiB of OTLP."""
    acceptor.answer = Answer(1, "x" * 5_000_000)
    assert len(await export(channel, b"")) < 5_000


@pytest.mark.parametrize(
    "body", [b"\x0a\x00" * 1000, random.Random(1).randbytes(25_000).hex().encode()], ids=["small", "large"]
)
async def test_gzip_is_accepted(body: bytes, channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """A compressed message reaches the acceptor inflated, having been admitted by its size on the wire."""
    await export(channel, body, compression=grpc.Compression.Gzip)
    assert acceptor.requests[0].body == body
    on_the_wire, inflated = acceptor.admitted
    assert inflated == len(body)
    assert on_the_wire == pytest.approx(len(gzip.compress(body)), abs=20)


@pytest.mark.parametrize("cut", [5, -1])
async def test_broken_gzip_is_invalid_argument(cut: int, channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """It is the sender's, as it is over HTTP; nothing of it is taken."""
    code, _, _ = await refusal_of(export(channel, gzip.compress(bytes(100))[:cut]))
    assert (code, acceptor.requests) == (grpc.StatusCode.INVALID_ARGUMENT, [])


async def test_what_is_refused_is_not_inflated(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """Under overload a sender is told so before any work is done."""
    acceptor.refuse_admission = Unavailable("Too much at once.", "memory_limiter", 1.0)
    code, _, _ = await refusal_of(export(channel, bytes(1234), compression=grpc.Compression.Gzip))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert all(size < 100 for size in acceptor.admitted)


async def test_other_compression_is_refused(channel: aio.Channel) -> None:
    """Only none and gzip are OTLP's; the gRPC specification wants UNIMPLEMENTED for what is not supported."""
    code, _, _ = await refusal_of(export(channel, b"\x0a\x00", compression=grpc.Compression.Deflate))
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def test_calls_on_one_connection_run_at_once(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """Ten unanswered calls are all with the acceptor before the first is answered."""
    acceptor.gate.clear()
    calls = [export(channel, b"") for _ in range(10)]
    await acceptor.entered(10)
    acceptor.gate.set()
    assert await asyncio.gather(*calls) == [b""] * 10


async def test_a_connection_has_fifty_calls_at_once(
    grpc_server: Running[GrpcReceiverServer], acceptor: FakeAcceptor
) -> None:
    """Its others wait at the sender, and not in gRPC's core; those of another connection do not wait for them."""
    acceptor.gate.clear()
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    async with (
        aio.insecure_channel(grpc_server.endpoint, options=own_connection) as greedy,
        aio.insecure_channel(grpc_server.endpoint, options=own_connection) as modest,
    ):
        calls = [export(greedy, b"greedy") for _ in range(60)]
        await acceptor.entered(50)
        calls.append(export(modest, b"modest"))
        await acceptor.entered(51)
        assert [request.body for request in acceptor.requests] == [b"greedy"] * 50 + [b"modest"]
        acceptor.gate.set()
        assert await asyncio.gather(*calls) == [b""] * 61


async def test_a_malformed_request_is_invalid_argument(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """The details hold a BadRequest that names the field."""
    acceptor.fail = MalformedRequest("resourceSpans[0] is not an object.", "resourceSpans[0]")
    code, text, status = await refusal_of(export(channel, b"\xff"))
    details = BadRequest()
    assert status.details[0].Unpack(details)
    assert (code, text, status.code) == (grpc.StatusCode.INVALID_ARGUMENT, "resourceSpans[0] is not an object.", 3)
    assert [(v.field, v.description) for v in details.field_violations] == [
        ("resourceSpans[0]", "resourceSpans[0] is not an object.")
    ]


async def test_unavailable_says_when_to_come_back(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """UNAVAILABLE carries RetryInfo, down to the fraction of a second."""
    acceptor.fail = Unavailable("Too much at once.", "memory_limiter", 1.25)
    code, text, status = await refusal_of(export(channel, b""))
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert (code, text) == (grpc.StatusCode.UNAVAILABLE, "Too much at once.")
    assert retry.retry_delay.ToMilliseconds() == 1250


@pytest.mark.parametrize(
    "error", [Unavailable("No room.", "memory_limiter", 1.0), MalformedRequest("No."), ValueError()]
)
async def test_a_refused_body_is_let_go_at_once(
    error: Exception, grpc_server: Running[GrpcReceiverServer], channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """It does not wait in a cycle for the garbage collector: under overload that was hundreds of MiB."""
    alone = sys.getrefcount(bytes(bytearray(2000)))
    acceptor.fail = error
    gc.disable()
    try:
        await refusal_of(export(channel, b"\x0a\x00" * 1000))
        acceptor.fail = error.__cause__ = error.__traceback__ = None
        body = acceptor.requests.pop().body
        await grpc_server.server.stop(30)  # the answer is on its way before the handler has ended
        assert sys.getrefcount(body) <= alone + 1
    finally:
        gc.enable()


async def test_admission_is_asked_once(channel: aio.Channel, acceptor: FakeAcceptor) -> None:
    """By the acceptor itself, which gets the message: gRPC has read all of it by then."""
    acceptor.refuse_admission = Unavailable("Too much at once.", "memory_limiter", 1.0)
    code, _, _ = await refusal_of(export(channel, bytes(1234)))
    assert (code, acceptor.admitted, acceptor.requests) == (grpc.StatusCode.UNAVAILABLE, [1234], [])


async def test_a_defect_is_internal_and_tells_nothing(
    channel: aio.Channel, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """The text of an unforeseen error, which may hold payload, stays inside; the observer gets the error."""
    acceptor.fail = RuntimeError(SECRET)
    code, text, status = await refusal_of(export(channel, b""))
    assert code is grpc.StatusCode.INTERNAL
    assert SECRET not in text + str(status)
    assert observer.defects == [("grpc", Signal.TRACES, acceptor.fail)]


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_a_message_over_the_limit_is_not_to_be_retried(
    compression: grpc.Compression, channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """RESOURCE_EXHAUSTED without RetryInfo, also when only the inflated message is too large (a gzip bomb)."""
    body = bytes(LIMIT + 1)
    assert len(gzip.compress(body)) < 2000
    code, _, status = await refusal_of(export(channel, body, compression=compression))
    assert (code, list(status.details), acceptor.requests) == (grpc.StatusCode.RESOURCE_EXHAUSTED, [], [])


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_a_message_of_the_limit_is_taken(
    compression: grpc.Compression, channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """The limit itself is allowed."""
    await export(channel, bytes(LIMIT), compression=compression)
    assert len(acceptor.requests[0].body) == LIMIT


async def test_answers_are_counted_by_code(
    channel: aio.Channel, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """Each call is one answer under the name of its status code."""
    await export(channel, b"", Signal.LOGS)
    acceptor.fail = MalformedRequest("No.")
    await refusal_of(export(channel, b"", Signal.METRICS))
    assert observer.answers == [("grpc", Signal.LOGS, "OK"), ("grpc", Signal.METRICS, "INVALID_ARGUMENT")]


async def test_a_caller_that_hangs_up_is_counted(
    channel: aio.Channel, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """A call that the sender cancels counts as CANCELLED and is no defect."""
    acceptor.gate.clear()
    call = export(channel, b"")
    await acceptor.entered(1)
    call.cancel()
    await observer.answered(1)
    assert (observer.answers, observer.defects) == ([("grpc", Signal.TRACES, "CANCELLED")], [])


async def test_an_unknown_method_is_unimplemented(channel: aio.Channel) -> None:
    """Only Export is served."""
    code, _, _ = await refusal_of(channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Import")(b""))
    assert code is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("service", ["", *SERVICES.values()])
async def test_health_is_serving(service: str, channel: aio.Channel) -> None:
    """The health service knows the server as a whole and each of the three services."""
    health = health_pb2_grpc.HealthStub(channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_stop_answers_what_is_under_way_and_refuses_what_is_new(
    grpc_server: Running[GrpcReceiverServer], channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """After stop began: health is NOT_SERVING, a new call is UNAVAILABLE with RetryInfo, an older one ends OK."""
    acceptor.gate.clear()
    under_way = export(channel, b"")
    await acceptor.entered(1)
    stopping = asyncio.create_task(grpc_server.server.stop(30))
    health = health_pb2_grpc.HealthStub(channel)
    watch = health.Watch(health_pb2.HealthCheckRequest(service=""))
    async for seen in watch:
        if seen.status == health_pb2.HealthCheckResponse.NOT_SERVING:
            break
    code, _, status = await refusal_of(export(channel, b""))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert status.details[0].Is(RetryInfo.DESCRIPTOR)
    acceptor.gate.set()
    assert await under_way == b""
    await stopping
    assert len(acceptor.requests) == 1


async def test_after_stop_nobody_listens(grpc_server: Running[GrpcReceiverServer]) -> None:
    """The port is free once stop has returned."""
    await grpc_server.server.stop(0)
    host, port = grpc_server.endpoint.split(":")
    with socket.create_server((host, int(port))):
        pass


async def test_stop_gives_up_on_calls_that_outlast_the_grace(
    grpc_server: Running[GrpcReceiverServer], channel: aio.Channel, acceptor: FakeAcceptor
) -> None:
    """A call that never ends does not keep the server; its sender is told that it failed."""
    acceptor.gate.clear()
    call = export(channel, b"")
    await acceptor.entered(1)
    await grpc_server.server.stop(0)
    with pytest.raises(aio.AioRpcError):
        await call


async def test_stopping_twice_is_stopping_once(grpc_server: Running[GrpcReceiverServer]) -> None:
    """A second stop has nothing to do."""
    await grpc_server.server.stop(0)
    await grpc_server.server.stop(0)


async def test_a_taken_port_is_an_error_that_names_it(
    grpc_server: Running[GrpcReceiverServer], acceptor: FakeAcceptor, observer: Observations
) -> None:
    """A second gateway neither starts nor shares the port."""
    second = GrpcReceiverServer(GrpcReceiver(endpoint=grpc_server.endpoint), acceptor, observer)
    with pytest.raises(
        OSError, match=rf"grpc\.endpoint: cannot listen on {grpc_server.endpoint}: Address already in use"
    ):
        await second.start()


async def test_the_port_is_not_shared(grpc_server: Running[GrpcReceiverServer]) -> None:
    """gRPC's default, SO_REUSEPORT, would let another process quietly take half of the connections."""
    host, port = grpc_server.endpoint.split(":")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="Address already in use"):
            other.bind((host, int(port)))


async def test_the_official_exporter_is_told_ok(
    grpc_server: Running[GrpcReceiverServer], acceptor: FakeAcceptor
) -> None:
    """OpenTelemetry's own OTLP/gRPC exporter succeeds, with gzip."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    provider.get_tracer("test").start_span("chat").end()
    exporter = OTLPSpanExporter(f"http://{grpc_server.endpoint}", insecure=True, compression=grpc.Compression.Gzip)
    assert await asyncio.to_thread(exporter.export, memory.get_finished_spans()) is SpanExportResult.SUCCESS
    assert b"chat" in acceptor.requests[0].body
    await asyncio.to_thread(exporter.shutdown)
    provider.shutdown()


async def test_admission_hears_what_a_sender_still_waits(
    channel: aio.Channel, grpc_server: Running[GrpcReceiverServer], acceptor: FakeAcceptor
) -> None:
    """The deadline of its call; it has none when it has not said."""
    call = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")
    await call(b"", timeout=30)
    await call(b"")
    limited, unlimited = (each.left for each in acceptor.arrivals)
    assert 0 < limited <= 30.5
    assert unlimited > 1e6


async def test_what_cannot_be_answered_in_time_is_refused_at_once(
    channel: aio.Channel,
    grpc_server: Running[GrpcReceiverServer],
    acceptor: FakeAcceptor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sender of little patience is told when to come back, and does not wait in vain; another one is served."""
    admission = Admission(ManualClock(), 1 << 20)
    monkeypatch.setattr(acceptor, "admit", lambda size, arrival: admission.check_wait(size, 1.9, 1e-6, arrival))
    call = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")
    code, _, status = await refusal_of(call(b"", timeout=1.8))
    assert code is grpc.StatusCode.UNAVAILABLE
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToTimedelta().total_seconds() == pytest.approx(1.9)
    assert await call(b"", timeout=30.0) == b""
