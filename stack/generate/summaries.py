"""Recording rules for what is looked at over long times: percentiles, and sums of days and of 30 days.

Named level:metric:operation, as Prometheus' own advice has it.
"""

from typing import Any

from spansieve import catalogue
from stack.generate import rule_file
from stack.generate.promql import ANSWERS
from stack.generate.values import Values

_LEVEL = "service_name, gen_ai_provider_name, gen_ai_request_model"
_QUANTILES = (("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99"))


def rules(values: Values) -> str:
    """Return the rule file."""
    duration, first_chunk = map(catalogue.prometheus_name, (values.duration, values.time_to_first_chunk))
    percentiles = [*_percentiles(duration, f"{{{ANSWERS}}}"), *_percentiles(first_chunk)]
    return rule_file.text(
        "stack/generate/summaries.py and the catalogue of metrics",
        [
            {"name": "percentiles", "interval": "1m", "rules": percentiles},
            {"name": "days", "interval": "5m", "rules": _days(values)},
        ],
    )


def _percentiles(name: str, which: str = "") -> list[dict[str, Any]]:
    buckets = f"sum by (le, {_LEVEL}) (rate({name}_bucket{which}[5m]))"
    made = [
        {"record": f"service_model:{name}:{told}_5m", "expr": f"histogram_quantile({quantile}, {buckets})"}
        for told, quantile in _QUANTILES
    ]
    total, count = (f"sum by ({_LEVEL}) (rate({name}_{series}{which}[5m]))" for series in ("sum", "count"))
    return [*made, {"record": f"service_model:{name}:mean_5m", "expr": f"{total} / {count}"}]


def _days(values: Values) -> list[dict[str, Any]]:
    cost = catalogue.prometheus_name(values.specs["spansieve.llm.cost.usd"])
    tokens = catalogue.prometheus_name(values.specs["spansieve.llm.tokens"])
    by_day = f"service_model:{cost}:increase1d"
    return [
        {"record": by_day, "expr": f"sum by ({_LEVEL}) (increase({cost}[1d]))"},
        {"record": f"service_model:{cost}:increase30d", "expr": f"sum by ({_LEVEL}) (increase({cost}[30d]))"},
        {
            "record": f"service_model:{tokens}:increase1d",
            "expr": f"sum by ({_LEVEL}, gen_ai_token_type) (increase({tokens}[1d]))",
        },
    ]
