"""Batches, slices and facts for the tests of sampling."""

from collections.abc import Iterable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve.model import Envelope, MeasuredBatch, Signal, SpanGroup, TraceFacts, TraceSlice

MS = 1_000_000
T0 = 1_700_000_000_000_000_000

ENVELOPE = Envelope(b"", "", b"", "")


def trace_id(number: int) -> bytes:
    """An id whose randomness (its low 56 bits) is `number`."""
    return b"\x01" * 9 + number.to_bytes(7, "big")


def span(
    trace: bytes, number: int = 1, *, status: int = 0, start_ms: int = 0, end_ms: int = 10, parent: bytes = b""
) -> Span:
    """A span that starts and ends so many milliseconds after T0."""
    return Span(
        trace_id=trace,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent,
        name=f"span {number}",
        start_time_unix_nano=T0 + start_ms * MS,
        end_time_unix_nano=T0 + end_ms * MS,
        status=Status(code=Status.StatusCode.Name(status)) if status else None,
    )


def batch(*scopes: Iterable[Span]) -> MeasuredBatch:
    """A batch of one resource with so many scopes."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add(schema_url="https://example.test/resource")
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    for number, spans in enumerate(scopes):
        scope_spans = resource_spans.scope_spans.add(schema_url="https://example.test/scope")
        scope_spans.scope.name = f"scope {number}"
        scope_spans.spans.extend(spans)
    items = sum(len(s.spans) for s in resource_spans.scope_spans)
    return MeasuredBatch(Signal.TRACES, request, items, calls=0)


def facts(*, spans: int = 1, errors: int = 0, oks: int = 0, duration_ms: float = 0.0, size: int = 100) -> TraceFacts:
    """Facts of a trace that starts at T0."""
    return TraceFacts(spans, errors, oks, T0, T0 + round(duration_ms * MS), has_root=True, size=size)


def part(trace: bytes, *, spans: int = 1, errors: int = 0, size: int = 100) -> TraceSlice:
    """A part of a trace whose payload does not matter."""
    groups = (SpanGroup(ENVELOPE, (b"",) * spans),)
    return TraceSlice(trace, groups, facts(spans=spans, errors=errors, size=size))
