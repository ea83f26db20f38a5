"""The operator's prices before the shipped ones."""

import textwrap
from pathlib import Path

import pytest

from spansieve import price_table
from spansieve.config import ConfigError
from spansieve.measure.llm_call import CostSource, Parts, Tokens
from spansieve.measure.pricing import PriceRow, PriceTable, cost_of

_GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "llm-metrics.md"
_NOON_NS = 1_793_534_400 * 10**9
_OVERRIDE = """
prices:
  - provider: openai
    model: GPT-4o
    usd_per_million_tokens: {input: 1, output: 2, cache_read: 0.5}
    above_input_tokens: [{tokens: 1000000, input: 10, output: 20, cache_read: 5}]
  - {provider: openai, model: gpt-4o, service_tier: Batch, usd_per_million_tokens: {input: 0.5, output: 1}}
  - {provider: azure.ai.openai, model: my-deployment, usd_per_million_tokens: {input: 3, output: 4, cache_write: 0},
     usd_per_call: 0.25, context_window: 1000}
  - {model: llama-at-home, usd_per_million_tokens: {input: 0, output: 0}}
aliases:
  - {provider: azure.ai.openai, model: fast, price_of: {provider: openai, model: gpt-4o-mini}}
  - {provider: azure.ai.openai, model: own, price_of: {provider: openai, model: gpt-4o}}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path: Path) -> PriceTable:
    """The shipped prices behind an operator's file."""
    return price_table.load(_write(tmp_path, _OVERRIDE))


def _row(table: PriceTable, provider: str, model: str, tier: str = "") -> PriceRow:
    row = table.find(provider, model, "", _NOON_NS, tier)
    assert row is not None
    return row


def test_the_operators_prices_go_first(table: PriceTable) -> None:
    """The operator's price holds, for the request's model too, before the shipped one for the response's."""
    row = table.find("openai", "gpt-4o-2024-08-06", "gpt-4o", _NOON_NS)
    assert row is not None
    assert row.source is CostSource.OVERRIDE
    assert cost_of(Tokens(10**6, 10**6, 10**6, None, None), row) == pytest.approx(2.5)


def test_a_long_input_pays_its_own_rates(table: PriceTable) -> None:
    """Above the operator's threshold the whole call pays the rates that stand there."""
    assert cost_of(Tokens(2 * 10**6, 10**6, None, None, None), _row(table, "openai", "gpt-4o")) == pytest.approx(40)


def test_a_long_input_pays_reasoning_as_output_where_nothing_else_is_said(tmp_path: Path) -> None:
    """Reasoning has a rate of its own below the bound, and none above it: there it costs what output costs."""
    text = """
prices:
  - model: m
    usd_per_million_tokens: {input: 1, output: 2, reasoning: 3}
    above_input_tokens: [{tokens: 10, input: 5, output: 7}]
"""
    row = _row(price_table.load(_write(tmp_path, text)), "", "m")
    assert cost_of(Tokens(0, 10**6, None, None, 10**6), row) == pytest.approx(3)
    assert cost_of(Tokens(20, 10**6, None, None, 10**6), row) == pytest.approx(7, abs=0.001)


@pytest.mark.parametrize(("tier", "usd"), [("", 1.0), ("batch", 0.5), ("flex", 1.0)])
def test_a_service_tier_may_have_its_own_prices(table: PriceTable, tier: str, usd: float) -> None:
    """An entry for a tier holds in that tier, and the one without in all others."""
    assert cost_of(Tokens(10**6, 0, None, None, None), _row(table, "openai", "gpt-4o", tier)) == pytest.approx(usd)


def test_a_fee_and_a_window(table: PriceTable) -> None:
    """A fee for each call and the context window are the operator's, too."""
    row = _row(table, "azure.ai.openai", "my-deployment")
    assert (row.per_call, row.context_window) == (0.25, 1000)


def test_the_shipped_window_remains(table: PriceTable) -> None:
    """An entry without a window has that of the shipped table."""
    assert _row(table, "openai", "gpt-4o").context_window == 128_000


@pytest.mark.parametrize("provider", ["", "vllm", "openai"])
def test_an_entry_may_hold_for_any_provider(table: PriceTable, provider: str) -> None:
    """Without a provider an entry holds wherever the model is served; a price of 0 is a price."""
    assert cost_of(Tokens(5, 5, None, None, None), _row(table, provider, "Llama-At-Home")) == 0


@pytest.mark.parametrize("model", ["openai/GPT-4o", "models/gpt-4o", "proxy/openai/gpt-4o"])
def test_the_operators_price_holds_for_what_proxies_make_of_a_name(table: PriceTable, model: str) -> None:
    """As the shipped prices do: else those would go before the operator's without a word."""
    assert _row(table, "openai", model).source is CostSource.OVERRIDE


def test_an_alias_has_the_price_of_another_model(table: PriceTable) -> None:
    """An alias is priced as its target, by the operator or by the table, and says which."""
    assert _row(table, "azure.ai.openai", "fast") == _row(table, "openai", "gpt-4o-mini")
    assert _row(table, "azure.ai.openai", "own") == _row(table, "openai", "gpt-4o")
    assert _row(table, "azure.ai.openai", "own").source is CostSource.OVERRIDE


def test_an_alias_of_nothing_is_a_mistake(tmp_path: Path) -> None:
    """It would leave its calls unpriced without a word."""
    text = "aliases: [{model: nowhere, price_of: {provider: openai, model: no-such-model}}]"
    with pytest.raises(ConfigError, match="aliases: nowhere is priced as no-such-model of openai, of which no price"):
        price_table.load(_write(tmp_path, text))


def test_the_shipped_prices_remain(table: PriceTable) -> None:
    """What the operator does not name keeps its shipped price."""
    assert _row(table, "openai", "gpt-4o-mini").source is CostSource.TABLE


def _indented(text: str, first: str) -> str:
    """Return the indented block of a text that begins with a line."""
    block = text[text.index(f"    {first}") :].splitlines()
    end = next((at for at, line in enumerate(block) if line.strip() and not line.startswith("    ")), len(block))
    return textwrap.dedent("\n".join(block[:end]))


@pytest.mark.parametrize(
    ("text", "models"),
    [
        (price_table.__doc__ or "", ["my-deployment", "my-deployment", "their-deployment"]),
        (_GUIDE.read_text(encoding="utf-8"), ["my-deployment", "my-deployment", "llama-at-home", "fast"]),
    ],
    ids=["the module", "the guide"],
)
def test_the_examples_are_valid(text: str, models: list[str]) -> None:
    """The files that we show as examples are accepted."""
    file = price_table.parse(_indented(text, "prices:\n"), "example")
    assert [each.model for each in (*file.prices, *file.aliases)] == models


def test_the_version_tells_the_operators_file(table: PriceTable) -> None:
    """The table's version holds the package's, and a digest of the operator's file."""
    plain = price_table.load(None).version
    assert (plain.version, plain.override_digest) == (table.version.version, "")
    assert len(table.version.override_digest) == 12


def test_providers_of_the_file(tmp_path: Path) -> None:
    """The file's providers are told, each once."""
    assert price_table.providers(_write(tmp_path, _OVERRIDE)) == ["openai", "azure.ai.openai", ""]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[", ["is not valid YAML in line 1"]),
        ("\0", ["is not valid YAML: it holds characters that YAML does not allow."]),
        ("", ["does not hold prices or aliases"]),
        ("prices: []\nmore: 1", ["more is not a key"]),
        ("prices: [1]", ["prices[0]"]),
        ("prices: [{}]", ["model is missing", "usd_per_million_tokens is missing"]),
        (
            "prices: [{provider: a, model: b, colour: c, usd_per_million_tokens: {input: -1, output: x, extra: 1}}]",
            ["input", "output", "extra is not a key", "colour is not a key"],
        ),
        ("prices: [{provider: a, model: b, usd_per_million_tokens: {input: 1}}]", ["output is missing"]),
        ("prices: [{provider: a, model: b, usd_per_million_tokens: {input: .nan, output: true}}]", ["input", "output"]),
        (_OVERRIDE.replace("my-deployment", "GPT-4O").replace("azure.ai.", ""), ["gpt-4o of openai twice"]),
        (
            "prices: [{model: b, service_tier: flex, usd_per_million_tokens: {input: 1, output: 1}}]",
            ["b of any provider for the service tier flex alone"],
        ),
        (
            "prices: [{model: b, usd_per_million_tokens: {input: 1, output: 1}, above_input_tokens: "
            "[{tokens: 2, input: 1, output: 1}, {tokens: 1, input: 1, output: 1}]}]",
            ["do not ascend"],
        ),
    ],
)
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


def test_the_file_may_price_parts(tmp_path: Path) -> None:
    """Tokens written for an hour, audio and images; above a bound without a price of their own they cost as any."""
    text = """
prices:
  - model: m
    usd_per_million_tokens: {input: 1, output: 2, cache_write: 3, cache_write_1h: 4, audio_input: 5, image_output: 6}
    above_input_tokens: [{tokens: 10, input: 10, output: 20}]
"""
    row = price_table.load(_write(tmp_path, text)).find("", "m", "", _NOON_NS)
    assert row is not None
    short, long = Tokens(4, 4, None, 4, None), Tokens(20, 4, None, None, None)
    assert cost_of(short, row, Parts(written_1h=1)) == pytest.approx((3 * 3 + 1 * 4 + 4 * 2) / 1e6)
    assert cost_of(long, row, Parts(audio_input=5, image_output=1)) == pytest.approx((20 * 10 + 4 * 20) / 1e6)


def test_the_shipped_prices_know_what_an_hour_costs() -> None:
    """Anthropic takes twice the price of input for what is written for an hour, and a quarter more for five minutes."""
    row = price_table.load(None).find("anthropic", "claude-sonnet-4-5", "", _NOON_NS)
    assert row is not None
    assert row.input is not None
    tokens = Tokens(1000, 0, None, 1000, None)
    assert cost_of(tokens, row) == pytest.approx(1250 * row.input.usd)
    assert cost_of(tokens, row, Parts(written_1h=1000)) == pytest.approx(2000 * row.input.usd)
