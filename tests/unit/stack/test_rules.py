"""Recording rules and alerts: that they read what exists, and that each alert can be understood and was tried."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from spansieve.facts import ErrorClass
from spansieve.outcome import Reason
from stack.generate import alerts, seed_names, values
from unit.stack import reading

PROJECT = Path(__file__).parents[3]
STACK = PROJECT / "stack"
RULES: list[dict[str, Any]] = [
    rule
    for file in sorted((STACK / "prometheus" / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})
# What the alerts are for: what widely read articles ask for, and what the prices need.
PROMISED = {
    "latency exceeds its objective": "LLMLatencySLOMissed",
    "error rate over a threshold": "LLMErrorRateCritical",
    "sudden drop in request volume": "LLMRequestVolumeDrop",
    "no requests at all": "LLMRequestsAbsent",
    "unexpected token spikes": "LLMTokenSpike",
    "error rate above 5 percent": "LLMHighErrorRate",
    "p95 above 20 s": "LLMLatencyRegression",
    "a million input tokens an hour": "LLMTokensOverBudget",
    "p99 above 5 s": "LLMLatencyHigh",
    "50 USD an hour": "LLM_cost_overrun",
    "100 USD a day": "LLMDailyBudgetExceeded",
    "error budgets": "LLMErrorBudgetBurn",
    "impact on some before it is widespread": "LLMModelFailing",
    "tokens without a price": "LLMUnpricedTokens",
}
SEEDS: Mapping[str, list[dict[str, str]]] = yaml.safe_load(
    (PROJECT / "tests" / "e2e" / "data" / "seed_queries.yaml").read_text(encoding="utf-8")
)
CASES: list[dict[str, Any]] = [
    case
    for file in sorted((PROJECT / "tests" / "promtool").glob("*.yml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
]


def _named(rule: dict[str, Any]) -> str:
    return str(rule.get("record") or rule.get("alert"))


def _recorded() -> dict[str, set[str]]:
    """What rules record, with the labels that they say themselves and those of what they read."""
    known = dict(reading.exposed())
    recorded: dict[str, set[str]] = {}
    for rule in RULES:
        if "record" in rule:
            read = set().union(*(known[name] for name in reading.series(rule["expr"])))
            made = set(re.findall(r'label_replace\(.*?, "(\w+)", "\$1"', rule["expr"])) | {
                "provider",
                "template",
                "model",
            }
            found = read | made | set(rule.get("labels", ()))
            known[rule["record"]] = known.get(rule["record"], set()) | found
            recorded[rule["record"]] = known[rule["record"]]
    return recorded


KNOWN = {**reading.exposed(), **_recorded()}


@pytest.mark.parametrize("rule", RULES, ids=_named)
def test_rules_read_series_that_exist(rule: dict[str, Any]) -> None:
    """Each series that a rule reads is in a catalogue, or is recorded by a rule before it."""
    read = reading.series(rule["expr"])
    assert read
    assert read <= KNOWN.keys()


@pytest.mark.parametrize("rule", ALERTS, ids=_named)
def test_alerts_use_labels_that_exist(rule: dict[str, Any]) -> None:
    """Each label that an alert filters by, groups by or shows is one of the series that it reads."""
    there = set().union(*(KNOWN[name] for name in reading.series(rule["expr"])))
    shown = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert reading.labels(rule["expr"]) | shown <= there


@pytest.mark.parametrize(("what", "name"), PROMISED.items())
def test_promised_alerts_are_there(what: str, name: str) -> None:
    """Each condition that an operator is promised an alert for has one."""
    assert name in NAMES


@pytest.mark.parametrize("rule", ALERTS, ids=_named)
def test_alerts_say_what_and_where_to_read(rule: dict[str, Any]) -> None:
    """Each alert has a severity that is routed, a summary, a description, and the address of its runbook."""
    routed = {"critical", "warning"}
    assert rule["labels"]["severity"] in routed
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["annotations"]["runbook_url"].endswith(f"#{rule['alert'].lower()}")


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_runbook(name: str) -> None:
    """The guide has a section of the alert's name that says what it means and what to do."""
    guide = (PROJECT / "docs" / "guides" / "runbooks.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", guide, re.MULTILINE | re.DOTALL)
    assert section
    assert len(section[1].split()) > 20


def test_every_runbook_has_an_alert() -> None:
    """The guide has no section of an alert that is gone."""
    guide = (PROJECT / "docs" / "guides" / "runbooks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\S+)$", guide, re.MULTILINE)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_was_seen_to_fire_and_to_stay_quiet(name: str) -> None:
    """promtool's cases hold one in which the alert is there, and one of its own in which it never is."""
    asked = [
        (case["name"], test) for case in CASES for test in case["promql_expr_test"] if _asks_for(name, test["expr"])
    ]
    assert any(test["exp_samples"] for _, test in asked)
    assert any(f"{name} stays quiet" in title and not test["exp_samples"] for title, test in asked)


def _asks_for(name: str, expression: str) -> bool:
    matcher = re.search(r'ALERTS\{alertname=(~?)"([^"]+)"', expression)
    if matcher is None:
        return False
    return bool(re.fullmatch(matcher[2], name)) if matcher[1] else matcher[2] == name


@pytest.mark.parametrize(
    "entry", [*SEEDS["queries"], *SEEDS["alerts"]], ids=lambda entry: f"{entry['source']} {entry.get('alert', '')}"
)
def test_seed_queries_read_what_the_rules_record(entry: dict[str, str]) -> None:
    """Each series that an article's query reads is recorded with the labels that it uses, or is an exporter's."""
    read = reading.series(entry["expr"])
    assert read
    if "exporter" in entry:
        assert all(re.match(rf"{entry['exporter']}[:_]", name) for name in read)
    else:
        assert read <= _recorded().keys()
        assert reading.labels(entry["expr"]) <= set().union(*(KNOWN[name] for name in read))


def test_every_error_class_has_its_status_code() -> None:
    """llm_requests_total counts each failed call once: each error class stands under exactly one status code."""
    classes = [each for reasons in seed_names.STATUS_CODES.values() for each in reasons]
    assert sorted(classes) == sorted(ErrorClass)


def test_only_loss_is_an_alert() -> None:
    """What the gateway drops on purpose wakes nobody; every other reason does."""
    (rule,) = [rule for rule in ALERTS if rule["alert"] == "SpansieveDropping"]
    left_out = set(re.findall(r'reason!~"([^"]+)"', rule["expr"]))
    assert left_out == {f"{Reason.DERIVED_HERE}|{Reason.DUPLICATE}|{Reason.NO_EXPORTER}"}


def test_thresholds_stand_in_one_file() -> None:
    """Every value of values.yaml is used, and no alert compares with a number of its own but 0."""
    chosen = values.load(STACK / "values.yaml")
    sources = "".join((STACK / name).read_text(encoding="utf-8") for name in ("alerts.yaml", "slo.yaml"))
    unused = {name for name in chosen.numbers if f"%{{{name}}}" not in sources}
    assert unused == {"runbooks", "semconv"}
    assert set(re.findall(r"[<>]=? *(\d[\d.]*)", sources)) <= {"0"}


def test_runbooks_are_where_the_values_say() -> None:
    """The address of a runbook is the operator's, with the alert's name as its anchor."""
    chosen = values.load(STACK / "values.yaml")
    assert alerts.runbook("LLM_cost_overrun", chosen) == "docs/guides/runbooks.md#llm_cost_overrun"
