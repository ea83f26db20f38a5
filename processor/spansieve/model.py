"""The types between the stages. They hold; they do not act.

    ReceivedRequest ─decode─▶ DecodedBatch ─redact─▶ RedactedBatch ─measure─▶ MeasuredBatch
                                             ─split─▶ TraceSlice ─buffer─▶ PendingTrace ─decide─▶ SampledTrace

A batch wraps the protobuf message of one request, which its stage owns and may change in place; whoever hands a batch
on gives the message away. From TraceSlice on spans are serialized bytes: waiting costs what the bytes cost, and what is
exported is spliced together, not serialized again.

Only `redact` constructs RedactedBatch, only `measure` MeasuredBatch, only `sample` SampledTrace: with the signatures of
the stages this is what keeps anything un-redacted from being measured, buffered, stored or exported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TypeAlias

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ExportRequest: TypeAlias = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest


class Signal(StrEnum):
    """An OTLP signal. The value is the `signal` label of the metrics and the last part of the HTTP path."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"

    @property
    def items(self) -> str:
        """What one item of the signal is called in OTLP: the unit of account."""
        return _ITEMS[self]


_ITEMS = {Signal.TRACES: "spans", Signal.LOGS: "log_records", Signal.METRICS: "data_points"}


class Encoding(Enum):
    """How a request's body is encoded; the value is its HTTP content type."""

    PROTO = "application/x-protobuf"
    JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One export request as it came, inflated. `body` is raw: nothing but decode may read it."""

    signal: Signal
    encoding: Encoding
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """The valid items of one request. `message` is still raw: nothing but redact may read it."""

    signal: Signal
    message: ExportRequest = field(repr=False)
    items: int


@dataclass(frozen=True, slots=True)
class RedactedBatch:
    """A batch in which every string has been through the rules. `findings` counts what was replaced, by rule."""

    signal: Signal
    message: ExportRequest = field(repr=False)
    items: int
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MeasuredBatch:
    """A batch whose calls have been counted: `calls` LLM calls.

    `left_out` data points were removed from it, because applications sent them under the name of a metric that the
    gateway derives itself; `items` are those that remain.
    """

    signal: Signal
    message: ExportRequest = field(repr=False)
    items: int
    calls: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds the spans of one scope, serialized: shared by all traces that one request brought."""

    resource: bytes  # opentelemetry.proto.resource.v1.Resource
    resource_schema_url: str
    scope: bytes  # opentelemetry.proto.common.v1.InstrumentationScope
    scope_schema_url: str

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.resource) + len(self.scope) + len(self.resource_schema_url) + len(self.scope_schema_url)


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """Spans of one trace under one envelope; each a serialized opentelemetry.proto.trace.v1.Span."""

    envelope: Envelope
    spans: tuple[bytes, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes, envelope included."""
        return self.envelope.size + sum(map(len, self.spans))


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """What the sampling policies may know of (a part of) a trace. Times are Unix nanoseconds."""

    spans: int
    errors: int  # spans with STATUS_CODE_ERROR
    oks: int  # spans with STATUS_CODE_OK
    start_ns: int
    end_ns: int
    has_root: bool  # a span without a parent is among them
    size: int  # bytes, envelopes included

    def __add__(self, other: "TraceFacts") -> "TraceFacts":
        """The facts of both parts together."""
        return TraceFacts(
            self.spans + other.spans,
            self.errors + other.errors,
            self.oks + other.oks,
            min(self.start_ns, other.start_ns),
            max(self.end_ns, other.end_ns),
            self.has_root or other.has_root,
            self.size + other.size,
        )

    @property
    def duration_ms(self) -> float:
        """From the earliest start to the latest end of any span, in milliseconds."""
        return (self.end_ns - self.start_ns) / 1e6


@dataclass(frozen=True, slots=True)
class TraceSlice:
    """What one request brought of one trace."""

    trace_id: bytes
    groups: tuple[SpanGroup, ...]
    facts: TraceFacts


@dataclass(slots=True)
class PendingTrace:
    """A trace that waits for its decision. Owned by the buffer; `first_seen` and `due` are monotonic seconds."""

    trace_id: bytes
    first_seen: float
    due: float
    groups: list[SpanGroup]
    facts: TraceFacts


class Trigger(StrEnum):
    """What made a decision due. The value is the `trigger` label of the metrics."""

    WAIT_EXPIRED = "wait_expired"
    MEMORY_PRESSURE = "memory_pressure"
    SHUTDOWN = "shutdown"
    LATE_SPAN = "late_span"  # an earlier decision is followed


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and whence it came. `policy` names the first policy that said keep; empty when none did."""

    keep: bool
    policy: str
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class SampledTrace:
    """A trace, or late spans of one, that a decision said to keep."""

    trace_id: bytes
    groups: tuple[SpanGroup, ...]
    facts: TraceFacts
    decision: Decision


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender of a request is told: OK, with what was rejected and why (OTLP partial success)."""

    rejected: int = 0
    message: str = ""
