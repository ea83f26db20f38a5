"""Redaction: every string of a request through the rules of a policy, before anything else sees it.

    redact.batch(decoded, rules) → RedactedBatch        redact.text("…", rules) → ("…", findings)

`walk` finds the strings, `anchors` finds where rules may match, `engine` applies them, `jsontext` looks inside JSON,
and `policy` says which rules there are.
"""

from collections import Counter

from spansieve.model import DecodedBatch, ExportRequest, RedactedBatch
from spansieve.redact import walk
from spansieve.redact.compiled import CompiledRules
from spansieve.redact.engine import REMOVED, Run
from spansieve.redact.policy import PolicyError

__all__ = ["CompiledRules", "PolicyError", "batch", "text"]

_UNDECODABLE = "bytes"


def batch(batch: DecodedBatch, rules: CompiledRules) -> RedactedBatch:
    """Redact a batch in place: every string and bytes value of the request, and every key.

    Ids, times, numbers and structure stay; fields that are not in OTLP's schema are decode's to remove. `findings`
    of the result count what was replaced, by rule; a value that could not
    be processed is removed and counted under `error` or `budget`, bytes that are no text under `bytes`.
    """
    message = batch.message
    leaves = walk.Leaves(rules.plain_keys)
    leaves.request(message)
    run = Run(rules)
    for index, new in run.texts(leaves.texts, leaves.keys).items():
        try:
            leaves.put(index, new)
        except (ValueError, UnicodeError):  # not to be encoded, such as a lone surrogate
            leaves.put(index, REMOVED)
    for value in leaves.undecodable:
        value.bytes_value = f"[BYTES {len(value.bytes_value)}]".encode()
        run.findings[_UNDECODABLE] += 1
    if leaves.attribute_keys:
        _redact_keys(message, sorted(leaves.attribute_keys), run, rules)
    return RedactedBatch(batch.signal, message, batch.items, dict(run.findings))


def text(value: str, rules: CompiledRules, key: str = "") -> tuple[str, Counter[str]]:
    """Redact one text, under the key that it stands under. The second part counts what was replaced, by rule."""
    run = Run(rules)
    return run.texts([value], {0: key}).get(0, value), run.findings


def _redact_keys(message: ExportRequest, names: list[str], run: Run, rules: CompiledRules) -> None:
    changed = run.texts(names, {})
    for index, name in enumerate(names):
        facts = rules.facts(name)
        if index not in changed and not (facts.whole or facts.off or facts.context):
            rules.remember_plain(name)
    if changed:
        walk.rename(message, {names[index]: new for index, new in changed.items()})
