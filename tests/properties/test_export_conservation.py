"""Whatever the peer answers: every span ends exactly once, and what counts as exported is what the peer took."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fakes import ManualClock
from spansieve.config_exporters import Retry
from spansieve.export import retry
from spansieve.export.batch import RequestBatch, cut, fitting, take_traces
from spansieve.export.delivery import Delivery, NotAcceptedError, Surroundings
from spansieve.export.pause import Pause
from spansieve.export.queue import ExportQueue
from spansieve.model import Envelope, SampledTrace, Signal
from spansieve.outcome import Ledger
from unit.export.helpers_export import Recorder, Sleeps, fates, logs, received, trace


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    """The peers here may have any limit, so that messages need not be large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "LEAST_LIMIT", 0)
        yield


ENVELOPES = (Envelope(b"", "", b"", ""), Envelope(b"\x10\x01", "u" * 50, b"\x0a\x01s", ""))


@st.composite
def kept_traces(draw: st.DrawFn) -> list[SampledTrace]:
    """Traces of a few spans of all sizes, each span with a name of its own, some with two groups."""
    traces: list[SampledTrace] = []
    for number in range(draw(st.integers(1, 6))):
        sizes = draw(st.lists(st.sampled_from([0, 50, 400, 3000]), min_size=1, max_size=4))
        parts = [
            trace(f"{number}/{index}", number=number + 1, size=size, envelope=draw(st.sampled_from(ENVELOPES)))
            for index, size in enumerate(sizes)
        ]
        facts = parts[0].facts
        for part in parts[1:]:
            facts = facts.plus(part.facts)
        groups = tuple(group for part in parts for group in part.groups)
        traces.append(SampledTrace(parts[0].trace_id, groups, facts, parts[0].decision))
    return traces


def names(payload: bytes) -> list[str]:
    """The names of a request's spans."""
    request = ExportTraceServiceRequest.FromString(payload)
    return [span.name for rs in request.resource_spans for ss in rs.scope_spans for span in ss.spans]


def all_names(traces: list[SampledTrace]) -> list[str]:
    """The names of all spans in order."""
    return [f"{number}/{index}" for number, each in enumerate(traces) for index in range(each.facts.spans)]


@given(kept_traces(), st.integers(1024, 8192))
def test_packing_loses_nothing(traces: list[SampledTrace], limit: int) -> None:
    """All spans in order, in requests within the limit unless one span alone is over it."""
    waiting = deque(piece for each in traces for piece in cut(each, limit))
    packed: list[str] = []
    while waiting:
        batch = take_traces(waiting, limit)
        payload = batch.payload()
        assert len(payload) <= batch.size
        assert batch.size <= limit or batch.items == 1
        packed += names(payload)
    assert packed == all_names(traces)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30), st.integers(64, 2000))
def test_splitting_loses_no_records(sizes: list[int], limit: int) -> None:
    """All log records in parts within the limit, or alone."""
    parts = fitting(RequestBatch(Signal.LOGS, logs(*("x" * size for size in sizes)), len(sizes)), limit)
    assert sum(part.items for part in parts) == len(sizes)
    assert all(part.size <= limit or part.items == 1 for part in parts)


ANSWERS = st.one_of(
    st.just(0),  # accepted
    st.integers(-2, 5),  # rejected so many
    st.builds(
        NotAcceptedError,
        st.sampled_from(
            [
                "UNAVAILABLE",
                "DEADLINE_EXCEEDED",
                "INVALID_ARGUMENT",
                "RESOURCE_EXHAUSTED",
                "INTERNAL",
                "UNAUTHENTICATED",
            ]
        ),
        st.sampled_from([None, 0.0, 3.0]),
    ),
)


@given(kept_traces(), st.lists(ANSWERS, max_size=30), st.integers(1, 3))
def test_every_span_ends_exactly_once(
    traces: list[SampledTrace], answers: list[int | NotAcceptedError], consumers: int
) -> None:
    """Exported, or dropped with a reason; and no span was sent again after the peer had taken it."""
    ledger = Ledger()
    script = deque(answers)
    taken: Counter[str] = Counter()

    async def send(payload: bytes) -> int:
        await asyncio.sleep(0)
        answer = script.popleft() if script else 0
        if isinstance(answer, NotAcceptedError):
            raise answer
        taken.update(names(payload))
        return answer

    async def deliver() -> None:
        around = Surroundings(
            Retry(), ledger, ManualClock(), lambda: 0.5, Pause(Sleeps(wakes_at_once=True)), Recorder()
        )
        queue = ExportQueue(lambda waiting: take_traces(waiting, 2048))
        delivery = Delivery(Signal.TRACES, queue, send, around)
        queue.put(piece for each in received(ledger, traces) for piece in cut(each, 2048))
        queue.close()
        await asyncio.gather(*(delivery.run() for _ in range(consumers)))
        assert (queue.items, queue.size) == (0, 0)

    asyncio.run(deliver())
    ended = fates(ledger)
    assert sum(ended.values()) == sum(each.facts.spans for each in traces)
    assert set(ended) <= {"exported", "downstream_rejected", "too_large"}
    assert set(taken.values()) <= {1}
    assert ended.get("exported", 0) <= sum(taken.values())
