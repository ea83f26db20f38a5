"""What the hot path reads: a policy's rules, compiled. Made once for each policy, by `policy.compile` (`assembly`)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from spansieve.redact.rules import keys, roles
from spansieve.redact.rules.anchors import Anchors
from spansieve.redact.rules.backwards import Before
from spansieve.redact.rules.cache import ERROR, Cache
from spansieve.redact.rules.context import Context
from spansieve.redact.rules.judges import Road
from spansieve.redact.rules.linear import Linear
from spansieve.redact.rules.selectors import Place, Selector
from spansieve.redact.rules.shapes import Shapes
from spansieve.redact.rules.validators import Checker
from spansieve.redact.rules.wholes import Whole

_MOST_KEYS = 4096  # remembered; keys made of data would otherwise fill the memory
_LONGEST_KEY = 256
AROUND: Final = 112
"""Characters around a number of which a change may change what it is: words beside it, and what says it is none."""

_NUMBERS = max(Place) + 1  # where the numbers of `CompiledRules.at` begin

Pattern = re.Pattern[str] | Linear
"""Asked about one short text: a shipped pattern runs on `re`, an operator's on RE2."""

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
    """One pattern of a rule. `before` and `after` are the characters around an anchor in which a match may lie.

    A match begins `ahead` characters behind an anchor at most, or as many before it when that is negative. `at`: those
    of the rule's literals that its matches have, each one of them; None when they need not have any.
    """

    search: re.Pattern[str]
    match: Callable[..., re.Match[str] | None]  # of `search`
    opens: Callable[..., re.Match[str] | None] | None  # looks for a character that a match may begin with
    begins: str  # the characters that each match begins with, if there are any
    digit: int | None  # the most characters of a match before its first digit; None when it may have none
    head: re.Pattern[str] | None  # all that a match may have before its `@`, to be read from there backwards
    tail: re.Pattern[str] | None  # what has to follow that `@`
    follows: str  # the characters of ASCII of which one has to stand first in that; nothing stands for any
    spaced: bool  # a space is no part of what may stand before it
    group: int | str  # what is replaced
    before: int
    ahead: int
    after: int
    at: frozenset[str] | None
    check: Checker | None
    cost: int
    in_context: bool


AT_ANCHOR, WITH_AT, AROUND_ANCHOR = range(3)


class Hanging(NamedTuple):
    """A detector that hangs on a literal.

    `how`: a match begins at the literal; or the literal is an `@` that each match has; or a match lies somewhere
    around.
    """

    how: int
    number: int
    road: Road
    detector: Detector


@dataclass(frozen=True, slots=True)
class Named:
    """What a rule takes of that which the model of names finds: `kind` is PERSON or LOCATION.

    `never`: words, casefolded, that alone are no name. `by_identity`: what is put stands for the person, so that it has
    to be the same however the name is written. `also`: other recognisers by name, whose findings are added.
    """

    kind: str
    threshold: float
    never: frozenset[str]
    by_identity: bool
    also: tuple[str, ...] = ()


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
    words: tuple[str, ...]  # that `context` finds
    unless: Before | None  # says whether that stands in front of a candidate which makes it none
    key: re.Pattern[str] | None
    key_value: Pattern | None
    except_key: re.Pattern[str] | None
    act: Act | None = None  # None puts `replacement`
    drops: bool = False
    takes_json: bool = False
    selector: Selector | None = None  # None applies everywhere
    entity: str = ""
    wholes: tuple[Whole, ...] = ()
    named: Named | None = None

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
    detectors: tuple[tuple[CompiledRule, Detector], ...]  # of all rules
    roads: tuple[Road, ...]  # of the detectors
    of_anchor: tuple[tuple[int, ...], ...]  # the numbers of an anchor's detectors
    hanging: tuple[tuple[Hanging, ...], ...]  # the same, with what tries them
    words: Context  # of all detectors that count beside one
    shapes: tuple[Shapes, ...]  # of the detectors that hang on `<digits>`, and on `<groups>`
    reach: tuple[int, ...]  # of each anchor: how far from it its detectors may look, in characters
    limits: Limits
    replacements: frozenset[str]
    entities: Mapping[str, str]  # by name of the rule
    wholes: tuple[tuple[CompiledRule, Whole], ...] = ()  # of all rules
    every_text: bool = False  # some of them look at texts without an anchor too
    selective: bool = False
    drops: bool = False  # some rule does
    by_role: bool = False  # some selector asks who speaks in the message that a value is in
    made_by_actions: re.Pattern[str] | None = None
    sealing: frozenset[str] = frozenset()  # names of rules whose action never puts the same twice: not to be remembered
    put: re.Pattern[str] | None = None  # in which nothing is found: that, and tokens where rules take in whole texts
    cache: Cache = field(default_factory=Cache, repr=False, compare=False)
    _facts: dict[int, dict[str, KeyFacts]] = field(default_factory=dict, repr=False, compare=False)
    _at: dict[tuple[int, str], int] = field(default_factory=dict, repr=False, compare=False)
    _off: list[tuple[frozenset[int], ...]] = field(default_factory=list, repr=False, compare=False)  # see `_number`
    plain_keys: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def named(self) -> tuple[CompiledRule, ...]:
        """The rules for what the model of names finds."""
        return tuple(rule for rule in self.rules if rule.named is not None)

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

    def at(self, place: int, key: str, role: str = "") -> int:
        """Give the number to hand to `facts` for a value at a place, below an attribute's key, in a role's message.

        With it, a rule's selector sees the attribute's key however deep in JSON or in a list the value stands. There
        are few numbers: as many as there are sets of rules that apply together.
        """
        if not self.selective:
            return 0
        number = self._at.get((place, key))
        if number is None:
            number = self._number(tuple(self._not_here(place, key, each) for each in self._roles))
            if self.by_role:
                number = self.with_role(number, roles.of_key(key))
            if len(self._at) >= _MOST_KEYS:
                self._at.clear()
            if len(key) <= _LONGEST_KEY:
                self._at[place, key] = number
        return self.with_role(number, role) if role else number

    def with_role(self, where: int, role: str) -> int:
        """Give the number of the same place in a role's message: that of the message around, when it names none."""
        if not self.by_role or not role:
            return where
        if where < _NUMBERS:
            return self.at(where, "", role)
        size = len(roles.ROLES)
        return where - (where - _NUMBERS) % size + roles.ROLES.index(role)

    @property
    def places(self) -> tuple[Callable[..., int], ...]:
        """What a walk asks to tell where values stand: nothing when no rule asks, and who speaks only when one does."""
        if not self.selective:
            return ()
        return (self.at, self.at_number, self.with_role) if self.by_role else (self.at, self.at_number)

    @property
    def _roles(self) -> tuple[str, ...]:
        """The roles that are told apart."""
        return roles.ROLES if self.by_role else roles.ROLES[:1]

    def at_number(self, where: int) -> int:
        """Give what `at` gives, for a number (int_value, double_value) there: it is no content."""
        if not self.selective:
            return 0
        if where < _NUMBERS:
            where = self.at(where, "")
        number, role = divmod(where - _NUMBERS, len(self._roles))
        content = {rule.index for rule in self.rules if rule.takes_json}
        return self._number(tuple(off | content for off in self._off[number])) + role

    def _number(self, off: tuple[frozenset[int], ...]) -> int:
        """The number of the rules that do not apply, by role; that of the first role, which the others' follow."""
        if off not in self._off:
            self._off.append(off)
        return _NUMBERS + self._off.index(off) * len(off)

    def _off_at(self, place: int, key: str) -> frozenset[int]:
        if place < _NUMBERS:
            return self._not_here(place, key, "")
        number, role = divmod(place - _NUMBERS, len(self._roles))
        return self._off[number][role]

    def made(self, text: str) -> bool:
        """Whether a text is, as a whole, what some rule puts in the place of a value: it is not a value any more."""
        return text in self.replacements or (
            self.made_by_actions is not None and self.made_by_actions.fullmatch(text) is not None
        )

    def may_remember(self, found: Iterable[str]) -> bool:
        """Whether what became of a text in which these rules found something would be the same again."""
        return ERROR not in found and self.sealing.isdisjoint(found)

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
            off |= self._off_at(place, raw)
        spoken = keys.spoken(key)
        facts = KeyFacts(
            tuple(r for r in self.rules if r.key is not None and r.index not in off and r.key.search(key)),
            off,
            frozenset(r.index for r in self.rules if r.context is not None and r.context.search(spoken)),
        )
        return NO_FACTS if facts == NO_FACTS else facts

    def _not_here(self, place: int, key: str, role: str) -> frozenset[int]:
        return frozenset(
            r.index for r in self.rules if r.selector is not None and not r.selector.takes(place, key, role)
        )
