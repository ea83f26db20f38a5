"""The section `measure` of the configuration."""

from dataclasses import fields

import pytest

from spansieve import config
from spansieve.config import ConfigError, GatewayConfig
from spansieve.measure.settings import DEFAULTS
from spansieve.prepared import meter_settings


def test_own_labels_and_allow_lists() -> None:
    """A label has the name of its attribute unless it is given one; allow-lists are by label."""
    text = """
measure:
  semconv: latest
  application_genai_metrics: rename
  conversation_idle: 10m
  labels: [{attribute: llm.task_type}, {attribute: tenant_id, name: tenant, allow: [a, b]}]
  allow: {gen_ai.request.model: [gpt-4o], tenant: [a]}
"""
    measure = config.parse(text, {}).measure
    assert [label.label for label in measure.labels] == ["llm.task_type", "tenant"]
    assert (measure.semconv, measure.application_genai_metrics, measure.conversation_idle) == ("latest", "rename", 600)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("labels: [{attribute: user.id}]", "measure.labels[0] names the attribute 'user.id', which identifies someone"),
        ("labels: [{attribute: tenant_id}]", "list those that matter under allow"),
        ("labels: [{attribute: outcome}]", "measure has labels that cannot be added to the metrics of calls"),
        ("labels: [{attribute: a}, {attribute: b, name: a}]", "a label stands twice"),
        ("labels: [{attribute: Bad Name}]", "labels is not a list of dotted lower-case names"),
        ("labels: [{name: a}]", "measure.labels[0].attribute is missing"),
        ("allow: {colour: [red]}", "measure has allow for 'colour', which is no label of a metric"),
        ("semconv: v2", "measure.semconv: 'v2' is not accepted"),
    ],
)
def test_mistakes(section: str, problem: str) -> None:
    """A label that identifies, collides or does not exist is refused with a sentence that names it."""
    with pytest.raises(ConfigError) as caught:
        config.parse(f"measure: {{{section}}}", {})
    assert problem in caught.value.problems[0]


def test_a_meter_without_settings_is_as_configured_by_default() -> None:
    """But for the key, which each process makes."""
    configured = meter_settings(GatewayConfig())
    assert {
        each.name for each in fields(DEFAULTS) if getattr(configured, each.name) != getattr(DEFAULTS, each.name)
    } <= {"user_key"}
