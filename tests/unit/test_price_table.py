"""Where prices come from."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from spansieve import price_table
from spansieve.config import ConfigError
from spansieve.measure.llm_call import CostSource, Tokens
from spansieve.measure.pricing import PriceRow, PriceTable, cost_of

_NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_AT = int(_NOW.timestamp())
_NOON_NS = _AT * 10**9


@pytest.fixture(scope="module")
def shipped() -> PriceTable:
    """The prices without an operator's file."""
    return price_table.load(None)


def _row(table: PriceTable, provider: str, model: str) -> PriceRow:
    row = table.find(provider, model, "", _NOON_NS)
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
    """Every price that the package ships becomes a row."""
    source = price_table.shipped_prices()
    snapshot = get_snapshot()
    rows = [source(p.id, m.id, _AT) for p in snapshot.providers for m in p.models if not p.id.startswith("huggingface")]
    assert sum(row is not None for row in rows) > 0.95 * len(rows)


def test_tiers_are_taken_over(shipped: PriceTable) -> None:
    """A model whose price depends on the length of the input has tiers."""
    row = _row(shipped, "gcp.gemini", "gemini-2.5-pro")
    assert row.input is not None
    assert [threshold for threshold, _ in row.input.tiers] == [200_000]


def test_prices_are_those_of_the_time() -> None:
    """An off-peak price holds in its hours only."""
    source = price_table.shipped_prices()
    day = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    assert source("deepseek", "deepseek-v4-pro", int(day + 3 * 3600)) != source(
        "deepseek", "deepseek-v4-pro", int(day + 12 * 3600)
    )


def test_the_package_remembers_nothing_for_us(shipped: PriceTable) -> None:
    """Unknown models do not fill the package's own caches, which have no bound."""
    snapshot = get_snapshot()
    before = len(snapshot._provider_misses), len(snapshot._lookup_cache)
    for n in range(50):
        shipped.find("openai", f"no-such-model-{n}", "", 0)
    assert (len(snapshot._provider_misses), len(snapshot._lookup_cache)) == before


_OVERRIDE = """
prices:
  - provider: openai
    model: GPT-4o
    usd_per_million_tokens: {input: 1, output: 2, cache_read: 0.5}
  - {provider: azure.ai.openai, model: my-deployment, usd_per_million_tokens: {input: 3, output: 4, cache_write: 0}}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_operators_prices_go_first(tmp_path: Path) -> None:
    """The operator's price holds, for the request's model too, before the shipped one for the response's."""
    table = price_table.load(_write(tmp_path, _OVERRIDE))
    row = table.find("openai", "gpt-4o-2024-08-06", "gpt-4o", _NOON_NS)
    assert row is not None
    assert row.source is CostSource.OVERRIDE
    assert cost_of(Tokens(10**6, 10**6, 10**6, None, None), row) == pytest.approx(2.5)


def test_the_shipped_prices_remain(tmp_path: Path) -> None:
    """What the operator does not name keeps its shipped price."""
    table = price_table.load(_write(tmp_path, _OVERRIDE))
    assert _row(table, "openai", "gpt-4o-mini").source is CostSource.TABLE


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[", ["is not valid YAML in line 1"]),
        ("\0", ["is not valid YAML."]),
        ("", ["does not hold one list named prices"]),
        ("prices: []\nmore: 1", ["does not hold one list named prices"]),
        ("prices: [1]", ["prices[0]: it is not a mapping"]),
        ("prices: [{}]", ["provider is missing", "model is missing", "usd_per_million_tokens is missing"]),
        (
            "prices: [{provider: a, model: b, colour: c, usd_per_million_tokens: {input: -1, output: x, extra: 1}}]",
            ["colour is not a key", "extra is not a rate", "input is not a number", "output is not a number"],
        ),
        ("prices: [{provider: a, model: b, usd_per_million_tokens: {input: 1}}]", ["output is missing"]),
        ("prices: [{provider: a, model: b, usd_per_million_tokens: {input: .nan, output: true}}]",
         ["input is not a number", "output is not a number"]),
        (_OVERRIDE.replace("my-deployment", "GPT-4O").replace("azure.ai.", ""), ["provider and model stand twice"]),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused(tmp_path: Path, text: str, problems: list[str]) -> None:
    """Every mistake of the operator's file is told, with the file's name."""
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        price_table.load(path)
    assert len(caught.value.problems) == len(problems)
    for said, expected in zip(caught.value.problems, problems, strict=True):
        assert str(path) in said
        assert expected in said


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that is not there is a mistake of the configuration."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        price_table.load(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A file that is not UTF-8 is a mistake of the configuration."""
    path = tmp_path / "prices.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        price_table.load(path)


def test_a_tiered_fee_is_its_base() -> None:
    """A fee per call does not depend on the input."""
    assert price_table._flat(TieredPrices(base=Decimal(5), tiers=[])) == 5
