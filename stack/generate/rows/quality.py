"""Quality: what evaluations and users think, conversations, and how far the numbers can be trusted."""

from stack.generate.panels import Panel, Query, graph
from stack.generate.promql import MODEL, PERCENTILES, SERVICE, Queries, legend


def panels(q: Queries) -> list[Panel]:
    """Return the row's panels, from left to right."""
    score = "spansieve.llm.evaluation.score"
    by_name = ("gen_ai.evaluation.name",)
    return [
        graph(
            "Evaluation scores",
            "Median and lowest tenth, by evaluation.",
            "short",
            *(
                Query(q.quantile(quantile, score, *by_name), f"{legend(*by_name)} {told}")
                for quantile, told in ((0.5, "p50"), (0.1, "p10"))
            ),
        ),
        graph(
            "Evaluations by their label",
            "Results a second.",
            "short",
            Query(
                q.rate("spansieve.llm.evaluations", *by_name, "gen_ai.evaluation.score.label"),
                legend(*by_name, "gen_ai.evaluation.score.label"),
            ),
            stacked=True,
        ),
        graph(
            "Feedback",
            "Votes of users a second, up and down.",
            "short",
            Query(q.rate("spansieve.llm.feedback", "verdict"), legend("verdict")),
        ),
        graph(
            "Regenerations",
            "Answers a second that a user asked for again, by service.",
            "reqps",
            Query(q.rate("spansieve.llm.regenerations", SERVICE), legend(SERVICE)),
        ),
        graph(
            "Turns of a conversation",
            "Of conversations that ended.",
            "short",
            *(Query(q.quantile(each, "spansieve.llm.conversation.depth"), told) for each, told in PERCENTILES),
        ),
        graph(
            "Duration of a conversation",
            "From its first to its last call, of conversations that ended.",
            "s",
            *(Query(q.quantile(each, "spansieve.llm.conversation.duration"), told) for each, told in PERCENTILES),
        ),
        graph(
            "Context window taken",
            "p95 of the share of the model's window that one call's input took.",
            "percentunit",
            Query(q.quantile(0.95, "spansieve.llm.context_window.saturation", MODEL), legend(MODEL)),
        ),
        graph(
            "Wasted output tokens",
            "Tokens a second of answers that nobody got whole, by error class.",
            "short",
            Query(q.rate("spansieve.llm.wasted_tokens", "reason"), legend("reason")),
            stacked=True,
        ),
        graph(
            "What agents say against what was counted",
            "Median of the tokens that an agent tells, divided by those of the calls beneath it: 1 is agreement.",
            "short",
            Query(q.quantile(0.5, "spansieve.llm.reconciliation", "gen_ai.token.type"), legend("gen_ai.token.type")),
        ),
        graph(
            "Values that cannot be right",
            "Treated as unknown, by reason.",
            "short",
            Query(q.rate("spansieve.llm.suspect", "reason"), legend("reason")),
            stacked=True,
        ),
        graph(
            "Spans not understood",
            "They look like LLM calls and no dialect could read them, by instrumentation scope.",
            "short",
            Query(q.rate("spansieve.llm.not_understood", "otel.scope.name"), legend("otel.scope.name")),
            stacked=True,
        ),
        graph(
            "Told twice, counted once",
            "Spans and log records of a call that was counted already, by reason.",
            "short",
            Query(q.rate("spansieve.llm.not_counted", "reason"), legend("reason")),
            stacked=True,
        ),
        graph(
            "Conversations under way",
            "Those that have not been idle for long.",
            "short",
            Query(q.value("spansieve.llm.active_conversations"), "conversations"),
        ),
        graph(
            "Runs of agents by whether they agree",
            "Runs a second whose span tells its usage, and whether that is what the calls beneath it used.",
            "short",
            Query(q.rate("spansieve.llm.reconciliations", "result"), legend("result")),
            stacked=True,
        ),
    ]
