"""What the hot path reads: a policy's rules, compiled. Made once for each policy, by `policy.compile`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from spansieve.redact import anchors, keys, patterns
from spansieve.redact.anchors import Anchors
from spansieve.redact.validators import Checker, checker

_MOST_KEYS = 4096  # remembered; keys made of data would otherwise fill the memory
_LONGEST_KEY = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """See policy.Limits."""

    depth: int
    checks: int
    checks_per_kib: int


@dataclass(frozen=True, slots=True)
class Detector:
    """One pattern of a rule. `before` and `after` are the characters around an anchor in which a match may lie."""

    search: re.Pattern[str]
    group: int | str  # what is replaced
    before: int
    after: int
    check: Checker | None
    cost: int
    in_context: bool


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule. A lower `index` has priority where two findings overlap."""

    index: int
    name: str
    replacement: str
    detectors: tuple[Detector, ...]
    context: re.Pattern[str] | None
    unless_before: re.Pattern[str] | None
    key: re.Pattern[str] | None
    key_value: re.Pattern[str] | None
    except_key: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key says: the rules that take the whole value, those that do not count here, those in context here."""

    whole: tuple[CompiledRule, ...]
    off: frozenset[int]
    context: frozenset[int]


NO_FACTS = KeyFacts((), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """A policy, ready to run. The two memories hold what was found out about keys; they never change a result."""

    name: str
    digest: str
    rules: tuple[CompiledRule, ...]
    anchors: Anchors
    by_anchor: tuple[tuple[CompiledRule, ...], ...]  # by number of the anchor
    limits: Limits
    replacements: frozenset[str]
    _facts: dict[str, KeyFacts] = field(default_factory=dict, repr=False, compare=False)
    plain_keys: set[str] = field(default_factory=set, repr=False, compare=False)

    def facts(self, key: str) -> KeyFacts:
        """Look a key up, or find out about it."""
        known = self._facts.get(key)
        if known is not None:
            return known
        facts = self._find_out(keys.normalise(key))
        if len(key) <= _LONGEST_KEY:
            if len(self._facts) >= _MOST_KEYS:
                self._facts.clear()
            self._facts[key] = facts
        return facts

    def remember_plain(self, key: str) -> None:
        """Note that a key has been through the rules, unchanged, and says nothing about its value."""
        if len(key) <= _LONGEST_KEY:
            if len(self.plain_keys) >= _MOST_KEYS:
                self.plain_keys.clear()
            self.plain_keys.add(key)

    def _find_out(self, key: str) -> KeyFacts:
        facts = KeyFacts(
            tuple(r for r in self.rules if r.key is not None and r.key.search(key)),
            frozenset(r.index for r in self.rules if r.except_key is not None and r.except_key.search(key)),
            frozenset(r.index for r in self.rules if r.context is not None and r.context.search(key)),
        )
        return NO_FACTS if facts == NO_FACTS else facts


def rule(  # noqa: PLR0913 - a rule has this many parts
    index: int,
    *,
    name: str,
    replacement: str,
    patterns: Sequence[str],
    context_patterns: Sequence[str],
    validator: str | None,
    context_validator: str | None,
    context: Sequence[str],
    lead: int | None,
    unless_before: str | None,
    keys: Sequence[str],
    key_value: str | None,
    except_keys: Sequence[str],
    regions: Sequence[str],
) -> CompiledRule:
    """Compile one rule; the fields are those of policy.Rule."""
    detectors = [_detector(pattern, lead, validator, regions, in_context=False) for pattern in patterns]
    detectors += [_detector(pattern, lead, context_validator, regions, in_context=True) for pattern in context_patterns]
    return CompiledRule(
        index=index,
        name=name,
        replacement=replacement,
        detectors=tuple(detectors),
        context=_words(context),
        unless_before=re.compile(rf"(?:{unless_before})\Z") if unless_before else None,
        key=_key_pattern(keys),
        key_value=re.compile(key_value) if key_value else None,
        except_key=_key_pattern(except_keys),
    )


_words = keys.words
_key_pattern = keys.pattern


def _detector(
    pattern: str, lead: int | None, validator: str | None, regions: Sequence[str], *, in_context: bool
) -> Detector:
    search = re.compile(pattern)
    reach = patterns.reach(pattern)
    check, cost = checker(validator, regions) if validator else (None, 1)
    return Detector(
        search=search,
        group="value" if "value" in search.groupindex else 0,
        before=reach if lead is None else lead,
        after=reach,
        check=check,
        cost=cost,
        in_context=in_context,
    )


def rules(
    compiled: Sequence[CompiledRule],
    anchors_of: Sequence[Sequence[str]],
    keys: Iterable[str],
    limits: Limits,
    name: str,
    digest: str,
) -> CompiledRules:
    """Put rules, their anchors (one list for each rule) and the keys that any of them looks for together."""
    literals = (anchor for each in anchors_of for anchor in each if anchor not in anchors.CLASSES)
    scanner = anchors.build(literals, (key.removeprefix("*") for key in keys))
    by_anchor: list[list[CompiledRule]] = [[] for _ in range(1 + max(anchors.KEY, *scanner.ids.values()))]
    for each, names in zip(compiled, anchors_of, strict=True):
        for anchor in names:
            by_anchor[scanner.ids[anchor.lower()]].append(each)
    return CompiledRules(
        name=name,
        digest=digest,
        rules=tuple(compiled),
        anchors=scanner,
        by_anchor=tuple(tuple(each) for each in by_anchor),
        limits=limits,
        replacements=frozenset(each.replacement for each in compiled) | {"[REMOVED]"},
    )
