"""Exact patterns around anchors. Within a budget for each text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from spansieve.redact.rules import shapes
from spansieve.redact.rules.anchors import GROUPS, LONGEST, OverBudget
from spansieve.redact.rules.compiled import AT_ANCHOR, WITH_AT, CompiledRule, CompiledRules, Detector, KeyFacts
from spansieve.redact.rules.judges import CONTEXT_AFTER, CONTEXT_BEFORE, Finding, Road, excused
from spansieve.redact.rules.wholes import NEARBY, TooMuch, Whole

Place = tuple[int, int]
"""Where an anchor is in a text: offset, anchor."""

Places = list[Place]

_AHEAD: Final = 8  # characters before a number that a match may take
_LONGEST_EXTENSION: Final = 24  # characters behind a number that a match may take
_DEEP: Final = 128  # characters within a finding: no number that begins before it reaches so far
_FARTHER: Final = 1024  # characters: farther than need be, so that the next anchors need not look
_NARROW: Final = 128  # characters: in a wider window `re` finds where to try sooner than we do
_APART: Final = 32  # characters between windows around numbers in a row, which are searched as one
_DIRECT: Final = 2  # checks that a place costs at which all patterns are tried
_MOST_LEARNT: Final = 8  # shapes in one text: noise has a new one at every number

_DIGIT = re.compile(r"\d").search


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
        for at, anchor in places:
            if anchor > GROUPS:
                if not self._literal(at, anchor):
                    keep((at, anchor))
                continue
            if anchor < 0:
                anchor = ~anchor  # noqa: PLW2901 - of a number
            if at < ends[anchor]:
                if not wholly[anchor]:
                    self._again(at, anchor)
                    keep((at, anchor))
                continue
            number = of_groups.of_groups(text, at) if anchor else of_digits.of_digits(text, at)
            if number is None and (number := self._unknown(at, anchor)) is None:
                keep((at, anchor))
                continue
            start, ends[anchor], steps = number
            wholly[anchor] = False
            kept = self._try(start, ends[anchor], steps, anchor) if steps else anchor
            if kept is not None:
                keep((at, kept))
        if self._anchored or self._direct[0] or self._direct[1]:
            self._search()
        return remaining

    def _again(self, at: int, anchor: int) -> None:
        """Note one more place in a number that is not all found."""
        if self._wholly[anchor] is None:
            self._direct[anchor].append(at - LONGEST if at > LONGEST else 0)

    def _unknown(self, at: int, anchor: int) -> shapes.Number | None:
        """Find out about a number. None when all patterns are to be tried around it: it is long, or noise."""
        text, hexadecimal = self._text, anchor == GROUPS
        if not hexadecimal and (number := shapes.of_long_word(text, at)) is not None:
            return number
        if self._learnt < _MOST_LEARNT:
            number = self._rules.shapes[anchor].learnt(text, at, hexadecimal=hexadecimal)
            if number is not None:
                self._learnt += 1
                return number
        end = shapes.end(text, at, hexadecimal=hexadecimal)
        if self._covered[0] <= at - _DEEP and end <= self._covered[1]:  # all that could be found here is a part of it
            return at, end, ()
        self._ends[anchor], self._wholly[anchor] = end, None
        self._direct[anchor].append(at - LONGEST if at > LONGEST else 0)
        return None

    def _try(self, start: int, end: int, steps: Sequence[shapes.Step], anchor: int) -> int | None:
        """Try a number's patterns. Gives the anchor that it keeps: turned, when what stands around made it none."""
        text, facts = self._text, self._facts
        off = facts.off
        was_excused = False
        beside: frozenset[int] | None = None  # the rules of which a word of context is near: not known
        last, low = -1, 0  # the pattern that found something last, up to where
        for number, offset, firsts, match_at, rule, judge, cost, in_context in steps:
            at = start + offset
            if (firsts and text[at] not in firsts) or (at < low and number == last):
                continue
            match = match_at(text, at)
            if match is None or rule in off:
                continue
            if in_context and rule not in facts.context:
                beside = self._beside(start, end) if beside is None else beside
                if rule not in beside:
                    was_excused = True
                    continue
            self.budget -= cost
            if self.budget < 0:
                raise OverBudget
            finding = judge(text, match, facts)
            if finding is None:
                was_excused = True
                continue
            self.found.append(finding)
            begins, low, found, _ = finding
            last = number
            if begins <= start and low >= end:  # what comes later could only find the same again
                self._wholly[anchor] = True
                return None if found.act is None else anchor
        return ~anchor if was_excused else anchor

    def _beside(self, start: int, end: int) -> frozenset[int]:
        """The rules of which a word may be the context of a part of a number, or of more behind it: it is so near."""
        return self._rules.words.near(
            self._text, start - CONTEXT_BEFORE - _AHEAD, end + _LONGEST_EXTENSION + CONTEXT_AFTER
        )

    def _literal(self, at: int, anchor: int) -> bool:
        """Try the patterns of which a match begins at an anchor; note where to search for the others.

        Says whether the anchor is a part of what was found, for which a token will stand.
        """
        text, off = self._text, self._facts.off
        hanging = self._rules.hanging[anchor]
        self._spend(len(hanging))
        settled = False
        following = text[at + 1 : at + 2]
        for how, number, road, detector in hanging:
            if (off and road.rule in off) or (
                detector.follows and following not in detector.follows and following.isascii()
            ):
                continue
            if how == AT_ANCHOR:
                digit = detector.digit  # without it there is no match: most often it is in what was replaced
                may = digit is None or digit > _NARROW or _DIGIT(text, at, at + digit + 1)
                match = road.match(text, at) if may else None
                if match is None or at < self._reached.get(number, 0):
                    continue
                finding = self._judged(match, road)
            elif how == WITH_AT:
                finding = self._with_at(at, number, road, detector)
            else:
                if not detector.begins or (
                    self._clear.get(number, 0) <= at + detector.ahead and self._begins(at, number, detector)
                ):
                    self._anchored.setdefault(number, []).append(at)
                continue
            if finding is not None:
                self.found.append(finding)
                start, end, rule, _ = finding
                self._reached[number] = end
                if end > self._covered[1]:
                    self._covered = start, end
                if start <= at < end and rule.act is None:
                    settled = True
        return settled

    def _spend(self, cost: int) -> None:
        self.budget -= cost
        if self.budget < 0:
            raise OverBudget

    def _begins(self, at: int, number: int, detector: Detector) -> bool:
        """Whether that with which all of a pattern's matches begin stands so near an anchor that one may have it."""
        low, high, clear = at - detector.before, at + detector.ahead, self._clear.get(number, 0)
        if clear > high:
            return False
        first = self._text.find(detector.begins, max(low, clear), high + _FARTHER)
        if 0 <= first <= high:
            return True
        self._clear[number] = high + _FARTHER - len(detector.begins) if first < 0 else first
        return False

    def _with_at(self, at: int, number: int, road: Road, detector: Detector) -> Finding | None:
        """What a pattern finds whose matches have an `@` at a place, and only a few kinds of characters before it."""
        text, match_at = self._text, road.match
        reached, first = self._reached.get(number, 0), at - detector.before if at > detector.before else 0
        if (
            detector.spaced
            and (low := text.rfind(" ", first, at) + 1) > reached
            and (match := match_at(text, low)) is not None
            and match.end() > at
            and (finding := self._judged(match, road)) is not None
        ):
            return finding  # as most: right behind a space
        if detector.tail.match(text, at + 1) is None:  # type: ignore[union-attr]  # what has a head has a tail
            self.budget -= 1
            return None
        if self.budget < 0:
            raise OverBudget
        head = detector.head.match(text[first:at][::-1])  # type: ignore[union-attr]  # what has a tail has a head
        low = max(reached, at - head.end())  # type: ignore[union-attr]  # matches ""
        for start in range(low, at):
            self.budget -= 1
            match = match_at(text, start)
            if match is not None and (finding := self._judged(match, road)) is not None:
                return finding
        return None

    def _judged(self, match: re.Match[str], road: Road) -> Finding | None:
        """What a match is, if it is a finding at all."""
        _, _, judge, cost, _ = road
        self.budget -= cost
        if self.budget < 0:
            raise OverBudget
        return judge(self._text, match, self._facts)

    def _search(self) -> None:
        """Search around the anchors that do not tell where a match begins."""
        for anchor, spots in enumerate(self._direct):
            self._spend(_DIRECT * len(spots))
            for number in self._rules.of_anchor[anchor] if spots else ():
                self._anchored[number] = sorted(self._anchored.get(number, []) + spots)
        off = self._facts.off
        apart = _APART if self._direct[0] or self._direct[1] else 1
        for number, spots in self._anchored.items():
            road, detector = self._rules.roads[number], self._rules.detectors[number][1]
            if road.rule not in off:
                self._detect(road, detector, spots, apart)

    def _detect(self, road: Road, detector: Detector, anchored: Sequence[int], apart: int) -> None:
        """Add what one pattern finds in windows around its anchors; windows that near each other are one."""
        before, ahead, after = detector.before, detector.ahead, detector.after
        done = 0  # from here on nothing has been tried
        position, count = 0, len(anchored)
        while position < count:
            at = anchored[position]
            low, last, high = max(done, at - before), at + ahead, at + after
            position += 1
            while position < count and anchored[position] - before <= last + apart:
                last, high = anchored[position] + ahead, anchored[position] + after
                position += 1
            done = self._in_window(road, detector, low, last, high)

    def _in_window(self, road: Road, detector: Detector, low: int, last: int, high: int) -> int:
        """Add what one pattern finds that begins from `low` to `last` and ends before `high`; say where to go on."""
        while low <= last and (tried := self._next(detector, low, last, high)) is not None:
            first, match = tried
            low = first + 1
            if match is not None and (finding := self._judged(match, road)) is not None:
                self.found.append(finding)
                low = max(low, finding[1])
        return max(low, last + 1)

    def _next(self, detector: Detector, low: int, last: int, high: int) -> tuple[int, re.Match[str] | None] | None:
        """Try one pattern from `low` on. Gives the first match, or how far nothing is; None: no more up to `last`."""
        text, match_at, digit = self._text, detector.match, detector.digit
        if detector.begins:
            first = text.find(detector.begins, low, last + len(detector.begins))
            return None if first < 0 else (first, match_at(text, first, high))
        if last - low > _NARROW:
            match = detector.search.search(text, low, high)  # the end of what is looked at may have cut it
            return None if match is None or match.start() > last else (match.start(), match)
        first, beyond = low, last + 1  # a search would go on behind them, where matches end
        if digit is not None:
            near = _DIGIT(text, low, beyond + digit)
            if near is None:
                return None
            first, beyond = max(low, near.start() - digit), min(near.start(), last) + 1
        if (opens := detector.opens) is None:
            while (match := match_at(text, first, high)) is None and first + 1 < beyond:
                first += 1
            return first, match
        while (opened := opens(text, first, beyond)) is not None:
            first = opened.start()
            if (match := match_at(text, first, high)) is not None:
                return first, match
            first += 1
        return beyond - 1, None

    def over_all(self) -> None:
        """Add what the rules find that look over the whole text."""
        lowered = self._text.lower()
        for rule, whole in self._rules.wholes:
            if rule.index not in self._facts.off and whole.may(lowered):
                self._look_over(rule, whole)

    def _look_over(self, rule: CompiledRule, whole: Whole) -> None:
        text = self._text
        for start, end, confidence in _looked(whole, text):
            self._spend(whole.cost)
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
