"""What a call costs, from prices per token; a call whose price is not known has no cost, never a cost of 0."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from spansieve.measure.llm_call import CostSource, Tokens

PERIOD_NS = 1800 * 10**9
"""Prices change at most this often (nanoseconds): off-peak prices begin and end at half hours."""


@dataclass(frozen=True, slots=True)
class Rate:
    """USD per token. `tiers` are (threshold, USD per token), ascending.

    Above a threshold of input tokens the whole call pays that tier's rate, as Anthropic, Google and OpenAI bill.
    """

    usd: float
    tiers: tuple[tuple[int, float], ...] = ()

    def at(self, input_tokens: int) -> float:
        """Return USD per token for a call of so many input tokens."""
        rate = self.usd
        for threshold, usd in self.tiers:
            if input_tokens <= threshold:
                break
            rate = usd
        return rate


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The prices of one model at one provider. Cached and reasoning tokens without a rate of their own cost as any."""

    source: CostSource
    input: Rate | None
    output: Rate | None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    reasoning: Rate | None = None
    per_call: float = 0.0  # USD


PriceSource: TypeAlias = Callable[[str, str, int], PriceRow | None]
"""(provider, model, Unix seconds) → the row that held then, or None. The provider is canonical, the model as sent."""


def cost_of(tokens: Tokens, row: PriceRow) -> float | None:
    """Return USD, or None when no tokens are known or some of them have no price."""
    if tokens.input is None and tokens.output is None:
        return None
    given, output = tokens.input or 0, tokens.output or 0
    if (given and row.input is None) or (output and row.output is None):
        return None
    usd = row.per_call
    if given and row.input is not None:
        plain = given
        rate = row.input.at(given)
        for cached, cached_rate in ((tokens.cache_read, row.cache_read), (tokens.cache_write, row.cache_write)):
            if cached and cached_rate is not None:
                plain -= cached
                usd += cached * cached_rate.at(given)
        usd += plain * rate
    if output and row.output is not None:
        reasoning = min(tokens.reasoning or 0, output) if row.reasoning is not None else 0
        usd += (output - reasoning) * row.output.at(given)
        if row.reasoning is not None:
            usd += reasoning * row.reasoning.at(given)
    return usd


class PriceTable:
    """Price rows by provider and model, remembered, known and unknown ones alike, for at most `capacity` questions.

    The bound matters: model names come from outside. `sources` are asked in order, each for the response's model first,
    since that is what was billed, then for the request's.
    """

    def __init__(self, sources: Sequence[PriceSource], capacity: int = 4096) -> None:
        self._sources = tuple(sources)
        self._remembered = lru_cache(maxsize=capacity)(self._resolve)

    def find(self, provider: str, response_model: str, request_model: str, at_ns: int) -> PriceRow | None:
        """Return the row that held at a time (Unix nanoseconds), or None when no source knows the model."""
        return self._remembered(provider, response_model, request_model, at_ns // PERIOD_NS)

    def _resolve(self, provider: str, response_model: str, request_model: str, period: int) -> PriceRow | None:
        at = period * PERIOD_NS // 10**9
        for source in self._sources:
            for model in dict.fromkeys((response_model, request_model)):
                if model and (row := source(provider, model, at)) is not None:
                    return row
        return None
