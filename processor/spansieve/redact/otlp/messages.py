"""Redaction of whole messages: every string of a request of any signal, walked field by field.

Logs and metrics take this way, the command line, and of spans those in which more than one attribute is at stake. It
is what the hot path of spans is measured against: the results are the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.model import ExportRequest
from spansieve.redact.find.engine import DROP, REMOVED, Run
from spansieve.redact.otlp import stamp, walk
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.selectors import Place
from spansieve.redact.text import fold, media

_UNDECODABLE = "bytes"


def redact(
    message: ExportRequest, rules: CompiledRules, *, stamped: bool = True
) -> tuple[Counter[str], list[Counter[str] | None]]:
    """Redact a request in place. Gives what was found by rule, and, if `stamped`, for each span by entity.

    Stamps that came with it go, of whatever part of it.
    Fields that are not in OTLP's schema are decode's to remove.
    """
    leaves = walk.Leaves(rules.plain_keys, *rules.places)
    leaves.request(message)
    run = Run(rules)
    dropped = False
    for index, new in run.texts(leaves.texts, leaves.keys, leaves.wheres, leaves.groups).items():
        try:
            leaves.put(index, new)
        except (ValueError, UnicodeError):  # not to be encoded, such as a lone surrogate
            leaves.put(index, REMOVED)
        dropped = dropped or new == DROP
    findings = Counter(run.findings)
    findings[_UNDECODABLE] += note_undecodable(leaves, run.found_in)
    if dropped:
        walk.drop(message, DROP)
    if any(map(stamp.is_stamp, leaves.attribute_keys)):
        walk.remove(message, stamp.is_stamp)
    of_spans = stamp.put(leaves, rules.digest, run.found_in, rules.entities) if stamped else []
    if leaves.attribute_keys:
        names = changed_keys(sorted(leaves.attribute_keys), rules, findings)
        if names:
            walk.rename(message, names)
    return +findings, of_spans


def note_undecodable(leaves: walk.Leaves, found_in: dict[int, Counter[str]]) -> int:
    """Put a note in the place of bytes that are no text, and count them where they stand. Gives how many there were."""
    for index, value in leaves.undecodable:
        value.bytes_value = media.of_bytes(value.bytes_value).encode()
        found_in[index] = Counter({_UNDECODABLE: 1})
    return len(leaves.undecodable)


def changed_keys(names: Sequence[str], rules: CompiledRules, findings: Counter[str]) -> dict[str, str]:
    """Take keys of attributes through the rules. Gives those that hold a value, with what is put in their place.

    Those that say nothing of their values are remembered in `rules.plain_keys`; `findings` grows.
    """
    where = rules.at(Place.KEY, "")
    run = Run(rules)
    changed = run.texts(names, {}, [where] * len(names) if where else ())
    findings.update(run.findings)
    for index, name in enumerate(names):
        facts = rules.facts(fold.word(name))
        if index not in changed and not stamp.is_stamp(name) and not (facts.whole or facts.off or facts.context):
            rules.remember_plain(name)
    return {names[i]: REMOVED if new == DROP else new for i, new in changed.items()}


def attributes_of(span: Span) -> Iterator[KeyValue]:
    """The attributes of a span and of its events."""
    yield from span.attributes
    for event in span.events:
        yield from event.attributes
