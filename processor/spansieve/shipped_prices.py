"""Prices from the data that the genai-prices package carries. Nothing is fetched: they are as new as the package.

The package's own look-up is not used: it remembers unknown models without bound.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from importlib import metadata
from typing import NamedTuple

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices

from spansieve import strict_yaml
from spansieve.measure.llm_call import CostSource
from spansieve.measure.pricing import ByTier, PriceRow, Prices, PriceSource, Rate, always

_MILLION = 10**6
_PERIOD_SECONDS = 1800
"""Prices change at most this often: off-peak prices begin and end at half hours."""

_ROWS_OF_A_MODEL = 64


class Shipped(NamedTuple):
    """One model of the table: its provider by the package's id, and its prices at a time."""

    provider: str
    row: PriceRow


def source() -> PriceSource:
    """Return the package's prices as a source; a question costs 0.1 to 1 ms, so remember answers.

    Loading takes about 0.3 s and 30 MB.
    """
    providers = get_snapshot().providers
    by_id = {provider.id: provider for provider in providers}
    ids = _ids()
    prices_of: dict[int, Prices] = {}  # by identity: many names are one model, and models live as long as the package

    def find(provider: str, model: str) -> Prices | None:
        known = by_id.get(ids.get(provider, provider))
        found = _model(known, model, providers) if known is not None else None
        if known is None or found is None:
            return None
        if id(found) not in prices_of:
            # A model that another provider's list lent has the standard price only: variants are its owner's.
            prices_of[id(found)] = _prices(found, has_variants=any(found is each for each in known.models))
        return prices_of[id(found)]

    return find


def every(at: int) -> Iterator[Shipped]:
    """Yield all models with the prices of a time (Unix seconds), in the package's order."""
    moment = datetime.fromtimestamp(at, UTC)
    for provider in get_snapshot().providers:
        for model in provider.models:
            yield Shipped(provider.id, _row(model, model.get_prices(moment)))


def version(today: date) -> tuple[str, str]:
    """Return the package's version, and the day of the newest dated price that holds already (ISO 8601)."""
    days: set[date] = set()
    for provider in get_snapshot().providers:
        for model in provider.models:
            dated = [*(model.price_variants or ())]
            if not isinstance(model.prices, ModelPrice):
                dated += model.prices
            days |= {each.constraint.start_date for each in dated if isinstance(each.constraint, StartDateConstraint)}
    newest = max((day for day in days if day <= today), default=None)
    return metadata.version("genai-prices"), newest.isoformat() if newest else ""


@cache  # the package's data do not change
def _ids() -> Mapping[str, str]:
    found: Mapping[str, str] = strict_yaml.shipped("spansieve", "price_providers.yaml")
    return found


def provider_names() -> Mapping[str, str]:
    """Return the canonical name of each of the package's providers: its id → gen_ai.provider.name."""
    canonical: dict[str, str] = {}
    for name, known in _ids().items():
        canonical.setdefault(known, name)
    return {provider.id: canonical.get(provider.id, provider.id) for provider in get_snapshot().providers}


def _model(provider: Provider, model: str, providers: list[Provider]) -> ModelInfo | None:
    for spelling in spellings(model):
        if (found := provider.find_model(spelling, all_providers=providers)) is not None:
            return found
    return None


def spellings(model: str) -> list[str]:
    """Return a model as sent, then without what clouds and proxies put before and behind its name."""
    # models/gemini-…, publishers/google/models/gemini-…, openai/gpt-…, arn:aws:bedrock:…:inference-profile/us.…
    shorter = [model, model.rpartition("models/")[2], model.rpartition("/")[2]]
    # Vertex AI's claude-opus-4-1@20250805 is claude-opus-4-1-20250805 elsewhere.
    shorter += [spelling.replace("@", "-") for spelling in shorter]
    return [spelling for spelling in dict.fromkeys(shorter) if spelling]


def _prices(model: ModelInfo, *, has_variants: bool) -> Prices:
    variants = (model.price_variants or []) if has_variants else []
    if isinstance(model.prices, ModelPrice) and not variants:
        return always(_row(model, model.prices))
    # The tiers that make a difference; what others call their standard tier does not.
    tiers = frozenset(value for variant in variants for value in variant.when.values())

    @lru_cache(maxsize=_ROWS_OF_A_MODEL)
    def row(period: int, tier: str) -> PriceRow:
        moment = datetime.fromtimestamp(period * _PERIOD_SECONDS, UTC)
        context = {"service_tier": tier, "processing": tier, "speed": tier} if tier else None
        return _row(model, model.get_prices(moment, context))

    def prices(at: int, service_tier: str) -> PriceRow:
        return row(at // _PERIOD_SECONDS, service_tier if service_tier in tiers else "")

    if not isinstance(model.prices, ModelPrice):
        return prices
    dated = frozenset(value for variant in variants if variant.constraint for value in variant.when.values())
    return ByTier(lambda tier: None if tier in dated else prices(0, tier), prices)


def _row(model: ModelInfo, prices: ModelPrice) -> PriceRow:
    return PriceRow(
        CostSource.TABLE,
        _rate(prices.input_mtok),
        _rate(prices.output_mtok),
        _rate(prices.cache_read_mtok),
        _rate(prices.cache_write_mtok),
        _rate(prices.output_reasoning_mtok),
        float(_flat(prices.requests_kcount)) / 1000,
        model.context_window,
        model.id,
        _rate(prices.cache_write_1h_mtok),
        _rate(prices.input_audio_mtok),
        _rate(prices.output_audio_mtok),
        _rate(prices.cache_audio_read_mtok),
        _rate(prices.input_image_mtok),
        _rate(prices.output_image_mtok),
    )


def _rate(price: Decimal | TieredPrices | None) -> Rate | None:
    match price:
        case None:
            return None
        case TieredPrices():
            tiers = tuple((tier.start, float(tier.price) / _MILLION) for tier in price.tiers)
            return Rate(float(price.base) / _MILLION, tiers)
        case _:
            return Rate(float(price) / _MILLION)


def _flat(price: Decimal | TieredPrices | None) -> Decimal:
    return price.base if isinstance(price, TieredPrices) else price or Decimal(0)
