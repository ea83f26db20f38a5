"""Which attributes may not become metric labels: those that identify someone or something, or hold free text."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from spansieve import strict_yaml

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class _Rules:
    never_last: frozenset[str]
    never_pairs: frozenset[tuple[str, str]]
    allow_last: frozenset[str]
    allow_any: frozenset[str]


def refusal(attribute: str, *, has_allow: bool) -> str | None:
    """Return why an attribute may not become a label, as the end of a sentence; None when it may.

    `has_allow` says that the operator lists the values it may have.
    """
    rules = _rules()
    words = [word.lower() for word in _WORD.findall(attribute)]
    last = words[-1] if words else ""
    if last in rules.never_last or not rules.never_pairs.isdisjoint(pairwise(words)):
        return "identifies someone or one request, or holds text: it belongs on traces, not on metrics"
    if not has_allow and (last in rules.allow_last or not rules.allow_any.isdisjoint(words)):
        return "may have any number of values: list those that matter under allow, and others become `other`"
    return None


@cache  # the package's data do not change
def _rules() -> _Rules:
    tree = strict_yaml.shipped("spansieve", "identifiers.yaml")
    never, only = tree["never"], tree["only_with_allow"]
    return _Rules(
        frozenset(never["last"]), frozenset(map(tuple, never["pairs"])), frozenset(only["last"]), frozenset(only["any"])
    )
