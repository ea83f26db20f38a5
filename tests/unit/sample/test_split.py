"""Requests become traces."""

import pytest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.sample import by_trace
from spansieve.sample.probes import NumberProbe, Probes, TextProbe, TraceStateProbe
from unit.sample.helpers_sample import MS, T0, batch, span, trace_id

A, B = trace_id(1), trace_id(2)


def numbers(spans: tuple[bytes, ...]) -> list[int]:
    """What the spans of a group were numbered with."""
    return [int.from_bytes(Span.FromString(each).span_id, "big") for each in spans]


def test_a_batch_without_spans_is_no_traces() -> None:
    """Empty envelopes leave nothing behind."""
    assert by_trace(batch([], []), Probes()) == []


def test_traces_come_in_the_order_of_their_first_span() -> None:
    """B's first span is before A's."""
    slices = by_trace(batch([span(B, 1), span(A, 2), span(B, 3)]), Probes())
    assert [each.trace_id for each in slices] == [B, A]


def test_spans_of_a_trace_keep_their_order() -> None:
    """Others between them do not matter, and do not open another group."""
    slices = by_trace(batch([span(A, 3), span(B, 1), span(A, 2)]), Probes())
    assert [numbers(group.spans) for group in slices[0].groups] == [[3, 2]]


def test_each_scope_of_a_trace_is_a_group() -> None:
    """Two scopes with spans of one trace make two groups of it."""
    (only,) = by_trace(batch([span(A, 1)], [span(A, 2)]), Probes())
    assert [numbers(group.spans) for group in only.groups] == [[1], [2]]


def test_the_envelope_is_serialized_once_and_shared() -> None:
    """Two traces of one scope refer to the same object."""
    first, second = by_trace(batch([span(A), span(B)]), Probes())
    assert first.groups[0].envelope is second.groups[0].envelope


def test_the_envelope_holds_what_surrounded_the_spans() -> None:
    """Resource, scope and both schema URLs are in it."""
    (only,) = by_trace(batch([span(A)]), Probes())
    envelope = only.groups[0].envelope
    assert Resource.FromString(envelope.resource).attributes[0].value.string_value == "shop"
    assert envelope.scope == b"\x0a\x07scope 0"
    assert envelope.resource_schema_url == "https://example.test/resource"
    assert envelope.scope_schema_url == "https://example.test/scope"


def test_spans_are_serialized_unchanged() -> None:
    """What is parsed again equals what was sent."""
    sent = span(A, 7, status=2, start_ms=5, parent=b"\x02" * 8)
    (only,) = by_trace(batch([sent]), Probes())
    assert Span.FromString(only.groups[0].spans[0]) == sent


def test_facts_count_spans_and_statuses() -> None:
    """Errors and OKs are told apart from spans without a status."""
    (only,) = by_trace(
        batch([span(A, 1, status=2), span(A, 2, status=1)], [span(A, 3), span(A, 4, status=2)]), Probes()
    )
    assert (only.facts.spans, only.facts.errors, only.facts.oks) == (4, 2, 1)


def test_facts_span_from_the_earliest_start_to_the_latest_end() -> None:
    """Neither the first nor the last span decides."""
    spans = [span(A, 1, start_ms=5, end_ms=6), span(A, 2, start_ms=2, end_ms=9), span(A, 3, start_ms=3, end_ms=4)]
    (only,) = by_trace(batch(spans), Probes())
    assert (only.facts.start_ns, only.facts.end_ns) == (T0 + 2 * MS, T0 + 9 * MS)


@pytest.mark.parametrize(("parent", "has_root"), [(b"", True), (b"\x03" * 8, False)])
def test_a_root_is_a_span_without_a_parent(parent: bytes, has_root: bool) -> None:
    """Nothing else makes a root."""
    (only,) = by_trace(batch([span(A, 1, parent=parent)]), Probes())
    assert only.facts.has_root is has_root


def test_the_size_is_that_of_the_groups() -> None:
    """Bytes of spans, and of the envelope once for each group."""
    (only,) = by_trace(batch([span(A, 1), span(A, 2)], [span(A, 3)]), Probes())
    assert only.facts.size == sum(group.size for group in only.groups)


def test_a_span_that_comes_twice_in_a_request_counts_once() -> None:
    """The first one stays, whatever scope the other stands in; how many were left out is told."""
    (only,) = by_trace(batch([span(A, 1), span(A, 2)], [span(A, 1)]), Probes())
    assert ([numbers(group.spans) for group in only.groups], only.facts.spans, only.repeated) == ([[1, 2]], 2, 1)


def test_what_attribute_policies_look_for_is_marked() -> None:
    """On a span, on its resource, in its tracestate: each probe has its bit."""
    probes = Probes()
    tier, shop, state, other = (
        TextProbe("tier", ("gold",)),
        TextProbe("service.name", ("^sh",), regex=True),
        TraceStateProbe("vendor", ("keep",)),
        NumberProbe("tier", 0, 9),
    )
    bits = probes.use((tier, shop, state, other))
    golden = span(A, 1)
    golden.attributes.add(key="tier").value.string_value = "gold"
    golden.trace_state = "ot=rv:000000000000ff,vendor=keep"
    measured = batch([golden])
    measured.sets[0].records[0].wanted = True
    (only,) = by_trace(measured, probes)
    assert only.facts.marks == bits[tier] | bits[shop] | bits[state]
    assert only.facts.randomness == 0xFF
