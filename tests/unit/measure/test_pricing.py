"""Costs, and the memory of prices."""

from dataclasses import replace

import pytest

from spansieve.measure.llm_call import CostSource, Parts, Tokens
from spansieve.measure.pricing import PriceRow, Prices, PriceTable, Rate, TableVersion, always, cost_of, timeless

_ROW = PriceRow(CostSource.TABLE, Rate(1.0), Rate(10.0), cache_read=Rate(0.1), cache_write=Rate(2.0))


def _tokens(*counts: int | None) -> Tokens:
    return Tokens(*counts, *[None] * (5 - len(counts)))


@pytest.mark.parametrize(
    ("tokens", "usd"),
    [
        (_tokens(100), 100.0),
        (_tokens(100, 5), 150.0),
        (_tokens(None, 5), 50.0),
        (_tokens(0, 0), 0.0),
        (_tokens(100, 0, 40), 60 + 4),
        (_tokens(100, 0, 40, 10), 50 + 4 + 20),
        (_tokens(100, 5, None, None, 3), 150.0),
        (_tokens(None, None, 3), None),
    ],
)
def test_cost(tokens: Tokens, usd: float | None) -> None:
    """Cached tokens are part of the input and pay their own rate; reasoning is part of the output."""
    assert cost_of(tokens, _ROW) == (None if usd is None else pytest.approx(usd))


def test_cached_tokens_without_a_rate_cost_as_input() -> None:
    """Without a rate for cached tokens, the input's holds."""
    assert cost_of(_tokens(100, 0, 40, 10), PriceRow(CostSource.TABLE, Rate(1.0), Rate(1.0))) == 100


def test_reasoning_tokens_may_have_a_rate() -> None:
    """With a rate of their own, reasoning tokens pay it, at most as many as there is output."""
    row = PriceRow(CostSource.TABLE, Rate(1.0), Rate(10.0), reasoning=Rate(3.0))
    assert cost_of(_tokens(0, 5, None, None, 2), row) == 36
    assert cost_of(_tokens(0, 5, None, None, 9), row) == 15


def test_a_fee_per_call_is_added() -> None:
    """A fee per call is part of the cost."""
    assert cost_of(_tokens(1, 0), PriceRow(CostSource.TABLE, Rate(1.0), Rate(1.0), per_call=0.5)) == 1.5


@pytest.mark.parametrize(("tokens", "usd"), [(_tokens(5, 0), 5), (_tokens(5, None), 5), (_tokens(5, 1), None)])
def test_tokens_without_a_price_have_no_cost(tokens: Tokens, usd: float | None) -> None:
    """Output of a model that has no price for output makes the cost unknown, not less."""
    assert cost_of(tokens, PriceRow(CostSource.TABLE, Rate(1.0), None)) == usd


@pytest.mark.parametrize(("given", "rate"), [(0, 1), (200, 1), (201, 2), (1000, 2), (1001, 3)])
def test_tiers_begin_above_their_threshold(given: int, rate: int) -> None:
    """The tier of the whole call is that of its input tokens."""
    assert Rate(1, ((200, 2), (1000, 3))).at(given) == rate


def test_the_tier_holds_for_output_too() -> None:
    """A long input makes the output dearer."""
    row = PriceRow(CostSource.TABLE, Rate(1.0), Rate(10.0, ((100, 20.0),)))
    assert cost_of(_tokens(101, 1), row) == 121


def test_more_cached_than_input_does_not_pay_back() -> None:
    """Cached tokens beyond the input cost nothing, and never make a cost negative."""
    assert cost_of(_tokens(10, 0, 40, 10), _ROW) == pytest.approx(10 * 0.1)


def test_sources_are_asked_in_order_and_the_response_model_first() -> None:
    """The first source that knows the response's or the request's model decides."""
    asked: list[tuple[str, str, str]] = []

    def none(provider: str, model: str) -> None:
        asked.append(("none", provider, model))

    def some(provider: str, model: str) -> Prices | None:
        asked.append(("some", provider, model))
        return always(_ROW) if model == "request" else None

    assert PriceTable([none, some]).find("p", "response", "request", 0) is _ROW
    assert asked == [
        ("none", "p", "response"),
        ("none", "p", "request"),
        ("some", "p", "response"),
        ("some", "p", "request"),
    ]


def test_answers_are_remembered() -> None:
    """A source is asked once for a model, also when it does not know the model, whenever the call was."""
    asked: list[str] = []
    table = PriceTable([lambda _provider, model: asked.append(model)])
    for at_ns in (0, 1, 10**18):
        assert table.find("p", "m", "m", at_ns) is None
    assert asked == ["m"]


def test_a_row_depends_on_time_and_tier() -> None:
    """The model's prices are asked with the seconds of the call and its service tier."""
    asked: list[tuple[int, str]] = []

    def prices(at: int, tier: str) -> PriceRow:
        asked.append((at, tier))
        return _ROW

    table = PriceTable([lambda _provider, _model: prices])
    assert table.find("p", "m", "", 2_500_000_000, "flex") is _ROW
    assert asked == [(2, "flex")]


def test_a_row_by_tier_is_the_same_at_all_times() -> None:
    """Whoever asks with a time gets that of the tier."""
    rows = {"": _ROW, "flex": replace(_ROW, per_call=1.0)}
    prices = timeless(rows.__getitem__)
    assert [prices(at, tier) for at in (0, 10**9) for tier in rows] == [*rows.values()] * 2


def test_the_memory_is_bounded() -> None:
    """No more answers are remembered than the capacity; model names come from outside."""
    asked: list[str] = []
    table = PriceTable([lambda _provider, model: asked.append(model)], capacity=2)
    for model in ("a", "b", "c", "c", "a"):
        table.find("p", model, "", 0)
    assert asked == ["a", "b", "c", "a"]


def test_prices_that_are_taken_over_hold_for_what_was_asked_before_too() -> None:
    """The memory of the former sources is empty, and the version is the new one's."""
    version = TableVersion("2")
    table = PriceTable([])
    assert table.find("p", "model", "", 0) is None
    table.take_over(PriceTable([lambda _provider, _model: always(_ROW)], version))
    assert table.find("p", "model", "", 0) is _ROW
    assert table.version == version


_PARTS = PriceRow(
    CostSource.TABLE,
    Rate(1.0),
    Rate(10.0),
    cache_read=Rate(0.1),
    cache_write=Rate(2.0),
    cache_write_1h=Rate(3.0),
    audio_input=Rate(20.0),
    audio_output=Rate(40.0),
    audio_cache_read=Rate(0.5),
    image_input=Rate(5.0),
)


@pytest.mark.parametrize(
    ("tokens", "parts", "usd"),
    [
        (_tokens(100, 0, None, 10), Parts(written_1h=4), 90 + 6 * 2 + 4 * 3),
        (_tokens(100, 0, None, 10), Parts(written_1h=40), 90 + 10 * 3),
        (_tokens(100, 0), Parts(audio_input=30), 70 + 30 * 20),
        (_tokens(100, 0, 50), Parts(audio_input=30, audio_cache_read=20), 40 + 30 * 0.1 + 20 * 0.5 + 10 * 20),
        (_tokens(100, 0), Parts(audio_input=300), 100 * 20),
        (_tokens(100, 0), Parts(image_input=10), 90 + 10 * 5),
        (_tokens(0, 10), Parts(audio_output=4), 6 * 10 + 4 * 40),
        (_tokens(0, 10), Parts(image_output=4), 10 * 10),
    ],
)
def test_parts_cost_what_their_own_rates_say(tokens: Tokens, parts: Parts, usd: float) -> None:
    """Tokens written for an hour, audio and images are parts of the counts; never more than there are."""
    assert cost_of(tokens, _PARTS, parts) == pytest.approx(usd)


def test_parts_without_a_rate_cost_as_any() -> None:
    """A model of which only one price is known has that price for all."""
    row = PriceRow(CostSource.TABLE, Rate(1.0), Rate(10.0), cache_write=Rate(2.0))
    assert cost_of(_tokens(100, 10, None, 10), row, Parts(4, 30, 5, 0, 3, 2)) == 90 + 10 * 2 + 10 * 10
