"""How often each shipped rule finds what it is there for: figures measured beforehand, in `measured.yaml`.

They hold for a rule as it is shipped. A rule that an operator wrote or changed has none: its examples are what speaks
for it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from spansieve import strict_yaml
from spansieve.redact.policy.model import Action, Rule

FEWEST: Final = 20
"""Findings that a share is told of; of fewer it would say little."""

_NOT_FINDING = {*Action.model_fields, "reason", "owner", "supports", "examples", "where", "unless"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one rule. `how` its values came about: `made` by a generator, `varied` from the rule's examples.

    `found` of `values` were gone from the text. Of what the rule found in all texts, `right` were values of its kind
    and `wrong` were none.
    """

    how: str
    values: int
    found: int
    right: int
    wrong: int

    @property
    def recall(self) -> float | None:
        """The share of the values that was found."""
        return self.found / self.values if self.values else None

    @property
    def precision(self) -> float | None:
        """The share of the findings that was right, when there were enough of them."""
        count = self.right + self.wrong
        return self.right / count if count >= FEWEST else None


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was measured on: values of all rules, and texts that hold nothing personal."""

    values: int
    benign: int


def of(rule: Rule) -> Figures | None:
    """The figures of a rule, if it finds what the shipped one finds."""
    row = _table()["rules"].get(digest(rule))
    if row is None or not row["values"]:
        return None
    return Figures(row["how"], row["values"], row["found"], row["right"], row["wrong"])


def corpus() -> Corpus:
    """What the figures were measured on."""
    return Corpus(_table()["values"], _table()["benign"])


def digest(rule: Rule) -> str:
    """Name how a rule finds: the same for two that differ in nothing but what becomes of the values, and where."""
    finding = rule.model_dump(mode="json", exclude=_NOT_FINDING)
    return hashlib.sha256(json.dumps(finding, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = strict_yaml.shipped("spansieve.redact.review", "measured.yaml")
    return table
