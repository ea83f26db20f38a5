"""The figures of the reviewer's report are those that the rules have."""

from typing import Any

import pytest
import yaml

from accuracy import rules
from spansieve.redact.review import measured

_SURE = {
    *("EMAIL", "CARD", "IBAN", "US_SSN", "US_ITIN", "IP", "MAC", "PHONE", "NATIONAL_ID", "CRYPTO", "CVV", "PIN"),
    *("API_KEY", "TOKEN", "SECRET", "CREDENTIALS", "PRIVATE_KEY", "TRACK"),
}
"""Entities whose values have a form of their own, or stand beside a word that is one."""


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    """Measured now."""
    return rules.measure()


def test_the_figures_in_the_package_are_true(figures: dict[str, Any]) -> None:
    """They are measured again, to the last value. After a change of rules: `python -m accuracy.rules`."""
    written = yaml.safe_load(rules.FILE.read_text(encoding="utf-8"))
    assert written == figures


def test_every_shipped_rule_is_measured(figures: dict[str, Any]) -> None:
    """On 200 values or more."""
    few = [row["rule"] for row in figures["rules"].values() if row["values"] < 200]
    assert few == []
    assert {measured.digest(rule) for rule, _ in rules.shipped()} == set(figures["rules"])


def test_rules_for_values_with_a_form_miss_next_to_nothing(figures: dict[str, Any]) -> None:
    """At least 99 of 100 are found, and of 100 findings at least 99 are right."""
    entities = {measured.digest(rule): rule.entity for rule, _ in rules.shipped()}
    sure = {digest: row for digest, row in figures["rules"].items() if entities[digest] in _SURE}
    assert {row["rule"] for row in sure.values() if row["found"] < 0.99 * row["values"]} == set()
    assert {row["rule"] for row in sure.values() if row["wrong"] > 0.01 * (row["right"] + row["wrong"])} == set()
