"""Recall and precision of each shipped rule, for the reviewer's report: `python -m accuracy.rules` writes the figures.

Recall: of the values made for a rule, the share that is gone from the text. Precision: of all that a rule finds, in
the texts of all rules and in those that hold nothing personal, the share that is a value of its kind.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from bench import cases as rule_cases
from bench import look_alikes

from accuracy import benign_texts
from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.policy import Policy, Rule
from spansieve.redact.review import measured, trial
from spansieve.redact.rules.compiled import CompiledRules

SEED = 20260103
BENIGN = 40
"""Texts of each kind that hold nothing personal."""

FILE = Path(measured.__file__).with_name("measured.yaml")
_MATERIAL = policy.Material(b"k" * 32, bytes(32))
_FAILED = ("error", "budget")  # for which a text is removed whole: that finds nothing
_ALIKE = (
    {"IP"}, {"NATIONAL_ID", "ID_NUMBER", "US_SSN", "US_ITIN", "BANK_ACCOUNT", "PHONE", "PERSON_CODE", "USER_ID"},
    {"API_KEY", "SECRET", "TOKEN", "CREDENTIALS", "COOKIE"}, {"PERSON", "CARDHOLDER"},
    {"CARD", "TRACK", "BANK_ACCOUNT"}, {"DATE", "BIRTH_DATE", "EXPIRY"}, {"URL", "CREDENTIALS", "SECRET"},
)  # fmt: skip
"""Entities of which one is no mistake for the other: what is found is personal, and goes."""


def shipped() -> Iterator[tuple[Rule, Policy]]:
    """Each rule of a pack or a shipped policy, with the policy that it is measured in."""
    seen: set[str] = set()
    for name in sorted(policy.shipped_names(), key=lambda name: (name != "default", name)):
        chosen = _policy(name)
        for rule in chosen.rules:
            if measured.digest(rule) not in seen and not trial.by_model(rule):
                seen.add(measured.digest(rule))
                yield rule, chosen


def measure() -> dict[str, Any]:
    """Measure all rules."""
    rows: dict[str, dict[str, Any]] = {}
    at: dict[str, tuple[str, str]] = {}
    right: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for rule, chosen in shipped():
        rules = _compiled(chosen.name)
        how, cases = rule_cases.of(rule, SEED)
        values = found = 0
        for case in cases:
            text, findings = redact.text(case.text, rules, case.key)
            values += 1
            found += case.value not in text and findings.keys().isdisjoint(_FAILED)
            for name, count in findings.items():
                counter = right if _same(rules.entities.get(name, ""), rule.entity) else wrong
                counter[chosen.name, name] += count
        digest = measured.digest(rule)
        at[digest] = (chosen.name, rule.name)
        rows[digest] = {"rule": rule.name, "how": how, "values": values, "found": found}
    benign = [*(text for _, text in look_alikes.generated(BENIGN, SEED)), *benign_texts.written()]
    for name in policy.shipped_names():
        for text in benign:
            for found_by, count in redact.text(text, _compiled(name))[1].items():
                wrong[name, found_by] += count
    for digest, row in rows.items():
        row |= {"right": right[at[digest]], "wrong": wrong[at[digest]]}
    return {"benign": len(benign), "values": sum(row["values"] for row in rows.values()), "rules": rows}


def _same(found: str, wanted: str) -> bool:
    return found == wanted or any({found, wanted} <= alike for alike in _ALIKE)


@cache
def _policy(name: str) -> Policy:
    """A shipped policy without its allow-list, which takes all that there is to find."""
    return policy.parse(policy.shipped(name)).model_copy(update={"allow": None})


@cache
def _compiled(name: str) -> CompiledRules:
    return policy.compile(_policy(name), _MATERIAL)


def main() -> None:
    """Write the figures into the package."""
    figures = measure()
    head = (
        "# Written by `python -m accuracy.rules` (tests/accuracy/rules.py), and held to by a test: how often each\n"
        "# shipped rule finds what it is there for, by the digest of the rule.\n"
    )
    FILE.write_text(head + yaml.safe_dump(figures, sort_keys=False, width=200), encoding="utf-8")
    for row in figures["rules"].values():
        sys.stdout.write(
            f"{row['rule']:28}{row['how']:8}{row['found']:5}/{row['values']:<5}{row['right']:6}{row['wrong']:5}\n"
        )


if __name__ == "__main__":
    main()
