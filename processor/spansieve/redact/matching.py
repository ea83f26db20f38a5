"""Exact patterns around anchors, and what is put in the place of what they find. Within a budget for each text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from spansieve.redact import shapes
from spansieve.redact.anchors import CONTEXT, DIGITS, GROUPS, LONGEST
from spansieve.redact.compiled import AROUND, CompiledRule, CompiledRules, Detector, KeyFacts
from spansieve.redact.wholes import NEARBY, TooMuch, Whole

Place = tuple[int, int]
"""Where an anchor is in a text: offset, anchor."""

Places = list[Place]

Finding = tuple[int, int, CompiledRule, str]
"""Start, end, rule, and the text that was found, which may be written otherwise in the place itself."""

Span = tuple[int, int]

_CONTEXT_BEFORE: Final = 48
_CONTEXT_AFTER: Final = 24
_LONGEST_WORD: Final = 40
_AHEAD: Final = 8  # characters before a number that a match may take
_MOST_LEARNT: Final = 8  # shapes in one text: noise has a new one at every number


class OverBudget(Exception):
    """A value costs more than the policy's limits allow."""


def find(text: str, rules: CompiledRules, facts: KeyFacts, places: Places) -> tuple[list[Finding], Places]:
    """Find what the rules find at these places; the rest of these at which they might, were their neighbours others.

    Raises OverBudget.
    """
    limits = rules.limits
    detectors, of_anchor, off = rules.detectors, rules.of_anchor, facts.off
    budget = limits.checks + limits.checks_per_kib * (len(text) >> 10)
    found: list[Finding] = []
    open_places: Places = []
    anchored: dict[int, list[int]] = {}
    reached: dict[int, int] = {}
    ends, long = [0, 0], [0, 0]
    partly = [False, False]
    direct: tuple[list[int], list[int]] = [], []
    learnt = 0
    places.sort()
    contexts = [at for at, anchor in places if anchor == CONTEXT]
    for at, each in places:
        anchor = each if each >= 0 else ~each
        if anchor > GROUPS:
            open_places.append((at, anchor))
            for number in of_anchor[anchor]:
                rule, detector = detectors[number]
                if detector.tail is not None:
                    if rule.index not in off and detector.tail.match(text, at + 1) is not None:
                        finding, budget = _before_at(text, at, facts, rule, detector, reached.get(number, 0), budget)
                        if budget < 0:
                            raise OverBudget
                        if finding is not None:
                            found.append(finding)
                            reached[number] = finding[1]
                elif detector.before:
                    anchored.setdefault(number, []).append(at)
                elif (
                    (match := detector.search.match(text, at)) is not None
                    and at >= reached.get(number, 0)
                    and rule.index not in off
                ):
                    budget -= detector.cost
                    if budget < 0:
                        raise OverBudget
                    if (finding := _judged(text, match, facts, rule, detector)) is not None:
                        found.append(finding)
                        reached[number] = finding[1]
        elif at < ends[anchor]:
            if partly[anchor]:
                open_places.append((at, anchor))
        elif at < long[anchor]:
            direct[anchor].append(at - LONGEST if at > LONGEST else 0)
            open_places.append((at, anchor))
        else:
            known = rules.shapes[anchor]
            token = shapes.digits(text, at) if anchor == DIGITS else shapes.groups(text, at)
            tries = None
            if token is None:
                long[anchor] = shapes.end(text, at, hexadecimal=anchor == GROUPS)
            elif (tries := known.known(token)) is None and learnt < _MOST_LEARNT:
                learnt += 1
                tries = known.learn(token)
            if token is None or tries is None:
                direct[anchor].append(at - LONGEST if at > LONGEST else 0)
                open_places.append((at, anchor))
                continue
            ends[anchor], partly[anchor] = token[1], False
            if tries:
                count = len(found)
                budget, excuse = _try(text, token, tries, facts, rules, contexts, budget, found)
                if len(found) > count:
                    partly[anchor] = found[-1][0] > token[0] or found[-1][1] < token[1]
                if excuse:
                    anchor = ~anchor  # what stands around decides, and may change
            open_places.append((at, anchor))
    for anchor, spots in enumerate(direct):
        if spots:
            for number in of_anchor[anchor]:
                anchored[number] = sorted(anchored.get(number, []) + spots)
    for number, spots in anchored.items():
        rule, detector = detectors[number]
        if rule.index not in off:
            budget = _detect(text, facts, rule, detector, spots, budget, found)
    if rules.wholes:
        lowered = text.lower()
        for rule, whole in rules.wholes:
            if rule.index not in off and whole.may(lowered):
                budget = _look_over(text, facts, rule, whole, budget, found)
    return _not_made(text, rules.put, found) if rules.put is not None and found else found, open_places


def _before_at(
    text: str, at: int, facts: KeyFacts, rule: CompiledRule, detector: Detector, low: int, budget: int
) -> tuple[Finding | None, int]:
    """What a pattern finds whose matches have an `@` at a place, and only a few kinds of characters in front of it."""
    first = at - detector.before if at > detector.before else 0
    head = detector.head.match(text[first:at][::-1])  # type: ignore[union-attr]  # it is there when `tail` is
    for start in range(max(low, at - head.end()), at):  # type: ignore[union-attr]  # matches ""
        match = detector.search.match(text, start)
        budget -= 1
        if match is not None and (finding := _judged(text, match, facts, rule, detector)) is not None:
            return finding, budget
    return None, budget


def _judged(
    text: str, match: re.Match[str], facts: KeyFacts, rule: CompiledRule, detector: Detector
) -> Finding | None:
    """What a match is, if it is a finding at all."""
    start, end = match.span(detector.group)
    if excused(text, start, end, rule, facts, in_context=detector.in_context):
        return None
    if detector.check is not None:
        span = detector.check(text, start, end)
        if span is None:
            return None
        start, end = span
    return start, end, rule, text[start:end]


def _try(
    text: str,
    token: shapes.Token,
    tries: Sequence[shapes.Try],
    facts: KeyFacts,
    rules: CompiledRules,
    contexts: Sequence[int],
    budget: int,
    found: list[Finding],
) -> tuple[int, bool]:
    """Add what the patterns find that may match a number.

    Gives back what remains of the budget, and whether what stands around made a candidate none.
    """
    base, token_end, _, _ = token
    detectors, off = rules.detectors, facts.off
    was_excused = False
    beside: bool | None = None
    for number, starts, firsts in tries:
        rule, detector = detectors[number]
        if rule.index in off:
            continue
        if detector.in_context and rule.index not in facts.context:
            if beside is None:
                first = bisect_left(contexts, base - _CONTEXT_BEFORE - _AHEAD)
                beside = first < len(contexts) and contexts[first] < token_end + _CONTEXT_AFTER
            if not beside:
                was_excused = True
                continue
        match_at, check = detector.search.match, detector.check
        low = 0
        for offset in starts:
            at = base + offset
            if at < low or (firsts and text[at] not in firsts):
                continue
            match = match_at(text, at)
            if match is None:
                continue
            budget -= 1
            start, end = match.span(detector.group)
            if (detector.in_context or rule.unless_before is not None) and excused(
                text, start, end, rule, facts, in_context=detector.in_context
            ):
                was_excused = True
                continue
            if check is not None:
                budget -= detector.cost
                if budget < 0:
                    raise OverBudget
                if (span := check(text, start, end)) is None:
                    was_excused = True
                    continue
                start, end = span
            found.append((start, end, rule, text[start:end]))
            if start <= base and end >= token_end:  # what comes later in the policy could only find the same again
                return budget, False
            low = end
    return budget, was_excused


def _not_made(text: str, put: re.Pattern[str], found: list[Finding]) -> list[Finding]:
    """Findings without those inside of what an action made: digits of a pseudonym are no number."""
    made = [match.span() for match in put.finditer(text)]
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
    search, begins = detector.search.search, detector.begins
    done = 0  # from here on nothing has been tried
    position, count = 0, len(anchored)
    while position < count:
        at = anchored[position]
        low, last, high = max(done, at - before), at + LONGEST, at + after
        position += 1
        while position < count and anchored[position] - before <= last + 1:
            last, high = anchored[position] + LONGEST, anchored[position] + after
            position += 1
        if begins and text.find(begins, low, last + len(begins)) < 0:
            done = max(low, last + 1)
            continue
        while low <= last and (match := search(text, low, high)) is not None:
            first = match.start()
            if first > last:  # the end of what is looked at may have cut it
                break
            start, end = match.span(group)
            low = first + 1
            budget -= 1
            if excused(text, start, end, rule, facts, in_context=detector.in_context):
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


def _look_over(text: str, facts: KeyFacts, rule: CompiledRule, whole: Whole, budget: int, found: list[Finding]) -> int:
    """Add what a rule finds that looks over the whole text; give back what remains of the budget."""
    for start, end, confidence in _looked(whole, text):
        budget -= whole.cost
        if budget < 0:
            raise OverBudget
        in_context = confidence < whole.threshold
        if in_context and (rule.context is None or confidence + NEARBY < whole.threshold):
            continue
        if excused(text, start, end, rule, facts, in_context=in_context):
            continue
        span = (start, end) if whole.check is None else whole.check(text, start, end)
        if span is not None:
            found.append((*span, rule, text[span[0] : span[1]]))
    return budget


def _looked(whole: Whole, text: str) -> Iterator[tuple[int, int, float]]:
    try:
        yield from whole.look(text)
    except TooMuch:
        raise OverBudget from None


def excused(text: str, start: int, end: int, rule: CompiledRule, facts: KeyFacts, *, in_context: bool) -> bool:
    """Whether what stands around a candidate, or does not stand there, makes it none."""
    if rule.unless_before is not None and rule.unless_before.search(text[max(0, start - rule.unless_reach) : start]):
        return True
    if not in_context or rule.index in facts.context or rule.context is None:
        return False
    context = rule.context
    if context.search(text, start - _CONTEXT_BEFORE if start > _CONTEXT_BEFORE else 0, start):
        return False
    word = context.search(text, end, end + _CONTEXT_AFTER + _LONGEST_WORD)
    return word is None or word.end() > end + _CONTEXT_AFTER


def outside(runs: Sequence[int], findings: Sequence[Finding]) -> list[int]:
    """The places that no finding covers."""
    spans = sorted((start, end) for start, end, _, _ in findings)
    left: list[int] = []
    following = reached = 0
    for at in sorted(runs):
        while following < len(spans) and spans[following][0] <= at:
            reached = max(reached, spans[following][1])
            following += 1
        if at >= reached:
            left.append(at)
    return left


def glued(text: str, changed: Sequence[Span]) -> bool:
    """Whether a letter or digit follows right after a replacement: with it may begin what did not before."""
    return any(text[end : end + 1].isalnum() for _, end in changed)


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

    Also gives the places where the remaining anchors are then, and where the replacements are.
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
            place += 1
        done = end
        moved.append((at, CONTEXT))  # a token such as [PHONE] is a word like any other
    pieces.append(text[done:])
    moved += [(at - done + size, anchor) for at, anchor in places[place:]]
    return "".join(pieces), moved, changed


def near(places: Places, changed: Sequence[Span], reach: Sequence[int]) -> Places:
    """The places, in order, from which a pattern sees any of the spans that changed, which are in order too.

    `reach` is that of each anchor's patterns, in characters. A negative anchor is that of a number on which what stands
    around has decided.
    """
    kept: Places = []
    words: Places = []
    following = 0
    count = len(changed)
    before = -1 << 30  # the end of the last change in front of the place
    for place in places:
        at, anchor = place
        if anchor == CONTEXT:
            words.append(place)
            continue
        far = LONGEST + (reach[anchor] if anchor >= 0 else AROUND)
        while following < count and changed[following][0] <= at:
            before = changed[following][1]
            following += 1
        if at - before <= far or (following < count and changed[following][0] - at <= far):
            kept.append(place)
    return kept + words if kept else kept
