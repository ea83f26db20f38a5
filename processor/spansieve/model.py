"""The types between the stages. They hold; they do not act.

    ReceivedRequest ─decode─▶ DecodedSpans ─redact─▶ RedactedSpans ─measure─▶ MeasuredSpans ─split─▶ TraceSlice
                    ─decode─▶ DecodedBatch ─redact─▶ RedactedBatch ─measure─▶ MeasuredBatch        (logs, metrics)
                                                      TraceSlice ─buffer─▶ PendingTrace ─decide─▶ SampledTrace

Spans stay the bytes that came: a stage that has to know more of one than its SpanRecord tells parses it. Logs and
metrics, of which there are few, are protobuf messages until they leave. What a stage is given it owns and may change
in place; whoever hands a batch on gives it away. They are made for every request, trace and group of spans, so none is
frozen, which would cost three times as much; nobody sets a field of one but SpanRecord's.

Only `redact` constructs RedactedSpans and RedactedBatch, only `measure` the Measured ones, only `sample` SampledTrace:
with the signatures of the stages this is what keeps anything un-redacted from being measured, buffered, stored or
exported.
"""

from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeAlias

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.facts import LlmFacts, TraceFacts

ExportRequest: TypeAlias = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest
Bytes: TypeAlias = MutableSequence[bytes]


class Signal(StrEnum):
    """An OTLP signal. The value is the `signal` label of the metrics and the last part of the HTTP path."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"

    @property
    def items(self) -> str:
        """What one item of the signal is called in OTLP: the unit of account."""
        return _ITEMS[self]

    @property
    def service(self) -> str:
        """The full name of the signal's gRPC service, whose one method is Export."""
        return _SERVICES[self]


_ITEMS = {Signal.TRACES: "spans", Signal.LOGS: "log_records", Signal.METRICS: "data_points"}
REQUESTS: Final[Mapping[Signal, type[ExportRequest]]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
"""What a request of a signal is in OTLP's schema."""
_SERVICES = {
    signal: service.full_name
    for signal, request in REQUESTS.items()
    for service in request.DESCRIPTOR.file.services_by_name.values()
}


class Encoding(Enum):
    """How a request's body is encoded; the value is its HTTP content type."""

    PROTO = "application/x-protobuf"
    JSON = "application/json"


@dataclass(slots=True)
class ReceivedRequest:
    """One export request as it came, inflated. `body` is raw: nothing but decode may read it."""

    signal: Signal
    encoding: Encoding
    body: bytes = field(repr=False)


@dataclass(slots=True)
class DecodedBatch:
    """The valid items of one request, as a message. It is still raw: nothing but redact may read it."""

    signal: Signal
    message: ExportRequest = field(repr=False)
    items: int


@dataclass(slots=True)
class RedactedBatch:
    """A batch in which every string has been through the rules. `findings` counts what was replaced, by rule."""

    signal: Signal
    message: ExportRequest = field(repr=False)
    items: int
    findings: Mapping[str, int]


@dataclass(slots=True)
class MeasuredBatch:
    """A batch whose calls have been counted: `calls` LLM calls.

    `left_out` data points were removed from it, because applications sent them under the name of a metric that the
    gateway derives itself; `items` are those that remain. `notes` is what log records tell of traces, by trace id:
    scores and feedback, which sampling asks for.
    """

    signal: Signal
    message: ExportRequest = field(repr=False)
    items: int
    calls: int
    left_out: int = 0
    notes: Sequence[tuple[bytes, LlmFacts]] = ()


class Envelope(NamedTuple):
    """What surrounds the spans of one scope, serialized: shared by all traces that one request brought.

    A tuple, since requests are told apart by it: equality and hash cost nothing in Python.
    """

    resource: bytes  # opentelemetry.proto.resource.v1.Resource
    resource_schema_url: str
    scope: bytes  # opentelemetry.proto.common.v1.InstrumentationScope
    scope_schema_url: str

    def __repr__(self) -> str:
        """Say its size only: it may be raw."""
        return f"Envelope({self.size} bytes)"

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.resource) + len(self.scope) + len(self.resource_schema_url) + len(self.scope_schema_url)

    @property
    def resource_message(self) -> Resource:
        """The resource, parsed once and remembered unless it is large: to be read only."""
        return (_resource if len(self.resource) <= _LARGEST else Resource.FromString)(self.resource)

    @property
    def scope_message(self) -> InstrumentationScope:
        """The scope, parsed once and remembered unless it is large: to be read only."""
        return (_scope if len(self.scope) <= _LARGEST else InstrumentationScope.FromString)(self.scope)


_LARGEST = 8192  # bytes of a resource or scope that is remembered: those of SDKs have some hundred


@lru_cache(maxsize=1024)  # a process has one resource and some ten scopes; after redact, so that nothing raw is held
def _resource(serialized: bytes) -> Resource:
    return Resource.FromString(serialized)


@lru_cache(maxsize=1024)
def _scope(serialized: bytes) -> InstrumentationScope:
    return InstrumentationScope.FromString(serialized)


class SpanRecord:
    """One span: what routing, measuring and sampling ask of every span, and its bytes.

    `data` is a serialized opentelemetry.proto.trace.v1.Span: as it came until redact, redacted and stamped from then
    on. Times are Unix nanoseconds, `status` is the number of a Status.StatusCode. `found` says how many values of each
    entity redact replaced, None for none. `wanted` says that the span, or one of its events, has an attribute that a
    later stage reads (see redact.Redactor). `trace_state` is the redacted span's, empty for most. `llm` is what measure
    found it to tell of LLM calls, None for nothing. `head`, `attributes` and `events` are the redacted span parsed,
    where redact has it at hand: for measure, which lets it go.
    """

    __slots__ = (
        "attributes", "data", "end_ns", "events", "found", "head", "llm", "parent_span_id", "span_id", "start_ns",
        "status", "trace_id", "trace_state", "wanted",
    )  # fmt: skip

    def __init__(
        self,
        trace_id: bytes,
        span_id: bytes,
        parent_span_id: bytes,
        start_ns: int,
        end_ns: int,
        status: int,
        data: bytes,
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.status = status
        self.data = data
        self.found: Mapping[str, int] | None = None
        self.wanted = False
        self.trace_state = ""
        self.llm: LlmFacts | None = None
        self.head: SpanHead | None = None
        self.attributes: Sequence[bytes] | None = None
        self.events: Sequence[EventHead] | None = None

    def message(self) -> Span:
        """Parse the span. Costs some microseconds, and more for one with much content."""
        return Span.FromString(self.data)

    def append(self, fields: bytes) -> None:
        """Add serialized fields of a Span, such as wire.string_attribute makes: repeated ones grow."""
        self.data += fields


@dataclass(slots=True)
class SpanSet:
    """The spans of one ScopeSpans."""

    envelope: Envelope
    records: list[SpanRecord] = field(repr=False)


class EventHead(Protocol):
    """A Span.Event whose attributes are serialized KeyValues: see otlp_reduced."""

    time_unix_nano: int
    name: str
    attributes: Bytes

    def ClearField(self, field_name: str) -> None:  # noqa: N802 - protobuf's name
        """Take a field's value away."""
        ...


class LinkHead(Protocol):
    """A Span.Link whose attributes are serialized KeyValues: see otlp_reduced."""

    trace_id: bytes
    span_id: bytes
    trace_state: str
    attributes: Bytes

    def ClearField(self, field_name: str) -> None:  # noqa: N802 - protobuf's name
        """Take a field's value away."""
        ...


class SpanHead(Protocol):
    """A Span whose attributes and status are serialized messages: see otlp_reduced."""

    trace_id: bytes
    span_id: bytes
    trace_state: str
    parent_span_id: bytes
    name: str
    kind: int
    start_time_unix_nano: int
    end_time_unix_nano: int
    attributes: Bytes
    events: Sequence[EventHead]
    links: Sequence[LinkHead]
    status: bytes

    def ClearField(self, field_name: str) -> None:  # noqa: N802 - protobuf's name
        """Take a field's value away."""
        ...

    def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
        """Serialize, in the order of field numbers."""
        ...


@dataclass(slots=True)
class DecodedSet:
    """The valid spans of one ScopeSpans, raw: a record and a head of each."""

    envelope: Envelope
    records: list[SpanRecord] = field(repr=False)
    heads: list[SpanHead] = field(repr=False)


@dataclass(slots=True)
class DecodedSpans:
    """The valid spans of one request. They are still raw: nothing but redact may read them."""

    sets: list[DecodedSet] = field(repr=False)
    items: int


@dataclass(slots=True)
class RedactedSpans:
    """Spans of which every string has been through the rules. `findings` counts what was replaced, by rule."""

    sets: list[SpanSet] = field(repr=False)
    items: int
    findings: Mapping[str, int]


@dataclass(slots=True)
class MeasuredSpans:
    """Spans whose calls have been counted: `calls` LLM calls, each told on its record."""

    sets: list[SpanSet] = field(repr=False)
    items: int
    calls: int


@dataclass(slots=True)
class SpanGroup:
    """Spans of one trace under one envelope; each a serialized opentelemetry.proto.trace.v1.Span."""

    envelope: Envelope
    spans: tuple[bytes, ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes, envelope included."""
        return self.envelope.size + sum(map(len, self.spans))


@dataclass(slots=True)
class TraceSlice:
    """What one request brought of one trace.

    `position` is where the journal has the request, 0 without a journal; `repeated` spans were left out, because the
    request holds them twice.
    """

    trace_id: bytes
    groups: tuple[SpanGroup, ...]
    facts: TraceFacts
    position: int = 0
    repeated: int = 0


class Trigger(StrEnum):
    """What made a decision due. The value is the `trigger` label of the metrics."""

    WAIT_EXPIRED = "wait_expired"
    ROOT_ARRIVED = "root_arrived"  # and decision_wait_after_root_received is over
    TOO_LARGE = "too_large"  # the trace has reached its bound and is decided in parts
    GOES_ON = "goes_on"  # more and more came of a trace that was sampled out: the rest of it is decided anew
    MEMORY_PRESSURE = "memory_pressure"
    SHUTDOWN = "shutdown"
    LATE_SPAN = "late_span"  # an earlier decision is followed
    LATE_ERROR = "late_error"  # an earlier decision against the trace was reversed by a span that came late

    __hash__ = str.__hash__  # every verdict is counted by it, and an Enum's own is a function in Python


class Because(StrEnum):
    """Why a trace was kept or sampled out. The value is the `reason` label of the metrics."""

    MATCHED = "matched"  # a policy keeps every such trace
    PROBABILITY = "probability"  # its randomness is within a policy's share
    RATE = "rate"  # a policy keeps so much in a time, and there was room
    CONVERSATION = "conversation"  # its conversation is kept as a whole
    NO_MATCH = "no_match"  # no policy wanted it
    NOT_IN_SHARE = "not_in_share"  # a policy keeps a share of such traces, and it is in none
    OVER_RATE = "over_rate"  # a policy that keeps so much in a time had no room
    DROP_POLICY = "drop_policy"  # a policy of type `drop` matched
    OVER_BUDGET = "over_budget"  # a policy wanted it, and the budget was spent

    __hash__ = str.__hash__


class Decision(NamedTuple):
    """A verdict and whence it came.

    `policy` names the policy that decided; empty when none wanted the trace. `threshold` is T of consistent
    probability sampling (0 keeps all such traces), None when the probability is not known. A tuple, since one is made
    for every trace.
    """

    keep: bool
    policy: str
    trigger: Trigger
    because: Because = Because.MATCHED
    threshold: int | None = None


class Receipt(Protocol):
    """The journal's account of one kept trace, or one request: it goes with it to whoever hands it over."""

    def settle(self, items: int, dropped: int, reason: str) -> None:
        """So many of its items have left the gateway for good, `dropped` of them for an outcome.Reason."""
        ...


@dataclass(slots=True)
class SampledTrace:
    """A trace, or late spans of one, that a decision said to keep. `receipt` is None without a journal."""

    trace_id: bytes
    groups: tuple[SpanGroup, ...]
    facts: TraceFacts
    decision: Decision
    position: int = 0
    receipt: Receipt | None = None


@dataclass(slots=True)
class Answer:
    """What the sender of a request is told: OK, with what was rejected and why (OTLP partial success)."""

    rejected: int = 0
    message: str = ""
