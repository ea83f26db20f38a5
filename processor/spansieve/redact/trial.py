"""Rules on trial: each must do to its own examples what they say, with the policy at work.

The rules of packs are tried without the policy's own, which may find more than the packs' authors could know. Where an
action puts something else than a typed token, the token may stand in the example for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from spansieve import redact
from spansieve.redact import policy as policies
from spansieve.redact.policy import CONTENT, Material, Policy
from spansieve.redact.policy_model import Examples

MATERIAL = Material(b"a key that is only used for trials", bytes(range(32)))
"""Trials need keys, but not those that are in use."""


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


def run(policy: Policy) -> list[Result]:
    """Try all examples of all rules. A rule without examples of both kinds fails, unless a model finds its values."""
    packed = {rule.name for name in policies.packs() for rule in policies.pack_rules(name)}
    benches: Mapping[bool, _Bench] = {
        True: _Bench(policy.model_copy(update={"allow": None, "rules": _only(policy, packed)})),
        False: _Bench(policy.model_copy(update={"allow": None})),
    }
    results = [
        Result(rule.name, 0, 0, ()) if by_model(rule) else benches[rule.name in packed].trial(rule.name, rule.examples)
        for rule in policy.rules
    ]
    if policy.allow is not None:
        results.append(_Bench(policy).trial(CONTENT, policy.allow.examples))
    return results


def by_model(rule: policies.Rule) -> bool:
    """Whether what a rule finds is found by the model of names, which a trial does not run."""
    return rule.detector is not None and rule.detector.names is not None


def _only(policy: Policy, names: set[str]) -> tuple[policies.Rule, ...]:
    return tuple(rule for rule in policy.rules if rule.name in names)


class _Bench:
    """One policy, as it is and with a token for each action."""

    def __init__(self, policy: Policy) -> None:
        self._rules = policies.compile(policy, MATERIAL)
        plain = tuple(rule.model_copy(update={"action": "replace"}) for rule in policy.rules)
        same = plain == policy.rules
        self._tokens = None if same else policies.compile(policy.model_copy(update={"rules": plain}), MATERIAL)

    def trial(self, name: str, examples: Examples) -> Result:
        """Try the examples of one rule."""
        failures: list[str] = []
        shown: list[Shown] = []
        if not examples.positive or not examples.negative:
            failures.append("needs at least one positive and one negative example")
        for number, wanted in enumerate(examples.positive, 1):
            text, findings = redact.text(wanted.text, self._rules, wanted.key)
            shown.append(Shown(wanted.text, wanted.key, text, positive=True))
            if wanted.becomes not in (text, self._with_token(wanted.text, wanted.key)):
                failures.append(f"positive example {number} becomes {text!r}, not {wanted.becomes!r}")
            elif name not in findings and wanted.text != wanted.becomes:
                failures.append(f"positive example {number} was found by {', '.join(findings) or 'nothing'}")
            elif redact.text(text, self._rules, wanted.key)[0] != text:
                failures.append(f"positive example {number}: {text!r} does not stay as it is when it comes again")
        for number, unwanted in enumerate(examples.negative, 1):
            text, findings = redact.text(unwanted.text, self._rules, unwanted.key)
            shown.append(Shown(unwanted.text, unwanted.key, text, positive=False))
            if text != unwanted.text:
                failures.append(f"negative example {number} becomes {text!r} by {', '.join(findings)}")
        return Result(name, len(examples.positive), len(examples.negative), tuple(failures), tuple(shown))

    def _with_token(self, text: str, key: str) -> str | None:
        return None if self._tokens is None else redact.text(text, self._tokens, key)[0]
