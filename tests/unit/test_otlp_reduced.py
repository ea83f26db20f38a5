"""The reduced schema: it is OTLP's, and what it does not look into stays bytes."""

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import otlp_reduced
from spansieve.errors import MalformedRequest
from spansieve.wire import varint

_WIDE = {FieldDescriptor.TYPE_UINT64: {FieldDescriptor.TYPE_ENUM, FieldDescriptor.TYPE_UINT32}}


def _request(*spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add(schema_url="r")
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = resource_spans.scope_spans.add(schema_url="s")
    scope_spans.scope.name = "lib"
    scope_spans.spans.extend(spans)
    return request


def _full(name: str) -> Span:
    span = Span(
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        parent_span_id=b"p" * 8,
        trace_state="a=b",
        name=name,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=1,
        end_time_unix_nano=2,
        dropped_attributes_count=2**32 - 1,
        dropped_events_count=2,
        dropped_links_count=3,
        flags=257,
        status=Status(code=Status.STATUS_CODE_ERROR, message="failed"),
    )
    span.attributes.add(key="k").value.int_value = 1
    event = span.events.add(time_unix_nano=1, name="e", dropped_attributes_count=1)
    event.attributes.add(key="k").value.bool_value = True
    link = span.links.add(trace_id=b"l" * 16, span_id=b"m" * 8, trace_state="c=d", flags=1, dropped_attributes_count=1)
    link.attributes.add(key="k").value.double_value = 0.5
    return span


def _same(reduced: Descriptor, full: Descriptor) -> list[str]:
    """What of OTLP's message the reduced one lacks or declares otherwise, at any depth."""
    wrong = []
    for field in full.fields:
        mine = reduced.fields_by_number.get(field.number)
        if mine is None or mine.name != field.name or mine.is_repeated != field.is_repeated:
            wrong.append(field.full_name)
        elif mine.type == FieldDescriptor.TYPE_MESSAGE:
            wrong += _same(mine.message_type, field.message_type)
        elif mine.type == FieldDescriptor.TYPE_BYTES:
            if field.type not in {FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE}:
                wrong.append(field.full_name)
        elif field.type not in {mine.type, *_WIDE.get(mine.type, ())}:
            wrong.append(field.full_name)
    return wrong


def test_it_has_every_field_of_otlp() -> None:
    """A field that a later OTLP adds would else be taken for unknown, and removed."""
    ((resource_spans, _),) = otlp_reduced.read(_request(_full("a")).SerializeToString())
    descriptor = resource_spans.DESCRIPTOR  # type: ignore[attr-defined]  # of a message
    (field,) = ExportTraceServiceRequest.DESCRIPTOR.fields
    assert field.message_type is not None
    assert _same(descriptor, field.message_type) == []


def test_spans_come_as_heads_and_as_the_bytes_that_they_were() -> None:
    """In their order, with what surrounds them."""
    spans = [_full("a"), _full("b")]
    ((resource_spans, with_bytes),) = otlp_reduced.read(_request(*spans).SerializeToString())
    (scope_spans,), (scope_bytes,) = resource_spans.scope_spans, with_bytes.scope_spans
    assert [head.name for head in scope_spans.spans] == ["a", "b"]
    assert list(scope_bytes.spans) == [span.SerializeToString() for span in spans]
    assert [head.SerializeToString() for head in scope_spans.spans] == list(scope_bytes.spans)
    assert (resource_spans.schema_url, scope_spans.schema_url) == ("r", "s")
    assert scope_spans.scope == _request().resource_spans[0].scope_spans[0].scope.SerializeToString()


def _in_a_request(span: bytes) -> bytes:
    for field in (b"\x12", b"\x12", b"\x0a"):  # spans, scope_spans, resource_spans
        span = field + varint(len(span)) + span
    return span


@pytest.mark.parametrize(
    "added",
    [
        b"\xfa\x3f\x06unseen",  # field 1023
        b"\x2a\x06unseen",  # a second name: the last one counts
        b"\x7a\x08\x12\x06unseen",  # a second status: both are merged
        b"\x30\x83\x00",  # a kind in more bytes than it needs
        b"\xfb\x3f\x0a\x06unseen\xfc\x3f",  # a group
    ],
)
def test_what_protobuf_would_not_write_is_written_anew(added: bytes) -> None:
    """So that nothing passes that no rule was applied to; what stands twice is merged as protobuf merges."""
    body = _full("a").SerializeToString() + added
    ((_, with_bytes),) = otlp_reduced.read(_in_a_request(body))
    expected = Span.FromString(body)
    expected.DiscardUnknownFields()
    assert with_bytes.scope_spans[0].spans[0] == expected.SerializeToString()


def test_defaults_that_are_written_stay_as_they_are() -> None:
    """Some emitters write them: no reason to write such requests anew."""
    body = _full("a").SerializeToString() + b"\x6a\x02\x0a\x00"  # a link with an empty trace id
    ((_, with_bytes),) = otlp_reduced.read(_in_a_request(body))
    assert with_bytes.scope_spans[0].spans[0] == body


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05abc", _in_a_request(b"\x2a\x01\xff")])
def test_what_is_no_request_is_malformed(body: bytes) -> None:
    """Neither garbage nor a name that is not UTF-8 is taken."""
    with pytest.raises(MalformedRequest):
        otlp_reduced.read(body)


@pytest.mark.parametrize("code", [0, 1, 2, 7])
@pytest.mark.parametrize("message", ["", "failed"])
def test_a_status_tells_its_code(code: int, message: str) -> None:
    """Also one that OTLP does not know, and one with a message."""
    status = Status(message=message)
    status.code = code  # type: ignore[assignment]  # any number may come
    serialized = status.SerializeToString()
    assert otlp_reduced.status_code(serialized) == code
    assert (serialized in otlp_reduced.STATUSES) == (not message and code < 3)


def test_a_status_that_is_none_is_malformed() -> None:
    """Its code would be made up."""
    with pytest.raises(MalformedRequest):
        otlp_reduced.status_code(b"\x12\x01\xff")
