"""What the hot path reads: a policy's rules, compiled. Made once for each policy, by `policy.compile`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from spansieve.redact import anchors, keys, patterns
from spansieve.redact.anchors import Anchors
from spansieve.redact.cache import Cache
from spansieve.redact.gate import Gate
from spansieve.redact.selectors import Place, Selector
from spansieve.redact.validators import Checker, checker

_MOST_KEYS = 4096  # remembered; keys made of data would otherwise fill the memory
_LONGEST_KEY = 256
_NEARBY = 256  # places where a match may start: with more of them, a search is as fast
_FLAGS = re.compile(r"\A\(\?[aiLmsux]+\)")  # for the whole pattern
_NUMBERS = max(Place) + 1  # where the numbers of `CompiledRules.at` begin

Act = Callable[[str], str]
"""What a rule's action makes of a text that was found."""


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
    nearby: re.Pattern[str] | None  # the same as `whole`, tried by match() at each place where an anchor lets it start
    group: int | str  # what is replaced
    before: int
    after: int
    check: Checker | None
    cost: int
    in_context: bool


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule. A lower `index` has priority where two findings overlap.

    `drops`: the attribute in which it finds something goes as a whole. `takes_json`: a text that it takes for its
    key's sake is taken even if it is JSON, whose leaves are otherwise looked at one by one; numbers are not.
    """

    index: int
    name: str
    replacement: str
    detectors: tuple[Detector, ...]
    context: re.Pattern[str] | None
    unless_before: re.Pattern[str] | None
    key: re.Pattern[str] | None
    key_value: re.Pattern[str] | None
    except_key: re.Pattern[str] | None
    act: Act | None = None  # None puts `replacement`
    drops: bool = False
    takes_json: bool = False
    selector: Selector | None = None  # None applies everywhere
    entity: str = ""

    def render(self, found: str) -> str:
        """What is put in the place of a text that was found: a token, a mask, a pseudonym …"""
        return self.replacement if self.act is None else self.act(found)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key says: the rules that take the whole value, those that do not count here, those in context here."""

    whole: tuple[CompiledRule, ...]
    off: frozenset[int]
    context: frozenset[int]


NO_FACTS = KeyFacts((), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """A policy, ready to run. The memories hold what was found out about keys and texts; they never change a result.

    `selective`: some rule applies only at certain places, so that every value's place has to be told. A place is given
    as a `Place`, or as the number that `at` gives for a place and the attribute that a value stands in.
    """

    name: str
    digest: str
    rules: tuple[CompiledRule, ...]
    anchors: Anchors
    by_anchor: tuple[tuple[CompiledRule, ...], ...]  # by number of the anchor
    detectors: tuple[tuple[CompiledRule, Detector], ...]  # of all rules
    gate: Gate  # knows the detectors by their numbers in that
    limits: Limits
    replacements: frozenset[str]
    entities: Mapping[str, str]  # by name of the rule
    selective: bool = False
    made_by_actions: re.Pattern[str] | None = None
    cache: Cache = field(default_factory=Cache, repr=False, compare=False)
    _facts: dict[int, dict[str, KeyFacts]] = field(default_factory=dict, repr=False, compare=False)
    _at: dict[tuple[int, str], int] = field(default_factory=dict, repr=False, compare=False)
    _off: list[frozenset[int]] = field(default_factory=list, repr=False, compare=False)  # by number, after the places
    plain_keys: set[str] = field(default_factory=set, repr=False, compare=False)

    def facts(self, key: str, place: int = Place.TEXT) -> KeyFacts:
        """Look up what a key says of its value at a place, or find out about it.

        `key` is the nearest one, within JSON that of the leaf. A rule that does not apply at the place is in `off`.
        """
        if not self.selective:
            place = 0
        facts_here = self._facts.get(place)
        if facts_here is None:
            facts_here = self._facts[place] = {}
        known = facts_here.get(key)
        if known is not None:
            return known
        facts = self._find_out(key, place)
        if len(key) <= _LONGEST_KEY:
            if len(facts_here) >= _MOST_KEYS:
                facts_here.clear()
            facts_here[key] = facts
        return facts

    def at(self, place: int, key: str) -> int:
        """Give the number to hand to `facts` for a value at a place, below an attribute's key.

        With it, a rule's selector sees the attribute's key however deep in JSON or in a list the value stands. There
        are few numbers: as many as there are sets of rules that apply together.
        """
        if not self.selective:
            return 0
        number = self._at.get((place, key))
        if number is None:
            number = self._number(self._not_here(place, key))
            if len(self._at) >= _MOST_KEYS:
                self._at.clear()
            if len(key) <= _LONGEST_KEY:
                self._at[place, key] = number
        return number

    def at_number(self, where: int) -> int:
        """Give what `at` gives, for a number (int_value, double_value) there: it is no content."""
        if not self.selective:
            return 0
        off = self._off[where - _NUMBERS] if where >= _NUMBERS else self._not_here(where, "")
        return self._number(off | {rule.index for rule in self.rules if rule.takes_json})

    def _number(self, off: frozenset[int]) -> int:
        if off not in self._off:
            self._off.append(off)
        return _NUMBERS + self._off.index(off)

    def made(self, text: str) -> bool:
        """Whether a text is, as a whole, what some rule puts in the place of a value: it is not a value any more."""
        return text in self.replacements or (
            self.made_by_actions is not None and self.made_by_actions.fullmatch(text) is not None
        )

    def remember_plain(self, key: str) -> None:
        """Note that a key has been through the rules, unchanged, and says nothing about its value."""
        if len(key) <= _LONGEST_KEY:
            if len(self.plain_keys) >= _MOST_KEYS:
                self.plain_keys.clear()
            self.plain_keys.add(key)

    def _find_out(self, raw: str, place: int) -> KeyFacts:
        key = keys.normalise(raw)
        off = frozenset(r.index for r in self.rules if r.except_key is not None and r.except_key.search(key))
        if self.selective:
            known = place - _NUMBERS
            off |= self._off[known] if known >= 0 else self._not_here(place, raw)
        facts = KeyFacts(
            tuple(r for r in self.rules if r.key is not None and r.index not in off and r.key.search(key)),
            off,
            frozenset(r.index for r in self.rules if r.context is not None and r.context.search(key)),
        )
        return NO_FACTS if facts == NO_FACTS else facts

    def _not_here(self, place: int, key: str) -> frozenset[int]:
        return frozenset(r.index for r in self.rules if r.selector is not None and not r.selector.takes(place, key))


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
    act: Act | None = None,
    drops: bool = False,
    takes_json: bool = False,
    selector: Selector | None = None,
    entity: str = "",
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
        act=act,
        drops=drops,
        takes_json=takes_json,
        selector=selector,
        entity=entity,
    )


_words = keys.words
_key_pattern = keys.pattern


def _nearby(search: re.Pattern[str], starts: int) -> re.Pattern[str] | None:
    if starts > _NEARBY or search.flags & re.VERBOSE:  # whose comment could swallow the end of the group
        return None
    return re.compile(rf"(?s:.{{0,{starts}}}?)(?P<whole>{_FLAGS.sub('', search.pattern)})", search.flags)


def _detector(
    pattern: str, lead: int | None, validator: str | None, regions: Sequence[str], *, in_context: bool
) -> Detector:
    search = re.compile(pattern)
    reach = patterns.reach(pattern)
    starts = (reach if lead is None else lead) + anchors.LONGEST
    check, cost = checker(validator, regions) if validator else (None, 1)
    return Detector(
        search=search,
        nearby=_nearby(search, starts),
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
    made_by_actions: re.Pattern[str] | None = None,
) -> CompiledRules:
    """Put rules, their anchors (one list for each rule) and the keys that any of them looks for together."""
    literals = (anchor for each in anchors_of for anchor in each if anchor not in anchors.CLASSES)
    scanner = anchors.build(literals, (key.removeprefix("*") for key in keys))
    by_anchor: list[list[CompiledRule]] = [[] for _ in range(1 + max(anchors.KEY, *scanner.ids.values()))]
    for each, names in zip(compiled, anchors_of, strict=True):
        for anchor in names:
            by_anchor[scanner.ids[anchor.lower()]].append(each)
    detectors = [(rule, detector) for rule in compiled for detector in rule.detectors]
    numbers: dict[int, list[int]] = {rule.index: [] for rule in compiled}
    for number, (rule, _) in enumerate(detectors):
        numbers[rule.index].append(number)
    gate = Gate(
        [(each.search.pattern, each.before, each.after) for _, each in detectors],
        [[number for rule in members for number in numbers[rule.index]] for members in by_anchor],
    )
    return CompiledRules(
        name=name,
        digest=digest,
        rules=tuple(compiled),
        anchors=scanner,
        by_anchor=tuple(tuple(each) for each in by_anchor),
        detectors=tuple(detectors),
        gate=gate,
        limits=limits,
        replacements=frozenset(each.replacement for each in compiled) | {"[REMOVED]"},
        entities={each.name: each.entity for each in compiled},
        selective=any(each.selector is not None for each in compiled),
        made_by_actions=made_by_actions,
    )
