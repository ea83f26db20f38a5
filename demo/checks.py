"""What the gateway promises, held against one run."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo import search
from demo.evidence import Evidence


@dataclass(frozen=True)
class Check:
    """A promise: `says` is a sentence that is true when `holds`, and `otherwise` what is the matter when not."""

    holds: bool
    says: str
    otherwise: str = ""


def all_of(evidence: Evidence) -> list[Check]:
    """Every check, each with its numbers."""
    return [
        *_nothing_leaked(evidence),
        _worth_keeping_was_kept(evidence),
        _content_arrived(evidence),
        _counted_exactly(evidence),
        _books_balance(evidence),
        Check(
            evidence.exit_code == 0,
            "The gateway stopped on SIGTERM with exit code 0.",
            f"The gateway's exit code was {evidence.exit_code}.",
        ),
    ]


def _nothing_leaked(evidence: Evidence) -> Iterator[Check]:
    needles = evidence.needles
    sent = _bytes(evidence.report["sent"])
    missing = len(needles) - len(search.found(needles, sent))
    yield Check(
        missing == 0,
        f"All {len(needles)} planted values are in what the application sent: the search finds them.",
        f"{missing} planted values are not even in what the application sent: this search proves nothing.",
    )
    places = {str(path.relative_to(evidence.directory)): data for path, data in evidence.files()}
    places["/metrics"] = evidence.metrics_text.encode()
    places["spansieve traces show"] = _bytes([span.raw for span in evidence.kept])
    leaks = {place: len(found) for place, data in places.items() if (found := search.found(needles, data))}
    size = sum(map(len, places.values())) / 1e6
    yield Check(
        not leaks,
        f"None of them is in what left or stayed: kept traces, /metrics, the log, every file ({size:.1f} MB).",
        "Planted values were found in " + ", ".join(f"{place} ({count})" for place, count in leaks.items()) + ".",
    )


def _bytes(tree: Any) -> bytes:  # noqa: ANN401 - OTLP/JSON
    return json.dumps(tree, ensure_ascii=False).encode()


def _worth_keeping_was_kept(evidence: Evidence) -> Check:
    kept = Counter(span.trace_id for span in evidence.kept)
    sent = Counter(span.trace_id for span in evidence.sent)
    wanted = [r["trace_id"] for r in evidence.report["requests"] if r["kind"] != "ok"]
    missing = [trace_id for trace_id in wanted if kept[trace_id] != sent[trace_id]]
    return Check(
        bool(wanted) and not missing,
        f"All {len(wanted)} failed or slow traces were kept, whole.",
        f"{len(missing)} of {len(wanted)} failed or slow traces are missing or lack spans.",
    )


def _content_arrived(evidence: Evidence) -> Check:
    kept_ids = {span.trace_id for span in evidence.kept}
    markers = [r["marker"] for r in evidence.report["requests"] if r["trace_id"] in kept_ids]
    found = search.found(markers, _bytes([span.raw for span in evidence.kept]))
    return Check(
        bool(markers) and len(found) == len(markers),
        f"The words that are nobody's secret are still there: {len(found)} of {len(markers)} prompts are recognised.",
        f"Only {len(found)} of {len(markers)} kept prompts can be recognised: too much was taken out.",
    )


def _counted_exactly(evidence: Evidence) -> Check:
    asked: Counter[tuple[str, str]] = Counter()
    for line in evidence.asked:
        asked[line.model, "requests"] += 1
        asked[line.model, "input"] += line.input_tokens
        asked[line.model, "output"] += line.output_tokens
    measured: Counter[tuple[str, str]] = Counter()
    for kind, name, labels in (
        ("requests", "spansieve_llm_requests_total", {}),
        ("input", "gen_ai_client_token_usage_sum", {"gen_ai_token_type": "input"}),
        ("output", "gen_ai_client_token_usage_sum", {"gen_ai_token_type": "output"}),
    ):
        for model, value in evidence.samples.by("gen_ai_request_model", name, **labels).items():
            measured[model, kind] = int(value)
    wrong = sorted({model for model, _ in (asked - measured) + (measured - asked)})
    calls = sum(n for (_, kind), n in asked.items() if kind == "requests")
    return Check(
        not wrong,
        f"Requests and tokens of all {calls} LLM calls, kept or not, are exactly those in the provider's books.",
        f"Requests or tokens of {', '.join(wrong)} differ from the provider's books.",
    )


def _books_balance(evidence: Evidence) -> Check:
    samples = evidence.samples
    names = ("exported", "sampled_out", "rejected", "dropped")
    settled = sum(samples.total(f"spansieve_{name}_items_total", signal="traces") for name in names)
    received = samples.total("spansieve_received_items_total", signal="traces")
    sent = len(evidence.sent)
    return Check(
        received == settled == sent,
        f"Every span has its fate: {sent} sent, {received:.0f} received, {settled:.0f} settled.",
        f"Spans are unaccounted for: {sent} sent, {received:.0f} received, {settled:.0f} settled.",
    )
