"""What a call adds to the series."""

import pytest

from spansieve.measure import Meter
from unit.measure.helpers_measure import Value, chat, measured, prices, request, series, span

_LABELS = ("chat", "openai", "priced", "priced-2026", "shop")


def _after(error: str | None = None, **attributes: Value) -> Meter:
    meter = Meter(prices())
    measured(request([span(chat(response__model="priced-2026", **attributes), error=error)]), meter)
    return meter


def test_an_answered_call() -> None:
    """An answered call is a request with the outcome ok, and a duration without an error."""
    meter = _after()
    assert series(meter, "spansieve.llm.requests") == {(*_LABELS, "ok"): 1}
    assert series(meter, "gen_ai.client.operation.duration") == {(*_LABELS, ""): (1, 1.0)}
    assert series(meter, "spansieve.llm.errors") == {}


def test_a_failed_call() -> None:
    """A failed call is a request with the outcome error, an error with its reason, and a duration with it."""
    meter = _after(error="Error code: 429")
    assert series(meter, "spansieve.llm.requests") == {(*_LABELS, "error"): 1}
    assert series(meter, "spansieve.llm.errors") == {(*_LABELS, "rate_limit"): 1}
    assert series(meter, "gen_ai.client.operation.duration") == {(*_LABELS, "rate_limit"): (1, 1.0)}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, {}),
        ({"usage__input_tokens": 7}, {"input": (1, 7)}),
        ({"usage__input_tokens": 7, "usage__output_tokens": 0}, {"input": (1, 7), "output": (1, 0)}),
        ({"usage__input_tokens": "x"}, {}),
    ],
)
def test_token_usage(attributes: dict[str, Value], expected: dict[str, object]) -> None:
    """Known tokens are observed by their type; unknown ones are not 0."""
    found = series(_after(**attributes), "gen_ai.client.token.usage")
    assert found == {(*_LABELS, kind): value for kind, value in expected.items()}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"request__stream": True, "response__time_to_first_chunk": 0.5}, {(*_LABELS, "present"): 1}),
        ({"request__stream": True}, {(*_LABELS, "absent"): 1}),
        ({"request__stream": False}, {}),
        ({}, {}),
    ],
)
def test_coverage_of_streaming(attributes: dict[str, Value], expected: dict[tuple[str, ...], int]) -> None:
    """Streamed calls are counted by whether their time to the first chunk is known."""
    assert series(_after(**attributes), "spansieve.llm.streaming_requests") == expected


def test_time_to_first_chunk() -> None:
    """The time to the first chunk is observed."""
    meter = _after(request__stream=True, response__time_to_first_chunk=0.5)
    assert series(meter, "gen_ai.client.operation.time_to_first_chunk") == {_LABELS: (1, 0.5)}


def test_a_known_price() -> None:
    """The cost of a priced call is added, with the source of the price; its tokens are not unpriced."""
    meter = _after(usage__input_tokens=100)
    assert series(meter, "spansieve.llm.cost.usd") == {(*_LABELS, "table"): pytest.approx(1e-4)}
    assert series(meter, "spansieve.llm.unpriced_tokens") == {}


def test_an_unknown_price() -> None:
    """The tokens of a call without a price are counted, and no cost of 0 is."""
    meter = _after(request__model="unknown", usage__input_tokens=100, usage__output_tokens=3)
    assert series(meter, "spansieve.llm.cost.usd") == {}
    assert list(series(meter, "spansieve.llm.unpriced_tokens").values()) == [103]


def test_suspect_values_are_counted() -> None:
    """Values that cannot be right are counted by reason, and the call still counts."""
    meter = _after(usage__input_tokens=-1, usage__output_tokens=-2, request__stream="maybe")
    assert series(meter, "spansieve.llm.suspect") == {("negative",): 2, ("not_a_truth_value",): 1}
    assert series(meter, "spansieve.llm.requests") == {(*_LABELS, "ok"): 1}


def test_impossible_durations_are_not_observed() -> None:
    """A call that ends before it starts has no duration."""
    meter = Meter(prices())
    measured(request([span(chat(), seconds=-1)]), meter)
    assert series(meter, "gen_ai.client.operation.duration") == {}


def test_labels_are_limited() -> None:
    """Beyond the limit calls count under `other`, and how many do is counted."""
    meter = Meter(prices(), label_limit=2)
    measured(request([span(chat(request__model=f"m{n}")) for n in range(5)]), meter)
    requests = series(meter, "spansieve.llm.requests")
    assert {labels[2]: value for labels, value in requests.items()} == {"m0": 1, "m1": 1, "other": 3}
    assert series(meter, "spansieve.llm.label_overflow") == {("gen_ai.request.model",): 3}
