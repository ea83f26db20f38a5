"""Traces are packed into requests of a bounded size."""

from collections import deque
from dataclasses import replace
from itertools import pairwise

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.export.batch import Batch, Piece, RequestBatch, TraceBatch, cut, fitting, take_traces
from spansieve.model import Envelope, SampledTrace, Signal, SpanGroup
from spansieve.outcome import Reason
from unit.export.helpers_export import ENVELOPE, Account, logs, metrics, trace

OTHER = Envelope(b"", "", b"\x0a\x05other", "")


def names(batch: Batch) -> list[str]:
    """The names of a batch's spans."""
    request = ExportTraceServiceRequest.FromString(batch.payload())
    return [span.name for rs in request.resource_spans for ss in rs.scope_spans for span in ss.spans]


def packed(*traces: SampledTrace, limit: int) -> list[list[str]]:
    """All batches that traces make, as the names of their spans."""
    waiting = deque(piece for each in traces for piece in cut(each, limit))
    batches: list[list[str]] = []
    while waiting:
        batches.append(names(take_traces(waiting, limit)))
    return batches


def test_traces_share_a_request_as_long_as_they_fit() -> None:
    """Three of some 900 bytes in 2,000: two and one."""
    traces = [trace(f"{n}a", f"{n}b", size=200, number=n) for n in (1, 2, 3)]
    assert packed(*traces, limit=2000) == [["1a", "1b", "2a", "2b"], ["3a", "3b"]]


def test_a_trace_that_fits_is_never_cut() -> None:
    """Even when the request before it has room for a part of it."""
    assert packed(trace("a", size=900), trace("b", "c", size=400), limit=1300) == [["a"], ["b", "c"]]


def test_a_trace_over_the_limit_is_cut_between_spans() -> None:
    """In order, as many spans in each piece as fit."""
    assert packed(trace("a", "b", "c", "d", "e", size=400), limit=1300) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_span_over_the_limit_goes_alone() -> None:
    """It is still tried: the peer may take more than we think."""
    assert packed(trace("a", "b", size=5000), trace("c"), limit=1300) == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize("limit", [700, 1300, 5000])
def test_requests_are_within_the_limit(limit: int) -> None:
    """The stamp and the framing included."""
    waiting = deque(piece for n in range(1, 20) for piece in cut(trace(*"abcdef", size=40 * n, policy="p" * 60), limit))
    while waiting:
        batch = take_traces(waiting, limit)
        assert len(batch.payload()) <= batch.size
        assert batch.size <= limit or batch.items == 1


def of_two_scopes(size: int = 0) -> SampledTrace:
    """A trace of spans a, b, c under one scope and d, e, f under another."""
    whole = trace(*"abcdef", size=size)
    spans = whole.groups[0].spans
    return replace(whole, groups=(SpanGroup(ENVELOPE, spans[:3]), SpanGroup(OTHER, spans[3:])))


def scopes(batch: Batch) -> list[tuple[str, list[str]]]:
    """The spans of a batch under their scopes."""
    request = ExportTraceServiceRequest.FromString(batch.payload())
    return [(ss.scope.name, [span.name for span in ss.spans]) for rs in request.resource_spans for ss in rs.scope_spans]


@pytest.mark.parametrize("limit", range(250, 1000, 30))
def test_pieces_are_as_large_as_may_be(limit: int) -> None:
    """Each is within the limit, and with the first span of the next one it would not be."""
    pieces = cut(of_two_scopes(100), limit)
    assert all(piece.size <= limit or piece.items == 1 for piece in pieces)
    for piece, following in pairwise(pieces):
        group = following.groups[0]
        first = SpanGroup(group.envelope, group.spans[:1])
        last = piece.groups[-1]
        groups = (
            (*piece.groups[:-1], SpanGroup(last.envelope, last.spans + first.spans))
            if last.envelope is group.envelope
            else (*piece.groups, first)
        )
        assert Piece.of(groups, piece.stamp).size > limit


def test_what_is_just_as_large_as_the_limit_fits() -> None:
    """A trace in one piece, and two traces in one request."""
    one, two = trace("a", "b", number=1), trace("c", number=2)
    (whole,) = cut(one, 9999)
    assert cut(one, whole.size) == [whole]
    both = whole.size + cut(two, 9999)[0].size
    assert packed(one, two, limit=both) == [["a", "b", "c"]]
    assert packed(one, two, limit=both - 1) == [["a", "b"], ["c"]]


def test_spans_stay_under_their_scope_when_a_trace_is_cut() -> None:
    """And neighbours of one scope share it."""
    batch = TraceBatch(tuple(cut(of_two_scopes(), 9999)))
    first, second = batch.halves() or pytest.fail("it can be halved")
    assert scopes(first) == [("scope", ["a", "b", "c"])]
    assert scopes(second) == [("other", ["d", "e", "f"])]
    quarters = second.halves() or pytest.fail("it can be halved")
    assert [scopes(each) for each in quarters] == [[("other", ["d"])], [("other", ["e", "f"])]]
    assert scopes(batch) == [("scope", ["a", "b", "c"]), ("other", ["d", "e", "f"])]


def test_a_receipt_hears_of_every_part_once() -> None:
    """Also when its trace went in parts; what the peer did not take is counted among the first ones."""
    accounts = [Account(), Account()]
    traces = [replace(trace("a", "b", number=n), receipt=account) for n, account in enumerate(accounts, 1)]
    batch = TraceBatch(tuple(piece for each in traces for piece in cut(each, 9999)))
    batch.settle(3, Reason.DOWNSTREAM_REJECTED)
    assert [each.told for each in accounts] == [[(2, 2, "downstream_rejected")], [(2, 1, "downstream_rejected")]]
    alone = TraceBatch(tuple(cut(traces[0], 9999)))
    for half in alone.halves() or pytest.fail("it can be halved"):
        half.settle(0, Reason.NONE)
    assert accounts[0].told[1:] == [(1, 0, ""), (1, 0, "")]


def test_a_requests_receipt_hears_of_its_halves() -> None:
    """So many records left, so many of them were not taken."""
    account = Account()
    for part, dropped in zip(
        RequestBatch(Signal.LOGS, logs("a", "b", "c"), 3, account).halves() or pytest.fail("it can be halved"),
        (0, 2),
        strict=True,
    ):
        part.settle(dropped, Reason.DOWNSTREAM_REJECTED)
    assert account.told == [(1, 0, "downstream_rejected"), (2, 2, "downstream_rejected")]


def test_what_waits_is_not_shown() -> None:
    """A batch in a traceback or in a log line says nothing of its content."""
    shown = repr((cut(trace("umbrella"), 9999), RequestBatch(Signal.LOGS, logs("umbrella"), 1)))
    assert "umbrella" not in shown


def test_each_span_is_stamped_with_its_policy() -> None:
    """Two traces in one request keep their own."""
    waiting = deque(
        piece for n, p in ((1, "errors"), (2, "slow")) for piece in cut(trace("a", number=n, policy=p), 9999)
    )
    request = ExportTraceServiceRequest.FromString(take_traces(waiting, 9999).payload())
    spans = request.resource_spans[0].scope_spans[0].spans
    found = [each.value.string_value for span in spans for each in span.attributes if each.key == "tailsampling.policy"]
    assert found == ["errors", "slow"]


def test_a_batch_is_halved_between_its_traces() -> None:
    """Whole traces stay whole as long as there are others."""
    batch = TraceBatch(tuple(piece for n in (1, 2, 3) for piece in cut(trace(f"{n}a", f"{n}b", number=n), 9999)))
    first, second = batch.halves() or pytest.fail("it can be halved")
    assert (names(first), names(second)) == (["1a", "1b"], ["2a", "2b", "3a", "3b"])


def test_a_single_trace_is_halved_between_its_spans() -> None:
    """In order."""
    first, second = TraceBatch(tuple(cut(trace("a", "b", "c"), 9999))).halves() or pytest.fail("it can be halved")
    assert (names(first), names(second)) == (["a"], ["b", "c"])


def test_a_single_span_has_no_halves() -> None:
    """There is nothing left to split."""
    assert TraceBatch(tuple(cut(trace("a"), 9999))).halves() is None


def test_a_request_within_the_limit_goes_as_it_is() -> None:
    """Not even parsed."""
    batch = RequestBatch(Signal.LOGS, b"not parsed", 1)
    assert fitting(batch, 10) == [batch]


def test_a_request_over_the_limit_is_split_until_it_fits() -> None:
    """Records stay in order, and each part is within the limit."""
    payload = logs(*(str(n) * 50 for n in range(10)))
    parts = fitting(RequestBatch(Signal.LOGS, payload, 10), 250)
    assert all(part.size <= 250 for part in parts)
    assert sum(part.items for part in parts) == 10
    joined = b"".join(part.payload() for part in parts)
    positions = [joined.index(str(n).encode() * 50) for n in range(10)]
    assert positions == sorted(positions)


def test_a_single_record_over_the_limit_is_a_part_of_its_own() -> None:
    """It is tried alone."""
    parts = fitting(RequestBatch(Signal.LOGS, logs("a" * 500, "b"), 2), 100)
    assert [part.items for part in parts] == [1, 1]


def test_metrics_are_split_between_data_points() -> None:
    """Also those of one metric."""
    parts = fitting(RequestBatch(Signal.METRICS, metrics(only=64), 64), 200)
    assert sum(part.items for part in parts) == 64
    assert all(part.size <= 200 for part in parts)
