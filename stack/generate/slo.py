"""Error budgets: recording rules and alerts from slo.yaml, a file in the form of Sloth.

Windows and factors are those of the Google SRE workbook, «Alerting on SLOs», for a budget of 30 days: a page for 2 % of
it in an hour or 5 % in six, a ticket for 10 % in one day or in three; a short window beside each long one lets
the alert end soon after the burning does. Beside the workbook: few calls in the long window burn nothing that counts,
or else one slow call in a quiet night were a page.
"""

from dataclasses import dataclass
from typing import Any

import yaml

from stack.generate import rule_file
from stack.generate.alerts import runbook
from stack.generate.values import Values

_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


@dataclass(frozen=True)
class _Burn:
    factor: float  # times the rate that would spend exactly the budget
    short: str
    long: str
    seconds: int  # of `long`


_PAGE = (_Burn(14.4, "5m", "1h", 3600), _Burn(6, "30m", "6h", 6 * 3600))
_TICKET = (_Burn(3, "2h", "1d", 24 * 3600), _Burn(1, "6h", "3d", 3 * 24 * 3600))


def rules(source: str, values: Values) -> str:
    """Return the rule file of `source`, the text of slo.yaml."""
    spec: dict[str, Any] = values.fill(yaml.safe_load(source))
    groups = []
    for slo in spec["slos"]:
        name = f"{spec['service']}-{slo['name']}"
        labels = {"sloth_service": spec["service"], "sloth_slo": slo["name"], "sloth_id": name}
        # One group, since its rules run in their order: alerts see the ratios of the same moment.
        ratios = [_ratio(slo, window, labels) for window in _WINDOWS]
        groups.append({"name": f"slo-{name}", "rules": [*ratios, *_alerts(slo, name, labels, values)]})
    return rule_file.text("slo.yaml and values.yaml", groups)


def _recorded(window: str) -> str:
    return f"slo:sli_error:ratio_rate{window}"


def _query(slo: dict[str, Any], kind: str, window: str) -> str:
    query: str = slo["sli"]["events"][kind]
    return query.strip().replace("{{.window}}", window)


def _ratio(slo: dict[str, Any], window: str, labels: dict[str, str]) -> dict[str, Any]:
    bad, all_ = _query(slo, "error_query", window), _query(slo, "total_query", window)
    return {"record": _recorded(window), "expr": f"(\n{bad}\n)\n/\n(\n{all_}\n)", "labels": labels}


def _alerts(slo: dict[str, Any], slo_id: str, labels: dict[str, str], values: Values) -> list[dict[str, Any]]:
    alerting, budget = slo["alerting"], f"(1 - {slo['objective']} / 100)"
    known = ", ".join(labels)
    made = []
    for kind, burns in (("page_alert", _PAGE), ("ticket_alert", _TICKET)):
        conditions = [
            f'(\n  {_recorded(burn.short)}{{sloth_id="{slo_id}"}} > {burn.factor:g} * {budget}\n  and\n'
            f'  {_recorded(burn.long)}{{sloth_id="{slo_id}"}} > {burn.factor:g} * {budget}\n  and ignoring ({known})\n'
            f"  {burn.seconds} * {_query(slo, 'total_query', burn.long)} >= {values.numbers['least_calls']}\n)"
            for burn in burns
        ]
        # The two pairs record under different names, so `or` between them keeps one result for each service.
        made.append(
            {
                "alert": alerting["name"],
                "expr": "\nor\n".join(conditions),
                "labels": alerting[kind]["labels"],
                "annotations": {
                    "summary": "{{ $labels.service_name }} burns its error budget too fast",
                    "description": "{{ $value | humanizePercentage }} of the calls of the short window were bad. "
                    f"The promise: {slo['objective']} percent. {slo['description']}",
                    "runbook_url": runbook(alerting["name"], values),
                },
            }
        )
    return made
