"""Redaction: every string of a request through the rules of a policy, before anything else sees it.

    Redactor(rules, reads).request(decoded) → redacted        redact.text("…", rules) → ("…", findings)

A room for each question: `otlp` which texts a request has, `find` what a text holds, `rules` where and how rules match,
`text` what a text says without any rule, `policy` which rules there are, `review` what a person sees of them. Each room
knows only those below it (see ARCHITECTURE.md).
"""

from collections import Counter
from collections.abc import Sequence
from typing import overload

from spansieve.model import DecodedBatch, DecodedSpans, RedactedBatch, RedactedSpans
from spansieve.redact.find.engine import DROP, Run
from spansieve.redact.otlp import messages
from spansieve.redact.otlp.pieces import Reads
from spansieve.redact.otlp.restored import restored
from spansieve.redact.otlp.spans import SpanRedactor
from spansieve.redact.policy import PolicyError
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.selectors import Place

__all__ = ["CompiledRules", "PolicyError", "Reads", "Redactor", "batch", "restored", "text"]


def _nothing(_: str) -> bool:
    return False


class Redactor:
    """Redacts requests by one policy. Owner of its memories; one thread uses it at a time.

    Spans that have an attribute of a key that `reads` says yes to, or an event of a name that `reads_event` does, are
    marked `wanted`; both must always say the same.
    """

    def __init__(self, rules: CompiledRules, reads: Reads = _nothing, reads_event: Reads = _nothing) -> None:
        self.rules = rules
        self._spans = SpanRedactor(rules, reads, reads_event)

    @overload
    def request(self, decoded: DecodedSpans) -> RedactedSpans: ...
    @overload
    def request(self, decoded: DecodedBatch) -> RedactedBatch: ...
    def request(self, decoded: DecodedSpans | DecodedBatch) -> RedactedSpans | RedactedBatch:
        """Redact a request in place: every text, every bytes value, and every key; stamp the spans.

        Ids, times, numbers and structure stay. `findings` of the result count what was replaced, by rule; a value that
        could not be processed is removed and counted under `error` or `budget`, bytes that are no text under `bytes`.
        Raises MalformedRequest when a part of a span, which decode does not look into, is no OTLP.
        """
        return self.requests([decoded])[0] if isinstance(decoded, DecodedSpans) else batch(decoded, self.rules)

    def requests(self, decoded: Sequence[DecodedSpans]) -> list[RedactedSpans]:
        """Redact requests of spans as `request` does each, in one run: small ones cost less together.

        What was found beside all spans, such as in keys, is told with the first. When this raises, they are all spoilt.
        """
        return self._spans.requests(decoded)


def batch(batch: DecodedBatch, rules: CompiledRules, *, stamped: bool = True) -> RedactedBatch:
    """Redact a request that is a message, in place."""
    findings, _ = messages.redact(batch.message, rules, stamped=stamped)
    return RedactedBatch(batch.signal, batch.message, batch.items, dict(findings))


def text(value: str, rules: CompiledRules, key: str = "", place: Place = Place.TEXT) -> tuple[str, Counter[str]]:
    """Redact one text, under its key and at its place. The second part counts what was replaced, by rule."""
    run = Run(rules)
    new = run.texts([value], {0: key} if key else {}, [place] if rules.selective else ()).get(0, value)
    return "" if new == DROP else new, Counter(run.findings) if run.findings else Counter()
