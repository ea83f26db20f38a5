"""Totals do not depend on how spans arrive."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import measure
from spansieve.measure import Meter
from spansieve.model import RedactedBatch, Signal
from spansieve.series import HistogramValue
from unit.measure.helpers_measure import START_NS, Value, chat, key_values, measured, prices, request, span

_LONG_AFTER = 1e6

_number = st.one_of(
    st.integers(-5, 10**6), st.floats(), st.text(max_size=4), st.booleans(), st.integers(-5, 99).map(str)
)
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "operation__name": st.sampled_from(["chat", "embeddings", "invoke_agent", "execute_tool", "dream", ""]),
        "provider__name": st.sampled_from(["openai", "azure", ""]),
        "system": st.sampled_from(["openai", "vertex_ai"]),
        "request__model": st.sampled_from(["priced", "unknown", ""]),
        "request__stream": st.one_of(st.booleans(), st.sampled_from(["true", "x"])),
        "response__time_to_first_chunk": _number,
        "response__finish_reasons": st.lists(st.sampled_from(["stop", "content_filter"]), max_size=2),
        "usage__input_tokens": _number,
        "usage__output_tokens": _number,
        "usage__cache_read__input_tokens": _number,
        "usage__cache_write__input_tokens": _number,
        "usage__reasoning__output_tokens": _number,
        "user__feedback": st.sampled_from(["up", "down", 3]),
    },
)


@st.composite
def _spans(draw: st.DrawFn) -> list[Span]:
    """Return spans that are siblings, with values of all kinds."""
    given_attributes: Sequence[dict[str, Value]] = draw(st.lists(_attributes, max_size=8))
    return [
        span(
            chat(**attributes),
            seconds=draw(st.sampled_from([0.0, 0.5, 3.0])),
            error=draw(st.sampled_from([None, "", "Error code: 429"])),
            parent=b"the root",
        )
        for attributes in given_attributes
    ]


def _totals(meter: Meter) -> dict[tuple[str, tuple[str, ...]], tuple[object, float]]:
    """Return by series what must be equal, and what is a sum of floats and so must be close."""
    return {
        (spec.name, labels): (value.counts, value.sum) if isinstance(value, HistogramValue) else ((), value)
        for spec, labels, value in meter.series.snapshot()
    }


def _assert_same(one: Meter, other: Meter, *, but: frozenset[str] = frozenset()) -> None:
    first, second = (
        {key: total for key, total in _totals(meter).items() if key[0] not in but} for meter in (one, other)
    )
    assert first.keys() == second.keys()
    for key, (counts, total) in first.items():
        assert second[key][0] == counts
        assert math.isclose(second[key][1], total, rel_tol=1e-9)


@settings(max_examples=150, deadline=None)
@given(spans=_spans(), data=st.data())
def test_any_order_and_batching_gives_the_same_totals(spans: list[Span], data: st.DataObject) -> None:
    """However spans are ordered and batched, the series are the same."""
    whole, parts = Meter(prices()), Meter(prices())
    measured(request(spans), whole)
    shuffled = data.draw(st.permutations(spans))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(spans)), max_size=3)))
    for now, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(spans)], strict=True)):
        measured(request(shuffled[start:end]), parts, float(now))
    whole.settle(_LONG_AFTER)
    parts.settle(_LONG_AFTER)
    _assert_same(whole, parts)


@settings(max_examples=100, deadline=None)
@given(spans=_spans())
def test_sending_everything_twice_changes_nothing(spans: list[Span]) -> None:
    """What is sent again, in one request or the next, is counted once; that it came again is counted apart."""
    once, twice = Meter(prices()), Meter(prices())
    measured(request(spans), once)
    measured(request([*spans, *spans]), twice)
    assert measured(request(reversed(spans)), twice).calls == 0
    for meter in (once, twice):
        meter.settle(_LONG_AFTER)
    _assert_same(once, twice, but=frozenset({"spansieve.llm.not_counted"}))


@settings(max_examples=100, deadline=None)
@given(spans=_spans())
def test_the_series_agree_with_each_other(spans: list[Span]) -> None:
    """Every call is a request, and every failed one an error."""
    meter = Meter(prices())
    measured(request(spans), meter)
    meter.settle(_LONG_AFTER)
    sums = _sums(meter)
    assert sums["spansieve.llm.requests"] >= sums["spansieve.llm.errors"]
    assert sums["spansieve.llm.errors"] == sum(
        total for (name, labels), (_, total) in _totals(meter).items()
        if name == "spansieve.llm.requests" and "error" in labels
    )  # fmt: skip
    assert sums["spansieve.llm.cost.usd"] >= 0


def _sums(meter: Meter) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (name, _), (_, total) in _totals(meter).items():
        sums[name] += total  # type: ignore[assignment]  # of floats
    return sums


@dataclass(frozen=True)
class _Told:
    """A trace with calls that are told several times over, and how many calls, and tokens, there really were."""

    spans: tuple[tuple[str, Span], ...]  # with their scopes
    logs: tuple[LogRecord, ...]
    calls: int
    tokens: int


@st.composite
def _told_traces(draw: st.DrawFn) -> _Told:
    """Return a trace: an agent, and beneath it calls; each told by one to three spans, and maybe by a log record."""
    trace_id = draw(st.binary(min_size=16, max_size=16).filter(any))
    spans: list[tuple[str, Span]] = []
    logs: list[LogRecord] = []
    numbers = iter(range(1, 1000))
    tokens = 0

    def add(scope: str, attributes: dict[str, Value], parent: bytes) -> bytes:
        span_id = next(numbers).to_bytes(8, "big")
        one = span(attributes, span_id=span_id, parent=parent, trace_id=trace_id)
        spans.append((scope, one))
        return span_id

    usages = draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
    root = add("my.app", {"http.route": "/"}, b"")
    agent = add("pydantic-ai", chat(operation__name="invoke_agent", aggregated_usage__input_tokens=sum(usages)), root)
    for usage in usages:
        attributes = chat(usage__input_tokens=usage)
        parent = add("pydantic-ai", attributes, agent) if draw(st.booleans()) else agent
        if draw(st.booleans()):
            parent = add("my.app", {"http.route": "/between"}, parent)
        parent = add("litellm", attributes, parent) if draw(st.booleans()) else parent
        told_by_log = add("opentelemetry.instrumentation.genai.openai", attributes, parent)
        if draw(st.booleans()):
            record = LogRecord(trace_id=trace_id, span_id=told_by_log, time_unix_nano=START_NS)
            record.event_name = "gen_ai.client.inference.operation.details"
            record.attributes.extend(key_values(attributes))
            logs.append(record)
        tokens += usage
    return _Told(tuple(spans), tuple(logs), len(usages), tokens)


def _send(part: Sequence[tuple[str, Span] | LogRecord], meter: Meter, now: float) -> None:
    """Send spans in one request and log records in another."""
    spans = [each for each in part if isinstance(each, tuple)]
    message = request([])
    del message.resource_spans[0].scope_spans[:]
    for scope, one in spans:
        group = message.resource_spans[0].scope_spans.add()
        group.scope.name = scope
        group.spans.append(one)
    measured(message, meter, now)
    if logs := [each for each in part if isinstance(each, LogRecord)]:
        records = ExportLogsServiceRequest()
        records.resource_logs.add().scope_logs.add().log_records.extend(logs)
        measure.batch(RedactedBatch(Signal.LOGS, records, len(logs), {}), meter, now)


@settings(max_examples=150, deadline=None)
@given(told=_told_traces(), data=st.data())
def test_a_call_that_is_told_several_times_counts_once(told: _Told, data: st.DataObject) -> None:
    """In any order and batching, replayed or not, the calls and tokens are those that there were."""
    everything: list[tuple[str, Span] | LogRecord] = [*told.spans, *told.logs]
    shuffled = data.draw(st.permutations(everything))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    meter = Meter(prices())
    for now, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(shuffled)], strict=True)):
        _send(shuffled[start:end], meter, float(now))
    if data.draw(st.booleans()):
        _send(shuffled, meter, 6.0)
    meter.settle(_LONG_AFTER)
    sums = _sums(meter)
    assert sums["spansieve.llm.requests"] == told.calls
    assert sums["gen_ai.client.token.usage"] == told.tokens


@settings(max_examples=50, deadline=None)
@given(told=_told_traces(), cut=st.integers(0, 30))
def test_a_restart_changes_nothing(told: _Told, cut: int) -> None:
    """A meter that goes on from another's state has the totals that the other would have had."""
    whole, before, after = Meter(prices()), Meter(prices()), Meter(prices())
    everything: list[tuple[str, Span] | LogRecord] = [*told.spans, *told.logs]
    for meter in (whole, before):
        _send(everything[:cut], meter, 0.0)
    after.restore(b"".join(before.state()))
    for meter in (whole, after):
        _send(everything[cut:], meter, 1.0)
        meter.settle(_LONG_AFTER)
    _assert_same(whole, after)
