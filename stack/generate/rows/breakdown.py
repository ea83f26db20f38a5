"""Breakdown: by reason, template, tool and agent; and the traces themselves."""

from stack.generate.panels import Panel, Query, graph, pie, traces
from stack.generate.promql import (
    ANSWERS,
    COST,
    ERRORS,
    MODEL,
    REQUESTS,
    SERVICE,
    TEMPLATE,
    TOKENS,
    VERSION,
    Queries,
    legend,
    share,
)
from stack.generate.values import Values


def panels(q: Queries, values: Values) -> list[Panel]:
    """Return the row's panels, from left to right."""
    duration = values.duration.name
    written = q.rate(TOKENS, *VERSION, where='gen_ai_token_type="output"')
    return [
        graph(
            "Errors by reason",
            "LLM calls a second that failed, by error class.",
            "reqps",
            Query(q.rate(ERRORS, "reason"), legend("reason")),
            stacked=True,
        ),
        graph(
            "p95 latency by template",
            "By prompt template: where a new one differs, it shows here.",
            "s",
            Query(q.quantile(0.95, duration, TEMPLATE, where=ANSWERS), legend(TEMPLATE), exemplar=True),
        ),
        pie(
            "Requests by model",
            "Shares of the LLM calls.",
            "reqps",
            Query(q.rate(REQUESTS, MODEL), legend(MODEL)),
        ),
        graph(
            "Cost per request by template and version",
            "Mean cost of one LLM call.",
            "currencyUSD",
            Query(
                f"{q.rate(COST, *VERSION)} / {q.rate(REQUESTS, *VERSION)}",
                legend(*VERSION),
            ),
        ),
        graph(
            "Output tokens per request by template and version",
            "Mean length of an answer.",
            "short",
            Query(
                f"{written} / {q.rate(REQUESTS, *VERSION)}",
                legend(*VERSION),
            ),
        ),
        graph(
            "Answers cut off",
            "Share of the answers that ended at a limit of length, by model.",
            "percentunit",
            Query(
                share(
                    q.rate("spansieve.llm.finish_reasons", MODEL, where='finish_reason="length"'),
                    q.rate("spansieve.llm.finish_reasons", MODEL),
                ),
                legend(MODEL),
            ),
        ),
        graph(
            "p95 of tools",
            "One execution of a tool.",
            "s",
            Query(q.quantile(0.95, "gen_ai.execute_tool.duration", "gen_ai.tool.name"), legend("gen_ai.tool.name")),
        ),
        graph(
            "p95 of agents and workflows",
            "One run of an agent, or of a workflow.",
            "s",
            Query(
                q.quantile(0.95, "gen_ai.invoke_agent.duration", "gen_ai.agent.name"),
                f"agent {legend('gen_ai.agent.name')}",
            ),
            Query(
                q.quantile(0.95, "gen_ai.invoke_workflow.duration", "gen_ai.workflow.name"),
                f"workflow {legend('gen_ai.workflow.name')}",
            ),
        ),
        graph(
            "p95 of MCP",
            "One request or notification, as its sender and as its receiver saw it.",
            "s",
            *(
                Query(
                    q.quantile(0.95, f"mcp.{side}.operation.duration", "mcp.method.name"),
                    f"{side} {legend('mcp.method.name')}",
                )
                for side in ("client", "server")
            ),
        ),
        graph(
            "Request rate by service",
            "LLM calls a second, by the service that makes them.",
            "reqps",
            Query(q.rate(REQUESTS, SERVICE), legend(SERVICE)),
            stacked=True,
        ),
        pie(
            "Calls by dialect",
            "Which conventions the emitters follow.",
            "reqps",
            Query(q.rate("spansieve.llm.dialects", "dialect"), legend("dialect")),
        ),
        graph(
            "p95 time between chunks",
            "Of streamed answers, as their emitter measured it, by model.",
            "s",
            Query(q.quantile(0.95, values.time_per_chunk.name, MODEL), legend(MODEL)),
        ),
        traces(
            "Kept traces",
            "The newest traces with an LLM call of what is chosen above; each opens as a timeline of its spans.",
            '{ resource.service.name =~ "$service" && span.gen_ai.request.model =~ "$model" }',
        ),
    ]
