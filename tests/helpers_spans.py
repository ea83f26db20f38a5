"""Between whole messages, which tests are written in, and spans as bytes, which the stages hand on."""

from collections.abc import Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import decode, redact, wire
from spansieve.model import (
    DecodedBatch,
    DecodedSpans,
    Encoding,
    ExportRequest,
    MeasuredSpans,
    ReceivedRequest,
    RedactedSpans,
    Signal,
    SpanGroup,
)


def decoded_spans(message: ExportTraceServiceRequest) -> DecodedSpans:
    """What decode makes of a request; its spans have to be valid."""
    raw = ReceivedRequest(Signal.TRACES, Encoding.PROTO, message.SerializeToString())
    result = decode.request(raw)
    assert isinstance(result.batch, DecodedSpans)
    assert not result.rejected, result.message
    return result.batch


def redacted_spans(message: ExportTraceServiceRequest, reads: Callable[[str], bool] = lambda _: True) -> RedactedSpans:
    """A request as it is taken for redacted, though no rule was asked; its spans have to be valid."""
    return redact.restored(decoded_spans(message), reads, reads)


def message_of(batch: DecodedSpans | RedactedSpans | MeasuredSpans) -> ExportTraceServiceRequest:
    """The request that spans make, each scope under a resource of its own."""
    groups = [SpanGroup(each.envelope, tuple(record.data for record in each.records)) for each in batch.sets]
    return ExportTraceServiceRequest.FromString(wire.frame_traces(groups))


def as_message(batch: DecodedSpans | DecodedBatch) -> ExportRequest:
    """What was decoded, as a request of its signal."""
    return batch.message if isinstance(batch, DecodedBatch) else message_of(batch)
