"""Recording rules that give the names of widely read articles (`llm_*`) to what the gateway measures.

Their queries, alerts and dashboards run as written beside our own names. A series keeps `job` and `instance`, those of
the gateway that counted it, so that a restart is a reset of whole series, as rate() expects; sums over them come after.

Labels: `model` (as requested; as answered, where the request does not say), `template` (gen_ai.prompt.name),
`provider`, `service_name`, and what the article has beside: status and status_code, reason, direction, le.
"""

from typing import Any

from spansieve import catalogue
from spansieve.facts import ErrorClass
from stack.generate import rule_file
from stack.generate.promql import MODEL_CALLS
from stack.generate.values import Values

_LABELS = ("job", "instance", "service_name", "provider", "model", "template")
_RENAMED = (
    ("provider", "gen_ai_provider_name"),
    ("template", "gen_ai_prompt_name"),
    ("model", "gen_ai_response_model"),
    ("model", "gen_ai_request_model"),  # after the answer's, so that it wins where it is known
)
# What the provider answered, as far as the reason tells it.
STATUS_CODES = {
    "400": (ErrorClass.CONTEXT_OVERFLOW, ErrorClass.SAFETY_BLOCK, ErrorClass.BAD_REQUEST),
    "401": (ErrorClass.AUTH,),
    "429": (ErrorClass.RATE_LIMIT,),
    "500": (ErrorClass.PROVIDER_5XX,),
    # Never answered, or by we do not know what: no status code.
    "": (ErrorClass.TIMEOUT, ErrorClass.CANCELLED, ErrorClass.MALFORMED_RESPONSE, ErrorClass.OTHER),
}


def rules(values: Values) -> str:
    """Return the rule file. Later rules of the group read what earlier ones have just recorded."""
    made = [*_requests(values), *_durations(values), *_tokens(values), *_costs(values), *_quality(values)]
    return rule_file.text(
        "stack/generate/seed_names.py and the catalogue of metrics", [{"name": "seed-names", "rules": made}]
    )


def _rule(record: str, expr: str, **labels: str) -> dict[str, Any]:
    return {"record": record, "expr": expr, **({"labels": labels} if labels else {})}


def _summed(selector: str, *more: str) -> str:
    renamed = selector
    for label, source in _RENAMED:
        renamed = f'label_replace({renamed}, "{label}", "$1", "{source}", "(.+)")'
    return f"sum by ({', '.join((*_LABELS, *more))}) ({renamed})"


def _requests(values: Values) -> list[dict[str, Any]]:
    requests = catalogue.prometheus_name(values.specs["spansieve.llm.requests"])
    errors = catalogue.prometheus_name(values.specs["spansieve.llm.errors"])
    made = [_rule("llm_requests_total", _summed(f'{requests}{{outcome="ok"}}'), status="success", status_code="200")]
    for code, reasons in STATUS_CODES.items():
        failed = _summed(f'{errors}{{reason=~"{"|".join(reasons)}"}}')
        made.append(_rule("llm_requests_total", failed, status="error", **({"status_code": code} if code else {})))
    made.append(_rule("llm_errors_total", _summed(errors, "reason")))
    # 0 as long as there is none, so that the first is an increase.
    limited = f'sum without (reason) (llm_errors_total{{reason="{ErrorClass.RATE_LIMIT}"}})'
    every = "0 * sum without (status, status_code) (llm_requests_total)"
    made.append(_rule("llm_rateLimited_total", f"{limited} or {every}"))
    return made


def _durations(values: Values) -> list[dict[str, Any]]:
    made = []
    for record, spec in (
        ("llm_request_duration_seconds", values.duration),
        ("llm_time_to_first_token_seconds", values.time_to_first_chunk),
    ):
        name = catalogue.prometheus_name(spec)
        made += [
            _rule(f"{record}_bucket", _summed(f"{name}_bucket{{{MODEL_CALLS}}}", "le")),
            _rule(f"{record}_sum", _summed(f"{name}_sum{{{MODEL_CALLS}}}")),
            _rule(f"{record}_count", _summed(f"{name}_count{{{MODEL_CALLS}}}")),
        ]
    made += [
        _rule(f"llm_request_latency_seconds_{series}", f"llm_request_duration_seconds_{series}")
        for series in ("bucket", "sum", "count")
    ]
    # PromQL cannot multiply a label: a rule for each bound.
    made += [
        _rule("llm_latency_ms_bucket", f'llm_request_duration_seconds_bucket{{le="{bound}"}}', le=milliseconds)
        for bound, milliseconds in [
            *((f"{bound:g}", f"{bound * 1000:g}") for bound in values.duration.buckets),
            ("+Inf", "+Inf"),
        ]
    ]
    made.append(_rule("llm_latency_ms_sum", "1000 * llm_request_duration_seconds_sum"))
    made.append(_rule("llm_latency_ms_count", "llm_request_duration_seconds_count"))
    return made


def _tokens(values: Values) -> list[dict[str, Any]]:
    name = catalogue.prometheus_name(values.specs["spansieve.llm.tokens"])
    made = []
    for told, kind, direction in (("prompt", "input", "in"), ("completion", "output", "out")):
        made += [
            _rule(f"llm_{told}_tokens_total", _summed(f'{name}{{gen_ai_token_type="{kind}"}}')),
            _rule(f"llm_tokens_{kind}_total", f"llm_{told}_tokens_total"),
            _rule("llm_tokens_total", f"llm_{told}_tokens_total", direction=direction),
        ]
    return made


def _costs(values: Values) -> list[dict[str, Any]]:
    # The article's is a histogram; of its series only the sum can be told from a counter, and only that is asked for.
    return [_rule("llm_cost_usd_sum", _summed(catalogue.prometheus_name(values.specs["spansieve.llm.cost.usd"])))]


def _quality(values: Values) -> list[dict[str, Any]]:
    name = catalogue.prometheus_name(values.specs["spansieve.llm.evaluation.score"])
    about = '{gen_ai_evaluation_name=~"(?i).*hallucination.*"}'
    score, count = (
        f"sum by (job, instance, service_name) (rate({name}_{series}{about}[5m]))" for series in ("sum", "count")
    )
    return [_rule("llm_hallucination_score", f"{score}\n/\n{count}")]
