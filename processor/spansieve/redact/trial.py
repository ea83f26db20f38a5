"""Rules on trial: each must do to its own examples what they say, with the policy at work.

The rules of packs are tried without the policy's own, which may find more than the packs' authors could know. Where an
action puts something else than a typed token, the token may stand in the example for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from spansieve import redact
from spansieve.redact import policy as policies
from spansieve.redact.compiled import CompiledRules
from spansieve.redact.policy import CONTENT, Material, Policy
from spansieve.redact.policy_model import Examples

MATERIAL = Material(b"a key that is only used for trials", bytes(range(32)))
"""Trials need keys, but not those that are in use."""

Read: TypeAlias = Callable[[str, str], tuple[str, Mapping[str, int]]]
"""Takes names out of a text that stands under a key; gives the text and what was found, by rule."""
Names: TypeAlias = Callable[[CompiledRules], Read]
"""Makes what takes names out by the rules of a policy: the model, which is none of redaction's own parts."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of one example. Its texts come from the policy file, not from traffic."""

    text: str
    key: str
    becomes: str
    positive: bool


@dataclass(frozen=True, slots=True)
class Result:
    """How one rule did. `failures` are sentences; the examples in them come from the policy file, not from traffic."""

    rule: str
    positive: int
    negative: int
    failures: tuple[str, ...]
    shown: tuple[Shown, ...] = ()


def run(policy: Policy, names: Names | None = None) -> list[Result]:
    """Try all examples of all rules. A rule without examples of both kinds fails, unless a model finds its values.

    Without `names` the rules whose values a model finds are not tried.
    """
    packed = {rule.name for name in policies.packs() for rule in policies.pack_rules(name)}
    made: dict[tuple[bool, bool], _Bench] = {}

    def bench(rule: policies.Rule) -> _Bench:
        which = rule.name in packed, by_model(rule)
        if which not in made:
            tried = policy.model_copy(update={"allow": None})
            if which[0]:
                tried = tried.model_copy(update={"rules": _only(policy, packed)})
            made[which] = _Bench(tried, names if which[1] else None)
        return made[which]

    results = []
    for rule in policy.rules:
        if by_model(rule) and (names is None or not (rule.examples.positive or rule.examples.negative)):
            results.append(Result(rule.name, 0, 0, ()))
        else:
            results.append(bench(rule).trial(rule.name, rule.examples))
    if policy.allow is not None:
        results.append(_Bench(policy).trial(CONTENT, policy.allow.examples))
    return results


def by_model(rule: policies.Rule) -> bool:
    """Whether what a rule finds is found by the model of names."""
    return rule.detector is not None and rule.detector.names is not None


def _only(policy: Policy, names: set[str]) -> tuple[policies.Rule, ...]:
    return tuple(rule for rule in policy.rules if rule.name in names)


class _Bench:
    """One policy, as it is and with a token for each action; with `names`, what they find goes too."""

    def __init__(self, policy: Policy, names: Names | None = None) -> None:
        self._names = names
        self._clean = self._made(policies.compile(policy, MATERIAL))
        plain = tuple(rule.model_copy(update={"action": "replace"}) for rule in policy.rules)
        same = plain == policy.rules
        self._tokens = (
            None if same else self._made(policies.compile(policy.model_copy(update={"rules": plain}), MATERIAL))
        )

    def _made(self, rules: CompiledRules) -> Read:
        read = None if self._names is None else self._names(rules)

        def clean(text: str, key: str) -> tuple[str, Mapping[str, int]]:
            text, findings = redact.text(text, rules, key)
            if read is None:
                return text, findings
            text, found = read(text, key)
            return text, {**findings, **found}

        return clean

    def trial(self, name: str, examples: Examples) -> Result:
        """Try the examples of one rule."""
        failures: list[str] = []
        shown: list[Shown] = []
        if not examples.positive or not examples.negative:
            failures.append("needs at least one positive and one negative example")
        for number, wanted in enumerate(examples.positive, 1):
            text, findings = self._clean(wanted.text, wanted.key)
            shown.append(Shown(wanted.text, wanted.key, text, positive=True))
            if wanted.becomes not in (text, self._with_token(wanted.text, wanted.key)):
                failures.append(f"positive example {number} becomes {text!r}, not {wanted.becomes!r}")
            elif name not in findings and wanted.text != wanted.becomes:
                failures.append(f"positive example {number} was found by {', '.join(findings) or 'nothing'}")
            elif self._clean(text, wanted.key)[0] != text:
                failures.append(f"positive example {number}: {text!r} does not stay as it is when it comes again")
        for number, unwanted in enumerate(examples.negative, 1):
            text, findings = self._clean(unwanted.text, unwanted.key)
            shown.append(Shown(unwanted.text, unwanted.key, text, positive=False))
            if text != unwanted.text:
                failures.append(f"negative example {number} becomes {text!r} by {', '.join(findings)}")
        return Result(name, len(examples.positive), len(examples.negative), tuple(failures), tuple(shown))

    def _with_token(self, text: str, key: str) -> str | None:
        return None if self._tokens is None else self._tokens(text, key)[0]
