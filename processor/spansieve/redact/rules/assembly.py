"""Puts together what the hot path reads (see `compiled`): rules with their patterns, and all of a policy with anchors.

What a pattern tells about itself, such as what its matches begin with, is found out here, once for each policy.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from spansieve.redact.rules import anchors, backwards, near, patterns, ways
from spansieve.redact.rules import keys as key_names
from spansieve.redact.rules.compiled import (
    AROUND,
    AROUND_ANCHOR,
    AT_ANCHOR,
    WITH_AT,
    Act,
    CompiledRule,
    CompiledRules,
    Detector,
    Hanging,
    Limits,
    Named,
    Pattern,
)
from spansieve.redact.rules.context import Context
from spansieve.redact.rules.judges import Road, road
from spansieve.redact.rules.literals import Literal, Need, literal
from spansieve.redact.rules.selectors import Selector
from spansieve.redact.rules.shapes import Member, Shapes
from spansieve.redact.rules.validators import Checker, checker
from spansieve.redact.rules.wholes import Whole

_BESIDE: Final = 8  # characters around a number that patterns look at

pattern = re.compile


def rule(  # noqa: PLR0913 - a rule has this many parts
    index: int,
    *,
    name: str,
    replacement: str,
    detectors: Sequence[tuple[str, str | None, bool]],
    wholes: Sequence[Whole],
    context: Sequence[str],
    lead: int | None,
    unless_before: Pattern | None,
    keys: Sequence[str],
    key_value: Pattern | None,
    except_keys: Sequence[str],
    regions: Sequence[str],
    countries: Sequence[str] | None,
    act: Act | None = None,
    drops: bool = False,
    takes_json: bool = False,
    selector: Selector | None = None,
    entity: str = "",
    named: Named | None = None,
) -> CompiledRule:
    """Compile one rule; the fields are those of policy.Rule.

    `detectors` are patterns, each with its validator and whether it counts only beside a context word.
    """
    return CompiledRule(
        index=index,
        name=name,
        replacement=replacement,
        detectors=tuple(
            _detector(pattern, lead, checker(validator, regions, countries) if validator else (None, 1), in_context)
            for pattern, validator, in_context in detectors
        ),
        wholes=tuple(wholes),
        context=key_names.words(context),
        words=tuple(context),
        unless=None if unless_before is None else backwards.before(unless_before),
        key=key_names.pattern(keys),
        key_value=key_value,
        except_key=key_names.pattern(except_keys),
        act=act,
        drops=drops,
        takes_json=takes_json,
        selector=selector,
        entity=entity,
        named=named,
    )


def _detector(
    pattern: str,
    lead: int | None,
    check_and_cost: tuple[Checker | None, int],
    in_context: bool,  # noqa: FBT001 - a field
) -> Detector:
    search = re.compile(pattern)
    reach = patterns.reach(pattern)
    before_at = patterns.before_at(pattern)
    check, cost = check_and_cost
    head = re.compile(f"[{before_at}]{{0,{lead}}}+") if before_at and lead else None
    tail = pattern[pattern.index("@") + 1 :] if head is not None else ""
    return Detector(
        search=search,
        match=search.match,
        opens=re.compile(opening).search if (opening := patterns.opening(pattern)) else None,
        begins=patterns.beginning(pattern),
        digit=patterns.before_digit(pattern),
        head=head,
        tail=re.compile(tail) if tail else None,
        follows=patterns.firsts(tail) if tail else "",
        spaced=head is not None and not any(map(head.fullmatch, " @")),
        group="value" if "value" in search.groupindex else 0,
        before=reach if lead is None else lead,
        ahead=anchors.LONGEST,
        after=reach,
        at=None,
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
    sealing: Iterable[str] = (),
) -> CompiledRules:
    """Put rules, their anchors (one list for each rule) and the keys that any of them looks for together."""
    read = {name: literal(name) for names in anchors_of for name in names if name not in anchors.CLASSES}
    compiled = [_narrowed(rule, names, read) for rule, names in zip(compiled, anchors_of, strict=True)]
    anchors_of = [_hung_on(rule, names, read) for rule, names in zip(compiled, anchors_of, strict=True)]
    read = {name: each for name, each in read.items() if any(name in names for names in anchors_of)}
    words = {rule.index: rule.words for rule in compiled if any(each.in_context for each in rule.detectors)}
    scanner = anchors.build(
        read,
        (key.removeprefix("*") for key in keys),
        before_runs=_before_runs(compiled, anchors_of, read),
        needs=_needs(compiled, anchors_of, read),
    )
    by_anchor: list[list[CompiledRule]] = [[] for _ in range(1 + max(anchors.COLUMN, *scanner.ids.values()))]
    for each, names in zip(compiled, anchors_of, strict=True):
        for anchor in names:
            by_anchor[scanner.ids[anchor]].append(each)
    detectors = [(rule, detector) for rule in compiled for detector in rule.detectors]
    wholes = tuple((rule, whole) for rule in compiled for whole in rule.wholes)
    replacements = frozenset(each.replacement for each in compiled) | {"[REMOVED]"}
    name_of = {number: each for each, number in scanner.ids.items()}
    numbers: dict[int, list[int]] = {rule.index: [] for rule in compiled}
    for number, (rule, _) in enumerate(detectors):
        numbers[rule.index].append(number)
    of_anchor = tuple(
        tuple(
            number
            for rule in members
            for number in numbers[rule.index]
            if _goes_with(detectors[number][1], name_of[anchor], read.get(name_of[anchor]))
        )
        for anchor, members in enumerate(by_anchor)
    )
    roads = tuple(road(rule, detector) for rule, detector in detectors)
    return CompiledRules(
        name=name,
        digest=digest,
        rules=tuple(compiled),
        anchors=scanner,
        detectors=tuple(detectors),
        roads=roads,
        of_anchor=of_anchor,
        hanging=tuple(
            tuple(_hanging(number, roads[number], detectors[number][1]) for number in each) for each in of_anchor
        ),
        words=Context(words),
        shapes=tuple(
            Shapes([_of_shapes(number, detectors[number][1], roads[number]) for number in of_anchor[of]])
            for of in (anchors.DIGITS, anchors.GROUPS)
        ),
        reach=tuple(_reach([detectors[number] for number in each], anchor) for anchor, each in enumerate(of_anchor)),
        limits=limits,
        replacements=replacements,
        wholes=wholes,
        every_text=any(not whole.anchors for _, whole in wholes),
        entities={each.name: each.entity for each in compiled},
        selective=any(each.selector is not None for each in compiled),
        drops=any(each.drops for each in compiled),
        by_role=any(each.selector is not None and each.selector.by_role for each in compiled),
        made_by_actions=made_by_actions,
        sealing=frozenset(sealing),
        put=put(replacements, made_by_actions) if wholes else made_by_actions,
    )


def _narrowed(rule: CompiledRule, names: Sequence[str], read: Mapping[str, Literal]) -> CompiledRule:
    """A rule each of whose patterns is tried only where its matches have a literal, if all of them have one."""
    if not rule.detectors or not read.keys() >= set(names):
        return rule
    return replace(
        rule, detectors=tuple(_at_literals(each, {name: read[name] for name in names}) for each in rule.detectors)
    )


def _hung_on(rule: CompiledRule, names: Sequence[str], read: Mapping[str, Literal]) -> Sequence[str]:
    """Those of a rule's anchors at which anything of it is tried."""
    if rule.wholes:
        return names
    return [name for name in names if any(_goes_with(each, name, read.get(name)) for each in rule.detectors)]


def _at_literals(detector: Detector, literals: Mapping[str, Literal]) -> Detector:
    at = None if detector.head else ways.at_literals(detector.search.pattern, literals, detector.before)
    if not at:
        return detector
    nearest, farthest = min(low for low, _ in at.values()), max(high for _, high in at.values())
    return replace(detector, before=farthest, ahead=-nearest, at=frozenset(at))


def _needs(
    compiled: Sequence[CompiledRule], anchors_of: Sequence[Sequence[str]], read: Mapping[str, Literal]
) -> dict[str, tuple[Need, ...]]:
    """By literal, what else has to be near for its sake: one of these."""
    needs: dict[str, list[Need | None]] = {}
    for rule, names in zip(compiled, anchors_of, strict=True):
        for name in names:
            if name in read:
                each = needs.setdefault(name, [])
                each += [_need(it, read[name]) for it in rule.detectors if _goes_with(it, name, read[name])]
                each += [None] * len(rule.wholes)
    return {name: tuple(each for each in of if each) for name, of in needs.items() if of and None not in of}


def _need(detector: Detector, literal: Literal) -> Need | None:
    found = ways.need(detector.search.pattern, literal)
    if found is None:
        return None
    return found._replace(low=-detector.before, high=detector.ahead + found.high)


def _before_runs(
    compiled: Sequence[CompiledRule], anchors_of: Sequence[Sequence[str]], read: Mapping[str, Literal]
) -> set[str]:
    """The literals at which only such matches begin as have a long run no farther than `near` looks."""
    told: set[str] = set()
    others = set(anchors.CLASSES)
    for rule, names in zip(compiled, anchors_of, strict=True):
        for name in names:
            each = read.get(name)
            alone = not rule.wholes and all(_has_run(it) for it in rule.detectors if _goes_with(it, name, each))
            (told if alone else others).add(name)
    return told - others


def _has_run(detector: Detector) -> bool:
    """Whether all that a pattern matches begins at its literal, and has a long run soon after."""
    far = patterns.before_run(detector.search.pattern)
    return detector.before == 0 and far is not None and far <= near.LONGEST_HEAD


def _hanging(number: int, road: Road, detector: Detector) -> Hanging:
    if detector.tail is not None:
        return Hanging(WITH_AT, number, road, detector)
    return Hanging(AROUND_ANCHOR if detector.before else AT_ANCHOR, number, road, detector)


def _of_shapes(number: int, detector: Detector, road: Road) -> Member:
    may, days = getattr(detector.check, "may", None), getattr(detector.check, "days", True)
    return Member(number, detector.search.pattern, detector.before, may, days, road)


def _goes_with(detector: Detector, name: str, literal: Literal | None) -> bool:
    """Whether a match at an anchor, which is a literal or none, may be one of a detector's."""
    if literal is None:
        return True
    if detector.at is not None:
        return name in detector.at
    if literal.raw == b"@":
        return "@" in detector.search.pattern
    if detector.head is not None:
        return False
    if detector.before:
        return True
    if not detector.begins:
        return ways.may_begin(detector.search.pattern, literal)
    raw, begins = literal.raw.decode("latin-1"), detector.begins
    if not literal.exact:
        begins = begins.lower()
    return begins.startswith(raw) or raw.startswith(begins)


def _reach(detectors: Sequence[tuple[CompiledRule, Detector]], anchor: int) -> int:
    if anchor in (anchors.DIGITS, anchors.GROUPS):
        return _BESIDE
    return max((max(AROUND, detector.before, detector.after) for _, detector in detectors), default=0)


def put(replacements: Iterable[str], made_by_actions: re.Pattern[str] | None) -> re.Pattern[str]:
    """Compile what stands in the place of values, in which detectors over whole texts could find something for ever."""
    tokens = [re.escape(each) for each in sorted(replacements) if each]
    return re.compile("|".join(tokens + ([made_by_actions.pattern] if made_by_actions is not None else [])))
