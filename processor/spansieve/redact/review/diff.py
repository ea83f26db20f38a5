"""What a change of policy would do to real requests, said without showing what either policy would take out.

Each request goes through the old policy A and then B, and through B and then A. What B still finds after A is newly
masked; what A still finds after B is newly visible. A snippet is of a text that both have been through.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spansieve import redact
from spansieve.model import DecodedBatch, ExportRequest
from spansieve.redact.rules import assembly
from spansieve.redact.rules.cache import Cache
from spansieve.redact.rules.compiled import CompiledRules

_AROUND = 28  # characters of a snippet on either side of where two texts part
_LONGEST = 72
_MOST_SNIPPETS = 3
_DROPPED = "(dropped)"


@dataclass(slots=True)
class Place:
    """Texts of one kind, such as the attribute `gen_ai.input.messages` of spans: how many changed, and a few."""

    count: int = 0
    snippets: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Change:
    """One direction of the difference: by rule of the policy that masks, and by place."""

    rules: Counter[str] = field(default_factory=Counter)
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def texts(self) -> int:
        """Texts that are concerned."""
        return sum(place.count for place in self.places.values())

    def add(self, place: str, snippet: str) -> None:
        """Count a text, and keep its snippet if there are few."""
        known = self.places.setdefault(place, Place())
        known.count += 1
        if len(known.snippets) < _MOST_SNIPPETS and snippet not in known.snippets:
            known.snippets.append(snippet)


@dataclass(slots=True)
class Difference:
    """Between two policies, over requests: `otherwise` are texts in which both mask the same and put other things."""

    requests: int = 0
    items: int = 0
    masked: Change = field(default_factory=Change)
    visible: Change = field(default_factory=Change)
    otherwise: Change = field(default_factory=Change)


def compare(batches: Iterable[DecodedBatch], a: CompiledRules, b: CompiledRules) -> Difference:
    """Put requests through two policies. The batches are used up."""
    a, b = _acquainted(a, b), _acquainted(b, a)
    difference = Difference()
    for batch in batches:
        difference.requests += 1
        difference.items += batch.items
        after_a, after_b = redact.batch(_copy(batch), a, stamped=False), redact.batch(batch, b, stamped=False)
        first = _copied(after_a.message)
        both = redact.batch(replace(batch, message=_copied(first)), b, stamped=False)
        second = _copied(after_b.message)
        both_too = redact.batch(replace(batch, message=_copied(second)), a, stamped=False)
        difference.masked.rules.update(both.findings)
        difference.visible.rules.update(both_too.findings)
        for place, texts in _texts("", [first, both.message, second, both_too.message]):
            _note(difference, place, texts)
    return difference


def _note(difference: Difference, place: str, texts: Sequence[str]) -> None:
    in_a, a_then_b, in_b, b_then_a = texts
    if in_a != a_then_b:
        difference.masked.add(place, _snippet(in_a, a_then_b))
    if in_b != b_then_a:
        difference.visible.add(place, _snippet(in_b, b_then_a))
    if in_a == a_then_b and in_b == b_then_a and in_a != in_b:
        difference.otherwise.add(place, _snippet(in_b, in_a) if len(in_a) <= len(in_b) else _snippet(in_a, in_b))


def _acquainted(rules: CompiledRules, other: CompiledRules) -> CompiledRules:
    """Rules that know what the other policy puts in the place of values, and leave it. With memories of their own."""
    marks = [each.made_by_actions.pattern for each in (rules, other) if each.made_by_actions is not None]
    made_by_actions = re.compile("|".join(marks)) if marks else None
    replacements = rules.replacements | other.replacements
    return replace(
        rules,
        replacements=replacements,
        made_by_actions=made_by_actions,
        put=assembly.put(replacements, made_by_actions) if rules.wholes else made_by_actions,
        cache=Cache(),
        plain_keys=set(),
        _facts={},
        _at={},
        _off=[],
    )


def _copy(batch: DecodedBatch) -> DecodedBatch:
    return replace(batch, message=_copied(batch.message))


def _copied(message: ExportRequest) -> ExportRequest:
    made = type(message)()
    made.CopyFrom(message)  # type: ignore[arg-type]  # of the same type, which mypy cannot tell for a union
    return made


def _texts(place: str, messages: Sequence[Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """Every text of a request with its place, as it is in each of several versions of the request."""
    pending: list[tuple[str, Sequence[Any]]] = [(place, messages)]
    while pending:
        place, versions = pending.pop()
        if None in versions:  # an attribute that one of the policies drops
            yield place, [_text(None if each is None else each.value) for each in versions]
        elif isinstance(versions[0], AnyValue) and _is_leaf(versions):
            yield place, [_text(each) for each in versions]
        else:
            for descriptor in versions[0].DESCRIPTOR.fields:
                here = _named(place, descriptor.name)
                if descriptor.type == descriptor.TYPE_STRING:
                    yield from ((here, row) for row in _strings(versions, descriptor.name))
                elif descriptor.type == descriptor.TYPE_MESSAGE:
                    pending += _members(here, versions, descriptor.name)


def _is_leaf(values: Sequence[AnyValue]) -> bool:
    """Whether values are no lists or maps, or not all of them of one kind any more."""
    kinds = {each.WhichOneof("value") for each in values}
    return len(kinds) > 1 or not kinds & {"array_value", "kvlist_value"}


def _strings(versions: Sequence[Any], name: str) -> Iterator[Sequence[str]]:
    contents = [getattr(each, name) for each in versions]
    if isinstance(contents[0], str):
        yield contents
    else:
        yield from zip(*contents, strict=True)


def _members(place: str, versions: Sequence[Any], name: str) -> Iterator[tuple[str, Sequence[Any]]]:
    contents = [getattr(each, name) for each in versions]
    if not isinstance(contents[0], Message):
        yield from _rows(place, contents)
    elif any(each.HasField(name) for each in versions):
        yield place, contents


def _rows(place: str, lists: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """The members of repeated fields that belong together. Attributes may have been dropped, and are matched by key."""
    if len({len(each) for each in lists}) == 1:
        for row in zip(*lists, strict=True):
            yield (f"{place}[{row[1].key}]" if type(row[0]) is KeyValue else place), row
        return
    by_key = [{each.key: each for each in versions} for versions in lists]
    for key in dict.fromkeys(key for versions in by_key for key in versions):
        row = tuple(versions.get(key) for versions in by_key)
        yield f"{place}[{key}]", row


def _named(place: str, name: str) -> str:
    """A place's name without what says nothing: the envelopes, and that an attribute has a value."""
    if name in _SILENT:
        return place
    return f"{place}.{name}" if place else name


_SILENT = frozenset(
    {"resource_spans", "resource_logs", "resource_metrics", "scope_spans", "scope_logs", "scope_metrics", "value",
     "array_value", "values", "kvlist_value", "string_value", "key"}
)  # fmt: skip


def _text(value: AnyValue | None) -> str:
    if value is None:
        return _DROPPED
    kind = value.WhichOneof("value")
    return "" if kind is None else str(getattr(value, kind))


def _snippet(before: str, after: str) -> str:
    """A piece of `after`, which both policies have been through, around the first place where it is not `before`."""
    at = next((i for i, (x, y) in enumerate(zip(before, after, strict=False)) if x != y), min(len(before), len(after)))
    start = max(0, at - _AROUND)
    piece = after[start : start + _LONGEST]
    shown = "".join(c if c.isprintable() else " " for c in piece)
    return f"{'…' if start else ''}{shown}{'…' if start + _LONGEST < len(after) else ''}"
