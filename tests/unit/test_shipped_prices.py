"""The prices of the genai-prices package."""

from datetime import UTC, date, datetime
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from spansieve import shipped_prices
from spansieve.measure.llm_call import Tokens
from spansieve.measure.pricing import ByTier, PriceRow, PriceTable, cost_of

_NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_AT = int(_NOW.timestamp())
_NOON_NS = _AT * 10**9


@pytest.fixture(scope="module")
def shipped() -> PriceTable:
    """The prices without an operator's file."""
    return PriceTable([shipped_prices.source()])


def _row(table: PriceTable, provider: str, model: str, tier: str = "") -> PriceRow:
    row = table.find(provider, model, "", _NOON_NS, tier)
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("provider", "model", "hoster"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", "openai"),
        ("openai", "GPT-4o", "openai"),
        ("openai", "o3-mini", "openai"),
        ("openai", "text-embedding-3-small", "openai"),
        ("anthropic", "claude-sonnet-4-5-20250929", "anthropic"),
        ("anthropic", "claude-3-5-haiku-latest", "anthropic"),
        ("gcp.gemini", "gemini-2.5-pro", "google"),
        ("mistral_ai", "mistral-large-latest", "mistral"),
        ("x_ai", "grok-3", "x-ai"),
        ("azure.ai.openai", "gpt-4o", "azure"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", "aws"),
        ("groq", "llama-3.3-70b-versatile", "groq"),
        ("deepseek", "deepseek-chat", "deepseek"),
        ("perplexity", "sonar", "perplexity"),
        ("perplexity", "sonar-deep-research", "perplexity"),
    ],
)
@pytest.mark.parametrize("counts", [(1000, 500, None), (300_000, 10, None), (1000, 0, 400)])
def test_costs_are_those_of_the_package(
    shipped: PriceTable, provider: str, model: str, hoster: str, counts: tuple[int, int, int | None]
) -> None:
    """Our cost is what the package itself computes, tiers, cached tokens and fees included."""
    given, output, cached = counts
    row = _row(shipped, provider, model)
    if row.output is None:
        output = 0
    usage = genai_prices.Usage(input_tokens=given, output_tokens=output, cache_read_tokens=cached)
    expected = genai_prices.calc_price(usage, model, provider_id=hoster, genai_request_timestamp=_NOW).total_price
    assert cost_of(Tokens(given, output, cached, None, None), row) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("provider", "model", "same_provider", "same_model"),
    [
        ("gcp.gemini", "models/gemini-2.5-flash", "gcp.gemini", "gemini-2.5-flash"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-flash", "gcp.gemini", "gemini-2.5-flash"),
        ("gcp.gen_ai", "gemini-2.5-flash", "gcp.gemini", "gemini-2.5-flash"),
        ("openai", "openai/gpt-4o", "openai", "gpt-4o"),
        ("azure.ai.inference", "gpt-4o", "azure.ai.openai", "gpt-4o"),
        ("gcp.vertex_ai", "claude-sonnet-4@20250514", "gcp.vertex_ai", "claude-sonnet-4-20250514"),
        ("aws.bedrock", "eu.amazon.nova-pro-v1:0", "aws.bedrock", "us.amazon.nova-pro-v1:0"),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "aws.bedrock",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        ),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme:support:abc", "openai", "ft:gpt-4o-mini-2024-07-18:other::x"),
    ],
)
def test_spellings_of_a_model(
    shipped: PriceTable, provider: str, model: str, same_provider: str, same_model: str
) -> None:
    """What clouds and proxies put before a model's name does not hide its price."""
    assert _row(shipped, provider, model) == _row(shipped, same_provider, same_model)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "my-secret-model"),
        ("openai", "ft:gpt-4.1-2025-04-14:acme::abc"),
        ("my-own-vllm", "gpt-4o"),
        ("openai-compatible-proxy", "gpt-4o"),
        ("", "gpt-4o"),
        ("ibm.watsonx.ai", "granite"),
        ("openai", ""),
        ("openai", "/"),
        ("openai", "models/"),
    ],
)
def test_unknown_models_have_no_price(shipped: PriceTable, provider: str, model: str) -> None:
    """An unknown provider or model has no price; it is not guessed from a similar one."""
    assert shipped.find(provider, model, model, _NOON_NS) is None


def test_the_whole_package_is_readable() -> None:
    """Every price that the package ships becomes a row, under its canonical provider."""
    source = shipped_prices.source()
    names = shipped_prices.provider_names()
    models = [(p.id, m.id) for p in get_snapshot().providers for m in p.models if not p.id.startswith("huggingface")]
    found = [source(names[provider], model) for provider, model in models]
    assert sum(prices is not None and prices(_AT, "") is not None for prices in found) > 0.95 * len(models)
    assert len(list(shipped_prices.every(_AT))) == sum(len(p.models) for p in get_snapshot().providers)


def test_tiers_are_taken_over(shipped: PriceTable) -> None:
    """A model whose price depends on the length of the input has tiers."""
    row = _row(shipped, "gcp.gemini", "gemini-2.5-pro")
    assert row.input is not None
    assert [threshold for threshold, _ in row.input.tiers] == [200_000]


def test_prices_are_those_of_the_time() -> None:
    """An off-peak price holds in its hours only."""
    prices = shipped_prices.source()("deepseek", "deepseek-v4-pro")
    day = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp())
    assert prices is not None
    assert prices(day + 3 * 3600, "") != prices(day + 12 * 3600, "")


@pytest.mark.parametrize(
    ("tier", "context"),
    [
        ("priority", {"service_tier": "priority"}),
        ("batch", {"processing": "batch"}),
        ("default", None),
        ("no-such-tier", None),
    ],
)
def test_service_tiers(shipped: PriceTable, tier: str, context: dict[str, str] | None) -> None:
    """A service tier has its own prices where the package knows some, and else the standard ones."""
    usage = genai_prices.Usage(input_tokens=1000, output_tokens=500)
    expected = genai_prices.calc_price(
        usage, "gpt-4o", provider_id="openai", genai_request_timestamp=_NOW, price_context=context
    ).total_price
    found = cost_of(Tokens(1000, 500, None, None, None), _row(shipped, "openai", "gpt-4o", tier))
    assert found == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("tier", ["", "no-such-tier", "batch", "priority"])
def test_prices_that_never_change_say_so(tier: str) -> None:
    """They may be asked once for all calls of a service tier; a tier whose prices hold from a day on may not."""
    prices = shipped_prices.source()("openai", "gpt-4o")
    assert isinstance(prices, ByTier)
    assert prices.timeless(tier) == (None if tier in {"batch", "priority"} else prices(_AT, tier))


@pytest.mark.parametrize("tier", ["", "batch"])
def test_prices_of_a_time_of_day_are_never_timeless(tier: str) -> None:
    """A model whose standard price changes is asked for each call."""
    prices = shipped_prices.source()("deepseek", "deepseek-v4-pro")
    assert not isinstance(prices, ByTier) or prices.timeless(tier) is None


def test_unknown_service_tiers_take_no_memory() -> None:
    """Tiers that make no difference share the standard tier's row."""
    prices = shipped_prices.source()("openai", "gpt-4o")
    assert prices is not None
    assert len({id(prices(_AT, f"tier-{n}")) for n in range(100)}) == 1


@pytest.mark.parametrize(
    ("provider", "model", "window"),
    [("openai", "gpt-4o", 128_000), ("anthropic", "claude-3-5-haiku-latest", 200_000), ("mistral_ai", "no", None)],
)
def test_context_windows(shipped: PriceTable, provider: str, model: str, window: int | None) -> None:
    """A row says how many tokens its model takes, where the package does."""
    row = shipped.find(provider, model, "", _NOON_NS)
    assert (row.context_window if row else None) == window


def test_the_version_names_the_newest_price_that_holds() -> None:
    """The date is that of the newest dated price up to the day that is asked for."""
    version, day = shipped_prices.version(date(2026, 11, 1))
    assert version == genai_prices.__version__
    assert "2026-01-01" <= day <= "2026-11-01"
    assert shipped_prices.version(date(2000, 1, 1))[1] == ""


def test_the_package_remembers_nothing_for_us(shipped: PriceTable) -> None:
    """Unknown models do not fill the package's own caches, which have no bound."""
    snapshot = get_snapshot()
    before = len(snapshot._provider_misses), len(snapshot._lookup_cache)
    for n in range(50):
        shipped.find("openai", f"no-such-model-{n}", "", 0)
    assert (len(snapshot._provider_misses), len(snapshot._lookup_cache)) == before


def test_a_tiered_fee_is_its_base() -> None:
    """A fee per call does not depend on the input."""
    assert shipped_prices._flat(TieredPrices(base=Decimal(5), tiers=[])) == 5


def test_a_fine_tuned_model_costs_more_than_its_base(shipped: PriceTable) -> None:
    """A fine-tuned model has its own price, not that of the model beneath it."""
    tuned, base = _row(shipped, "openai", "ft:gpt-4o-mini-2024-07-18:acme::x"), _row(shipped, "openai", "gpt-4o-mini")
    assert tuned.input is not None
    assert base.input is not None
    assert tuned.input.usd > base.input.usd
