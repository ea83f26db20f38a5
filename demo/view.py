"""The evidence of a run as tables for a terminal."""

import json
import re
from collections import Counter
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from demo import search
from demo.evidence import SETTINGS, Evidence, Span, decided

_TOKEN = re.compile(r"\[[A-Z][A-Z0-9_ ]*\]")
_WIDEST = 330


def before_and_after(evidence: Evidence) -> Table:
    """The texts of one failed LLM call and of its request that differ between arrival and departure, side by side."""
    kept = {span.raw["spanId"]: span for span in evidence.kept}
    request = _worth_showing(evidence, {span.trace_id for span in evidence.kept})
    table = Table(box=box.SIMPLE_HEAD, title_justify="left", show_lines=True, expand=True)
    table.add_column("where", ratio=3, overflow="fold")
    table.add_column("as it came in", ratio=4, overflow="fold")
    table.add_column("as it left", ratio=4, overflow="fold")
    same: Counter[str] = Counter()
    changed: dict[tuple[str, str], list[str]] = {}  # applications say the same in several places: show it once
    for span in evidence.sent:
        if span.trace_id != request["trace_id"]:
            continue
        left = kept.get(span.raw["spanId"], Span({"traceId": span.trace_id})).texts
        for key, text in span.texts.items():
            if key == "exception: exception.stacktrace":
                continue  # the message again, in a hundred lines
            if left.get(key) == text:
                same[span.raw["name"]] += 1
            else:
                changed.setdefault((text, left.get(key, "(gone)")), []).append(f"{span.raw['name']}: {key}")
    for (before, after), places in changed.items():
        table.add_row("\n".join(places), _marked(before, evidence.needles), _marked(after, []))
    unchanged = ", ".join(f"{n} of {name}" for name, n in same.items())
    table.caption = f"Texts that did not change: {unchanged}. Ids, times and numbers never do."
    return table


def _worth_showing(evidence: Evidence, kept_ids: set[str]) -> Any:  # noqa: ANN401 - a line of the report
    """The kept request that shows most in little: a failed one, with a card in its text rather than a key file."""

    def rank(request: Any) -> tuple[bool, bool, int]:  # noqa: ANN401
        kinds = {planted["kind"] for planted in request["planted"]}
        return request["kind"] != "failed", "card" not in kinds, len(request["calls"])

    return min((r for r in evidence.report["requests"] if r["trace_id"] in kept_ids), key=rank)


def _marked(text: str, needles: list[str]) -> Text:
    """A text cut to what matters, with planted values in red and what stands in their place in green."""
    shown = Text(_readable(text)[:_WIDEST] + ("…" if len(_readable(text)) > _WIDEST else ""))
    for needle in search.found(needles, shown.plain.encode()):
        shown.highlight_words([needle], "bold red")
    shown.highlight_regex(_TOKEN, "bold green")
    return shown


def _readable(text: str) -> str:
    """Of JSON messages what the user said; anything else as it is."""
    try:
        messages = json.loads(text)
        said = [p["content"] for m in messages if m["role"] != "system" for p in m["parts"] if "content" in p]
    except (ValueError, TypeError, KeyError):
        return text
    return " ⏎ ".join(said) or text


def verdicts(evidence: Evidence) -> Table:
    """Which policy kept how many traces, and how many were let go."""
    table = Table("verdict", "because of", "traces", box=box.SIMPLE_HEAD)
    table.columns[2].justify = "right"
    traces = decided(evidence.samples)
    for policy in [policy["name"] for policy in SETTINGS["sampling"]["policies"]]:
        table.add_row("kept", policy, str(traces.get(policy, 0)))
    table.add_row("sampled out", "no policy wanted it", str(traces.get("", 0)))
    return table


def measured(evidence: Evidence) -> Table:
    """What the LLM calls were, by model, over all traffic."""
    samples = evidence.samples
    model = "gen_ai_request_model"
    columns = {
        "requests": samples.by(model, "spansieve_llm_requests_total"),
        "errors": samples.by(model, "spansieve_llm_errors_total"),
        "tokens in": samples.by(model, "gen_ai_client_token_usage_sum", gen_ai_token_type="input"),
        "tokens out": samples.by(model, "gen_ai_client_token_usage_sum", gen_ai_token_type="output"),
    }
    first_chunk = "gen_ai_client_operation_time_to_first_chunk_seconds"
    streamed, waited = samples.by(model, f"{first_chunk}_count"), samples.by(model, f"{first_chunk}_sum")
    cost = samples.by(model, "spansieve_llm_cost_usd_total")
    table = Table("model", *columns, "first chunk (mean)", "cost", box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in sorted(columns["requests"]):
        table.add_row(
            name,
            *(f"{column.get(name, 0):,.0f}" for column in columns.values()),
            f"{waited[name] / streamed[name] * 1000:.0f} ms" if streamed.get(name) else "",
            f"${cost[name]:.6f}" if name in cost else "no price",
        )
    reasons = samples.by("reason", "spansieve_llm_errors_total")
    table.caption = "Errors: " + ", ".join(f"{n:.0f} {reason}" for reason, n in sorted(reasons.items()) if n)
    return table


def redactions(evidence: Evidence) -> str:
    """What was taken out, by rule, the most frequent first."""
    rules = evidence.samples.by("rule", "spansieve_redactions_total")
    return ", ".join(f"{rule} {n:.0f}" for rule, n in sorted(rules.items(), key=lambda r: -r[1]) if n)


def books(evidence: Evidence) -> str:
    """The ledger of spans in one line."""
    samples = evidence.samples

    def spans(name: str) -> str:
        return f"{samples.total(f'spansieve_{name}', signal='traces'):.0f}"

    return (
        f"{spans('received_items_total')} received = {spans('exported_items_total')} kept"
        f" + {spans('sampled_out_items_total')} sampled out + {spans('rejected_items_total')} rejected"
        f" + {spans('dropped_items_total')} dropped + {spans('in_flight_items')} in flight"
    )
