"""The queries of the articles that the product was conceived from run as written, on the demo application's traffic."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.harness.answers import Answers

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("real_parts")]

SEEDS: dict[str, list[dict[str, str]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "seed_queries.yaml").read_text(encoding="utf-8")
)


def _ids(entries: list[dict[str, str]]) -> list[Any]:
    return [pytest.param(entry["expr"], id=entry["source"]) for entry in entries]


@pytest.mark.parametrize("expression", _ids(SEEDS["queries"]))
def test_every_query_returns_data(answers: Answers, expression: str) -> None:
    """Each expression, as it stands in its document, is answered with at least one number."""
    assert answers.numbers(expression)


@pytest.mark.parametrize("expression", _ids(SEEDS["alerts"]))
def test_every_alert_compares_data(answers: Answers, expression: str) -> None:
    """Each alert's expression evaluates as it stands, and what it compares with its threshold is there."""
    answers.numbers(expression)
    assert answers.numbers(re.sub(r">\s*\d+\s*$", "", expression))


def test_rates_are_over_zero(answers: Answers) -> None:
    """The queries see traffic, not only series: calls, tokens, cost, errors and refusals for the rate all grow."""
    for name in ("requests", "prompt_tokens", "completion_tokens", "errors", "rateLimited"):
        assert sum(answers.numbers(f"rate(llm_{name}_total[5m])")) > 0
    assert sum(answers.numbers("rate(llm_cost_usd_sum[5m])")) > 0


def test_requests_by_status(answers: Answers) -> None:
    """`status` is success or error as the provider saw it, and status_code is what it answered."""
    by_status = answers.by("sum by (status, status_code) (llm_requests_total)", "status", "status_code")
    codes = {"ok": "200", "slow": "200", "rate_limit": "429", "context_overflow": "400", "provider_5xx": "500"}
    expected = Counter(("error" if line.outcome.failed else "success", codes[line.outcome]) for line in answers.asked)
    assert by_status == expected


def test_durations_are_as_many_as_requests(answers: Answers) -> None:
    """The histogram of durations has each call once, and nothing that is no call."""
    assert answers.numbers("sum(llm_request_duration_seconds_count)") == [len(answers.asked)]


def test_tokens_by_model(answers: Answers) -> None:
    """`model` is the model that was asked for, and the sums are the provider's."""
    expected: Counter[tuple[str]] = Counter()
    for line in answers.asked:
        expected[line.model,] += line.input_tokens
    assert answers.by("sum by (model) (llm_prompt_tokens_total)", "model") == +expected


def test_milliseconds_are_seconds(answers: Answers) -> None:
    """The histogram in milliseconds is the one in seconds: its bounds and its sum are a thousand times those."""
    bounds = {
        factor: sorted(float(bound) * factor for bound in answers.get("label/le/values", **{"match[]": name}))
        for factor, name in ((1000, "llm_request_duration_seconds_bucket"), (1, "llm_latency_ms_bucket"))
    }
    assert bounds[1000] == pytest.approx(bounds[1])
    assert answers.numbers("sum(llm_latency_ms_sum)") == pytest.approx(
        [1000 * value for value in answers.numbers("sum(llm_request_duration_seconds_sum)")]
    )


def test_every_rule_is_healthy(answers: Answers) -> None:
    """Prometheus has evaluated every rule and every alert of the stack without an error."""
    rules = [rule for group in answers.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    assert {rule["type"] for rule in rules} == {"recording", "alerting"}


def test_no_alert_of_the_gateway_on_healthy_traffic(answers: Answers) -> None:
    """While the gateway does what it should, none of its own alerts is pending or fires."""
    assert not [
        alert["labels"]["alertname"]
        for alert in answers.get("alerts")["alerts"]
        if alert["labels"]["alertname"].startswith("Spansieve")
    ]
