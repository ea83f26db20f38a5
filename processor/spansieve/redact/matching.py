"""Exact patterns around anchors. Within a budget for each text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from spansieve.redact import shapes
from spansieve.redact.anchors import GROUPS, LONGEST
from spansieve.redact.compiled import AROUND_ANCHOR, AT_ANCHOR, CompiledRule, CompiledRules, Detector, KeyFacts
from spansieve.redact.wholes import NEARBY, TooMuch, Whole

Place = tuple[int, int]
"""Where an anchor is in a text: offset, anchor."""

Places = list[Place]

Finding = tuple[int, int, CompiledRule, str]
"""Start, end, rule, and the text that was found, which may be written otherwise in the place itself."""

_CONTEXT_BEFORE: Final = 48
_CONTEXT_AFTER: Final = 24
_LONGEST_WORD: Final = 40
_AHEAD: Final = 8  # characters before a number that a match may take
_LONGEST_EXTENSION: Final = 24  # characters behind a number that a match may take
_DEEP: Final = 128  # characters within a finding: no number that begins before it reaches so far
_FARTHER: Final = 1024  # characters: farther than need be, so that the next anchors need not look
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
        "_anchored", "_clear", "_covered", "_direct", "_ends", "_facts", "_learnt", "_reached", "_rules", "_text",
        "_wholly", "budget", "found",
    )  # fmt: skip

    def __init__(self, text: str, rules: CompiledRules, facts: KeyFacts) -> None:
        self.found: list[Finding] = []
        self.budget = rules.limits.checks + rules.limits.checks_per_kib * (len(text) >> 10)
        self._text, self._rules, self._facts = text, rules, facts
        self._anchored: dict[int, list[int]] = {}  # by detector: the anchors around which to search
        self._clear: dict[int, int] = {}  # by detector: up to where nothing stands with which its matches begin
        self._reached: dict[int, int] = {}  # by detector: the end of what it found last
        self._covered = (0, 0)  # that which ends last of what was found at the literals so far
        self._ends = [0, 0]  # by class of numbers: the end of the last one
        # Whether all of that was found; else what follows in it may count later. None: it is too long.
        self._wholly: list[bool | None] = [False, False]
        self._direct: tuple[list[int], list[int]] = [], []  # places in what is too long
        self._learnt = 0

    def around(self, places: Places) -> Places:
        """Look around these places, which are in order, and give those that remain to be looked at again."""
        remaining: Places = []
        keep, ends, wholly = remaining.append, self._ends, self._wholly
        text, (of_digits, of_groups) = self._text, self._rules.shapes
        for place in places:
            at, anchor = place
            if anchor > GROUPS:
                keep(place)
                self._literal(at, anchor)
                continue
            if anchor < 0:
                anchor = ~anchor
            if at < ends[anchor]:
                if wholly[anchor] is None:
                    self._direct[anchor].append(at - LONGEST if at > LONGEST else 0)
                if not wholly[anchor]:
                    keep((at, anchor))
                continue
            number = of_groups.of_groups(text, at) if anchor == GROUPS else of_digits.of_digits(text, at)
            if number is None and (number := self._unknown(at, anchor)) is None:
                keep((at, anchor))
                continue
            start, ends[anchor], tries = number
            wholly[anchor] = False
            keep((at, ~anchor if tries and self._try(start, ends[anchor], tries, anchor) else anchor))
        if self._anchored or self._direct[0] or self._direct[1]:
            self._search()
        return remaining

    def _unknown(self, at: int, anchor: int) -> shapes.Number | None:
        """Find out about a number. None when all patterns are to be tried around it: it is long, or noise."""
        text, hexadecimal = self._text, anchor == GROUPS
        if self._learnt < _MOST_LEARNT:
            number = self._rules.shapes[anchor].learnt(text, at, hexadecimal=hexadecimal)
            if number is not None:
                self._learnt += 1
                return number
        if not hexadecimal and (number := shapes.of_long_word(text, at)) is not None:
            return number
        end = shapes.end(text, at, hexadecimal=hexadecimal)
        if self._covered[0] <= at - _DEEP and end <= self._covered[1]:  # all that could be found here is a part of it
            return at, end, ()
        self._ends[anchor], self._wholly[anchor] = end, None
        self._direct[anchor].append(at - LONGEST if at > LONGEST else 0)
        return None

    def _try(self, base: int, token_end: int, tries: Sequence[shapes.Try], anchor: int) -> bool:
        """Try a number's patterns. Says whether what stands around it made it none."""
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
                    self._wholly[anchor] = True
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
                finding = self._before_at(at, number, rule, detector, match_at(text, at + 1))
            if finding is not None:
                self.found.append(finding)
                self._reached[number] = finding[1]
                if finding[1] > self._covered[1]:
                    self._covered = finding[:2]

    def _begins(self, at: int, number: int, detector: Detector) -> bool:
        """Whether that with which all of a pattern's matches begin stands so near an anchor that one may have it."""
        low, high, clear = at - detector.before, at + LONGEST, self._clear.get(number, 0)
        if clear > high:
            return False
        first = self._text.find(detector.begins, max(low, clear), high + _FARTHER)
        if 0 <= first <= high:
            return True
        self._clear[number] = high + _FARTHER - len(detector.begins) if first < 0 else first
        return False

    def _before_at(
        self, at: int, number: int, rule: CompiledRule, detector: Detector, tail: re.Match[str] | None
    ) -> Finding | None:
        """What a pattern finds whose matches have an `@` at a place, and only a few kinds of characters before it.

        `tail` is what follows the `@`.
        """
        if tail is None:
            self.budget -= 1
            if self.budget < 0:
                raise OverBudget
            return None
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
