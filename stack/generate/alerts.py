"""Alert rules: alerts.yaml with the numbers of values.yaml."""

from typing import Any

import yaml

from stack.generate import rule_file
from stack.generate.values import Values


def rules(source: str, values: Values) -> str:
    """Return the rule file of `source`, the text of alerts.yaml; each alert gets the address of its runbook."""
    tree: dict[str, Any] = values.fill(yaml.safe_load(source))
    for group in tree["groups"]:
        for rule in group["rules"]:
            rule["annotations"]["runbook_url"] = runbook(rule["alert"], values)
    return rule_file.text("alerts.yaml and values.yaml", tree["groups"])


def runbook(alert: str, values: Values) -> str:
    """Return where to read what to do: headings become anchors in lower case."""
    return f"{values.numbers['runbooks']}#{alert.lower()}"
