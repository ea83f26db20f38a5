"""Health: does it answer, how fast, how often not."""

from stack.generate.panels import Panel, Query, graph
from stack.generate.promql import ANSWERS, ERRORS, MODEL, PERCENTILES, REQUESTS, Queries, legend, share
from stack.generate.values import Values


def panels(q: Queries, values: Values) -> list[Panel]:
    """Return the row's panels, from left to right."""
    duration, first = values.duration.name, values.time_to_first_chunk.name
    failed = f"100 * {share(q.rate(ERRORS), q.rate(REQUESTS))}"
    too_many = q.rate(ERRORS, where='reason="rate_limit"')
    limited = f"100 * {share(too_many, q.rate(REQUESTS))}"
    return [
        graph(
            "Request rate by model",
            "LLM calls a second, each counted once.",
            "reqps",
            Query(q.rate(REQUESTS, MODEL), legend(MODEL)),
            stacked=True,
        ),
        graph(
            "Error rate",
            "Share of the LLM calls that fail, and of those that the provider refused for their rate.",
            "percent",
            Query(failed, "all errors"),
            Query(limited, "rate-limited"),
        ),
        graph(
            "p95 latency by model",
            "Whole LLM calls, without embeddings. A dot is one call; it opens its trace.",
            "s",
            Query(q.quantile(0.95, duration, MODEL, where=ANSWERS), legend(MODEL), exemplar=True),
        ),
        graph(
            "p95 time to first token by model",
            "Streamed answers whose emitter told when the first chunk came. A dot opens its trace.",
            "s",
            Query(q.quantile(0.95, first, MODEL), legend(MODEL), exemplar=True),
        ),
        graph(
            "Latency distribution",
            "Over all that is chosen above.",
            "s",
            *(
                Query(q.quantile(quantile, duration, where=ANSWERS), told, exemplar=quantile == 0.99)
                for quantile, told in PERCENTILES
            ),
        ),
        graph(
            "Bad calls against the promise",
            "Share of the calls that failed or took too long (slo.yaml): what burns the error budget.",
            "percentunit",
            Query('slo:sli_error:ratio_rate5m{service_name=~"$service"}', "{{service_name}} 5m"),
            Query('slo:sli_error:ratio_rate1h{service_name=~"$service"}', "{{service_name}} 1h"),
        ),
        graph(
            "Coverage of time to first token",
            "Share of the streamed calls whose emitter tells when the first chunk came.",
            "percentunit",
            Query(
                share(
                    q.rate("spansieve.llm.streaming_requests", MODEL, where='ttft="present"'),
                    q.rate("spansieve.llm.streaming_requests", MODEL),
                ),
                legend(MODEL),
            ),
        ),
        graph(
            "Time per output token",
            "p95 by model, after the first token of streamed answers.",
            "s",
            Query(q.quantile(0.95, "spansieve.llm.time_per_output_token", MODEL), legend(MODEL), exemplar=True),
        ),
        graph(
            "Safety blocks",
            "Calls a second that the provider's safety system stopped.",
            "reqps",
            Query(q.rate("spansieve.llm.safety_blocks", MODEL), legend(MODEL), exemplar=False),
        ),
    ]
