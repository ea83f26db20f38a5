"""Exact patterns around anchors, and what is put in the place of what they find. Within a budget for each text."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from spansieve.redact.anchors import LONGEST
from spansieve.redact.compiled import CompiledRule, CompiledRules, Detector, KeyFacts

Places = list[tuple[int, int]]
"""Where anchors are in a text: offset, anchor."""

Finding = tuple[int, int, CompiledRule, str]
"""Start, end, rule, and the text that was found, which may be written otherwise in the place itself."""

Span = tuple[int, int]

_CONTEXT_BEFORE: Final = 48
_CONTEXT_AFTER: Final = 24
_BEFORE: Final = 96  # of what `unless_before` sees


class OverBudget(Exception):
    """A value costs more than the policy's limits allow."""


def find(text: str, rules: CompiledRules, facts: KeyFacts, places: Places) -> list[Finding]:
    """Find what the rules find at these places, in the order of the rules. Raises OverBudget."""
    limits = rules.limits
    detectors, off = rules.detectors, facts.off
    budget = limits.checks + limits.checks_per_kib * (len(text) >> 10)
    found: list[Finding] = []
    places.sort()
    for number, anchored in sorted(rules.gate.likely(text, places).items()):
        rule, detector = detectors[number]
        if rule.index not in off:
            budget = _detect(text, facts, rule, detector, anchored, budget, found)
    return _not_made(text, rules, found) if rules.made_by_actions is not None and found else found


def _not_made(text: str, rules: CompiledRules, found: list[Finding]) -> list[Finding]:
    """Findings without those inside of what an action made: digits of a pseudonym are no number."""
    marks = rules.made_by_actions
    made = [] if marks is None else [match.span() for match in marks.finditer(text)]
    if not made:
        return found
    starts = [start for start, _ in made]

    def inside(finding: Finding) -> bool:
        at = bisect_right(starts, finding[0]) - 1
        return at >= 0 and finding[1] <= made[at][1]

    return [finding for finding in found if not inside(finding)]


def _detect(
    text: str,
    facts: KeyFacts,
    rule: CompiledRule,
    detector: Detector,
    anchored: Sequence[int],
    budget: int,
    found: list[Finding],
) -> int:
    """Add what one pattern finds around its anchors; give back what remains of the budget."""
    check, group, before, after = detector.check, detector.group, detector.before, detector.after
    search, nearby = detector.search.search, detector.nearby
    done = 0  # from here on nothing has been tried
    position, count = 0, len(anchored)
    while position < count:
        at = anchored[position]
        low, last, high = max(done, at - before), at + LONGEST, at + after
        position += 1
        alone = nearby is not None
        while position < count and anchored[position] - before <= last + 1:
            last, high = anchored[position] + LONGEST, anchored[position] + after
            position += 1
            alone = False
        attempt, whole = (nearby.match, "whole") if alone and nearby is not None else (search, 0)
        while low <= last and (match := attempt(text, low, high)) is not None:
            first = match.start(whole)
            if first > last:  # the end of what is looked at may have cut it
                break
            start, end = match.span(group or whole)
            low = first + 1
            budget -= 1
            if _excused(text, start, end, rule, facts, in_context=detector.in_context):
                span = None
            elif check is None:
                span = start, end
            else:
                budget -= detector.cost
                span = check(text, start, end)
            if budget < 0:
                raise OverBudget
            if span is None:
                continue
            start, end = span
            found.append((start, end, rule, text[start:end]))
            low = max(low, end)
        done = max(low, last + 1)
    return budget


def _excused(text: str, start: int, end: int, rule: CompiledRule, facts: KeyFacts, *, in_context: bool) -> bool:
    """Whether what stands around a candidate, or does not stand there, makes it none."""
    if rule.unless_before is not None and rule.unless_before.search(text[max(0, start - _BEFORE) : start]):
        return True
    if not in_context or rule.index in facts.context or rule.context is None:
        return False
    around = text[max(0, start - _CONTEXT_BEFORE) : start]
    return not (rule.context.search(around) or rule.context.search(text[end : end + _CONTEXT_AFTER]))


def merged(findings: list[Finding]) -> Iterator[Finding]:
    """Findings from left to right. What overlaps is one, so that no part stays; the longest gives rule and text."""
    findings.sort(key=lambda finding: (finding[0], -finding[1], finding[2].index))
    start, end, rule, found = findings[0]
    longest = end - start
    for next_start, next_end, next_rule, next_found in findings[1:]:
        size = next_end - next_start
        if next_start < end:
            end = max(end, next_end)
            if size > longest or (size == longest and next_rule.index < rule.index):
                rule, found, longest = next_rule, next_found, size
        else:
            yield start, end, rule, found
            start, end, rule, found, longest = next_start, next_end, next_rule, next_found, size
    yield start, end, rule, found


def replace(
    text: str, findings: list[Finding], places: Places, count: Callable[[CompiledRule], None]
) -> tuple[str, Places, list[Span]]:
    """Put replacements in, and count them by rule: not those that change nothing, as a pseudonym seen again.

    Also gives the places where the remaining anchors are then, those inside of a finding at its end, and where the
    replacements are.
    """
    pieces: list[str] = []
    moved: Places = []
    changed: list[Span] = []
    places.sort()
    place = 0
    done = size = 0  # characters of the old text that are dealt with; of the new one, so far
    for start, end, rule, found in merged(findings):
        new = rule.replacement if rule.act is None else rule.act(found)
        if new == text[start:end]:
            continue
        count(rule)
        pieces += text[done:start], new
        while place < len(places) and places[place][0] < start:
            moved.append((places[place][0] - done + size, places[place][1]))
            place += 1
        at = size + start - done
        size = at + len(new)
        changed.append((at, size))
        while place < len(places) and places[place][0] < end:
            moved.append((size, places[place][1]))
            place += 1
        done = end
    pieces.append(text[done:])
    moved += [(at - done + size, anchor) for at, anchor in places[place:]]
    return "".join(pieces), moved, changed


def near(places: Places, changed: Sequence[Span], reach: Sequence[int]) -> Places:
    """The places, in order, from which a pattern sees any of the spans that changed, which are in order too.

    `reach` is that of each anchor's patterns, in characters.
    """
    kept: Places = []
    following = 0
    count = len(changed)
    before = -1 << 30  # the end of the last change in front of the place
    for place in places:
        at, anchor = place
        while following < count and changed[following][0] <= at:
            before = changed[following][1]
            following += 1
        far = reach[anchor] + LONGEST
        if at - before <= far or (following < count and changed[following][0] - at <= far):
            kept.append(place)
    return kept
