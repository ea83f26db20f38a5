"""From bytes to a batch of valid items: what is malformed for good is refused, what is merely wrong is left out.

One wrong id makes a Go Collector refuse the whole request that holds it, and with it the items of all other senders
that share the batch. Items are therefore rejected one by one here, and the sender is told in OTLP's partial_success.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, SummaryDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import otlp_json, otlp_reduced, utf8
from spansieve.errors import MalformedRequest
from spansieve.model import (
    REQUESTS,
    DecodedBatch,
    DecodedSet,
    DecodedSpans,
    Encoding,
    Envelope,
    ExportRequest,
    LinkHead,
    ReceivedRequest,
    Signal,
    SpanHead,
    SpanRecord,
)
from spansieve.outcome import Reason

_M = TypeVar("_M", bound=Message)
_B = TypeVar("_B", DecodedSpans, DecodedBatch)

_STATUSES: Final = otlp_reduced.STATUSES
_ZERO_TRACE_ID: Final = bytes(16)
_ZERO_SPAN_ID: Final = bytes(8)
# OTLP's times are unsigned, but backends keep them as signed nanoseconds, which end in April 2262.
_LAST_TIME: Final = 2**63 - 1
_NONE: Final[Mapping[Reason, int]] = MappingProxyType({})


@dataclass(slots=True)
class Decoded(Generic[_B]):
    """The valid items of a request, and what the sender is told of the others.

    `message` says in one sentence how many of what were rejected and why; empty when all were valid.
    """

    batch: _B
    rejected: Mapping[Reason, int]
    message: str


AnyDecoded: TypeAlias = Decoded[DecodedSpans] | Decoded[DecodedBatch]
"""Of any signal."""


class _Fault(NamedTuple):
    """What is wrong with an item. `phrase` completes «2 of 5 spans rejected: 1 …»."""

    reason: Reason
    phrase: str


_TRACE_ID: Final = _Fault(Reason.INVALID_ID, "with an invalid trace_id")
_SPAN_ID: Final = _Fault(Reason.INVALID_ID, "with an invalid span_id")
_PARENT_ID: Final = _Fault(Reason.INVALID_ID, "with an invalid parent_span_id")
_LINK_ID: Final = _Fault(Reason.INVALID_ID, "with an invalid id in a link")
_EXEMPLAR_ID: Final = _Fault(Reason.INVALID_ID, "with an invalid id in an exemplar")
_NO_START: Final = _Fault(Reason.INVALID_TIME, "without a start time")
_END_FIRST: Final = _Fault(Reason.INVALID_TIME, "with an end before the start")
_TOO_FAR: Final = _Fault(Reason.INVALID_TIME, "with an end after the year 2262")


def request(raw: ReceivedRequest) -> AnyDecoded:
    """Parse a request and sift its items: those that are valid, in their order, and a count of the others.

    A span is valid when its trace_id has 16 bytes and its span_id 8, neither all zero, its parent_span_id has 0 or 8,
    the ids of its links have 16 and 8 or none, and 0 < start <= end. Ids of log records and exemplars may be absent;
    a data point goes with its exemplars. Fields that are not in OTLP's schema are removed: no rule could be applied to
    what they hold. Of spans, redact removes those within attributes, statuses, resources and scopes.

    Raises MalformedRequest when the body is not a request of its signal.
    """
    if raw.signal is not Signal.TRACES:
        return message(raw)
    body = raw.body
    if raw.encoding is Encoding.JSON:
        body = otlp_json.parse(body, raw.signal).SerializeToString()
    faults: dict[_Fault, int] = {}
    sets: list[DecodedSet] = []
    items = 0
    for resource, resource_bytes in otlp_reduced.read(body):
        of_resource, schema_url = resource.resource, resource.schema_url
        for scope, scope_bytes in zip(resource.scope_spans, resource_bytes.scope_spans, strict=True):
            records: list[SpanRecord] = []
            heads: list[SpanHead] = []
            for head, data in zip(scope.spans, scope_bytes.spans, strict=True):
                record = _record(head, data)
                if type(record) is SpanRecord:
                    records.append(record)
                    heads.append(head)
                else:
                    fault: _Fault = record  # type: ignore[assignment]  # the other one
                    faults[fault] = faults.get(fault, 0) + 1
            if records:
                envelope = Envelope(of_resource, schema_url, scope.scope, scope.schema_url)
                sets.append(DecodedSet(envelope, records, heads))
                items += len(records)
    return Decoded(DecodedSpans(sets, items), _by_reason(faults), _sentence(raw.signal, items, faults))


def message(raw: ReceivedRequest) -> Decoded[DecodedBatch]:
    """Do the same, and give the whole request as a message, also for traces. Raises MalformedRequest."""
    parsed = _parse(raw)
    faults: Counter[_Fault] = Counter()
    if isinstance(parsed, ExportTraceServiceRequest):
        otlp_reduced.check_groups(parsed.resource_spans, "scope_spans")
        items = _sift_spans(parsed, faults)
    elif isinstance(parsed, ExportLogsServiceRequest):
        otlp_reduced.check_groups(parsed.resource_logs, "scope_logs")
        items = _sift_log_records(parsed, faults)
    else:
        otlp_reduced.check_groups(parsed.resource_metrics, "scope_metrics")
        items = _sift_data_points(parsed, faults)
    return Decoded(DecodedBatch(raw.signal, parsed, items), _by_reason(faults), _sentence(raw.signal, items, faults))


def mended(raw: ReceivedRequest) -> ReceivedRequest | None:
    """A request that was refused, with U+FFFD for what is no UTF-8 in its strings; None when it had other faults."""
    if raw.encoding is Encoding.JSON:
        return None
    body = utf8.mended(raw.body, REQUESTS[raw.signal].DESCRIPTOR)
    return None if body is None else ReceivedRequest(raw.signal, raw.encoding, body)


def _by_reason(faults: Mapping[_Fault, int]) -> Mapping[Reason, int]:
    if not faults:
        return _NONE
    rejected: Counter[Reason] = Counter()
    for fault, count in faults.items():
        rejected[fault.reason] += count
    return rejected


def _parse(raw: ReceivedRequest) -> ExportRequest:
    if raw.encoding is Encoding.JSON:
        return otlp_json.parse(raw.body, raw.signal)
    message = REQUESTS[raw.signal]()
    try:
        message.ParseFromString(raw.body)
    except DecodeError:
        raise MalformedRequest(f"The body is not a valid protobuf {message.DESCRIPTOR.name}.") from None
    message.DiscardUnknownFields()
    return message


def _record(head: SpanHead, data: bytes) -> SpanRecord | _Fault:
    """What is told of a span, or what is wrong with it."""
    trace_id = head.trace_id
    if len(trace_id) != 16 or trace_id == _ZERO_TRACE_ID:
        return _TRACE_ID
    span_id = head.span_id
    if len(span_id) != 8 or span_id == _ZERO_SPAN_ID:
        return _SPAN_ID
    parent_span_id = head.parent_span_id
    if parent_span_id and len(parent_span_id) != 8:
        return _PARENT_ID
    start_ns, end_ns = head.start_time_unix_nano, head.end_time_unix_nano
    if not 0 < start_ns <= end_ns <= _LAST_TIME:
        return _time_fault(start_ns, end_ns)
    if (links := head.links) and not all(map(_is_valid_link, links)):
        return _LINK_ID
    status = _STATUSES.get(head.status)
    if status is None:
        status = otlp_reduced.status_code(head.status)
    return SpanRecord(trace_id, span_id, parent_span_id, start_ns, end_ns, status, data)


def _is_valid_link(link: LinkHead) -> bool:
    return len(link.trace_id) in (0, 16) and len(link.span_id) in (0, 8)


def _span_fault(span: Span) -> _Fault | None:
    """The same of a span as a message."""
    trace_id = span.trace_id
    if len(trace_id) != 16 or trace_id == _ZERO_TRACE_ID:
        return _TRACE_ID
    span_id = span.span_id
    if len(span_id) != 8 or span_id == _ZERO_SPAN_ID:
        return _SPAN_ID
    if len(span.parent_span_id) not in (0, 8):
        return _PARENT_ID
    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
    if not 0 < start_ns <= end_ns <= _LAST_TIME:
        return _time_fault(start_ns, end_ns)
    for link in span.links:
        if len(link.trace_id) not in (0, 16) or len(link.span_id) not in (0, 8):
            return _LINK_ID
    return None


def _time_fault(start_ns: int, end_ns: int) -> _Fault:
    if not start_ns:
        return _NO_START
    return _END_FIRST if end_ns < start_ns else _TOO_FAR


def _log_record_fault(record: LogRecord) -> _Fault | None:
    if len(record.trace_id) not in (0, 16):
        return _TRACE_ID
    if len(record.span_id) not in (0, 8):
        return _SPAN_ID
    return None


def _data_point_fault(point: Any) -> _Fault | None:  # noqa: ANN401 - one of four types of points
    if isinstance(point, SummaryDataPoint):  # has no exemplars
        return None
    for exemplar in point.exemplars:
        if len(exemplar.trace_id) not in (0, 16) or len(exemplar.span_id) not in (0, 8):
            return _EXEMPLAR_ID
    return None


def _sift_spans(message: ExportTraceServiceRequest, faults: Counter[_Fault]) -> int:
    items = 0
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            items += _sift(scope_spans.spans, _span_fault, faults)
    if faults:
        for resource_spans in message.resource_spans:
            _retain(resource_spans.scope_spans, [s for s in resource_spans.scope_spans if s.spans])
        _retain(message.resource_spans, [r for r in message.resource_spans if r.scope_spans])
    return items


def _sift_log_records(message: ExportLogsServiceRequest, faults: Counter[_Fault]) -> int:
    items = 0
    for resource_logs in message.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            items += _sift(scope_logs.log_records, _log_record_fault, faults)
    if faults:
        for resource_logs in message.resource_logs:
            _retain(resource_logs.scope_logs, [s for s in resource_logs.scope_logs if s.log_records])
        _retain(message.resource_logs, [r for r in message.resource_logs if r.scope_logs])
    return items


def _sift_data_points(message: ExportMetricsServiceRequest, faults: Counter[_Fault]) -> int:
    items = 0
    for resource_metrics in message.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                items += _sift(_data_points(metric), _data_point_fault, faults)
    if faults:
        for resource_metrics in message.resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                _retain(scope_metrics.metrics, [m for m in scope_metrics.metrics if _data_points(m)])
            _retain(resource_metrics.scope_metrics, [s for s in resource_metrics.scope_metrics if s.metrics])
        _retain(message.resource_metrics, [r for r in message.resource_metrics if r.scope_metrics])
    return items


def _data_points(metric: Metric) -> Any:  # noqa: ANN401 - a repeated field of one of four types of points
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _sift(
    items: RepeatedCompositeFieldContainer[_M], fault_of: Callable[[_M], _Fault | None], faults: Counter[_Fault]
) -> int:
    """Leave out the items that have a fault, count the faults, and return how many items remain."""
    found = [fault for item in items if (fault := fault_of(item)) is not None]
    if found:
        faults.update(found)
        _retain(items, [item for item in items if fault_of(item) is None])
    return len(items)


def _retain(items: RepeatedCompositeFieldContainer[_M], kept: list[_M]) -> None:
    """Leave only `kept` in a repeated field, at a cost that is linear however many go: single deletions are not."""
    if len(kept) < len(items):
        del items[:]
        items.extend(kept)


def _sentence(signal: Signal, items: int, faults: Mapping[_Fault, int]) -> str:
    if not faults:
        return ""
    rejected = sum(faults.values())
    why = ", ".join(f"{count} {fault.phrase}" for fault, count in faults.items())
    return f"{rejected} of {items + rejected} {signal.items.replace('_', ' ')} rejected: {why}."
