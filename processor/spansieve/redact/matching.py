"""Exact patterns around anchors, and what is put in the place of what they find. Within a budget for each text."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from spansieve.redact import shapes
from spansieve.redact.anchors import GROUPS, LONGEST
from spansieve.redact.compiled import AROUND, AROUND_ANCHOR, AT_ANCHOR, CompiledRule, CompiledRules, Detector, KeyFacts
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
_LONGEST_EXTENSION: Final = 24  # characters behind a number that a match may take
_NARROW: Final = 128  # characters: in a wider window `re` finds where to try sooner than we do
_DIRECT: Final = 2  # checks that a place costs at which all patterns are tried
_MOST_LEARNT: Final = 8  # shapes in one text: noise has a new one at every number


_DIGIT = re.compile(r"\d").search


class OverBudget(Exception):
    """A value costs more than the policy's limits allow."""


def find(text: str, rules: CompiledRules, facts: KeyFacts, places: Places) -> tuple[list[Finding], Places]:
    """Find what the rules find at these places; the rest of these at which they might, were their neighbours others.

    Raises OverBudget.
    """
    search = _Search(text, rules, facts)
    if len(places) > search.budget:
        raise OverBudget
    places.sort()
    remaining = search.around(places)
    if rules.wholes:
        search.over_all()
    found = search.found
    return _not_made(text, rules.put, found) if rules.put is not None and found else found, remaining


class _Search:
    """One look at a text. `found` are its findings, `budget` what remains of the checks that it may cost."""

    __slots__ = (
        "_anchored", "_clear", "_direct", "_ends", "_facts", "_learnt", "_long", "_reached", "_rules", "_text",
        "_wholly", "budget", "found",
    )  # fmt: skip

    def __init__(self, text: str, rules: CompiledRules, facts: KeyFacts) -> None:
        self.found: list[Finding] = []
        self.budget = rules.limits.checks + rules.limits.checks_per_kib * (len(text) >> 10)
        self._text, self._rules, self._facts = text, rules, facts
        self._anchored: dict[int, list[int]] = {}  # by detector: the anchors around which to search
        self._clear: dict[int, int] = {}  # by detector: up to where nothing stands with which its matches begin
        self._reached: dict[int, int] = {}  # by detector: the end of what it found last
        self._ends = [0, 0]  # by class of numbers: the end of the last one
        self._wholly = [False, False]  # whether all of that was found; else what follows in it may count later
        self._long = [0, 0]  # the end of one that is too long
        self._direct: tuple[list[int], list[int]] = [], []  # places in those
        self._learnt = 0

    def around(self, places: Places) -> Places:
        """Look around these places, which are in order, and give those that remain to be looked at again."""
        remaining: Places = []
        keep, ends = remaining.append, self._ends
        for place in places:
            at, anchor = place
            if anchor > GROUPS:
                keep(place)
                self._literal(at, anchor)
                continue
            if anchor < 0:
                anchor = ~anchor
            if at >= ends[anchor]:
                keep((at, ~anchor if self._number(at, anchor) else anchor))
            elif not self._wholly[anchor]:
                keep((at, anchor))
        if self._anchored or self._direct[0] or self._direct[1]:
            self._search()
        return remaining

    def _number(self, at: int, anchor: int) -> bool:
        """Try a number's patterns. Says whether what stands around it made it none."""
        number = self._cut(at, anchor) if at >= self._long[anchor] else None
        if number is None:
            self._direct[anchor].append(at - LONGEST if at > LONGEST else 0)
            return False
        start, end, tries, learnt = number
        if learnt:
            self._learnt += 1
        self._ends[anchor], self._wholly[anchor] = end, False
        if not tries:
            return False
        count = len(self.found)
        excused_once = self._try(start, end, tries)
        if len(self.found) > count:
            first, last, _, _ = self.found[-1]
            self._wholly[anchor] = first <= start and last >= end
        return excused_once

    def _cut(self, at: int, anchor: int) -> shapes.Number | None:
        """Give a number and what to try on it; None when all patterns are to be tried, in windows."""
        text, known = self._text, self._rules.shapes[anchor]
        learn = self._learnt < _MOST_LEARNT
        if anchor == GROUPS:
            number = known.of_groups(text, at, learn=learn)
        else:
            number = known.of_digits(text, at, learn=learn)
            if number is None and (word := shapes.long_word(text, at)) is not None:
                return *word, (), False
        if number is None:
            self._long[anchor] = shapes.end(text, at, hexadecimal=anchor == GROUPS)
        return number

    def _try(self, base: int, token_end: int, tries: Sequence[shapes.Try]) -> bool:
        detectors, off, text = self._rules.detectors, self._facts.off, self._text
        was_excused = False
        words: bool | None = None  # of context near: not known
        for number, starts, firsts in tries:
            rule, detector = detectors[number]
            if off and rule.index in off:
                continue
            match_at = detector.match
            low = 0
            for offset in starts:
                at = base + offset
                if at < low or (firsts and text[at] not in firsts) or (match := match_at(text, at)) is None:
                    continue
                if detector.in_context and rule.index not in self._facts.context:
                    if words is None:
                        words = self._word_near(base, token_end)
                    if not words:
                        was_excused = True
                        break
                finding = self._judged(match, rule, detector)
                if finding is None:
                    was_excused = True
                    continue
                self.found.append(finding)
                low = finding[1]
                if finding[0] <= base and low >= token_end:  # what comes later could only find the same again
                    return False
        return was_excused

    def _word_near(self, start: int, end: int) -> bool:
        """Whether a word stands so near a number that it may be the context of a part of it, or of more behind it."""
        return self._rules.words.near(
            self._text, start - _CONTEXT_BEFORE - _AHEAD, end + _LONGEST_EXTENSION + _CONTEXT_AFTER
        )

    def _literal(self, at: int, anchor: int) -> None:
        """Try the patterns of which a match begins at an anchor; note where to search for the others."""
        text, off = self._text, self._facts.off
        for how, number, rule, detector, match_at in self._rules.hanging[anchor]:
            if off and rule.index in off:
                continue
            if how == AROUND_ANCHOR:
                if not detector.begins or self._begins(at, number, detector):
                    self._anchored.setdefault(number, []).append(at)
                continue
            if how == AT_ANCHOR:
                match = match_at(text, at)
                if match is None or at < self._reached.get(number, 0):
                    continue
                finding = self._judged(match, rule, detector)
            else:
                finding = None if match_at(text, at + 1) is None else self._before_at(at, number, rule, detector)
            if finding is not None:
                self.found.append(finding)
                self._reached[number] = finding[1]

    def _begins(self, at: int, number: int, detector: Detector) -> bool:
        """Whether that with which all of a pattern's matches begin stands so near an anchor that one may have it."""
        low, high = max(self._clear.get(number, 0), at - detector.before), at + LONGEST
        if self._text.find(detector.begins, low, high + len(detector.begins)) >= 0:
            return True
        self._clear[number] = high
        return False

    def _before_at(self, at: int, number: int, rule: CompiledRule, detector: Detector) -> Finding | None:
        """What a pattern finds whose matches have an `@` at a place, and only a few kinds of characters before it."""
        text = self._text
        first = at - detector.before if at > detector.before else 0
        head = detector.head.match(text[first:at][::-1])  # type: ignore[union-attr]  # it is there when `tail` is
        low = max(self._reached.get(number, 0), at - head.end())  # type: ignore[union-attr]  # matches ""
        for start in range(low, at):
            self.budget -= 1
            match = detector.match(text, start)
            if match is not None and (finding := self._judged(match, rule, detector)) is not None:
                return finding
        return None

    def _judged(self, match: re.Match[str], rule: CompiledRule, detector: Detector) -> Finding | None:
        """What a match is, if it is a finding at all."""
        start, end = match.span(detector.group)
        self.budget -= detector.cost
        if self.budget < 0:
            raise OverBudget
        text, check = self._text, detector.check
        if detector.in_context:
            if excused(text, start, end, rule, self._facts, in_context=True):
                return None
            span = (start, end) if check is None else check(text, start, end)
        else:
            span = (start, end) if check is None else check(text, start, end)
            if span is not None and rule.unless_before is not None and _unless(text, start, rule):
                return None
        return None if span is None else (*span, rule, text[span[0] : span[1]])

    def _search(self) -> None:
        """Search around the anchors that do not tell where a match begins."""
        for anchor, spots in enumerate(self._direct):
            self.budget -= _DIRECT * len(spots)
            if self.budget < 0:
                raise OverBudget
            for number in self._rules.of_anchor[anchor] if spots else ():
                self._anchored[number] = sorted(self._anchored.get(number, []) + spots)
        off = self._facts.off
        for number, spots in self._anchored.items():
            rule, detector = self._rules.detectors[number]
            if rule.index not in off:
                self._detect(rule, detector, spots)

    def _detect(self, rule: CompiledRule, detector: Detector, anchored: Sequence[int]) -> None:
        """Add what one pattern finds in windows around its anchors."""
        before, after = detector.before, detector.after
        done = 0  # from here on nothing has been tried
        position, count = 0, len(anchored)
        while position < count:
            at = anchored[position]
            low, last, high = max(done, at - before), at + LONGEST, at + after
            position += 1
            while position < count and anchored[position] - before <= last + 1:
                last, high = anchored[position] + LONGEST, anchored[position] + after
                position += 1
            done = self._in_window(rule, detector, low, last, high)

    def _in_window(self, rule: CompiledRule, detector: Detector, low: int, last: int, high: int) -> int:
        """Add what one pattern finds that begins from `low` to `last` and ends before `high`; say where to go on."""
        text, digit, begins = self._text, detector.digit, detector.begins
        search, match_at = detector.search.search, detector.match
        if last - low > _NARROW:
            digit = None
        while low <= last:
            match: re.Match[str] | None
            if begins:
                first = text.find(begins, low, last + len(begins))
                if first < 0:
                    break
                match = match_at(text, first, high)
            elif digit is not None:
                near = _DIGIT(text, low, last + 1 + digit)
                if near is None:
                    break
                first = max(low, near.start() - digit)
                beyond = min(near.start(), last) + 1
                while (match := match_at(text, first, high)) is None and first + 1 < beyond:
                    first += 1
            else:
                match = search(text, low, high)
                if match is None or (first := match.start()) > last:  # the end of what is looked at may have cut it
                    break
            low = first + 1
            if match is not None and (finding := self._judged(match, rule, detector)) is not None:
                self.found.append(finding)
                low = max(low, finding[1])
        return max(low, last + 1)

    def over_all(self) -> None:
        """Add what the rules find that look over the whole text."""
        lowered = self._text.lower()
        for rule, whole in self._rules.wholes:
            if rule.index not in self._facts.off and whole.may(lowered):
                self._look_over(rule, whole)

    def _look_over(self, rule: CompiledRule, whole: Whole) -> None:
        text = self._text
        for start, end, confidence in _looked(whole, text):
            self.budget -= whole.cost
            if self.budget < 0:
                raise OverBudget
            in_context = confidence < whole.threshold
            if in_context and (rule.context is None or confidence + NEARBY < whole.threshold):
                continue
            if excused(text, start, end, rule, self._facts, in_context=in_context):
                continue
            span = (start, end) if whole.check is None else whole.check(text, start, end)
            if span is not None:
                self.found.append((*span, rule, text[span[0] : span[1]]))


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


def _looked(whole: Whole, text: str) -> Iterator[tuple[int, int, float]]:
    try:
        yield from whole.look(text)
    except TooMuch:
        raise OverBudget from None


def excused(text: str, start: int, end: int, rule: CompiledRule, facts: KeyFacts, *, in_context: bool) -> bool:
    """Whether what stands around a candidate, or does not stand there, makes it none."""
    if rule.unless_before is not None and _unless(text, start, rule):
        return True
    if not in_context or rule.index in facts.context or rule.context is None:
        return False
    context = rule.context
    if context.search(text, start - _CONTEXT_BEFORE if start > _CONTEXT_BEFORE else 0, start):
        return False
    word = context.search(text, end, end + _CONTEXT_AFTER + _LONGEST_WORD)
    return word is None or word.end() > end + _CONTEXT_AFTER


def _unless(text: str, start: int, rule: CompiledRule) -> bool:
    """Whether that stands in front of a candidate which makes it none."""
    low = start - rule.unless_reach if start > rule.unless_reach else 0
    if rule.unless_begins and text.find(rule.unless_begins, low, start) < 0:
        return False
    return bool(rule.unless_before and rule.unless_before.search(text[low:start]))


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
    pieces.append(text[done:])
    moved += [(at - done + size, anchor) for at, anchor in places[place:]]
    return "".join(pieces), moved, changed


def near(places: Places, changed: Sequence[Span], reach: Sequence[int]) -> Places:
    """The places, in order, from which a pattern sees any of the spans that changed, which are in order too.

    `reach` is that of each anchor's patterns, in characters. A negative anchor is that of a number on which what stands
    around has decided.
    """
    kept: Places = []
    following = 0
    count = len(changed)
    before = -1 << 30  # the end of the last change in front of the place
    for place in places:
        at, anchor = place
        far = LONGEST + (reach[anchor] if anchor >= 0 else AROUND)
        while following < count and changed[following][0] <= at:
            before = changed[following][1]
            following += 1
        if at - before <= far or (following < count and changed[following][0] - at <= far):
            kept.append(place)
    return kept
