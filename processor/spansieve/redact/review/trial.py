"""Rules on trial: each must do to its own examples what they say, with the policy at work.

The rules of packs are tried without the policy's own, which may find more than the packs' authors could know. Where an
action puts something else than a typed token, or a token of the policy's, the rule's token may stand in the example for
it. An example stands where its rule applies: alone, else in an attribute of a span, else at the first place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from spansieve import redact
from spansieve.redact import policy as policies
from spansieve.redact.policy import CONTENT, Material, Policy
from spansieve.redact.policy.model import Examples
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.selectors import Place, matching

MATERIAL = Material(b"a key that is only used for trials", bytes(range(32)))
"""Trials need keys, but not those that are in use."""

Read: TypeAlias = Callable[[str, str], tuple[str, Mapping[str, int]]]
"""Takes names out of a text that stands under a key; gives the text and what was found, by rule."""
_Clean: TypeAlias = Callable[[str, str, Place], tuple[str, Mapping[str, int]]]
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
    """How one rule did. `failures` are sentences; the examples in them come from the policy file, not from traffic.

    `elsewhere` of the positive examples are of countries or regions that the policy leaves out, and stay as they are.
    """

    rule: str
    positive: int
    negative: int
    failures: tuple[str, ...]
    shown: tuple[Shown, ...] = ()
    elsewhere: int = 0


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
            made[which] = _Bench(tried, names if which[1] else None, packed=which[0])
        return made[which]

    results = []
    for rule in policy.rules:
        if by_model(rule) and (names is None or not (rule.examples.positive or rule.examples.negative)):
            results.append(Result(rule.name, 0, 0, ()))
        else:
            results.append(bench(rule).trial(rule.name, rule.examples, _place(rule)))
    if policy.allow is not None:
        results.append(_Bench(policy).trial(CONTENT, policy.allow.examples))
    return results


def by_model(rule: policies.Rule) -> bool:
    """Whether what a rule finds is found by the model of names."""
    return rule.detector is not None and rule.detector.names is not None


def _only(policy: Policy, names: set[str]) -> tuple[policies.Rule, ...]:
    return tuple(rule for rule in policy.rules if rule.name in names)


def _place(rule: policies.Rule) -> Place:
    """Where the examples of a rule stand: where it applies, by its places."""
    left_out = {place for each in rule.unless if not (each.keys or each.roles) for place in _places(each.places)}
    chosen = {place for each in rule.where for place in _places(each.places)} if rule.where else set(Place)
    chosen -= left_out
    return next(
        (place for place in (Place.TEXT, Place.SPAN_ATTRIBUTE) if place in chosen), min(chosen, default=Place.TEXT)
    )


def _places(globs: Sequence[str]) -> set[Place]:
    return {place for glob in globs for place in matching(glob)} if globs else set(Place)


class _Bench:
    """One policy, as it is and with a token for each action; with `names`, what they find goes too."""

    def __init__(self, policy: Policy, names: Names | None = None, *, packed: bool = False) -> None:
        self._names = names
        self._policy = policy
        self._packed = packed
        self._abroad: _Bench | None = None
        self._clean = self._made(policies.compile(policy, MATERIAL))
        with_tokens = [tuple(rule.model_copy(update={"action": "replace"}) for rule in policy.rules)]
        with_tokens.append(tuple(rule.model_copy(update={"token": None}) for rule in with_tokens[0]))
        self._tokens = [
            self._made(policies.compile(policy.model_copy(update={"rules": rules}), MATERIAL))
            for number, rules in enumerate(with_tokens)
            if rules not in (policy.rules, *with_tokens[:number])
        ]

    def _made(self, rules: CompiledRules) -> _Clean:
        read = None if self._names is None else self._names(rules)

        def clean(text: str, key: str, place: Place) -> tuple[str, Mapping[str, int]]:
            text, findings = redact.text(text, rules, key, place)
            if read is None:
                return text, findings
            text, found = read(text, key)
            return text, {**findings, **found}

        return clean

    def trial(self, name: str, examples: Examples, place: Place = Place.TEXT) -> Result:
        """Try the examples of one rule."""
        failures: list[str] = []
        shown: list[Shown] = []
        elsewhere = 0
        if not examples.positive or not examples.negative:
            failures.append("needs at least one positive and one negative example")
        for number, wanted in enumerate(examples.positive, 1):
            text, findings = self._clean(wanted.text, wanted.key, place)
            shown.append(Shown(wanted.text, wanted.key, text, positive=True))
            if not self._becomes(wanted.text, wanted.key, place, wanted.becomes):
                if text == wanted.text and self._is_abroad(wanted.text, wanted.key, place, wanted.becomes):
                    elsewhere += 1
                else:
                    failures.append(f"positive example {number} becomes {text!r}, not {wanted.becomes!r}")
            elif name not in findings and wanted.text != wanted.becomes:
                failures.append(f"positive example {number} was found by {', '.join(findings) or 'nothing'}")
            elif self._clean(text, wanted.key, place)[0] != text:
                failures.append(f"positive example {number}: {text!r} does not stay as it is when it comes again")
        for number, unwanted in enumerate(examples.negative, 1):
            text, findings = self._clean(unwanted.text, unwanted.key, place)
            shown.append(Shown(unwanted.text, unwanted.key, text, positive=False))
            if text != unwanted.text:
                failures.append(f"negative example {number} becomes {text!r} by {', '.join(findings)}")
        return Result(
            name, len(examples.positive), len(examples.negative), tuple(failures), tuple(shown), elsewhere=elsewhere
        )

    def _becomes(self, text: str, key: str, place: Place, wanted: str) -> bool:
        return any(clean(text, key, place)[0] == wanted for clean in (self._clean, *self._tokens))

    def _is_abroad(self, text: str, key: str, place: Place, wanted: str) -> bool:
        """Whether a pack's example is of a country or region that the policy leaves out."""
        if not self._packed:
            return False
        if self._abroad is None:
            regions = dict.fromkeys((*self._policy.regions, *policies.parse(policies.shipped("default")).regions))
            everywhere = self._policy.model_copy(update={"countries": None, "regions": tuple(regions)})
            self._abroad = _Bench(everywhere, self._names)
        return self._abroad._becomes(text, key, place, wanted)  # noqa: SLF001 - of its own class
