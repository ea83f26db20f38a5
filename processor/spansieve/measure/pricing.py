"""What a call costs, from prices per token; a call whose price is not known has no cost, never a cost of 0."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from spansieve.measure.llm_call import CostSource, Parts, Tokens

NO_PARTS: Final = Parts()


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
        if not self.tiers:
            return rate  # nearly always
        for threshold, usd in self.tiers:
            if input_tokens <= threshold:
                break
            rate = usd
        return rate


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The prices of one model at one provider. Tokens that may have a rate of their own, and have none, cost as any.

    `model` is what the source calls it. `context_window` is how many tokens it takes as input, if that is known.
    """

    source: CostSource
    input: Rate | None
    output: Rate | None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    reasoning: Rate | None = None
    per_call: float = 0.0  # USD
    context_window: int | None = None
    model: str = ""
    cache_write_1h: Rate | None = None  # what was written for an hour; cache_write is for minutes
    audio_input: Rate | None = None
    audio_output: Rate | None = None
    audio_cache_read: Rate | None = None
    image_input: Rate | None = None
    image_output: Rate | None = None
    flat: tuple[float, float] | None = field(init=False)  # USD per token of input and output, if neither has tiers

    def __post_init__(self) -> None:
        """Work out `flat`."""
        given, output = self.input, self.output
        flat = None
        if given is not None and output is not None and not (given.tiers or output.tiers):
            flat = given.usd, output.usd
        object.__setattr__(self, "flat", flat)


Prices: TypeAlias = Callable[[int, str], PriceRow]
"""(Unix seconds, service tier) → the row of one model. The tier is in lower case, and empty for the standard one."""

PriceSource: TypeAlias = Callable[[str, str], Prices | None]
"""(provider, model) → the model's prices, or None. The provider is canonical (providers.yaml), the model as sent."""


@dataclass(frozen=True, slots=True)
class ByTier:
    """Prices that are the same at all times in some service tiers, or in all: whoever knows the tier asks once."""

    timeless: Callable[[str], PriceRow | None]
    """Service tier → its row, None where it depends on the time."""
    at: Prices

    def __call__(self, at: int, service_tier: str) -> PriceRow:
        """Return the row, as any Prices do."""
        return self.at(at, service_tier)


def timeless(row: Callable[[str], PriceRow]) -> Prices:
    """Return prices that never change: service tier → row."""
    return ByTier(row, lambda _, service_tier: row(service_tier))


def always(row: PriceRow) -> Prices:
    """Return prices that never change and are the same in all service tiers."""
    return timeless(lambda _: row)


@dataclass(frozen=True, slots=True)
class TableVersion:
    """What tells one price table from another. Empty where it does not apply."""

    version: str = ""  # of the shipped table
    date: str = ""  # the day of its newest dated price, ISO 8601
    override_digest: str = ""  # of the operator's file


NO_VERSION = TableVersion()


def cost_of(tokens: Tokens, row: PriceRow, parts: Parts = NO_PARTS) -> float | None:
    """Return USD, or None when no tokens are known or some of them have no price.

    `parts` of the tokens cost what their own rates say; where they are more than the whole, what fits.
    """
    given, output, cache_read, cache_write, reasoning = tokens
    if given is None and output is None:
        return None
    usd = row.per_call
    if not (cache_read or cache_write or reasoning) and parts is NO_PARTS and (flat := row.flat) is not None:
        return usd + (given or 0) * flat[0] + (output or 0) * flat[1]  # nearly always
    if given:
        if row.input is None:
            return None
        audio_read = min(parts.audio_cache_read, cache_read or 0) if row.audio_cache_read is not None else 0
        hour = min(parts.written_1h, cache_write or 0) if row.cache_write_1h is not None else 0
        usd += _split(
            given,
            row.input,
            (
                (audio_read, row.audio_cache_read),
                ((cache_read or 0) - audio_read, row.cache_read),
                (hour, row.cache_write_1h),
                ((cache_write or 0) - hour, row.cache_write),
                (parts.audio_input - parts.audio_cache_read, row.audio_input),
                (parts.image_input, row.image_input),
            ),
            given,
        )
    if output:
        if row.output is None:
            return None
        usd += _split(
            output,
            row.output,
            (
                (reasoning or 0, row.reasoning),
                (parts.audio_output, row.audio_output),
                (parts.image_output, row.image_output),
            ),
            given or 0,
        )
    return usd


def _split(tokens: int, rate: Rate, parts: Sequence[tuple[int, Rate | None]], input_tokens: int) -> float:
    """Return USD of tokens at a rate, of which parts that have a rate of their own cost that instead."""
    usd = 0.0
    for part, own in parts:
        if part > 0 and own is not None:
            apart = min(part, tokens)
            tokens -= apart
            usd += apart * own.at(input_tokens)
    return usd + tokens * rate.at(input_tokens)


class PriceTable:
    """Prices by provider and model, remembered, known and unknown ones alike, for at most `capacity` questions.

    The bound matters: model names come from outside. `sources` are asked in order, each for the response's model first,
    since that is what was billed, then for the request's.
    """

    def __init__(
        self, sources: Sequence[PriceSource], version: TableVersion = NO_VERSION, capacity: int = 4096
    ) -> None:
        self._sources = tuple(sources)
        self.version = version
        self._prices = lru_cache(maxsize=capacity)(self._resolve)

    def take_over(self, other: "PriceTable") -> None:
        """Answer by another table's sources from now on: what a reload read."""
        self._sources = other._sources  # noqa: SLF001 - of the same class
        self.version = other.version
        self._prices.cache_clear()

    def of(self, provider: str, response_model: str, request_model: str) -> Prices | None:
        """Return a model's prices, or None when no source knows the model."""
        return self._prices(provider, response_model, request_model)

    def find(
        self, provider: str, response_model: str, request_model: str, at_ns: int, service_tier: str = ""
    ) -> PriceRow | None:
        """Return the row that held at a time (Unix nanoseconds), or None when no source knows the model."""
        prices = self.of(provider, response_model, request_model)
        return None if prices is None else prices(at_ns // 10**9, service_tier)

    def _resolve(self, provider: str, response_model: str, request_model: str) -> Prices | None:
        for source in self._sources:
            for model in dict.fromkeys((response_model, request_model)):
                if model and (prices := source(provider, model)) is not None:
                    return prices
        return None
