"""Where prices come from: the operator's file first, then the data that the genai-prices package carries.

The operator's file:

    prices:
      - provider: azure.ai.openai      # gen_ai.provider.name as it stands in the metrics
        model: my-deployment           # the response's or the request's model, in any case
        usd_per_million_tokens:
          input: 2.50
          output: 10.00
          cache_read: 1.25             # may be left out, as cache_write: cached tokens then cost what input costs
          cache_write: 0

Nothing is fetched: the package's prices are as new as the package.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from spansieve.config import ConfigError
from spansieve.measure.llm_call import CostSource
from spansieve.measure.pricing import PriceRow, PriceSource, PriceTable, Rate

_MILLION = 10**6
_RATES = ("input", "output", "cache_read", "cache_write")
_KEYS = frozenset({"provider", "model", "usd_per_million_tokens"})
_EXAMPLE = "Example: {provider: openai, model: my-model, usd_per_million_tokens: {input: 2.5, output: 10}}"


def load(override: Path | None) -> PriceTable:
    """Return the price table; `override` is the operator's file.

    Takes about 0.3 s and 30 MB, which the package's data needs. Raises ConfigError with every problem of the file.
    """
    shipped = shipped_prices()
    return PriceTable([shipped] if override is None else [read_override(override), shipped])


def read_override(path: Path) -> PriceSource:
    """Read the operator's file. Raises ConfigError with every problem found."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path} cannot be read: {why}."]) from None
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        raise ConfigError([f"{path} is not valid YAML{f' in line {mark.line + 1}' if mark else ''}."]) from None
    entries = tree.get("prices") if isinstance(tree, dict) and len(tree) == 1 else None
    if not isinstance(entries, list):
        raise ConfigError([f"{path} does not hold one list named prices. {_EXAMPLE}"])
    rows: dict[tuple[str, str], PriceRow] = {}
    problems: list[str] = []
    for position, entry in enumerate(entries):
        found = _problems(entry)
        if not found:
            key = entry["provider"], entry["model"].lower()
            if key in rows:
                found = ["the provider and model stand twice"]
            rows[key] = _override_row(entry["usd_per_million_tokens"])
        problems += [f"{path}: prices[{position}]: {problem}. {_EXAMPLE}" for problem in found]
    if problems:
        raise ConfigError(problems)

    def source(provider: str, model: str, _at: int) -> PriceRow | None:
        return rows.get((provider, model.lower()))

    return source


def _problems(entry: Any) -> list[str]:  # noqa: ANN401 - whatever the YAML held
    if not isinstance(entry, dict):
        return ["it is not a mapping"]
    found = [f"{key} is not a key of a price" for key in entry if key not in _KEYS]
    found += [f"{key} is missing" for key in ("provider", "model") if not isinstance(entry.get(key), str)]
    rates = entry.get("usd_per_million_tokens")
    if not isinstance(rates, dict):
        return [*found, "usd_per_million_tokens is missing"]
    found += [f"{name} is not a rate: there are {', '.join(_RATES)}" for name in rates if name not in _RATES]
    found += [f"{name} is missing" for name in ("input", "output") if name not in rates]
    return found + [
        f"{name} is not a number of 0 or more" for name, usd in rates.items() if name in _RATES and not _is_price(usd)
    ]


def _is_price(usd: object) -> bool:
    return isinstance(usd, int | float) and not isinstance(usd, bool) and 0 <= usd < math.inf


def _override_row(rates: Mapping[str, float]) -> PriceRow:
    rows = {name: Rate(usd / _MILLION) for name, usd in rates.items()}
    return PriceRow(CostSource.OVERRIDE, rows["input"], rows["output"], rows.get("cache_read"), rows.get("cache_write"))


def shipped_prices() -> PriceSource:
    """Return the genai-prices package's bundled data as a source; a question costs 0.1 to 1 ms, so remember answers.

    The package's own look-up is not used: it remembers unknown models without bound.
    """
    providers = get_snapshot().providers
    by_id = {provider.id: provider for provider in providers}
    ids: Mapping[str, str] = yaml.safe_load(
        files("spansieve").joinpath("price_providers.yaml").read_text(encoding="utf-8")
    )

    def source(provider: str, model: str, at: int) -> PriceRow | None:
        known = by_id.get(ids.get(provider, provider))
        if known is None:
            return None
        found = _model(known, model, providers)
        return _shipped_row(found.get_prices(datetime.fromtimestamp(at, UTC))) if found else None

    return source


def _model(provider: Provider, model: str, providers: list[Provider]) -> ModelInfo | None:
    """Find a model as sent, then without what clouds and proxies put before its name."""
    # models/gemini-…, publishers/google/models/gemini-…, openai/gpt-…
    spellings = dict.fromkeys((model, model.rpartition("models/")[2], model.rpartition("/")[2]))
    for spelling in spellings:
        if spelling and (found := provider.find_model(spelling, all_providers=providers)) is not None:
            return found
    return None


def _shipped_row(prices: ModelPrice) -> PriceRow:
    return PriceRow(
        CostSource.TABLE,
        _rate(prices.input_mtok),
        _rate(prices.output_mtok),
        _rate(prices.cache_read_mtok),
        _rate(prices.cache_write_mtok),
        _rate(prices.output_reasoning_mtok),
        float(_flat(prices.requests_kcount)) / 1000,
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
