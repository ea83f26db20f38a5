"""Traces are packed into requests of a bounded size."""

from collections import deque

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.export.batch import Batch, RequestBatch, TraceBatch, cut, fitting, take_traces
from spansieve.model import SampledTrace, Signal
from unit.export.helpers_export import logs, metrics, trace


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
