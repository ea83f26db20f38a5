"""What is valid passes untouched, what is wrong is left out and counted, what is malformed is refused."""

from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from helpers_spans import as_message
from spansieve import decode
from spansieve.decode import AnyDecoded
from spansieve.errors import MalformedRequest
from spansieve.model import Encoding, ExportRequest, ReceivedRequest, Signal
from spansieve.outcome import Reason
from spansieve.wire import varint

SECRET = "alice@example.com"
T0 = 1_700_000_000_000_000_000


def span(name: str = "chat") -> Span:
    """A valid span."""
    return Span(trace_id=b"t" * 16, span_id=b"s" * 8, name=name, start_time_unix_nano=T0, end_time_unix_nano=T0 + 1)


def traces(*spans: Span) -> ExportTraceServiceRequest:
    """A request of these spans, in one scope."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request


def logs(*records: LogRecord) -> ExportLogsServiceRequest:
    """A request of these log records, in one scope."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.extend(records)
    return request


def every_kind_of_metric(exemplars: tuple[Exemplar, ...] = ()) -> ExportMetricsServiceRequest:
    """One metric of each kind with one data point each; the four kinds that can bear exemplars bear these."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for kind in ("gauge", "sum", "histogram", "exponential_histogram"):
        getattr(metrics.add(name=kind), kind).data_points.add().exemplars.extend(exemplars)
    metrics.add(name="summary").summary.data_points.add()
    return request


def received(message: ExportRequest) -> ReceivedRequest:
    """The message as it comes from the wire."""
    signal = {
        ExportTraceServiceRequest: Signal.TRACES,
        ExportLogsServiceRequest: Signal.LOGS,
        ExportMetricsServiceRequest: Signal.METRICS,
    }[type(message)]
    return ReceivedRequest(signal, Encoding.PROTO, message.SerializeToString())


def decoded(message: ExportRequest) -> AnyDecoded:
    """What decode makes of the message."""
    return decode.request(received(message))


def names(result: AnyDecoded) -> list[str]:
    """The names of the spans that were kept."""
    kept = as_message(result.batch)
    assert isinstance(kept, ExportTraceServiceRequest)
    return [s.name for rs in kept.resource_spans for ss in rs.scope_spans for s in ss.spans]


@pytest.mark.parametrize(
    ("message", "items"),
    [
        (traces(span("a"), span("b")), 2),
        (logs(LogRecord(), LogRecord(trace_id=b"t" * 16, span_id=b"s" * 8)), 2),
        (every_kind_of_metric((Exemplar(), Exemplar(trace_id=b"t" * 16, span_id=b"s" * 8))), 5),
        (ExportTraceServiceRequest(), 0),
        (ExportLogsServiceRequest(), 0),
        (ExportMetricsServiceRequest(), 0),
    ],
    ids=["spans", "log records", "data points", "no traces", "no logs", "no metrics"],
)
def test_a_valid_request_passes_whole(message: ExportRequest, items: int) -> None:
    """Nothing is changed, nothing is told, and the items are counted."""
    result = decoded(message)
    assert as_message(result.batch) == message
    assert (result.batch.items, dict(result.rejected), result.message) == (items, {}, "")


def changed(change: Callable[[Span], object]) -> Span:
    """A valid span after a change."""
    bad = span(SECRET)
    change(bad)
    return bad


INVALID_SPANS = {
    "no trace_id": (changed(lambda s: s.ClearField("trace_id")), Reason.INVALID_ID, "with an invalid trace_id"),
    "short trace_id": (
        changed(lambda s: setattr(s, "trace_id", b"t" * 15)),
        Reason.INVALID_ID,
        "with an invalid trace_id",
    ),
    "zero trace_id": (
        changed(lambda s: setattr(s, "trace_id", bytes(16))),
        Reason.INVALID_ID,
        "with an invalid trace_id",
    ),
    "no span_id": (changed(lambda s: s.ClearField("span_id")), Reason.INVALID_ID, "with an invalid span_id"),
    "long span_id": (changed(lambda s: setattr(s, "span_id", b"s" * 9)), Reason.INVALID_ID, "with an invalid span_id"),
    "zero span_id": (changed(lambda s: setattr(s, "span_id", bytes(8))), Reason.INVALID_ID, "with an invalid span_id"),
    "short parent": (
        changed(lambda s: setattr(s, "parent_span_id", b"p" * 7)),
        Reason.INVALID_ID,
        "with an invalid parent_span_id",
    ),
    "link trace_id": (
        changed(lambda s: s.links.add(trace_id=b"t", span_id=b"s" * 8)),
        Reason.INVALID_ID,
        "with an invalid id in a link",
    ),
    "link span_id": (
        changed(lambda s: s.links.add(trace_id=b"t" * 16, span_id=b"s")),
        Reason.INVALID_ID,
        "with an invalid id in a link",
    ),
    "end first": (
        changed(lambda s: setattr(s, "end_time_unix_nano", T0 - 1)),
        Reason.INVALID_TIME,
        "with an end before the start",
    ),
    "no end": (
        changed(lambda s: s.ClearField("end_time_unix_nano")),
        Reason.INVALID_TIME,
        "with an end before the start",
    ),
    "no start": (changed(lambda s: s.ClearField("start_time_unix_nano")), Reason.INVALID_TIME, "without a start time"),
    "far end": (
        changed(lambda s: setattr(s, "end_time_unix_nano", 2**63)),
        Reason.INVALID_TIME,
        "with an end after the year 2262",
    ),
}


@pytest.mark.parametrize(("bad", "reason", "phrase"), INVALID_SPANS.values(), ids=INVALID_SPANS)
def test_an_invalid_span_goes_alone(bad: Span, reason: Reason, phrase: str) -> None:
    """Its neighbours stay, in their order; the sender is told which rule, and no value."""
    result = decoded(traces(span("a"), bad, span("b")))
    assert names(result) == ["a", "b"]
    assert (result.batch.items, dict(result.rejected)) == (2, {reason: 1})
    assert result.message == f"1 of 3 spans rejected: 1 {phrase}."


@pytest.mark.parametrize(
    "good",
    [
        changed(lambda s: setattr(s, "parent_span_id", b"p" * 8)),
        changed(lambda s: s.links.add()),
        changed(lambda s: s.links.add(trace_id=b"t" * 16, span_id=b"s" * 8)),
        changed(lambda s: setattr(s, "end_time_unix_nano", T0)),
        changed(lambda s: setattr(s, "end_time_unix_nano", 2**63 - 1)),
    ],
    ids=["parent", "link without ids", "link", "no duration", "last time"],
)
def test_the_edges_of_validity_are_valid(good: Span) -> None:
    """What OTLP allows, and the Collector takes, is taken."""
    assert decoded(traces(good)).batch.items == 1


def test_the_message_sums_up_all_faults() -> None:
    """Each fault is counted by itself, and the reasons are summed."""
    bad = [INVALID_SPANS[name][0] for name in ("no trace_id", "no span_id", "end first", "zero trace_id")]
    result = decoded(traces(span(), *bad))
    assert result.rejected == {Reason.INVALID_ID: 3, Reason.INVALID_TIME: 1}
    assert result.message == (
        "4 of 5 spans rejected: 2 with an invalid trace_id, 1 with an invalid span_id, 1 with an end before the start."
    )


def test_envelopes_that_are_left_empty_are_pruned() -> None:
    """OTLP forwarders should not create empty envelopes."""
    bad = INVALID_SPANS["no span_id"][0]
    request = traces(bad)
    request.resource_spans[0].scope_spans.add().spans.append(span("a"))
    request.resource_spans.add().scope_spans.add().spans.append(bad)
    request.resource_spans.add(schema_url="other").scope_spans.add().spans.append(span("b"))
    kept = as_message(decoded(request).batch)
    assert isinstance(kept, ExportTraceServiceRequest)
    assert [len(rs.scope_spans) for rs in kept.resource_spans] == [1, 1]


def test_an_envelope_keeps_what_it_says_when_spans_go() -> None:
    """Resource, scope and their schema URLs stay with the spans that stay."""
    request = traces(INVALID_SPANS["no span_id"][0], span())
    envelope = request.resource_spans[0]
    envelope.resource.attributes.add(key="service.name").value.string_value = "shop"
    envelope.schema_url = "https://opentelemetry.io/schemas/1.41.0"
    envelope.scope_spans[0].scope.name = "openai"
    kept = as_message(decoded(request).batch)
    del envelope.scope_spans[0].spans[0]
    assert kept == request


@pytest.mark.parametrize(
    ("bad", "phrase"),
    [
        (LogRecord(trace_id=b"t"), "with an invalid trace_id"),
        (LogRecord(span_id=b"s" * 16), "with an invalid span_id"),
    ],
    ids=["trace_id", "span_id"],
)
def test_an_invalid_log_record_goes_alone(bad: LogRecord, phrase: str) -> None:
    """A log record may be without ids; one of a wrong length is rejected."""
    result = decoded(logs(LogRecord(severity_text="a"), bad))
    assert as_message(result.batch) == logs(LogRecord(severity_text="a"))
    assert dict(result.rejected) == {Reason.INVALID_ID: 1}
    assert result.message == f"1 of 2 log records rejected: 1 {phrase}."


@pytest.mark.parametrize("bad", [Exemplar(trace_id=b"t"), Exemplar(span_id=b"s")], ids=["trace_id", "span_id"])
def test_a_data_point_goes_with_its_exemplar(bad: Exemplar) -> None:
    """Four kinds of data points bear exemplars; rejected are points, and metrics left without any are pruned."""
    result = decoded(every_kind_of_metric((Exemplar(), bad)))
    message = as_message(result.batch)
    assert isinstance(message, ExportMetricsServiceRequest)
    assert [m.name for m in message.resource_metrics[0].scope_metrics[0].metrics] == ["summary"]
    assert (result.batch.items, dict(result.rejected)) == (1, {Reason.INVALID_ID: 4})
    assert result.message == "4 of 5 data points rejected: 4 with an invalid id in an exemplar."


def test_nothing_valid_leaves_an_empty_batch() -> None:
    """A request of which everything is rejected is not malformed."""
    result = decoded(logs(LogRecord(trace_id=b"t")))
    assert (result.batch.items, as_message(result.batch)) == (0, ExportLogsServiceRequest())


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05abc", SECRET.encode()])
def test_what_is_not_protobuf_is_malformed(signal: Signal, body: bytes) -> None:
    """The error names the message that was expected and quotes nothing."""
    with pytest.raises(MalformedRequest, match=r"^The body is not a valid protobuf Export\w+ServiceRequest\.$"):
        decode.request(ReceivedRequest(signal, Encoding.PROTO, body))


@pytest.mark.parametrize("decoded", [decode.request, decode.message])
@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("within", ["resources", "scopes"])
def test_groups_without_end_are_malformed(within: str, signal: Signal, decoded: Callable[..., AnyDecoded]) -> None:
    """Two bytes each on the wire, they would become gigabytes of objects; 65,536 are more than there ever are."""

    def body(groups: int) -> bytes:
        if within == "resources":
            return b"\x0a\x00" * groups
        return b"\x0a" + varint(2 * groups) + b"\x12\x00" * groups

    assert decoded(ReceivedRequest(signal, Encoding.PROTO, body(65_536))).batch.items == 0
    with pytest.raises(MalformedRequest, match="65,536 resources, or scopes"):
        decoded(ReceivedRequest(signal, Encoding.PROTO, body(65_537)))


def test_text_that_is_not_utf8_is_malformed() -> None:
    """Protobuf strings are UTF-8; no rule could be applied to anything else."""
    body = traces(span("ABC")).SerializeToString().replace(b"ABC", b"\xff\xfe\xfd")
    with pytest.raises(MalformedRequest):
        decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body))


def test_values_nested_without_end_are_malformed() -> None:
    """Depth is bounded: whoever walks the message later can recurse."""
    body = b""
    for _ in range(200):
        inner = b"\x0a" + _varint(len(body)) + body  # ArrayValue.values
        body = b"\x2a" + _varint(len(inner)) + inner  # AnyValue.array_value
    for field in (b"\x2a", b"\x12", b"\x12", b"\x0a"):  # LogRecord.body, log_records, scope_logs, resource_logs
        body = field + _varint(len(body)) + body
    with pytest.raises(MalformedRequest):
        decode.request(ReceivedRequest(Signal.LOGS, Encoding.PROTO, body))


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def test_fields_outside_the_schema_are_removed() -> None:
    """Protobuf would carry them along unseen, past every rule."""
    unseen = b"\xfa\x3f" + _varint(len(SECRET)) + SECRET.encode()  # field 1023, bytes
    body = span("a").SerializeToString() + unseen
    for field in (b"\x12", b"\x12", b"\x0a"):  # spans, scope_spans, resource_spans
        body = field + _varint(len(body)) + body
    result = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body))
    assert names(result) == ["a"]
    assert SECRET.encode() not in as_message(result.batch).SerializeToString()


def test_json_is_decoded_by_the_same_rules() -> None:
    """An id that is not hexadecimal costs its span, not the request."""
    body = (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":['
        b'{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","name":"a",'
        b'"startTimeUnixNano":"1","endTimeUnixNano":"2"},'
        b'{"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"7uGbfsPBsXQ=","name":"b",'
        b'"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}'
    )
    result = decode.request(ReceivedRequest(Signal.TRACES, Encoding.JSON, body))
    assert names(result) == ["a"]
    assert result.message == "1 of 2 spans rejected: 1 with an invalid trace_id."
