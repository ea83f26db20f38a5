"""What each span that leaves tells of its redaction: by which policy, and how many values of which rules. No value."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from spansieve.redact.otlp.walk import Leaves

PREFIX: Final = "spansieve.redaction."
POLICY: Final = PREFIX + "policy"
"""Attribute: the digest of the policy that a span was redacted under."""

FOUND: Final = PREFIX + "found"
"""Attribute, where anything was replaced: `EMAIL:2 PHONE:1`, entities in alphabetical order, with values of each."""

_OURS: Final = (PREFIX, "spansieve.sampling.", "spansieve.usage.", "tailsampling.policy")


def put(
    leaves: Leaves, digest: str, found: Mapping[int, Counter[str]], entities: Mapping[str, str]
) -> list[Counter[str] | None]:
    """Stamp all spans that were walked, which bear none. Gives what was found in each by entity, None for nothing.

    `found` is what was found in each text, by index; `entities` is by rule.
    """
    policy = KeyValue(key=POLICY)
    policy.value.string_value = digest
    for span, _, _ in leaves.spans:
        span.attributes.append(policy)
    starts = [start for _, start, _ in leaves.spans]
    by_span: dict[int, Counter[str]] = {}
    for index, counts in found.items():
        at = bisect_right(starts, index) - 1
        if at >= 0 and index < leaves.spans[at][2]:
            by_span.setdefault(at, Counter()).update(counts)
    of_spans: list[Counter[str] | None] = [None] * len(leaves.spans)
    for at, counts in by_span.items():
        if counts:
            of_entity = of_spans[at] = by_entity(counts, entities)
            leaves.spans[at][0].attributes.add(key=FOUND).value.string_value = written(of_entity)
    return of_spans


def is_stamp(key: str) -> bool:
    """Whether an attribute's key is one that a gateway puts on spans, here or in a later stage.

    What comes under one, of another gateway or of a sender who made it up, goes, wherever it stands: whoever reads the
    stamps trusts them. Such keys are never taken for plain, so that none is missed.
    """
    return key.startswith(_OURS)


def by_entity(counts: Mapping[str, int], entities: Mapping[str, str]) -> Counter[str]:
    """Count what was found by entity, from counts by rule."""
    found: Counter[str] = Counter()
    for rule, count in counts.items():
        found[entities.get(rule, rule.upper())] += count
    return found


def written(found: Mapping[str, int]) -> str:
    """The value of FOUND."""
    return " ".join(f"{entity}:{count}" for entity, count in sorted(found.items()))


_FOUND_HEAD: Final = bytes((0x0A, len(FOUND))) + FOUND.encode()  # KeyValue.key


def read(attributes: Iterable[bytes]) -> Counter[str] | None:
    """What was found by entity, read from the serialized attributes of a span that is stamped; None for nothing."""
    for raw in attributes:
        if raw.startswith(_FOUND_HEAD):
            value = KeyValue.FromString(raw).value.string_value
            pairs = (pair.rpartition(":") for pair in value.split(" "))
            return Counter({entity: int(count) for entity, _, count in pairs})
    return None
