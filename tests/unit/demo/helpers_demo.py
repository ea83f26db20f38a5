"""A small run of the demo as evidence, with everything as it should be."""

from pathlib import Path
from typing import Any

from demo.conversation import Fate
from demo.evidence import Evidence, Span
from demo.gateway import Samples
from demo.provider import Asked

SECRET = "078-05-1120"
METRICS = """
spansieve_received_items_total{signal="traces"} 3
spansieve_exported_items_total{signal="traces"} 2
spansieve_sampled_out_items_total{signal="traces"} 1
spansieve_decisions_total{verdict="kept",policy="errors",trigger="wait_expired"} 1
spansieve_decisions_total{verdict="sampled_out",policy="",trigger="wait_expired"} 1
spansieve_decisions_total{verdict="kept",policy="errors",trigger="late_span"} 5
spansieve_redactions_total{rule="email"} 2
spansieve_redactions_total{rule="us_ssn"} 7
spansieve_llm_requests_total{gen_ai_request_model="gpt-4o",outcome="ok"} 2
spansieve_llm_requests_total{gen_ai_request_model="gpt-4o",outcome="error"} 1
spansieve_llm_errors_total{gen_ai_request_model="gpt-4o",reason="rate_limit"} 1
spansieve_llm_cost_usd_total{gen_ai_request_model="gpt-4o"} 0.000125
gen_ai_client_operation_time_to_first_chunk_seconds_count{gen_ai_request_model="gpt-4o"} 2
gen_ai_client_operation_time_to_first_chunk_seconds_sum{gen_ai_request_model="gpt-4o"} 0.5
gen_ai_client_token_usage_sum{gen_ai_request_model="gpt-4o",gen_ai_token_type="input"} 1030
gen_ai_client_token_usage_sum{gen_ai_request_model="gpt-4o",gen_ai_token_type="output"} 7
"""


def span(trace_id: str, span_id: str, text: str) -> dict[str, Any]:
    """A span of OTLP/JSON with two texts."""
    return {
        "traceId": trace_id,
        "spanId": span_id,
        "name": "chat",
        "attributes": [
            {"key": "prompt", "value": {"stringValue": text}},
            {"key": "tokens", "value": {"intValue": "3"}},
            {"key": "model", "value": {"stringValue": "gpt-4o"}},
        ],
    }


def good_run(directory: Path) -> Evidence:
    """Two requests, of which the first failed and was kept; `directory` gets the gateway's log."""
    (directory / "gateway.log").write_text('{"event": "stopped"}\n')
    sent = [
        span("aa", "01", f"kestrel-0000 {SECRET}"),
        span("aa", "02", f"kestrel-0000 {SECRET}"),
        span("bb", "03", "kestrel-0001"),
    ]
    request = {"planted": [{"kind": "ssn", "needles": [SECRET]}], "calls": ["gpt-4o"], "fate": Fate.RATE_LIMIT}
    return Evidence(
        directory=directory,
        report={
            "requests": [
                {**request, "trace_id": "aa", "kind": "failed", "marker": "kestrel-0000"},
                {**request, "trace_id": "bb", "kind": "ok", "marker": "kestrel-0001", "planted": []},
            ],
            "sent": {"traces": {"resourceSpans": [{"scopeSpans": [{"spans": sent}]}]}, "logs": {}},
        },
        asked=[
            Asked("chat", "gpt-4o", stream=True, outcome=Fate.OK, input_tokens=1010, output_tokens=3),
            Asked("chat", "gpt-4o", stream=True, outcome=Fate.SLOW, input_tokens=20, output_tokens=4),
            Asked("chat", "gpt-4o", stream=True, outcome=Fate.RATE_LIMIT),
        ],
        samples=Samples(METRICS),
        metrics_text=METRICS,
        kept=[Span(span("aa", "01", "kestrel-0000 [SSN]")), Span(span("aa", "02", "kestrel-0000 [SSN]"))],
        exit_code=0,
    )
