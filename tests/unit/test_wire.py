"""Hand-made framing is what the protobuf library would make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.model import Envelope, SpanGroup
from spansieve.wire import GROUP_OVERHEAD, SPAN_OVERHEAD, frame_traces, string_attribute, varint


def envelope(service: str = "shop", scope: str = "scope", url: str = "https://example.test/1") -> Envelope:
    """One with a resource and a scope."""
    resource = Resource()
    resource.attributes.add(key="service.name").value.string_value = service
    return Envelope(resource.SerializeToString(), url, InstrumentationScope(name=scope).SerializeToString(), url)


def group(of: Envelope, *names: str) -> SpanGroup:
    """Spans of these names."""
    return SpanGroup(of, tuple(Span(name=name).SerializeToString() for name in names))


def parsed(*groups: SpanGroup) -> ExportTraceServiceRequest:
    """What a peer reads."""
    return ExportTraceServiceRequest.FromString(frame_traces(groups))


def outline(request: ExportTraceServiceRequest) -> list[list[list[str]]]:
    """The names of the spans, by ResourceSpans and ScopeSpans."""
    return [[[span.name for span in ss.spans] for ss in rs.scope_spans] for rs in request.resource_spans]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, b"\x00"),
        (1, b"\x01"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (300, b"\xac\x02"),
        (1 << 32, b"\x80" * 4 + b"\x10"),
    ],
)
def test_varints(value: int, encoded: bytes) -> None:
    """Seven bits a byte, low ones first; 300 is the example of the encoding's specification."""
    assert varint(value) == encoded


def test_no_groups_are_an_empty_request() -> None:
    """Zero bytes are a valid request."""
    assert frame_traces([]) == b""


def test_a_request_is_framed_as_protobuf_does_it() -> None:
    """Byte for byte."""
    expected = ExportTraceServiceRequest()
    resource_spans = expected.resource_spans.add(schema_url="https://example.test/1")
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = resource_spans.scope_spans.add(schema_url="https://example.test/1")
    scope_spans.scope.name = "scope"
    scope_spans.spans.add(name="a" * 200)
    scope_spans.spans.add(name="b")
    assert frame_traces([group(envelope(), "a" * 200, "b")]) == expected.SerializeToString()


def test_empty_envelopes_are_left_out() -> None:
    """A span without resource, scope and schema URLs is framed bare."""
    request = parsed(group(Envelope(b"", "", b"", ""), "a"))
    assert not request.resource_spans[0].HasField("resource")
    assert not request.resource_spans[0].scope_spans[0].HasField("scope")
    assert outline(request) == [[["a"]]]


def test_neighbours_under_one_envelope_share_it() -> None:
    """Whether it is the same object or an equal one."""
    shared = envelope()
    assert outline(parsed(group(shared, "a"), group(shared, "b"), group(envelope(), "c"))) == [[["a", "b", "c"]]]


def test_neighbours_under_one_resource_share_it() -> None:
    """Their scopes stay apart."""
    request = parsed(group(envelope(scope="x"), "a"), group(envelope(scope="y"), "b"))
    assert outline(request) == [[["a"], ["b"]]]


def test_other_resources_and_schema_urls_stay_apart() -> None:
    """Equal resources under different schema URLs are not the same."""
    request = parsed(group(envelope("x"), "a"), group(envelope("y"), "b"), group(envelope("y", url=""), "c"))
    assert outline(request) == [[["a"]], [["b"]], [["c"]]]


def test_an_attribute_is_appended_behind_the_others() -> None:
    """The rest of the span is as it was."""
    span = Span(name="chat", trace_id=b"\x01" * 16, end_time_unix_nano=5)
    span.attributes.add(key="k").value.int_value = 1
    stamped = span.SerializeToString() + string_attribute("tailsampling.policy", "errors")
    span.attributes.add(key="tailsampling.policy").value.string_value = "errors"
    assert Span.FromString(stamped) == span


@given(key=st.text(max_size=300), value=st.text(max_size=300))
def test_any_text_is_appended(key: str, value: str) -> None:
    """Lengths over one byte, other scripts, and nothing at all."""
    attribute = Span.FromString(string_attribute(key, value)).attributes[0]
    assert (attribute.key, attribute.value.WhichOneof("value"), attribute.value.string_value) == (
        key,
        "string_value",
        value,
    )


envelopes = st.builds(
    Envelope,
    st.sampled_from([b"", Resource(dropped_attributes_count=1).SerializeToString(), b"\x10\xac\x02"]),
    st.sampled_from(["", "u", "v" * 200]),
    st.sampled_from([b"", InstrumentationScope(name="s").SerializeToString(), b"\x0a\x01t"]),
    st.sampled_from(["", "u"]),
)
spans = st.builds(lambda name: Span(name=name).SerializeToString(), st.text(max_size=200))
groups = st.builds(SpanGroup, envelopes, st.lists(spans, min_size=1, max_size=4).map(tuple))


@given(st.lists(groups, max_size=8))
def test_every_span_comes_out_under_its_own_envelope(given_groups: list[SpanGroup]) -> None:
    """In order, none lost, none twice, whatever is shared."""
    request = ExportTraceServiceRequest.FromString(frame_traces(given_groups))
    found = [
        (
            rs.resource.SerializeToString(),
            rs.schema_url,
            ss.scope.SerializeToString(),
            ss.schema_url,
            span.SerializeToString(),
        )
        for rs in request.resource_spans
        for ss in rs.scope_spans
        for span in ss.spans
    ]
    assert found == [
        (e.resource, e.resource_schema_url, e.scope, e.scope_schema_url, span)
        for e, spans in ((g.envelope, g.spans) for g in given_groups)
        for span in spans
    ]


@given(st.lists(groups, max_size=8))
def test_a_frame_is_within_the_declared_overhead(given_groups: list[SpanGroup]) -> None:
    """So that a batch that was weighed before it was framed is not larger than weighed."""
    spans = sum(len(each.spans) for each in given_groups)
    weight = sum(each.size for each in given_groups) + len(given_groups) * GROUP_OVERHEAD + spans * SPAN_OVERHEAD
    assert len(frame_traces(given_groups)) <= weight
