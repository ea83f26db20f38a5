"""Gateway: what the gateway does with what it is sent."""

from stack.generate.panels import Panel, Query, graph, number
from stack.generate.promql import Queries, legend


def panels(q: Queries) -> list[Panel]:
    """Return the row's panels, from left to right."""
    return [
        graph(
            "Items in and out",
            "Items a second. Received = exported + sampled out + rejected + dropped + in flight.",
            "short",
            *(
                Query(q.rate(f"spansieve.{fate}.items", "signal"), f"{{{{signal}}}} {fate.replace('_', ' ')}")
                for fate in ("received", "exported", "sampled_out")
            ),
        ),
        graph(
            "Rejected and dropped",
            "Rejected items were told to their sender; dropped ones were answered OK and went no further.",
            "short",
            *(
                Query(q.rate(f"spansieve.{fate}.items", "signal", "reason"), f"{{{{signal}}}} {fate}: {{{{reason}}}}")
                for fate in ("rejected", "dropped")
            ),
            stacked=True,
        ),
        graph(
            "Requests by answer",
            "Export requests a second by the status code that they got.",
            "reqps",
            Query(q.rate("spansieve.requests", "transport", "code"), legend("transport", "code")),
            stacked=True,
        ),
        graph(
            "In flight",
            "Items that were answered OK and have no outcome yet.",
            "short",
            Query(q.value("spansieve.in_flight.items", "signal"), legend("signal")),
        ),
        graph(
            "Held in memory",
            "Telemetry that waits, and how much may.",
            "bytes",
            Query(q.value("spansieve.held.bytes", "place"), legend("place")),
            Query(q.value("spansieve.memory_limit.bytes"), "limit"),
        ),
        graph(
            "Time by stage",
            "p95 of one request in one stage.",
            "s",
            Query(q.quantile(0.95, "spansieve.stage.duration", "stage"), legend("stage")),
        ),
        graph(
            "Lag of the event loop",
            "How late the gateway is for its turn: p99.",
            "s",
            Query(q.quantile(0.99, "spansieve.event_loop.lag"), "p99"),
        ),
        graph(
            "Sampling decisions",
            "Traces a second by the first policy that kept them.",
            "short",
            Query(q.rate("spansieve.decisions", "verdict", "policy"), legend("verdict", "policy")),
            stacked=True,
        ),
        graph(
            "Redactions by rule",
            "Values a second that were taken out.",
            "short",
            Query(q.rate("spansieve.redactions", "rule"), legend("rule")),
            stacked=True,
        ),
        graph(
            "Label values counted as other",
            "Observations a second whose label had too many distinct values, by label.",
            "short",
            Query(q.rate("spansieve.llm.label_overflow", "label"), legend("label")),
        ),
        number(
            "Attempts to export that failed in a row",
            "0 when the Collector takes what it is given.",
            "short",
            Query(q.value("spansieve.export.consecutive_failures")),
        ),
        graph(
            "Defects and failed reloads",
            "Both are for whoever runs the gateway to look at.",
            "short",
            Query(q.rate("spansieve.defects", "transport"), f"defect {legend('transport')}"),
            Query(q.rate("spansieve.reloads", "result"), f"reload {legend('result')}"),
            stacked=True,
        ),
        graph(
            "Journal",
            "Disk that it takes.",
            "bytes",
            Query(q.value("spansieve.journal.bytes"), "journal"),
        ),
        graph(
            "Kept in the shadow",
            "Traces a second that a policy in shadow mode would have kept.",
            "short",
            Query(q.rate("spansieve.shadow.kept.traces", "policy"), legend("policy")),
        ),
        graph(
            "Kept going without",
            "Bytes a second that left without their texts, since too much waited to be read for names; verdicts and"
            " deliveries that found no room in the journal or in the log of verdicts.",
            "short",
            Query(q.rate("spansieve.names.withheld.bytes"), "texts withheld, bytes"),
            Query(q.rate("spansieve.journal.unrecorded"), "not in the journal"),
            Query(q.rate("spansieve.verdict_log.missing"), "not in the log of verdicts"),
        ),
    ]
