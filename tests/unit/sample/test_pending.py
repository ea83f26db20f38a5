"""What a waiting trace takes, as the account of all that waits has it."""

from dataclasses import replace

from spansieve.facts import LlmFacts
from spansieve.model import Envelope, SpanGroup
from spansieve.sample.pending import Held
from unit.sample.helpers_sample import part, trace_id

A, B = trace_id(1), trace_id(2)
WIDE = Envelope(b"r" * 10_000, "", b"s" * 2_000, "")


def test_what_has_ended_takes_nothing() -> None:
    """Whatever happened to it before."""
    held = Held()
    traces = [held.begin(part(each, spans=40), 0.0) for each in (A, B)]
    held.add(traces[0], part(A, spans=50), 1.0)
    held.note(traces[0], LlmFacts(thumbs_down=1, conversations=frozenset(("c",))))
    assert (held.spans, held.bytes > 0) == (130, True)
    for each in traces:
        held.end(each)
    assert (held.spans, held.bytes) == (0, 0)


def test_shared_envelope_counts_once() -> None:
    """All traces of a request hold the same one."""
    held = Held()
    parts = [replace(p, groups=(SpanGroup(WIDE, p.groups[0].spans),)) for p in (part(A), part(B))]
    traces = [held.begin(each, 0.0) for each in parts]
    assert WIDE.size < held.bytes < 2 * WIDE.size
    held.end(traces[0])
    assert held.bytes > WIDE.size
    held.end(traces[1])
    assert held.bytes == 0


def test_added_bytes_count() -> None:
    """A second part adds its spans' bytes, and little more."""
    held = Held()
    trace = held.begin(part(A), 0.0)
    before = held.bytes
    more = part(A, spans=100)
    held.add(trace, more, 1.0)
    grown = sum(map(len, more.groups[0].spans))
    assert grown <= held.bytes - before
    assert trace.spans == 101


def test_parts_come_out_in_their_order() -> None:
    """Each group under its own envelope."""
    held = Held()
    first, second = part(A, spans=2), part(A, spans=3)
    second = replace(second, groups=(SpanGroup(WIDE, second.groups[0].spans[:1]), *second.groups))
    second = replace(
        second, groups=(second.groups[0], SpanGroup(second.groups[1].envelope, second.groups[1].spans[1:]))
    )
    trace = held.begin(first, 0.0)
    held.add(trace, second, 1.0)
    assert trace.groups() == (*first.groups, *second.groups)


def test_a_trace_of_many_parts_is_not_copied_for_each() -> None:
    """They come out in their order, and take nothing once they have ended."""
    held = Held()
    parts = [part(A) for _ in range(200)]
    trace = held.begin(parts[0], 0.0)
    for each in parts[1:100]:
        held.add(trace, each, 1.0)
    content = trace.content
    for each in parts[100:]:
        held.add(trace, each, 1.0)
    assert trace.content is content
    assert trace.groups() == tuple(group for each in parts for group in each.groups)
    held.end(trace)
    assert (held.bytes, held.spans) == (0, 0)


def test_ids_of_a_long_trace_are_remembered() -> None:
    """What it has is found in a third part, too, and what remembering takes is counted."""
    held = Held()
    first, second = part(A, spans=60), part(A, spans=60)
    trace = held.begin(first, 0.0)
    held.add(trace, second, 1.0)
    assert trace.ids is not None
    assert [held.add(trace, each, 2.0)[2] for each in (first, second)] == [60, 60]
    held.end(trace)
    assert held.bytes == 0
