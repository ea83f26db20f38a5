"""An effective policy as what the hot path reads: detectors chosen, confidence settled, actions made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spansieve.redact.find import persons
from spansieve.redact.policy import actions
from spansieve.redact.policy.actions import Act, Material
from spansieve.redact.policy.model import Allow, IsShipped, Policy, Rule
from spansieve.redact.policy.presidio import Recogniser
from spansieve.redact.policy.sealing import Sealer
from spansieve.redact.rules import anchors, assembly, literals, selectors, wholes
from spansieve.redact.rules.compiled import CompiledRule, CompiledRules, Limits, Named, Pattern
from spansieve.redact.rules.linear import Linear
from spansieve.redact.rules.validators import Checker, checker
from spansieve.redact.rules.wholes import Look, Whole

CONTENT: Final = "content"
"""The rule that an allow-list becomes: it takes every text that the list does not name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One pattern of a rule: `alone` counts wherever it is, others only beside a context word."""

    pattern: str
    validator: str | None
    confidence: float
    alone: bool


def wanted(rule: Rule) -> list[Wanted]:
    """The patterns of a rule that may count under its threshold.

    What a validator confirms is certain. A context pattern stays as uncertain as it is: its validator only says that
    the digits may be such a number.
    """
    found: list[Wanted] = []
    for pattern in rule.patterns:
        confidence = wholes.CONFIRMED if rule.validator else rule.score
        found += _wanted(rule, pattern, rule.validator, confidence)
    for pattern in rule.context_patterns:
        found += _wanted(rule, pattern, rule.context_validator, wholes.IN_CONTEXT)
    return found


def _wanted(rule: Rule, pattern: str, validator: str | None, confidence: float) -> Iterator[Wanted]:
    alone = confidence >= rule.threshold
    if alone or (rule.context and confidence + wholes.NEARBY >= rule.threshold):
        yield Wanted(pattern, validator, confidence, alone)


def rules(
    policy: Policy, digest: str, is_shipped: IsShipped, material: Material
) -> tuple[CompiledRules | None, list[str]]:
    """Compile a policy, or say why that cannot be."""
    act = _Acts(policy, material)
    if act.problems:
        return None, act.problems
    made = [_rule(index, rule, policy, act, is_shipped) for index, rule in enumerate(policy.rules)]
    anchors_of = [_anchors(rule, compiled_rule) for rule, compiled_rule in zip(policy.rules, made, strict=True)]
    keys = [key for rule in policy.rules for key in rule.keys]
    if persons.KEY in keys:
        keys += persons.telling()
    if policy.allow is not None:
        made.append(_content(len(made), policy.allow))
        anchors_of.append(())
    limits = Limits(policy.limits.depth, policy.limits.checks, policy.limits.checks_per_kib)
    sealing = [rule.name for rule in policy.rules if rule.action == "encrypt"]
    return assembly.rules(made, anchors_of, keys, limits, policy.name, digest, act.marks, sealing), []


def _rule(index: int, rule: Rule, policy: Policy, act: "_Acts", is_shipped: IsShipped) -> CompiledRule:
    shipped: list[Wanted] = []
    own: list[Wanted] = []
    for each in wanted(rule):
        (shipped if is_shipped(each.pattern) else own).append(each)
    detector = rule.detector
    recogniser = Recogniser(detector.presidio, detector.args) if detector is not None and detector.presidio else None
    looks = [_whole(each, rule, policy) for each in own]
    if recogniser is not None:
        looks.append(Whole(recogniser.look, rule.threshold, _literals(rule), *_check(rule.validator, policy)))
    return assembly.rule(
        index,
        name=rule.name,
        replacement=rule.replacement,
        detectors=[(each.pattern, each.validator, not each.alone) for each in shipped],
        wholes=looks,
        context=(*rule.context, *(recogniser.context if recogniser is not None else ())),
        lead=rule.lead,
        unless_before=_pattern(rule.unless_before, is_shipped, end=True),
        keys=rule.keys,
        key_value=_pattern(rule.key_value, is_shipped),
        except_keys=rule.except_keys,
        regions=policy.regions,
        countries=policy.countries,
        act=act.of(rule),
        drops=rule.action == "drop",
        selector=_selector(rule),
        entity=rule.entity,
        named=_named(rule, policy),
    )


def _named(rule: Rule, policy: Policy) -> Named | None:
    if rule.detector is None or rule.detector.names is None:
        return None
    never = frozenset(word.casefold() for word in (*rule.detector.never, *policy.never_names))
    return Named(
        rule.detector.names, rule.threshold, never, by_identity=rule.action == "pseudonym", also=policy.names_also
    )


def _whole(each: Wanted, rule: Rule, policy: Policy) -> Whole:
    look = _with_confidence(Linear(each.pattern), each.confidence)
    return Whole(look, rule.threshold, _literals(rule), *_check(each.validator, policy))


def _with_confidence(pattern: Linear, confidence: float) -> Look:
    return lambda text: ((start, end, confidence) for start, end in pattern.look(text))


def _literals(rule: Rule) -> tuple[str, ...]:
    """The literals that a text must hold one of. A class of anchors is no condition: it wants seven digits or more."""
    if any(anchor in anchors.CLASSES for anchor in rule.anchors):
        return ()
    return tuple(literals.literal(anchor).raw.decode("latin-1").lower() for anchor in rule.anchors)


def _anchors(rule: Rule, made: CompiledRule) -> tuple[str, ...]:
    """What a text is searched for: the anchors of shipped patterns, and the literals of others in any case."""
    of_shipped = rule.anchors if made.detectors else ()
    return (*of_shipped, *(literal for literal in _literals(rule) if made.wholes and literal not in of_shipped))


def _check(validator: str | None, policy: Policy) -> tuple[Checker | None, int]:
    return checker(validator, policy.regions, policy.countries) if validator else (None, 1)


def _pattern(pattern: str | None, is_shipped: IsShipped, *, end: bool = False) -> Pattern | None:
    """Compile a pattern that is asked about one short text; with `end` it has to end where the text does."""
    if pattern is None:
        return None
    if is_shipped(pattern):
        return assembly.pattern(rf"(?:{pattern})\Z" if end else pattern)
    return Linear(f"(?:{pattern})$" if end else pattern)


class _Acts:
    """Makes the actions of a policy's rules, once what they need is there."""

    def __init__(self, policy: Policy, material: Material) -> None:
        used = {rule.action for rule in policy.rules}
        self._key = material.pseudonym_key or b""
        self._sealer: Sealer | None = None
        problems: list[str] = []
        if "pseudonym" in used and len(self._key) < actions.SHORTEST_KEY:
            problems.append(
                f"pseudonym: the key has {len(self._key)} bytes, and {actions.SHORTEST_KEY} or more are needed. "
                "Example: what `openssl rand -hex 32` prints."
            )
        if "encrypt" in used and policy.encrypt is not None:
            if material.ephemeral is None:
                problems.append("encrypt: fresh randomness is missing, so nothing can be encrypted.")
            else:
                self._sealer = Sealer(policy.encrypt.public_key, material.ephemeral)
        self.problems = problems
        self.marks = actions.marks(
            {rule.entity for rule in policy.rules if rule.action == "pseudonym"},
            masks="mask" in used,
            seals="encrypt" in used,
        )

    def of(self, rule: Rule) -> Act | None:
        match rule.action:
            case "mask":
                return actions.mask(rule.keep, rule.replacement)
            case "truncate":
                return actions.truncate(rule.ipv4_prefix, rule.ipv6_prefix, rule.replacement)
            case "pseudonym":
                return actions.pseudonym(rule.entity, self._key)
            case "encrypt" if self._sealer is not None:
                return actions.encrypt(self._sealer)
            case _:
                return None


def _selector(rule: Rule) -> selectors.Selector | None:
    if not rule.where and not rule.unless:
        return None
    return selectors.Selector(
        tuple(selectors.where(each.places, each.keys, each.roles) for each in rule.where),
        tuple(selectors.where(each.places, each.keys, each.roles) for each in rule.unless),
    )


def _content(index: int, allow: Allow) -> CompiledRule:
    """The rule that takes all that an allow-list does not name. Keys themselves are no content."""
    return assembly.rule(
        index,
        name=CONTENT,
        replacement="[CONTENT]",
        detectors=(),
        wholes=(),
        context=(),
        lead=None,
        unless_before=None,
        keys=("*",),
        key_value=None,
        except_keys=(),
        regions=(),
        countries=None,
        takes_json=True,
        entity="CONTENT",
        selector=selectors.Selector(
            (), tuple([selectors.where((place,), ()) for place in allow.places] + _allowed_keys(allow))
        ),
    )


def _allowed_keys(allow: Allow) -> list[selectors.Where]:
    named = [selectors.where((selectors.Place.KEY.title,), ())]
    return [*named, selectors.where((), allow.keys)] if allow.keys else named
