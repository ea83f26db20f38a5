"""Cost: tokens and what they cost."""

from stack.generate.panels import Panel, Query, graph, ranking
from stack.generate.promql import COST, MODEL, REQUESTS, SERVICE, TOKENS, Queries, legend, share
from stack.generate.values import Values


def panels(q: Queries, values: Values) -> list[Panel]:
    """Return the row's panels, from left to right."""
    by_day = "service_model:spansieve_llm_cost_usd_total:increase"
    chosen = 'service_name=~"$service",gen_ai_provider_name=~"$provider",gen_ai_request_model=~"$model"'
    cached = q.rate("spansieve.llm.cached_tokens", MODEL, where='cache="read"')
    put_in = q.rate(TOKENS, MODEL, where='gen_ai_token_type="input"')
    put_out = q.rate(TOKENS, MODEL, where='gen_ai_token_type="output"')
    return [
        graph(
            "Token throughput",
            "Tokens a minute, input and output.",
            "short",
            Query(f"60 * {q.rate(TOKENS, 'gen_ai.token.type')}", legend("gen_ai.token.type")),
        ),
        graph(
            "Output tokens a second by model",
            "Reasoning included.",
            "short",
            Query(put_out, legend(MODEL)),
        ),
        graph(
            "Token usage, input and output, by model",
            "Tokens a second.",
            "short",
            Query(q.rate(TOKENS, "gen_ai.token.type", MODEL), legend("gen_ai.token.type", MODEL)),
            stacked=True,
        ),
        graph(
            "Cost an hour",
            "What an hour like now costs, by model. Calls without a known price are in none of these sums.",
            "currencyUSD",
            Query(f"3600 * {q.rate(COST, MODEL)}", legend(MODEL)),
            stacked=True,
        ),
        graph(
            "Cost per request",
            "Mean cost of one LLM call by model.",
            "currencyUSD",
            Query(f"{q.rate(COST, MODEL)} / {q.rate(REQUESTS, MODEL)}", legend(MODEL)),
        ),
        graph(
            "Cost accumulated",
            "Since the beginning of what is shown, by model.",
            "currencyUSD",
            Query(q.increase(COST, MODEL, window="$__range"), legend(MODEL)),
            stacked=True,
        ),
        graph(
            "Spend of a day and of 30 days",
            "The 24 hours, and the 30 days, before each moment.",
            "currencyUSD",
            Query(f"sum ({by_day}1d{{{chosen}}})", "1 day"),
            Query(f"sum ({by_day}30d{{{chosen}}})", "30 days"),
        ),
        graph(
            "Tokens of a day, and where they are heading",
            "The 24 hours before each moment; and a week on, if the last six hours go on as they were.",
            "short",
            Query(f"sum (service_model:spansieve_llm_tokens_total:increase1d{{{chosen}}})", "1 day"),
            Query(
                f"sum (predict_linear(service_model:spansieve_llm_tokens_total:increase1d{{{chosen}}}[6h], 604800))",
                "in a week",
            ),
        ),
        ranking(
            "Services that cost most",
            "Spend of the last 24 hours.",
            "currencyUSD",
            Query(f"topk(10, sum by (service_name) ({by_day}1d{{{chosen}}}))", legend(SERVICE)),
        ),
        graph(
            "Spend by task type",
            "USD an hour by llm.task_type, an attribute that the application sets and measure.labels admits.",
            "currencyUSD",
            Query(f"3600 * {q.rate(COST, 'llm.task_type')}", legend("llm.task_type")),
            stacked=True,
        ),
        graph(
            "Input read from the provider's cache",
            "Share of the input tokens by model.",
            "percentunit",
            Query(share(cached, put_in), legend(MODEL)),
        ),
        graph(
            "Calls without a price",
            "Calls a second whose model has no known price, or whose emitter does not say how many tokens they took.",
            "reqps",
            Query(q.rate("spansieve.llm.unpriced_requests", MODEL), legend(MODEL)),
            Query(q.rate("spansieve.llm.requests_without_usage", MODEL), f"no usage told: {legend(MODEL)}"),
        ),
        graph(
            "Tokens of one call",
            "p95 by type and model.",
            "short",
            *(
                Query(
                    q.quantile(0.95, spec.name, *by_type, MODEL),
                    f"{legend(*by_type) if by_type else spec.name.rpartition('.')[2]} {legend(MODEL)}",
                )
                for spec in values.tokens_of_a_call
                for by_type in [[label for label in spec.labels if label == "gen_ai.token.type"]]
            ),
        ),
        graph(
            "Output spent on reasoning",
            "Share of the output tokens by model.",
            "percentunit",
            Query(share(q.rate("spansieve.llm.reasoning_tokens", MODEL), put_out), legend(MODEL)),
        ),
    ]
