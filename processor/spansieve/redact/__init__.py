"""Redaction: every string of a request through the rules of a policy, before anything else sees it.

    redact.batch(decoded, rules) → RedactedBatch        redact.text("…", rules) → ("…", findings)

`walk` finds the strings, `anchors` finds where rules may match, `engine` applies them by `matching`, `jsontext` looks
inside JSON, `normalise` through escapes and encodings, `parts` over the ends of chunks, `media` drops what is no text,
and `policy` says which rules there are.
"""

from collections import Counter

from spansieve.model import DecodedBatch, ExportRequest, RedactedBatch
from spansieve.redact import fold, media, stamp, walk
from spansieve.redact.compiled import CompiledRules
from spansieve.redact.engine import DROP, REMOVED, Run
from spansieve.redact.policy import PolicyError
from spansieve.redact.selectors import Place

__all__ = ["CompiledRules", "PolicyError", "batch", "text"]

_UNDECODABLE = "bytes"


def batch(batch: DecodedBatch, rules: CompiledRules, *, stamped: bool = True) -> RedactedBatch:
    """Redact a batch in place: every string and bytes value of the request, and every key; stamp the spans.

    Ids, times, numbers and structure stay; fields that are not in OTLP's schema are decode's to remove. `findings`
    of the result count what was replaced, by rule; a value that could not
    be processed is removed and counted under `error` or `budget`, bytes that are no text under `bytes`.
    """
    message = batch.message
    leaves = walk.Leaves(rules.plain_keys, *((rules.at, rules.at_number) if rules.selective else ()))
    leaves.request(message)
    run = Run(rules)
    dropped = False
    for index, new in run.texts(leaves.texts, leaves.keys, leaves.wheres, leaves.groups).items():
        try:
            leaves.put(index, new)
        except (ValueError, UnicodeError):  # not to be encoded, such as a lone surrogate
            leaves.put(index, REMOVED)
        dropped = dropped or new == DROP
    for value in leaves.undecodable:
        value.bytes_value = media.of_bytes(value.bytes_value).encode()
        run.findings[_UNDECODABLE] += 1
    if dropped:
        walk.drop(message, DROP)
    if stamped:
        stamp.put(leaves, rules.digest, run.found_in, rules.entities)
    if leaves.attribute_keys:
        _redact_keys(message, sorted(leaves.attribute_keys), run, rules)
    return RedactedBatch(batch.signal, message, batch.items, dict(run.findings))


def text(value: str, rules: CompiledRules, key: str = "") -> tuple[str, Counter[str]]:
    """Redact one text, under the key that it stands under. The second part counts what was replaced, by rule."""
    run = Run(rules)
    new = run.texts([value], {0: key}, [Place.TEXT] if rules.selective else ()).get(0, value)
    return "" if new == DROP else new, run.findings


def _redact_keys(message: ExportRequest, names: list[str], run: Run, rules: CompiledRules) -> None:
    where = rules.at(Place.KEY, "")
    changed = run.texts(names, {}, [where] * len(names) if where else ())
    for index, name in enumerate(names):
        facts = rules.facts(fold.word(name))
        if index not in changed and not stamp.is_stamp(name) and not (facts.whole or facts.off or facts.context):
            rules.remember_plain(name)
    if changed:
        walk.rename(message, {names[i]: REMOVED if new == DROP else new for i, new in changed.items()})
