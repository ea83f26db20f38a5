"""Totals do not depend on how spans arrive."""

import math
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.measure import Meter
from spansieve.series import HistogramValue
from unit.measure.helpers_measure import Value, chat, measured, prices, request, span

_number = st.one_of(
    st.integers(-5, 10**6), st.floats(), st.text(max_size=4), st.booleans(), st.integers(-5, 99).map(str)
)
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "operation__name": st.sampled_from(["chat", "embeddings", "invoke_agent", ""]),
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
    },
)


@st.composite
def _spans(draw: st.DrawFn) -> list[Span]:
    given_attributes: Sequence[dict[str, Value]] = draw(st.lists(_attributes, max_size=8))
    return [
        span(
            chat(**attributes),
            seconds=draw(st.sampled_from([-1.0, 0.0, 0.5, 3.0])),
            error=draw(st.sampled_from([None, "", "Error code: 429"])),
        )
        for attributes in given_attributes
    ]


def _totals(meter: Meter) -> dict[tuple[str, tuple[str, ...]], tuple[object, float]]:
    """Return by series what must be equal, and what is a sum of floats and so must be close."""
    return {
        (spec.name, labels): (value.counts, value.sum) if isinstance(value, HistogramValue) else ((), value)
        for spec, labels, value in meter.series.snapshot()
    }


def _assert_same(one: Meter, other: Meter) -> None:
    first, second = _totals(one), _totals(other)
    assert first.keys() == second.keys()
    for key, (counts, total) in first.items():
        assert second[key][0] == counts
        assert math.isclose(second[key][1], total, rel_tol=1e-9)


@settings(max_examples=200, deadline=None)
@given(spans=_spans(), data=st.data())
def test_any_order_and_batching_gives_the_same_totals(spans: list[Span], data: st.DataObject) -> None:
    """However spans are ordered and batched, the series are the same."""
    whole, parts = Meter(prices()), Meter(prices())
    measured(request(spans), whole)
    shuffled = data.draw(st.permutations(spans))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(spans)), max_size=3)))
    for start, end in zip([0, *cuts], [*cuts, len(spans)], strict=True):
        measured(request(shuffled[start:end]), parts)
    _assert_same(whole, parts)


@settings(max_examples=100, deadline=None)
@given(spans=_spans())
def test_sending_everything_twice_changes_nothing(spans: list[Span]) -> None:
    """What is sent again, in one request or the next, is counted once."""
    once, twice = Meter(prices()), Meter(prices())
    calls = measured(request(spans), once).calls
    assert measured(request([*spans, *spans]), twice).calls == calls
    assert measured(request(reversed(spans)), twice).calls == 0
    _assert_same(once, twice)


@settings(max_examples=100, deadline=None)
@given(spans=_spans())
def test_the_series_agree_with_each_other(spans: list[Span]) -> None:
    """Every call is a request; every failed one is an error; no call has both a cost and unpriced tokens."""
    meter = Meter(prices())
    calls = measured(request(spans), meter).calls
    totals = dict.fromkeys(meter.series.specs, 0.0)
    failed = 0.0
    for (name, labels), (_, value) in _totals(meter).items():
        totals[name] += value
        failed += value if name == "spansieve.llm.requests" and labels[-1] == "error" else 0
    assert totals["spansieve.llm.requests"] == calls
    assert totals["spansieve.llm.errors"] == failed
    assert totals["spansieve.llm.cost.usd"] >= 0
