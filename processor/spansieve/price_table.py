"""The price table: the operator's file first, then the shipped prices.

The operator's file:

    prices:
      - provider: azure.ai.openai      # gen_ai.provider.name as it stands in the metrics; left out: any provider
        model: my-deployment           # the response's or the request's model, in any case, also without what stands
                                       # before it in openai/gpt-4o, models/gemini-… or an ARN
        usd_per_million_tokens:
          input: 2.50
          output: 10.00
          cache_read: 1.25             # may be left out, as all that follow: such tokens cost what any cost
          cache_write: 3.125
          cache_write_1h: 5.00         # what is kept for an hour
          reasoning: 10.00
          audio_input: 40.00           # also audio_output, audio_cache_read, image_input and image_output
        above_input_tokens:            # calls with a longer input pay these rates for all of it; may be left out
          - {tokens: 200000, input: 5.00, output: 15.00}
        usd_per_call: 0.005            # may be left out
        context_window: 128000         # may be left out
      - provider: azure.ai.openai      # the same model in another service tier
        model: my-deployment
        service_tier: batch
        usd_per_million_tokens: {input: 1.25, output: 5.00}
    aliases:                           # a model that is priced as another
      - {provider: azure.ai.openai, model: their-deployment, price_of: {provider: openai, model: gpt-4o}}
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spansieve import shipped_prices, strict_yaml
from spansieve.config import ConfigError
from spansieve.config_problems import sentences
from spansieve.measure.llm_call import CostSource
from spansieve.measure.pricing import PriceRow, Prices, PriceSource, PriceTable, Rate, TableVersion, timeless
from spansieve.strict_yaml import NotYaml

_T = TypeVar("_T")

_MILLION = 10**6
_EXAMPLE = {"provider": "openai", "model": "my-model", "usd_per_million_tokens": {"input": 2.5, "output": 10}}

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True, examples=[2.5])]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rates(_Section):
    """USD for a million tokens."""

    input: Usd
    output: Usd
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    audio_input: Usd | None = None
    audio_output: Usd | None = None
    audio_cache_read: Usd | None = None
    image_input: Usd | None = None
    image_output: Usd | None = None


class Above(Rates):
    """The rates of calls whose input is longer than so many tokens."""

    tokens: int = Field(gt=0, strict=True, examples=[200000])


class Entry(_Section):
    """The prices of one model in one service tier."""

    provider: str = Field(default="", description="Canonical; empty for any provider.", examples=["openai"])
    model: str = Field(min_length=1, examples=["my-model"])
    service_tier: str = Field(default="", examples=["batch"])
    usd_per_million_tokens: Rates = Field(examples=[{"input": 2.5, "output": 10}])
    above_input_tokens: tuple[Above, ...] = ()
    usd_per_call: Usd = 0.0
    context_window: int | None = Field(default=None, gt=0, strict=True, examples=[128000])

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        tokens = [above.tokens for above in self.above_input_tokens]
        if tokens != sorted(set(tokens)):
            raise ValueError("has above_input_tokens whose tokens do not ascend: put the smallest first")
        return self


class Target(_Section):
    """Which model's prices hold."""

    provider: str = Field(min_length=1, examples=["openai"])
    model: str = Field(min_length=1, examples=["gpt-4o"])


class Alias(_Section):
    """A model that is priced as another."""

    provider: str = Field(default="", description="Canonical; empty for any provider.", examples=["azure.ai.openai"])
    model: str = Field(min_length=1, examples=["my-deployment"])
    price_of: Target = Field(examples=[{"provider": "openai", "model": "gpt-4o"}])


class PriceFile(_Section):
    """The operator's file."""

    prices: tuple[Entry, ...] = Field(default=(), examples=[[_EXAMPLE]])
    aliases: tuple[Alias, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        standard = {(entry.provider, entry.model.lower()) for entry in self.prices if not entry.service_tier}
        named: set[tuple[str, str, str]] = set()
        keys = [(entry.provider, entry.model.lower(), entry.service_tier.lower()) for entry in self.prices]
        keys += [(alias.provider, alias.model.lower(), "") for alias in self.aliases]
        for key in keys:
            provider, model, tier = key
            where = f"{model} of {provider or 'any provider'}"
            if key in named:
                raise ValueError(f"names {where} twice: each model has one price in a service tier")
            if tier and key[:2] not in standard:
                raise ValueError(
                    f"has a price of {where} for the service tier {tier} alone: add an entry without service_tier"
                )
            named.add(key)
        return self


def load(override: Path | None) -> PriceTable:
    """Return the price table; `override` is the operator's file. Raises ConfigError with every problem of it.

    Takes about 0.3 s and 30 MB, which the shipped data need.
    """
    shipped = shipped_prices.source()
    version, day = shipped_prices.version(datetime.now(UTC).date())
    if override is None:
        return PriceTable([shipped], TableVersion(version, day))
    text = _read(override)
    file = parse(text, str(override))
    own = _entries(file, shipped)
    if lost := [each for each in file.aliases if not _priced(each.price_of, (own, shipped))]:
        raise ConfigError(
            [
                f"{override}: aliases: {each.model} is priced as {each.price_of.model} of {each.price_of.provider}, "
                "of which no price is known. Give one under prices, or see `spansieve prices list`."
                for each in lost
            ]
        )
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return PriceTable([own, _aliases(file, (own, shipped)), shipped], TableVersion(version, day, digest))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path} cannot be read: {why}."]) from None


def parse(text: str, name: str) -> PriceFile:
    """Check the text of the operator's file, called `name` in problems. Raises ConfigError with every problem found."""
    try:
        tree = strict_yaml.load(text)
    except NotYaml as error:
        raise ConfigError([f"{name} is {error}."]) from None
    if not isinstance(tree, dict):
        raise ConfigError([f"{name} does not hold prices or aliases. Example: prices: [{_example()}]"])
    try:
        return PriceFile.model_validate(tree)
    except ValidationError as error:
        raise ConfigError([f"{name}: {sentence}" for sentence in sentences(error, PriceFile)]) from None


def _example() -> str:
    return yaml.safe_dump(_EXAMPLE, default_flow_style=True, width=1000).strip()


def providers(override: Path) -> list[str]:
    """Return the providers that the operator's file names. Raises ConfigError with every problem of the file."""
    file = parse(_read(override), str(override))
    named = [entry.provider for entry in file.prices] + [alias.provider for alias in file.aliases]
    return list(dict.fromkeys(named))


def _entries(file: PriceFile, shipped: PriceSource) -> PriceSource:
    entries: dict[tuple[str, str], dict[str, Entry]] = {}
    for entry in file.prices:
        entries.setdefault((entry.provider, entry.model.lower()), {})[entry.service_tier.lower()] = entry

    def source(provider: str, model: str) -> Prices | None:
        by_tier = _named(entries, provider, model)
        if by_tier is None:
            return None
        known = shipped(provider, model)
        window = known(0, "").context_window if known else None
        rows = {tier: _row(entry, window) for tier, entry in by_tier.items()}

        return timeless(lambda tier: rows.get(tier) or rows[""])

    return source


def _named(table: Mapping[tuple[str, str], _T], provider: str, model: str) -> _T | None:
    """What stands under a model's name as sent, or else without what clouds and proxies put before it."""
    for spelling in shipped_prices.spellings(model.lower()):
        for key in ((provider, spelling), ("", spelling)):
            if key in table:
                return table[key]
    return None


def _row(entry: Entry, window: int | None) -> PriceRow:
    return PriceRow(
        CostSource.OVERRIDE,
        _rate(entry, "input"),
        _rate(entry, "output"),
        _rate(entry, "cache_read"),
        _rate(entry, "cache_write"),
        _rate(entry, "reasoning"),
        entry.usd_per_call,
        entry.context_window or window,
        entry.model,
        *(_rate(entry, kind) for kind in _APART),
    )


_APART = ("cache_write_1h", "audio_input", "audio_output", "audio_cache_read", "image_input", "image_output")
_OF_OUTPUT = frozenset({"reasoning", "audio_output", "image_output"})


def _rate(entry: Entry, kind: str) -> Rate | None:
    base: float | None = getattr(entry.usd_per_million_tokens, kind)
    if base is None:
        return None
    tiers: list[tuple[int, float]] = []
    for above in entry.above_input_tokens:
        usd: float | None = getattr(above, kind)
        if usd is None:  # as below the bound: cached tokens are input, and reasoning is output
            usd = above.output if kind in _OF_OUTPUT else above.input
        tiers.append((above.tokens, usd / _MILLION))
    return Rate(base / _MILLION, tuple(tiers))


def _aliases(file: PriceFile, sources: tuple[PriceSource, ...]) -> PriceSource:
    targets = {(alias.provider, alias.model.lower()): alias.price_of for alias in file.aliases}

    def source(provider: str, model: str) -> Prices | None:
        target = _named(targets, provider, model)
        if target is None:
            return None
        return _priced(target, sources)

    return source


def _priced(target: Target, sources: tuple[PriceSource, ...]) -> Prices | None:
    found = (each(target.provider, target.model) for each in sources)
    return next((prices for prices in found if prices is not None), None)
