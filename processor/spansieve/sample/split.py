"""From a request to its traces: each span is serialized here, once, and from here on it is bytes."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve.model import Envelope, MeasuredBatch, SpanGroup, TraceFacts, TraceSlice

_OK = Status.STATUS_CODE_OK
_ERROR = Status.STATUS_CODE_ERROR


class _Growing:
    """What is known of one trace while its batch is walked."""

    __slots__ = ("end_ns", "envelope", "envelopes", "errors", "groups", "has_root", "oks", "spans", "start_ns")

    def __init__(self) -> None:
        self.groups: list[tuple[Envelope, list[bytes]]] = []
        self.envelope: Envelope | None = None  # of the last group
        self.spans: list[bytes] = []  # of the last group
        self.errors = 0
        self.oks = 0
        self.start_ns = 1 << 64
        self.end_ns = 0
        self.has_root = False

    def add(self, envelope: Envelope, span: Span) -> None:
        """Take in the next span, which stands under `envelope`."""
        if self.envelope is not envelope:
            self.envelope = envelope
            self.spans = []
            self.groups.append((envelope, self.spans))
        self.spans.append(span.SerializeToString())
        if (start_ns := span.start_time_unix_nano) < self.start_ns:
            self.start_ns = start_ns
        if (end_ns := span.end_time_unix_nano) > self.end_ns:
            self.end_ns = end_ns
        if (status := span.status.code) == _ERROR:
            self.errors += 1
        elif status == _OK:
            self.oks += 1
        if not span.parent_span_id:
            self.has_root = True

    def slice(self, trace_id: bytes) -> TraceSlice:
        """Close it."""
        groups = tuple(SpanGroup(envelope, tuple(spans)) for envelope, spans in self.groups)
        facts = TraceFacts(
            sum(len(group.spans) for group in groups),
            self.errors,
            self.oks,
            self.start_ns,
            self.end_ns,
            self.has_root,
            sum(group.size for group in groups),
        )
        return TraceSlice(trace_id, groups, facts)


def by_trace(batch: MeasuredBatch) -> list[TraceSlice]:
    """Split a batch of spans by trace id.

    Traces come in the order of their first span, the spans of a trace in theirs, with one group for each scope. The
    envelope of a scope is serialized once and shared by its traces. Raises TypeError for a batch of another signal.
    """
    message = batch.message
    if not isinstance(message, ExportTraceServiceRequest):
        raise TypeError(f"{batch.signal} have no traces to split by")
    traces: dict[bytes, _Growing] = {}
    for resource_spans in message.resource_spans:
        resource = resource_spans.resource.SerializeToString()
        for scope_spans in resource_spans.scope_spans:
            envelope = Envelope(
                resource, resource_spans.schema_url, scope_spans.scope.SerializeToString(), scope_spans.schema_url
            )
            for span in scope_spans.spans:
                trace_id = span.trace_id
                trace = traces.get(trace_id)
                if trace is None:
                    trace = traces[trace_id] = _Growing()
                trace.add(envelope, span)
    return [trace.slice(trace_id) for trace_id, trace in traces.items()]
