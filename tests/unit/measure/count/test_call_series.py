"""What one call adds to the series, in both generations of the conventions."""

from typing import Any

import pytest

from spansieve.catalogue import Semconv
from spansieve.facts import ErrorClass
from spansieve.measure.llm_call import CostSource, LlmCall, Tokens, TtftSource
from spansieve.measure.settings import MeterSettings
from unit.measure.helpers_observations import call, origin, recorded, values

_LABELS = ("chat", "openai", "gpt-4o", "gpt-4o-2024", "shop", "greeting", "3")


def _call(**more: Any) -> LlmCall:  # noqa: ANN401 - fields of every type
    return call(response_model="gpt-4o-2024", prompt_name="greeting", prompt_version="3", **more)


def _tokens(*counts: int | None) -> Tokens:
    return Tokens(*counts, *[None] * (5 - len(counts)))


_CASES: list[tuple[dict[str, Any], dict[str, dict[tuple[str, ...], object]]]] = [
    ({}, {"spansieve.llm.requests": {("ok",): 1}, "gen_ai.client.operation.duration": {("",): (1, 1.0)}}),
    ({}, {"spansieve.llm.errors": {}, "spansieve.llm.safety_blocks": {}, "spansieve.llm.wasted_tokens": {}}),
    (
        {"error_class": ErrorClass.RATE_LIMIT},
        {
            "spansieve.llm.requests": {("error",): 1},
            "spansieve.llm.errors": {("rate_limit",): 1},
            "gen_ai.client.operation.duration": {("rate_limit",): (1, 1.0)},
        },
    ),
    ({"error_class": ErrorClass.SAFETY_BLOCK}, {"spansieve.llm.safety_blocks": {(): 1}}),
    ({"duration_s": None}, {"gen_ai.client.operation.duration": {}, "spansieve.llm.requests": {("ok",): 1}}),
    ({"tokens": _tokens(7)}, {"gen_ai.client.token.usage": {("input",): (1, 7)}}),
    ({"tokens": _tokens(None, 0)}, {"gen_ai.client.token.usage": {("output",): (1, 0)}}),
    (
        {"tokens": _tokens(7, 5, 3, 2, 1)},
        {
            "spansieve.llm.tokens": {("input",): 7, ("output",): 5},
            "spansieve.llm.cached_tokens": {("read",): 3, ("write",): 2},
            "spansieve.llm.reasoning_tokens": {(): 1},
        },
    ),
    (
        {"tokens": _tokens(7, 5), "error_class": ErrorClass.CANCELLED},
        {"spansieve.llm.wasted_tokens": {("cancelled",): 5}},
    ),
    ({"streaming": True}, {"spansieve.llm.streaming_requests": {("absent",): 1}}),
    (
        {"streaming": True, "ttft_s": 0.5, "ttft_source": TtftSource.EVENT},
        {
            "spansieve.llm.streaming_requests": {("present",): 1},
            "gen_ai.client.operation.time_to_first_chunk": {(): (1, 0.5)},
        },
    ),
    ({"streaming": False}, {"spansieve.llm.streaming_requests": {}}),
    (
        {"time_per_output_token_s": 0.02, "time_per_output_chunk_s": 0.04},
        {
            "spansieve.llm.time_per_output_token": {(): (1, 0.02)},
            "gen_ai.client.operation.time_per_output_chunk": {(): (1, 0.04)},
        },
    ),
    ({"finish_reasons": ("end_turn",)}, {"spansieve.llm.finish_reasons": {("stop",): 1}}),
    (
        {"tokens": _tokens(500), "context_window": 1000},
        {"spansieve.llm.context_window.saturation": {(): (1, 0.5)}},
    ),
    ({"tokens": _tokens(500)}, {"spansieve.llm.context_window.saturation": {}}),
    (
        {"tokens": _tokens(5), "cost_usd": 0.25, "cost_source": CostSource.REPORTED},
        {"spansieve.llm.cost.usd": {("reported",): 0.25}, "spansieve.llm.unpriced_tokens": {}},
    ),
    (
        {"tokens": _tokens(5, 3)},
        {
            "spansieve.llm.cost.usd": {},
            "spansieve.llm.unpriced_requests": {(): 1},
            "spansieve.llm.unpriced_tokens": {("input",): 5, ("output",): 3},
        },
    ),
    (
        {"tokens": _tokens(0, 0)},
        {"spansieve.llm.unpriced_requests": {}, "spansieve.llm.requests_without_usage": {}},
    ),
    (
        {"tokens": _tokens()},
        {"spansieve.llm.unpriced_requests": {}, "spansieve.llm.requests_without_usage": {(): 1}},
    ),
    # A failed call took none, as far as anybody knows; one that is reported with its cost is in the sum of money.
    ({"tokens": _tokens(), "error_class": ErrorClass.RATE_LIMIT}, {"spansieve.llm.requests_without_usage": {}}),
    (
        {"tokens": _tokens(), "cost_usd": 0.25, "cost_source": CostSource.REPORTED},
        {"spansieve.llm.requests_without_usage": {}},
    ),
]


@pytest.mark.parametrize(("fields", "expected"), _CASES)
def test_v1_41(fields: dict[str, Any], expected: dict[str, dict[tuple[str, ...], object]]) -> None:
    """A call raises the series that it should, under its labels, and no others of the same metric."""
    store = recorded(_call(**fields))
    for name, series in expected.items():
        assert values(store, name) == {(*_LABELS, *own): value for own, value in series.items()}, name


def test_an_adjusted_count_multiplies_everything() -> None:
    """A call that stands for four raises counters four times, and enters histograms four times."""
    one = _call(
        tokens=_tokens(7, 5), cost_usd=0.25, cost_source=CostSource.TABLE, at=origin(adjusted_count=4.0), streaming=True
    )
    store = recorded(one)
    assert values(store, "spansieve.llm.requests") == {(*_LABELS, "ok"): 4}
    assert values(store, "spansieve.llm.tokens") == {(*_LABELS, "input"): 28, (*_LABELS, "output"): 20}
    assert values(store, "spansieve.llm.cost.usd") == {(*_LABELS, "table"): 1.0}
    assert values(store, "gen_ai.client.token.usage")[*_LABELS, "input"] == (4, 28)
    assert values(store, "gen_ai.client.operation.duration") == {(*_LABELS, ""): (4, 4.0)}
    assert values(store, "spansieve.llm.streaming_requests") == {(*_LABELS, "absent"): 4}


def test_a_fractional_adjusted_count() -> None:
    """A count that is not whole is added as it is, and not rounded span by span."""
    store = recorded(*[_call(at=origin(adjusted_count=1.25)) for _ in range(4)])
    assert values(store, "spansieve.llm.requests") == {(*_LABELS, "ok"): 5}


def test_latest() -> None:
    """The latest conventions have other names, counters for tokens, and keep the old duration for embeddings."""
    settings = MeterSettings(semconv=Semconv.LATEST)
    chat = _call(tokens=_tokens(7, 5, 3, 2, 1), ttft_s=0.5, time_per_output_chunk_s=0.1, error_class=ErrorClass.TIMEOUT)
    store = recorded(chat, _call(operation="embeddings"), settings=settings)
    embeddings = ("embeddings", *_LABELS[1:])
    assert values(store, "gen_ai.client.inference.duration") == {(*_LABELS, "timeout"): (1, 1.0)}
    assert values(store, "gen_ai.client.operation.duration") == {(*embeddings, ""): (1, 1.0)}
    assert values(store, "gen_ai.client.inference.time_to_first_chunk") == {_LABELS: (1, 0.5)}
    assert values(store, "gen_ai.client.inference.time_per_output_chunk") == {_LABELS: (1, 0.1)}
    assert values(store, "gen_ai.client.inference.operation.input_tokens") == {(*_LABELS, "timeout"): (1, 7)}
    assert values(store, "gen_ai.client.inference.operation.output_tokens") == {(*_LABELS, "timeout"): (1, 5)}
    for kind, used in (
        ("input_tokens", 7),
        ("output_tokens", 5),
        ("cache_read.input_tokens", 3),
        ("cache_write.input_tokens", 2),
        ("reasoning.output_tokens", 1),
    ):
        assert values(store, f"gen_ai.client.inference.usage.{kind}") == {(*_LABELS, "unknown"): used}
    assert "gen_ai.client.token.usage" not in store.specs
