"""Small recordings, made in memory."""

from functools import cache

from bench.traffic import MARK, Recording, requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@cache
def recording(kind: str, traces: int = 40) -> Recording:
    """What `traces` traces (or conversations) of a kind make."""
    pieces, spans, values = [], [], {}
    for request, written in requests(kind, traces):
        pieces.append(request.SerializeToString().split(MARK.encode()))
        spans.append(len(written))
        values |= {each.span.span_id: each.values for each in written if each.values}
    return Recording(kind, pieces, spans, values)


def spans_of(body: bytes) -> list[Span]:
    """The spans of a request, in order."""
    request = ExportTraceServiceRequest.FromString(body)
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def all_spans(kind: str, traces: int = 40) -> list[Span]:
    """The spans of all requests of a recording."""
    found = recording(kind, traces)
    return [span for index in range(len(found.pieces)) for span in spans_of(found.body(index, 7))]
