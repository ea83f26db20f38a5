"""Whatever comes in, decode returns a batch that is valid, or says that the request is malformed."""

import contextlib
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helpers_spans import as_message
from properties.helpers_decode import messages, relaxed, requests
from spansieve import decode, otlp_json
from spansieve.errors import MalformedRequest
from spansieve.model import Encoding, ExportRequest, ReceivedRequest, Signal

KEYS = ["resourceSpans", "scopeSpans", "spans", "resourceLogs", "scopeLogs", "logRecords", "resourceMetrics"]
KEYS += [
    "scopeMetrics",
    "metrics",
    "gauge",
    "dataPoints",
    "exemplars",
    "traceId",
    "spanId",
    "attributes",
    "key",
    "value",
]
KEYS += ["body", "stringValue", "intValue", "bytesValue", "arrayValue", "kvlistValue", "values", "startTimeUnixNano"]
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)


@relaxed
@given(st.sampled_from(Signal), st.sampled_from(Encoding), st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_malformed(signal: Signal, encoding: Encoding, body: bytes) -> None:
    """Random bytes raise nothing but MalformedRequest."""
    with contextlib.suppress(MalformedRequest):
        decode.request(ReceivedRequest(signal, encoding, body))


@relaxed
@given(st.sampled_from(Signal), JSON)
def test_any_json_is_a_batch_or_malformed(signal: Signal, tree: object) -> None:
    """JSON of the right keys in the wrong places raises nothing but MalformedRequest."""
    with contextlib.suppress(MalformedRequest):
        decode.request(ReceivedRequest(signal, Encoding.JSON, orjson.dumps(tree)))


@relaxed
@given(st.sampled_from(Signal), messages(), st.data())
def test_any_cut_of_a_request_is_a_batch_or_malformed(
    signal: Signal, message: ExportRequest, data: st.DataObject
) -> None:
    """A request that ends too early, or is read as one of another signal, raises nothing but MalformedRequest."""
    body = message.SerializeToString()
    cut = data.draw(st.integers(0, len(body)))
    with contextlib.suppress(MalformedRequest):
        decode.request(ReceivedRequest(signal, Encoding.PROTO, body[:cut]))


@relaxed
@given(requests())
def test_every_item_is_kept_or_rejected(raw: tuple[Signal, ExportRequest]) -> None:
    """None is counted twice and none is forgotten; the message is there when something was rejected, and only then."""
    signal, message = raw
    result = decode.request(ReceivedRequest(signal, Encoding.PROTO, message.SerializeToString()))
    assert result.batch.items == count(as_message(result.batch))
    assert result.batch.items + sum(result.rejected.values()) == count(message)
    assert bool(result.message) == bool(sum(result.rejected.values()))


@relaxed
@given(requests())
def test_a_batch_is_valid(raw: tuple[Signal, ExportRequest]) -> None:
    """Decoded again, a batch stays what it is: all that had to go is gone."""
    signal, message = raw
    batch = decode.request(ReceivedRequest(signal, Encoding.PROTO, message.SerializeToString())).batch
    again = decode.request(ReceivedRequest(signal, Encoding.PROTO, as_message(batch).SerializeToString()))
    assert (as_message(again.batch), again.message) == (as_message(batch), "")


@relaxed
@given(messages(ExportTraceServiceRequest))
def test_the_kept_spans_are_the_valid_ones_in_their_order(message: ExportTraceServiceRequest) -> None:
    """Against the rules written down a second time, span by span."""
    expected = [span for span in spans_of(message) if is_valid(span)]
    batch = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, message.SerializeToString())).batch
    assert spans_of(as_message(batch)) == expected


@relaxed
@given(requests())
def test_json_and_protobuf_decode_alike(raw: tuple[Signal, ExportRequest]) -> None:
    """The same request in either encoding gives the same batch and the same words."""
    signal, message = raw
    binary = decode.request(ReceivedRequest(signal, Encoding.PROTO, message.SerializeToString()))
    text = decode.request(ReceivedRequest(signal, Encoding.JSON, otlp_json.render(message)))
    assert (as_message(text.batch), text.rejected, text.message) == (
        as_message(binary.batch),
        binary.rejected,
        binary.message,
    )


def spans_of(message: Any) -> list[Any]:  # noqa: ANN401 - generated classes
    """All spans of a request."""
    return [span for rs in message.resource_spans for ss in rs.scope_spans for span in ss.spans]


def is_valid(span: Any) -> bool:  # noqa: ANN401 - generated classes
    """Whether a span follows the rules."""
    ids = len(span.trace_id) == 16 and any(span.trace_id) and len(span.span_id) == 8 and any(span.span_id)
    parent = len(span.parent_span_id) in {0, 8}
    links = all(len(link.trace_id) in {0, 16} and len(link.span_id) in {0, 8} for link in span.links)
    times = 0 < span.start_time_unix_nano <= span.end_time_unix_nano < 2**63
    return ids and parent and links and times


def count(message: Any) -> int:  # noqa: ANN401 - generated classes
    """How many items a request has."""
    if hasattr(message, "resource_spans"):
        return len(spans_of(message))
    if hasattr(message, "resource_logs"):
        return sum(len(sl.log_records) for rl in message.resource_logs for sl in rl.scope_logs)
    metrics = [metric for rm in message.resource_metrics for sm in rm.scope_metrics for metric in sm.metrics]
    return sum(len(getattr(m, kind).data_points) for m in metrics if (kind := m.WhichOneof("data")))
