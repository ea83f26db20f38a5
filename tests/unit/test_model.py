"""The types between the stages: none shows what it holds, and what surrounds many spans is parsed once."""

from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.facts import TraceFacts
from spansieve.model import (
    Decision,
    DecodedBatch,
    DecodedSet,
    DecodedSpans,
    Encoding,
    Envelope,
    MeasuredBatch,
    MeasuredSpans,
    ReceivedRequest,
    RedactedBatch,
    RedactedSpans,
    SampledTrace,
    Signal,
    SpanGroup,
    SpanRecord,
    SpanSet,
    TraceSlice,
    Trigger,
)

TEXT = "umbrella"


def envelope(text: str = TEXT) -> Envelope:
    """One whose every part has this text in it."""
    resource, scope = Resource(), InstrumentationScope(name=text)
    resource.attributes.add(key=text)
    return Envelope(resource.SerializeToString(), text, scope.SerializeToString(), text)


def record() -> SpanRecord:
    """One whose every part has the text in it."""
    return SpanRecord(TEXT.encode(), TEXT.encode(), TEXT.encode(), 1, 2, 0, TEXT.encode())


def message() -> ExportTraceServiceRequest:
    """A request with the text in it."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add(schema_url=TEXT).scope_spans.add().spans.add(name=TEXT)
    return request


GROUP = SpanGroup(envelope(), (TEXT.encode(),))
FACTS = TraceFacts(1, 0, 0, 1, 2, has_root=True, size=1)


@pytest.mark.parametrize(
    "held",
    [
        ReceivedRequest(Signal.TRACES, Encoding.PROTO, TEXT.encode()),
        DecodedBatch(Signal.TRACES, message(), 1),
        RedactedBatch(Signal.TRACES, message(), 1, {}),
        MeasuredBatch(Signal.TRACES, message(), 1, 0),
        envelope(),
        record(),
        SpanSet(envelope(), [record()]),
        DecodedSet(envelope(), [record()], [message().resource_spans[0].scope_spans[0].spans[0]]),  # type: ignore[list-item] # a head is a reduced Span
        DecodedSpans([SpanSet(envelope(), [record()])], 1),  # type: ignore[list-item] # any content
        RedactedSpans([SpanSet(envelope(), [record()])], 1, {}),
        MeasuredSpans([SpanSet(envelope(), [record()])], 1, 0),
        GROUP,
        TraceSlice(b"t" * 16, (GROUP,), FACTS),
        SampledTrace(b"t" * 16, (GROUP,), FACTS, Decision(keep=True, policy="", trigger=Trigger.WAIT_EXPIRED)),
    ],
    ids=lambda held: type(held).__name__,
)
def test_no_type_between_the_stages_shows_its_content(held: object) -> None:
    """What stands in a traceback, or is logged by mistake, says how much there is, and not what."""
    assert TEXT not in repr(held)


def test_a_group_is_as_large_as_its_spans_and_what_surrounds_them() -> None:
    """In bytes, each part counted once."""
    surrounds = Envelope(b"1", "22", b"4444", "88888888")
    assert surrounds.size == 15
    assert SpanGroup(surrounds, (b"x" * 16, b"y" * 32)).size == 63


@pytest.mark.parametrize("parsed", [lambda each: each.resource_message, lambda each: each.scope_message])
def test_what_surrounds_many_spans_is_parsed_once(parsed: Callable[[Envelope], object]) -> None:
    """An SDK sends the same with each request; what is large is not remembered, lest it fill the memory."""
    assert parsed(envelope()) is parsed(envelope())
    assert parsed(envelope("x" * 8192)) is not parsed(envelope("x" * 8192))
    assert parsed(envelope("x" * 8192)) == parsed(envelope("x" * 8192))


def test_fields_are_added_behind_a_spans_own() -> None:
    """As protobuf has it: of a field that may stand once the last one counts."""
    held = SpanRecord(b"", b"", b"", 1, 2, 0, Span(name="a", kind=Span.SPAN_KIND_CLIENT).SerializeToString())
    held.append(Span(name="b").SerializeToString())
    assert held.message() == Span(name="b", kind=Span.SPAN_KIND_CLIENT)
