"""`spansieve prices`."""

from pathlib import Path

import pytest

from spansieve.cli import main

_OWN = """
prices: [{provider: vllm, model: our-model, usd_per_million_tokens: {input: 1, output: 2}, usd_per_call: 0.5}]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An operator's file of prices."""
    path = tmp_path / "prices.yaml"
    path.write_text(_OWN, encoding="utf-8")
    return path


def test_a_model_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """What a model's tokens cost, tiers and window included, and the table's version."""
    assert main(["prices", "show", "gemini-2.5-pro", "--provider", "gcp.gemini", "--at", "2026-11-01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "gcp.gemini: gemini-2.5-pro (table)"
    assert lines[1] == "  input          1.25 USD for a million tokens, 2.5 above 200000 tokens of input"
    assert lines[-1].startswith("genai-prices 0.")
    assert "newest dated price 2026-" in lines[-1]


def test_all_providers_of_a_model_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a provider everyone is shown who has a price for the model."""
    assert main(["prices", "show", "gpt-4o"]) == 0
    shown = capsys.readouterr().out
    assert "\nopenai: gpt-4o (table)\n" in shown
    assert "azure.ai.openai: gpt-4o (table)\n" in shown


def test_a_service_tier_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A service tier's prices are others."""
    for tier in ("", "Batch"):
        assert main(["prices", "show", "gpt-4o", "--provider", "openai", "--service-tier", tier]) == 0
    standard, batch = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  input")]
    assert standard == "  input          2.5 USD for a million tokens"
    assert batch == "  input          1.25 USD for a million tokens"


@pytest.mark.parametrize("by_config", [False, True])
def test_the_operators_prices_are_shown(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, by_config: bool
) -> None:
    """The operator's prices are found without naming their provider, and say whose they are."""
    config = tmp_path / "gateway.yaml"
    config.write_text(f"measure: {{prices: {own}}}", encoding="utf-8")
    where = ["--config", str(config)] if by_config else ["--prices", str(own)]
    assert main(["prices", "show", "our-model", *where]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("vllm: our-model (override)\n  input          1 USD for a million tokens\n")
    assert "  each call      0.5 USD\n" in shown
    assert "; the operator's prices " in shown


@pytest.mark.parametrize("provider", [[], ["--provider", "openai"]])
def test_an_unknown_model_is_told(provider: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No price is a failure with a remedy, not a price of 0."""
    assert main(["prices", "show", "no-such-model", *provider]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("No price is known for no-such-model")
    assert "measure.prices" in captured.err


def test_the_shipped_prices_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The list has a line for each model of a provider."""
    assert main(["prices", "list", "--provider", "groq"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert all(line.startswith("groq ") for line in lines[1:])


def test_an_unknown_provider_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A provider that has no prices is told with those that have."""
    assert main(["prices", "list", "--provider", "nobody"]) == 1
    assert "Known: anthropic" in capsys.readouterr().err


def test_a_day_is_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    """A day that is none is a wrong command line."""
    with pytest.raises(SystemExit) as caught:
        main(["prices", "show", "gpt-4o", "--at", "yesterday"])
    assert caught.value.code == 2
    assert "write 2026-11-01" in capsys.readouterr().err
