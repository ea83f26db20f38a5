"""OTLP/HTTP over loopback, against the specification's words for servers: what is asked, and what is answered."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spansieve.errors import MalformedRequest, Unavailable
from spansieve.model import Answer, Encoding, ReceivedRequest, Signal
from unit.receive.helpers_http import JSON, PROTO, Server, head, post, status_of
from unit.receive.helpers_receive import SECRET, FakeAcceptor, Observations, export_request


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("signal", Signal)
async def test_each_path_hands_on_the_bytes_as_they_came(
    signal: Signal, encoding: Encoding, client: httpx.AsyncClient, acceptor: FakeAcceptor
) -> None:
    """The acceptor gets the signal of the path, the encoding of the content type and the unparsed body."""
    body = export_request(signal).SerializeToString()
    await post(client, body, encoding.value, f"/v1/{signal}")
    assert acceptor.requests == [ReceivedRequest(signal, encoding, body)]


@pytest.mark.parametrize(("content_type", "body"), [(PROTO, b""), (JSON, b"{}")])
async def test_full_success_leaves_partial_success_unset(
    content_type: str, body: bytes, client: httpx.AsyncClient
) -> None:
    """An empty request is a success too: 200 with an empty response in the request's own content type."""
    answer = await post(client, body, content_type)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, content_type, body)


@pytest.mark.parametrize(
    ("signal", "response", "field", "json_field"),
    [
        (Signal.TRACES, ExportTraceServiceResponse(), "rejected_spans", "rejectedSpans"),
        (Signal.LOGS, ExportLogsServiceResponse(), "rejected_log_records", "rejectedLogRecords"),
        (Signal.METRICS, ExportMetricsServiceResponse(), "rejected_data_points", "rejectedDataPoints"),
    ],
)
async def test_partial_success_is_a_200_that_counts_and_explains(
    signal: Signal, response: Message, field: str, json_field: str, client: httpx.AsyncClient, acceptor: FakeAcceptor
) -> None:
    """The field of the signal counts, the message explains, in either encoding."""
    acceptor.answer = Answer(2, "2 of 5 rejected.")
    binary = await post(client, b"", PROTO, f"/v1/{signal}")
    response.ParseFromString(binary.content)
    partial = response.partial_success  # type: ignore[attr-defined]  # each of the three has it
    assert (binary.status_code, getattr(partial, field), partial.error_message) == (200, 2, "2 of 5 rejected.")
    text = await post(client, b"{}", JSON, f"/v1/{signal}")
    assert text.json() == {"partialSuccess": {json_field: "2", "errorMessage": "2 of 5 rejected."}}


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=UTF-8"]
)
async def test_parameters_and_case_of_the_content_type_do_not_matter(
    content_type: str, client: httpx.AsyncClient, acceptor: FakeAcceptor
) -> None:
    """A charset is allowed, and media types are case-insensitive (RFC 9110, 8.3.1)."""
    answer = await post(client, b"{}", content_type)
    assert (answer.headers["content-type"], acceptor.requests[0].encoding) == (JSON, Encoding.JSON)


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/octet-stream"])
async def test_another_content_type_is_415(content_type: str, client: httpx.AsyncClient) -> None:
    """What is neither protobuf nor JSON is refused with a Status."""
    answer = await post(client, b"", content_type)
    assert (answer.status_code, status_of(answer).code) == (415, 3)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZip"])
async def test_gzip_is_accepted(coding: str, client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """A compressed body reaches the acceptor inflated."""
    await post(client, gzip.compress(b"\x0a\x00" * 1000), content_encoding=coding)
    assert acceptor.requests[0].body == b"\x0a\x00" * 1000


async def test_identity_is_accepted(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """No coding may be said in words."""
    await post(client, b"\x0a\x00", content_encoding="identity")
    assert acceptor.requests[0].body == b"\x0a\x00"


@pytest.mark.parametrize("coding", ["deflate", "br", "gzip, gzip"])
async def test_another_coding_is_415_and_names_the_accepted(coding: str, client: httpx.AsyncClient) -> None:
    """RFC 9110, 12.5.3: 415 with Accept-Encoding."""
    answer = await post(client, b"", content_encoding=coding)
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, identity")
    assert status_of(answer).code == 3


async def test_a_chunked_body_is_put_together(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """A body without Content-Length arrives whole; its size is not known when it is admitted."""

    async def chunks() -> AsyncIterator[bytes]:
        for n in range(100):
            yield bytes([n]) * 1000

    answer = await client.post("/v1/logs", content=chunks(), headers={"content-type": PROTO})
    assert answer.status_code == 200
    assert acceptor.requests[0].body == b"".join(bytes([n]) * 1000 for n in range(100))
    assert acceptor.admitted == [0, 100_000]


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"\x0a\x00" * 50)[:-5],
        b"not gzip at all",
        b"",
        zlib.compress(b"\x0a\x00"),
        gzip.compress(b"\x0a\x00") + b"garbage",
    ],
    ids=["truncated", "garbage", "empty", "zlib", "trailing"],
)
async def test_bad_gzip_is_400(body: bytes, client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """What is announced as gzip and is not is the sender's fault."""
    answer = await post(client, body, content_encoding="gzip")
    assert (answer.status_code, status_of(answer).code, acceptor.requests) == (400, 3, [])


async def test_a_malformed_request_is_400_with_bad_request(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """The details name the field, in protobuf."""
    acceptor.fail = MalformedRequest("a.b is not a list.", "a.b")
    answer = await post(client, b"")
    status = status_of(answer)
    details = BadRequest()
    assert status.details[0].Unpack(details)
    assert (answer.status_code, status.code, status.message) == (400, 3, "a.b is not a list.")
    assert details.field_violations[0].field == "a.b"


async def test_a_malformed_json_request_is_answered_in_json(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """The details name their type, as proto3 JSON writes Any."""
    acceptor.fail = MalformedRequest("a.b is not a list.", "a.b")
    answer = await post(client, b"{}", JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, JSON)
    assert answer.json() == {
        "code": 3,
        "message": "a.b is not a list.",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": "a.b", "description": "a.b is not a list."}],
            }
        ],
    }


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (1.0, "1"), (1.001, "2"), (29.5, "30")])
async def test_unavailable_is_503_that_says_when_to_come_back(
    seconds: float, header: str, client: httpx.AsyncClient, acceptor: FakeAcceptor
) -> None:
    """Retry-After is in whole seconds, rounded up and at least 1; RetryInfo is exact."""
    acceptor.fail = Unavailable("Too much at once.", "memory_limiter", seconds)
    answer = await post(client, b"")
    status = status_of(answer)
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert (answer.status_code, answer.headers["retry-after"], status.code) == (503, header, 14)
    assert retry.retry_delay.ToNanoseconds() == round(seconds * 1e9)


async def test_unavailable_in_json_has_the_retry_info(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """The delay is a proto3 JSON duration."""
    acceptor.fail = Unavailable("Too much at once.", "memory_limiter", 2.0)
    answer = await post(client, b"{}", JSON)
    assert answer.json()["details"] == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}]


async def test_admission_is_refused_before_the_body_is_read(http_server: Server, acceptor: FakeAcceptor) -> None:
    """The acceptor is asked with the Content-Length, and its no is told while the body is still outstanding."""
    acceptor.refuse_admission = Unavailable("Too much at once.", "memory_limiter", 1.0)
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(head("POST /v1/traces", f"content-type: {PROTO}", "content-length: 777"))
    assert (await reader.readline()).split()[1] == b"503"
    assert (acceptor.admitted, acceptor.requests) == ([777], [])
    writer.close()


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_what_is_being_read_is_counted(coding: str, http_server: Server, acceptor: FakeAcceptor) -> None:
    """The acceptor knows how many bytes of bodies there are, inflated, before their end has come; then it is told 0."""
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    content = b"\x0a\x00" * 50_000
    body = gzip.compress(content) if coding else content
    writer.write(
        f"POST /v1/traces HTTP/1.1\r\nhost: here\r\ncontent-type: {PROTO}\r\ncontent-length: {len(body)}\r\n"
        f"content-encoding: {coding}\r\n\r\n".encode()
        + body[:-9]
    )
    await acceptor.holds(len(content) * 9 // 10)
    writer.write(body[-9:])
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    assert (acceptor.held, len(acceptor.requests[0].body)) == (0, len(content))
    writer.close()


async def test_a_body_that_there_is_no_room_for_is_503_before_its_end(
    http_server: Server, acceptor: FakeAcceptor
) -> None:
    """Though it was admitted by its size; what was counted of it is let go of, and the sender is told when to come."""
    acceptor.refuse_to_hold = Unavailable("Full.", "memory_limiter", 2.0)
    reader, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(
        f"POST /v1/traces HTTP/1.1\r\nhost: here\r\ncontent-type: {PROTO}\r\n"
        "transfer-encoding: chunked\r\n\r\n2\r\n\n\0\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 2\r\n" in head
    assert (acceptor.held, acceptor.requests) == (0, [])
    writer.close()


async def test_a_sender_that_goes_away_lets_go_of_what_was_counted(
    http_server: Server, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """Nothing of a body whose end never came stays in the count."""
    _, writer = await asyncio.open_connection(*http_server.endpoint.split(":"))
    writer.write(f"POST /v1/traces HTTP/1.1\r\ncontent-type: {PROTO}\r\ncontent-length: 9\r\n\r\n\n".encode())
    await acceptor.holds(1)
    writer.close()
    await observer.answered(1)
    assert (acceptor.held, acceptor.most_held) == (0, 1)


async def test_a_defect_is_500_and_tells_nothing(
    client: httpx.AsyncClient, acceptor: FakeAcceptor, observer: Observations
) -> None:
    """The text of an unforeseen error, which may hold payload, stays inside; the observer gets the error."""
    acceptor.fail = RuntimeError(SECRET)
    answer = await post(client, b"")
    assert (answer.status_code, status_of(answer).code) == (500, 13)
    assert SECRET.encode() not in answer.content
    assert observer.defects == [("http", Signal.TRACES, acceptor.fail)]


async def test_a_defect_in_json_is_a_json_status(client: httpx.AsyncClient, acceptor: FakeAcceptor) -> None:
    """A 500 is in the request's own encoding, too."""
    acceptor.fail = RuntimeError(SECRET)
    answer = await post(client, b"{}", JSON)
    assert (answer.headers["content-type"], answer.json()["code"]) == (JSON, 13)


@pytest.mark.parametrize("path", ["/", "/v1/trace", "/v1/traces/", "/v1development/profiles", "/V1/traces"])
async def test_another_path_is_404(path: str, client: httpx.AsyncClient) -> None:
    """Only the three paths are served; the rest is a Status."""
    answer = await post(client, b"", path=path)
    assert (answer.status_code, status_of(answer).code) == (404, 5)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_405(method: str, client: httpx.AsyncClient) -> None:
    """Only POST is allowed, and the answer says so."""
    answer = await client.request(method, "/v1/traces")
    assert (answer.status_code, answer.headers["allow"], status_of(answer).code) == (405, "POST", 12)


async def test_head_is_405_without_a_body(client: httpx.AsyncClient) -> None:
    """An answer to HEAD has no body (RFC 9110, 9.3.2)."""
    answer = await client.head("/v1/traces")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


@pytest.mark.parametrize("path", ["/nowhere", "/v1/logs"])
async def test_refusals_of_json_requests_are_json(path: str, client: httpx.AsyncClient) -> None:
    """404 and 405 are in JSON for a request in JSON."""
    answer = await client.put(path, content=b"{}", headers={"content-type": JSON})
    assert answer.headers["content-type"] == JSON
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("compression", Compression)
async def test_the_official_exporter_is_told_ok(
    compression: Compression, http_server: Server, acceptor: FakeAcceptor
) -> None:
    """OpenTelemetry's own OTLP/HTTP exporter succeeds, compressed or not, where compression is one of OTLP's."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    provider.get_tracer("test").start_span("chat").end()
    exporter = OTLPSpanExporter(f"http://{http_server.endpoint}/v1/traces", compression=compression)
    expected = SpanExportResult.FAILURE if compression is Compression.Deflate else SpanExportResult.SUCCESS
    assert await asyncio.to_thread(exporter.export, memory.get_finished_spans()) is expected
    assert [b"chat" in request.body for request in acceptor.requests] == [True] * (expected is SpanExportResult.SUCCESS)
    await asyncio.to_thread(exporter.shutdown)
    provider.shutdown()
