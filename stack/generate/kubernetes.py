"""The rules once more, as the Prometheus Operator takes them: a resource of kind PrometheusRule."""

from collections.abc import Iterable

import yaml

from stack.generate import rule_file


def prometheus_rule(rule_files: Iterable[str]) -> str:
    """Return a PrometheusRule with the groups of these rule files."""
    groups = [group for text in rule_files for group in yaml.safe_load(text)["groups"]]
    return rule_file.text(
        "stack/prometheus/rules",
        groups,
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {
                "name": "spansieve",
                "namespace": "spansieve",
                "labels": {"app.kubernetes.io/name": "spansieve-gateway"},
            },
        },
    )
